"""Frames in, analysis datasets out (STUDY C). No Django, no database, no clock: equal frames give equal datasets.

Each patient is derived alone, so that the datasets of two groups of patients, put together, are those of both.
"""

from datetime import date

from analysis.derive.adae import derive_adae
from analysis.derive.adex import derive_adex
from analysis.derive.adrs import derive_adrs
from analysis.derive.adsl import derive_adsl
from analysis.derive.adtte import derive_adtte
from analysis.derive.datasets import Datasets
from analysis.derive.patient import Patient, derive_patient
from analysis.derive.rows import Frames, read_casebooks
from trial.parameters import Parameters

__all__ = ["Datasets", "Frames", "Patient", "derive", "derive_patients"]


def derive(frames: Frames, parameters: Parameters, cutoff: date) -> Datasets:
    """The analysis datasets at a clinical cut-off. `frames` has a frame for each form, with all its columns, and `SUBJ`."""
    patients = derive_patients(frames, parameters, cutoff)
    return Datasets(
        adsl=derive_adsl(patients),
        adrs=derive_adrs(patients),
        adtte=derive_adtte(patients),
        adae=derive_adae(patients),
        adex=derive_adex(patients),
    )


def derive_patients(frames: Frames, parameters: Parameters, cutoff: date) -> list[Patient]:
    """Every patient of the frames, each derived alone, in the order of their numbers."""
    return [derive_patient(book, parameters, cutoff) for book in read_casebooks(frames)]
