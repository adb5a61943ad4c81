"""Versions of forms that cannot be: an answer that ends before it begins, or begins in a version that is not there yet."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register

from trial.fields import Answer
from trial.records import FIRST_VERSION, PatientRecord, record_models


@register
def check_form_versions(
    app_configs: Sequence[AppConfig] | None = None, models: Sequence[type[PatientRecord]] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Errors marrow.F001 to F003, of every form."""
    found: list[CheckMessage] = []
    for model in record_models() if models is None else models:
        if model.form.part_of and model.form.version != FIRST_VERSION:
            found.append(
                Error(
                    f"{model.form.code} says that it is of version {model.form.version}, and it is a part of {model.form.part_of}.",
                    hint=f"Say the version in the declaration of {model.form.part_of}.",
                    id="marrow.F003",
                )
            )
            continue
        for answer in model.answers():
            found.extend(check_answer(answer, model.present_version(), model.form.code))
    return found


def check_answer(answer: Answer, version: int, form: str) -> Iterator[CheckMessage]:
    """The errors of one answer of a form whose present version is `version`."""
    name = f"{form}.{answer.name}"
    if answer.until is not None and answer.until < answer.since:
        yield Error(
            f"{name} is asked since version {answer.since} and until version {answer.until}.",
            hint="Let `until` be the last version that asks it.",
            id="marrow.F001",
        )
    if not FIRST_VERSION <= answer.since <= version:
        yield Error(
            f"{name} is asked since version {answer.since}, and the form is of version {version}.",
            hint=f"Raise the version of the form to {answer.since}, or let `since` be one of 1 to {version}.",
            id="marrow.F002",
        )
