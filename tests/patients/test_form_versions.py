"""Amendments: a form of an old version is asked for what that version asked, whatever the present one asks."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client

from patients.casebook import casebook_of, unanswered
from patients.checking import _not_asked, run_checks
from patients.grid.status import _incomplete_records, incomplete_entries, with_incomplete_entries
from patients.mending.versions import amendment
from patients.models import Enrolment, InfusionBag, InfusionInterval, PerformanceStatus
from tests import make
from tests.patients.test_entry_saving import fields_of, problems_in, text_of
from trial.audit import recording
from trial.data_dictionary import data_dictionary
from trial.drafts import find_draft, keep_draft
from trial.fields import TextField
from trial.form_checks import check_answer, check_form_versions
from trial.models import FormEntry, Patient, Query
from trial.records import PatientRecord

HERE = "/MT103-211/patients/SYN-012-001/"


def amend(monkeypatch: pytest.MonkeyPatch, model: type[PatientRecord], *, added: str, retired: str = "") -> None:
    """Release version 2 of a form: it asks one question more, and perhaps another one no longer."""
    monkeypatch.setattr(model, "form", replace(model.form, version=2))
    monkeypatch.setattr(model._meta.get_field(added), "since", 2)
    if retired:
        monkeypatch.setattr(model._meta.get_field(retired), "until", 1)
    forget()


def forget() -> None:
    """Drop what is worked out from the declarations once for all."""
    _incomplete_records.cache_clear()
    _not_asked.cache_clear()


@pytest.fixture(autouse=True)
def declared_anew() -> Iterator[None]:
    yield
    forget()


@pytest.fixture
def released(monkeypatch: pytest.MonkeyPatch) -> None:
    """Version 2 of the form PS asks the weight, and no writing test."""
    amend(monkeypatch, PerformanceStatus, added="weight_kg", retired="did_writing_test")


@pytest.fixture
def desk(coordinator: User) -> Client:
    client = Client()
    client.force_login(coordinator)
    return client


def filled(patient: Patient, version: int | None, **answers: object) -> PerformanceStatus:
    """A record that was entered under a version of its form; None is from before versions were kept."""
    record = make.record(PerformanceStatus, patient, "C1D1", **answers)
    with recording(by=make.author(), reason="Entered under another version."):
        record.entry.form_version = version
        record.entry.save()
    return PerformanceStatus.objects.get(pk=record.pk)


OLD = {"weight_kg": None, "did_writing_test": False}
NEW = {"weight_kg": None, "did_writing_test": None}


# What is asked


@pytest.mark.parametrize(
    ("version", "answers", "lacking"),
    [
        (1, OLD, []),  # the weight did not exist
        (None, OLD, []),
        (1, NEW, ["did_writing_test"]),  # the writing test did
        (2, NEW, ["weight_kg"]),
        (2, {"weight_kg": Decimal(70), "did_writing_test": None}, []),
    ],
)
def test_a_record_is_incomplete_only_without_what_its_version_asks(
    patient: Patient, released: None, version: int | None, answers: dict[str, object], lacking: list[str]
):
    record = filled(patient, version, **answers)

    assert unanswered(record) == lacking
    assert (record.entry_id in incomplete_entries([patient.pk])) == bool(lacking)
    assert with_incomplete_entries(Patient.objects.all()).exists() == bool(lacking)
    (form,) = (form for section in casebook_of(patient).sections for form in section.forms if form.form.code == "PS")
    assert (form.entries[0].status.word == "Incomplete") == bool(lacking)


@pytest.mark.parametrize(("version", "is_asked"), [(1, False), (2, True)])
def test_no_check_asks_about_an_answer_that_did_not_exist(
    patient: Patient, monkeypatch: pytest.MonkeyPatch, version: int, is_asked: bool
):
    amend(monkeypatch, Enrolment, added="screen_failure")
    record = make.record(Enrolment, patient, is_enrolled=False, enrolled_on=None)
    with recording(by=make.author(), reason="Entered under another version."):
        record.entry.form_version = version
        record.entry.save()

    run_checks(patient, ["ENR"])

    assert Query.objects.filter(check_code="EC-007").exists() is is_asked


def test_the_rows_of_a_block_are_of_the_version_of_their_form(
    desk: Client, patient: Patient, monkeypatch: pytest.MonkeyPatch
):
    amend(
        monkeypatch, InfusionInterval, added="rate_ml_per_h" if hasattr(InfusionInterval, "rate_ml_per_h") else "change"
    )
    monkeypatch.setattr(InfusionBag._meta.get_field("bag"), "since", 2)
    bag = make.record(InfusionBag, patient, bag=None)
    interval = bag.interval
    with recording(by=make.author(), reason="Entered under another version."):
        interval.entry.form_version = 1
        interval.entry.save()

    page = desk.get(f"{HERE}EX/{interval.pk}/edit/").content.decode()

    assert 'name="EX.BAG.0-hung_at"' in page
    assert 'name="EX.BAG.0-bag"' not in page
    assert 'name="EX.BAG.1-bag"' not in page  # nor in the row that stands ready


def test_a_first_save_keeps_the_version_and_a_later_one_leaves_it(
    desk: Client, patient: Patient, monkeypatch: pytest.MonkeyPatch
):
    sent = {"assessed_on": "4mar2013", "ecog": "1", "weight_kg": "71.5", "did_writing_test": "no"}
    desk.post(f"{HERE}PS/at/C1D1/", sent)
    amend(monkeypatch, PerformanceStatus, added="ecog")
    record = PerformanceStatus.objects.get()
    page = desk.get(f"{HERE}PS/{record.pk}/edit/").content.decode()

    desk.post(f"{HERE}PS/{record.pk}/edit/", fields_of(page) | sent | {"weight_kg": "72", "reason": "Misread."})

    record.refresh_from_db()
    assert (record.weight_kg, record.ecog) == (Decimal(72), 1)  # what the version does not ask is left as it is
    assert record.entry.form_version == 1


# The pages


def test_an_old_record_shows_what_its_version_asked_and_no_more(desk: Client, patient: Patient, released: None):
    record = filled(patient, 1, **OLD)

    read = text_of(desk.get(f"{HERE}PS/{record.pk}/").content.decode())
    page = desk.get(f"{HERE}PS/{record.pk}/edit/").content.decode()

    assert "Writing test" in read
    assert "Weight" not in read
    assert 'name="did_writing_test"' in page
    assert 'name="weight_kg"' not in page
    assert "This form was entered under version 1; the present one is version 2." in text_of(page)


def test_what_is_retired_is_not_asked_any_more_and_is_still_read(desk: Client, patient: Patient, released: None):
    record = filled(patient, 2, weight_kg=Decimal(70), did_writing_test=True, writing="UNCHANGED")

    read = text_of(desk.get(f"{HERE}PS/{record.pk}/").content.decode())
    page = desk.get(f"{HERE}PS/{record.pk}/edit/").content.decode()
    both = text_of(desk.get(f"{HERE}PS/").content.decode())

    assert "Writing test done Yes" in read
    assert 'name="did_writing_test"' not in page
    assert "Answers that this version of the form does not ask" in page
    assert "Weight" in both


def test_versions_beside_each_other_say_what_was_not_asked(desk: Client, patient: Patient, released: None):
    filled(patient, 1, **OLD)
    make.record(PerformanceStatus, patient, "C1D8", weight_kg=Decimal(70), did_writing_test=None)

    page = text_of(desk.get(f"{HERE}PS/").content.decode())

    assert page.count("Not asked in this version") == 2


def test_the_grid_does_not_call_an_old_record_incomplete(desk: Client, patient: Patient, released: None):
    filled(patient, 1, **OLD)

    page = text_of(desk.get(f"{HERE}visits/").content.decode())

    assert "C1D1" in page
    assert "Incomplete" not in page.split("C1D1", 1)[1].split("Enrolment", 1)[0]


# A page that was opened before the release


def test_a_page_of_the_old_version_is_answered_with_the_new_one_and_what_was_typed(
    desk: Client, patient: Patient, released: None
):
    sent = {"assessed_on": "4mar2013", "ecog": "1", "did_writing_test": "yes", "form_version": "1"}

    answer = desk.post(f"{HERE}PS/at/C1D1/", sent)

    page = answer.content.decode()
    words = text_of(page)
    assert answer.status_code == 409
    assert "This form is of version 2 now; the page was opened under version 1." in words
    assert "Version 2 also asks: Weight." in words
    assert "'yes' was typed for " in words
    assert 'value="4mar2013"' in page
    assert not PerformanceStatus.objects.exists()

    again = desk.post(f"{HERE}PS/at/C1D1/", sent | fields_of(page) | {"weight_kg": "70"})

    assert (again.status_code, problems_in(again.content.decode())) == (302, [])
    saved = PerformanceStatus.objects.get()
    assert (saved.entry.form_version, saved.weight_kg) == (2, Decimal(70))
    assert saved.did_writing_test is None


def test_a_draft_of_the_old_version_is_shown_on_the_new_one(desk: Client, patient: Patient, released: None):
    coordinator = User.objects.get(username="coordinator")
    typed = {"assessed_on": ["4mar2013"], "did_writing_test": ["yes"], "form_version": ["1"]}
    keep_draft(coordinator, f"{HERE}PS/at/C1D1/", typed)

    answer = desk.get(f"{HERE}PS/at/C1D1/")

    assert answer.status_code == 200
    assert "This form is of version 2 now" in text_of(answer.content.decode())
    assert 'value="4mar2013"' in answer.content.decode()
    assert find_draft(coordinator, f"{HERE}PS/at/C1D1/")


def test_a_page_of_an_entry_that_was_brought_forward_meanwhile_keeps_what_was_typed(
    desk: Client, patient: Patient, released: None
):
    record = filled(patient, 1, **OLD)
    sent = fields_of(desk.get(f"{HERE}PS/{record.pk}/edit/").content.decode())
    sent |= {"assessed_on": "4mar2013", "ecog": "2", "did_writing_test": "yes", "reason": "Misread."}
    desk.post(f"{HERE}PS/{record.pk}/version/", {"reason": "Asked of all.", "version": str(record.entry.version)})

    answer = desk.post(f"{HERE}PS/{record.pk}/edit/", sent)
    again = desk.post(f"{HERE}PS/{record.pk}/edit/", sent | fields_of(answer.content.decode()) | {"weight_kg": "70"})

    assert (answer.status_code, again.status_code) == (409, 302)
    record.refresh_from_db()
    assert (record.ecog, record.weight_kg, record.did_writing_test) == (2, Decimal(70), False)


# To the present version


def test_an_old_record_is_brought_to_the_present_version_with_a_reason(desk: Client, patient: Patient, released: None):
    record = filled(patient, 1, **OLD)
    address = f"{HERE}PS/{record.pk}/version/"
    page = desk.get(address)
    sent = fields_of(page.content.decode())

    refused = desk.post(address, sent)
    done = desk.post(address, sent | {"reason": "The sponsor asks for the weight of all."})

    assert "incomplete while a required one of them is blank" in text_of(page.content.decode())
    assert problems_in(refused.content.decode()) == [
        "Say why this form is brought to another version. The reason is kept in the audit trail."
    ]
    assert (refused.status_code, done.status_code) == (400, 302)
    entry = FormEntry.objects.get(pk=record.entry_id)
    assert entry.form_version == 2
    assert entry.history.first().recording.reason == "The sponsor asks for the weight of all."
    assert record.entry_id in incomplete_entries([patient.pk])
    assert desk.get(address).status_code == 302  # there is nothing to do any more


def test_an_entry_that_somebody_changed_is_not_brought_forward_unseen(desk: Client, patient: Patient, released: None):
    record = filled(patient, 1, **OLD)

    answer = desk.post(f"{HERE}PS/{record.pk}/version/", {"reason": "Asked of all.", "version": "1"})

    assert answer.status_code == 409
    assert "Somebody changed this form since you opened it." in text_of(answer.content.decode())
    assert FormEntry.objects.get(pk=record.entry_id).form_version == 1
    again = fields_of(answer.content.decode()) | {"reason": "Asked of all."}
    assert desk.post(f"{HERE}PS/{record.pk}/version/", again).status_code == 302


def test_what_was_removed_is_entered_anew_under_the_present_version(desk: Client, patient: Patient, released: None):
    record = filled(patient, 1, **OLD)
    desk.post(f"{HERE}PS/{record.pk}/remove/", {"reason": "Of another patient.", "version": "1"})

    desk.post(f"{HERE}PS/at/C1D1/", {"assessed_on": "4mar2013", "ecog": "1", "weight_kg": "70"})

    saved = PerformanceStatus.objects.get()
    assert saved.entry_id == record.entry_id
    assert saved.entry.form_version == 2


# What is written about them


def test_the_differences_of_two_versions_are_told_in_words(released: None):
    assert amendment(PerformanceStatus, 1, 2).added == ("Weight",)
    assert amendment(PerformanceStatus, 1, 2).words.startswith("Version 2 also asks: Weight. It no longer asks: ")
    assert amendment(PerformanceStatus, 2, 2).words == ""


def test_the_data_dictionary_says_from_and_until_which_version(released: None):
    text = data_dictionary()

    (weight,) = (line for line in text.splitlines() if line.startswith("| weight_kg "))
    (writing,) = (line for line in text.splitlines() if line.startswith("| did_writing_test "))
    assert "(from version 2)" in weight
    assert "(until version 1)" in writing
    assert "Version 2. Table `patients_performancestatus`." in text


@pytest.mark.parametrize(
    ("since", "until", "version", "ids"),
    [
        (1, None, 1, []),
        (2, 2, 2, []),
        (1, 3, 2, []),  # its end is known beforehand
        (2, 1, 2, ["marrow.F001"]),
        (3, None, 2, ["marrow.F002"]),
        (0, None, 2, ["marrow.F002"]),
    ],
)
def test_versions_that_cannot_be_stop_the_start(since: int, until: int | None, version: int, ids: list[str]):
    answer = TextField("Something", since=since, until=until, max_length=5)
    answer.name = "something"

    assert [message.id for message in check_answer(answer, version, "XX")] == ids


def test_the_version_of_a_block_is_said_by_its_form(monkeypatch: pytest.MonkeyPatch):
    assert check_form_versions() == []

    monkeypatch.setattr(InfusionBag, "form", replace(InfusionBag.form, version=2))

    assert [message.id for message in check_form_versions()] == ["marrow.F003"]
