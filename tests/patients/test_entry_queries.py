"""What a save asks of the database: a small number of statements that does not grow with the rows of the form or of the patient.

Counted is each SELECT, INSERT, UPDATE and DELETE of a request, signing in included. BEGIN, COMMIT and savepoints are not:
they look at no table.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from patients.checking import edit_checks
from patients.laboratory_tests import panel_of
from patients.models import ChemistryResult, ChemistrySample, NormalRange
from tests import make
from tests.cast import Cast
from trial.audit import recording, service_account
from trial.edit_checks import touching
from trial.models import FormEntry, Patient, Query
from trial.records import record_model
from trial.review.queries import CHECKER

HERE = "/MT103-211/patients/SYN-012-001/"
PANEL = panel_of("LBC")
MOST = 15  # statements of a save of a form, apart from one for each other form that its checks read
WITHDRAWAL = {
    "WDR",
    "EOS",
}  # the forms that say whether consent was withdrawn, after which nothing is entered: one statement
MOST_ASKING = 4  # the account in whose name checks ask, its act, the new questions, the changed ones
LOCK = (
    1 if connection.features.has_select_for_update else 0
)  # SQLite's one writer holds every patient without a statement
MANY = 25  # samples of a patient, of twenty results each


def others_read(form: str) -> set[str]:
    """The other forms that are read for a save of this form: by the checks that it touches, and by the rule on withdrawals."""
    checks = touching(edit_checks(), [form, f"{form}.RESULT"])
    return {other for check in checks for other in (check.form, *check.reads)} - {form} | WITHDRAWAL


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements that are run meanwhile, without those that only begin or end a transaction or savepoint."""
    found: list[str] = []

    def note(
        execute: Callable[..., object], sql: str, params: object, many: bool, context: dict[str, object]
    ) -> object:
        if re.match(r"SELECT|INSERT|UPDATE|DELETE", sql):
            found.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield found


@pytest.fixture
def desk(coordinator: User) -> Client:
    client = Client()
    client.force_login(coordinator)
    return client


@pytest.fixture
def ranges(cast: Cast) -> None:
    """What the laboratory calls normal: nothing is high."""
    service_account(CHECKER)  # it is made once for all
    with recording(by=make.author(), reason="The laboratory's list.", study=cast.study):
        for test in PANEL:
            NormalRange.objects.create(
                site=cast.here, laboratory="LAB-012", test=test.code, unit=test.unit, low=0, high=test.high,
                valid_from=make.DAY,
            )  # fmt: skip


def quiet(number: int = 0) -> dict[str, str]:
    """A chemistry in which nothing is asked about, as the page sends it."""
    usual = {"ALT": 30, "AST": 30, "GGT": 30, "ALP": 70, "BILI": 10, "BILDIR": 3, "CREAT": 70, "UREA": 5, "URATE": 300}
    usual |= {"K": 4, "SODIUM": 140, "CA": 2, "PHOS": 1, "MG": 1, "LDH": 200, "ALB": 40, "GLUC": 5, "CRP": 3}
    usual |= {"AMYLASE": 50, "LIPASE": 40}
    sent = {"taken_at": "4mar2013 09:30", "laboratory": "LAB-012"}
    for test in PANEL:
        sent[f"LBC.RESULT.{test.code}-value_text"] = str(usual[test.code] + number)
        sent[f"LBC.RESULT.{test.code}-unit_text"] = test.unit
    return sent


def hidden_in(page: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([^"]+)"(?: value="([^"]*)")?', page)
    return {name: value for name, value in found if name != "csrfmiddlewaretoken"}


def saved(desk: Client, address: str, answers: dict[str, str]) -> list[str]:
    """The statements of a save that was taken."""
    sent = hidden_in(desk.get(HERE + address).content.decode()) | answers
    with statements() as found:
        answer = desk.post(HERE + address, sent)
    assert answer.status_code == 302
    return found


def test_a_form_of_forty_two_answers_takes_few_statements(desk: Client, patient: Patient, ranges: None):
    others = others_read("LBC")
    for form in others - WITHDRAWAL:
        make.record(record_model(form), patient, "C1D1")

    new = saved(desk, "LBC/at/C1D15/", quiet())
    sample = ChemistrySample.objects.get(entry__visit="C1D15")
    changed = saved(desk, f"LBC/{sample.pk}/edit/", quiet(1) | {"reason": "Another analyser."})

    assert ChemistryResult.objects.filter(sample=sample, version=2).count() == len(PANEL) == 20
    assert not Query.objects.exists()
    assert len(new) <= MOST + len(others) + LOCK
    assert len(changed) <= MOST + len(others) + LOCK


def test_what_is_asked_takes_a_few_more(desk: Client, patient: Patient, ranges: None):
    quietly = saved(desk, "LBC/at/C1D8/", quiet())
    hot = quiet() | dict.fromkeys((f"LBC.RESULT.{test}-value_text" for test in ("ALT", "AST")), "150000")
    hot |= {"LBC.RESULT.K-value_text": "9", "LBC.RESULT.SODIUM-value_text": "99", "LBC.RESULT.GLUC-value_text": "70"}
    hot |= {"LBC.RESULT.ALT-value_text": "15000", "LBC.RESULT.AST-value_text": "15000"}

    asking = saved(desk, "LBC/at/C1D15/", hot)
    sample = ChemistrySample.objects.get(entry__visit="C1D15")
    mending = saved(desk, f"LBC/{sample.pk}/edit/", quiet() | {"reason": "Misread."})

    assert Query.objects.filter(record=sample.pk, state="closed").count() == Query.objects.count() >= 3
    assert len(asking) <= len(quietly) + MOST_ASKING + LOCK
    assert len(mending) <= MOST + len(others_read("LBC")) + LOCK


def test_the_statements_do_not_grow_with_the_rows(desk: Client, patient: Patient, ranges: None):
    few = len(saved(desk, "LBC/at/C1D1/", quiet()))
    with recording(by=make.author(), reason="A long history.", study=patient.study):
        entries = FormEntry.objects.bulk_create(
            FormEntry(patient=patient, form="LBC", visit=f"UNS{number + 1}", form_version=1) for number in range(MANY)
        )
        taken = {"taken_at": make.MOMENT, "taken_at_offset": 60, "laboratory": "LAB-012"}
        usual = {test.code: quiet()[f"LBC.RESULT.{test.code}-value_text"] for test in PANEL}
        samples = ChemistrySample.objects.bulk_create(
            ChemistrySample(patient=patient, entry=entry, **taken) for entry in entries
        )
        ChemistryResult.objects.bulk_create(
            ChemistryResult(
                patient=patient, entry=sample.entry, sample=sample, test=test.code, value=usual[test.code],
                value_text=usual[test.code], unit_text=test.unit,
            )
            for sample in samples
            for test in PANEL
        )  # fmt: skip

    many = len(saved(desk, "LBC/at/C1D15/", quiet()))

    assert ChemistryResult.objects.count() == (MANY + 2) * len(PANEL)
    assert many <= few + MOST_ASKING + LOCK  # what the long history has to be asked about is asked with this save
    assert len(saved(desk, "LBC/at/C1D22/", quiet())) == few
