"""Who among exported patients withdrew consent, for whoever receives the data: the manifest and the README of an export say it.

The rule (decision 0071): what was collected before stays in the datasets. Where the use of samples was withdrawn, nothing may be
measured in them any more.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import date
from typing import Any

import pandas as pd

from patients.withdrawal import CONTACT, END_OF_STUDY, withdrawn


def withdrawals_in(frames: dict[str, pd.DataFrame], patients: Collection[str]) -> list[dict[str, Any]]:
    """A row a patient who withdrew: the days from which there was no consent to treatment, contacts and the use of samples."""
    said: dict[str, list[tuple[date | None, str | None]]] = defaultdict(list)
    for patient, day, extent in _columns(frames, "WDR", "withdrawn_on", "extent"):
        said[patient].append((_day(day), extent))
    for patient, day, reason in _columns(frames, "EOS", "ended_on", "reason"):
        if reason == END_OF_STUDY:
            said[patient].append((_day(day), CONTACT))
    states = {patient: withdrawn(each) for patient, each in sorted(said.items()) if patient in patients}
    return [
        {
            "patient": patient,
            "treatment_from": state.treatment_on.isoformat(),
            "contact_from": state.contact_on.isoformat() if state.contact_on else None,
            "samples_from": state.samples_on.isoformat() if state.samples_on else None,
        }
        for patient, state in states.items()
        if state is not None
    ]


def sentence_about(withdrawals: list[dict[str, Any]]) -> str:
    """The withdrawals of an export in a sentence; empty text where there are none."""
    if not withdrawals:
        return ""
    samples = sum(each["samples_from"] is not None for each in withdrawals)
    words = "1 patient withdrew consent" if len(withdrawals) == 1 else f"{len(withdrawals)} patients withdrew consent"
    about_samples = f", {samples} of them to any further use of samples" if samples else ""
    return f"{words}{about_samples}: see withdrawals in manifest.json. What was collected before is in the datasets."


def _columns(frames: dict[str, pd.DataFrame], form: str, *names: str) -> list[tuple[Any, ...]]:
    frame = frames[form]
    return list(zip(frame["patient"], *(frame[name] for name in names), strict=True))


def _day(moment: Any) -> date | None:
    return None if pd.isna(moment) else moment.date()
