"""A form that was entered for the wrong visit or the wrong patient: it is moved, refused with a sentence, and never half moved."""

import threading
from datetime import date
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from patients.models import (
    Demographics,
    EndOfTreatment,
    HaematologyResult,
    HaematologySample,
    Marrow,
    MedicalHistory,
    MrdAssay,
    NormalRange,
    PerformanceStatus,
    VitalSigns,
)
from safety.models import AdverseEvent, CytokineRelease, EventGrade
from tests import make
from tests.cast import Cast
from tests.patients.test_entry_saving import fields_of, problems_in, text_of
from trial.audit import recording
from trial.drafts import find_draft, keep_draft
from trial.models import FormEntry, Patient, Query

HERE = "/MT103-211/patients/SYN-012-001/"
THERE = "/MT103-211/patients/SYN-012-002/"
WHY = "It was the chart of another patient."


@pytest.fixture
def desk(coordinator: User) -> Client:
    client = Client()
    client.force_login(coordinator)
    return client


@pytest.fixture
def other(patient: Patient) -> Patient:
    """Another patient of the site."""
    return make.patient(patient.site)


def move(desk: Client, record: object, **asked: str):
    """Open the page that moves a record, and send it with these answers."""
    address = f"{HERE}{record.form.code}/{record.pk}/move/"
    page = desk.get(address).content.decode()
    usual = {"patient": "SYN-012-001", "visit": record.entry.visit, "reason": WHY}
    return desk.post(address, fields_of(page) | usual | asked, follow=True)


def refusal(desk: Client, record: object, **asked: str) -> str:
    """What the page says to a move that is refused, after which nothing is changed."""
    model, entries = type(record), FormEntry.objects.count()
    before = model.objects.get(pk=record.pk).version

    answer = move(desk, record, **asked)

    page = answer.content.decode()
    assert answer.status_code in (400, 409)
    assert model.objects.get(pk=record.pk).version == before
    assert FormEntry.objects.count() == entries
    return " ".join(problems_in(page)) or text_of(page.split('id="problem"', 1)[1].split("</div>", 1)[0]).lstrip("> ")


# To another visit


def test_to_another_visit_the_record_its_rows_and_its_queries_hang_on_that_entry(desk: Client, patient: Patient):
    make.entry_expected(patient, "LBH", "C1D8")
    result = make.record(HaematologyResult, patient, "C1D1")
    sample = result.sample
    query = asked_about(sample)

    answer = move(desk, sample, visit="C1D8")

    assert answer.redirect_chain == [(f"{HERE}LBH/{sample.pk}/edit/", 302)]
    assert "Moved to SYN-012-001, visit C1D8." in text_of(answer.content.decode())
    sample.refresh_from_db()
    result.refresh_from_db()
    query.refresh_from_db()
    entry = FormEntry.objects.get(visit="C1D8")
    assert sample.entry_id == result.entry_id == query.entry_id == entry.pk
    assert entry.form_version == 1
    assert query.state == "open"
    assert not HaematologySample.objects.filter(entry__visit="C1D1").exists()
    page = text_of(desk.get(f"{HERE}LBH/{sample.pk}/history/").content.decode())
    assert f"Moved from SYN-012-001, visit C1D1 to SYN-012-001, visit C1D8: {WHY}" in page


def asked_about(record: object, field: str = "") -> Query:
    """An open question of a person about a record, or about one of its fields."""
    with recording(by=make.author(), reason="A question of a monitor.", study=record.patient.study):
        return Query.objects.create(
            patient=record.patient,
            entry=record.entry,
            form=record.form.code,
            record=record.pk,
            field=field,
            question="Is this right?",
            severity="W",
        )


def test_what_was_said_with_the_form_goes_along_and_its_old_place_is_empty(desk: Client, patient: Patient):
    record = make.record(PerformanceStatus, patient, "C1D1")
    with recording(by=make.author(), reason="A comment."):
        record.entry.comment, record.entry.collected_on = "From the chart.", date(2013, 3, 4)
        record.entry.save()

    move(desk, record, visit="LOG")  # refused: the form is of visits
    assert PerformanceStatus.objects.get().entry.visit == "C1D1"
    make.entry_expected(patient, "SV", "C1D8")
    move(desk, record, visit="C1D8")

    left, taken = FormEntry.objects.get(form="PS", visit="C1D1"), FormEntry.objects.get(form="PS", visit="C1D8")
    assert (left.comment, left.collected_on, left.form_version) == (None, None, None)
    assert (taken.comment, taken.collected_on, taken.form_version) == ("From the chart.", date(2013, 3, 4), 1)
    assert desk.get(f"{HERE}PS/at/C1D1/").status_code == 200  # it can be entered anew there


# To another patient


def test_a_log_of_which_a_row_is_moved_away_waits_for_no_other(desk: Client, patient: Patient, other: Patient):
    first, second = (make.record(MedicalHistory, patient, term=term) for term in ("Asthma", "Gout"))

    move(desk, first, patient=other.number)
    stands = set(FormEntry.objects.filter(patient=patient, form="MH"))
    move(desk, second, patient=other.number)

    assert stands == {second.entry}
    assert FormEntry.objects.get(patient=patient, form="MH") == second.entry  # expected again
    assert MedicalHistory.objects.filter(patient=other).count() == 2


def test_to_another_patient_it_is_written_there_and_taken_away_here(desk: Client, patient: Patient, other: Patient):
    sample = make.record(HaematologySample, patient, "C1D1")
    result = make.record(HaematologyResult, patient, "C1D1", sample=sample, value_text="1.2")
    query = asked_about(sample)

    page = text_of(desk.get(f"{HERE}LBH/{sample.pk}/move/").content.decode())
    answer = move(desk, sample, patient="syn-012-002")

    moved = HaematologySample.objects.get()
    row = HaematologyResult.objects.get()
    assert "1 row of its blocks and its comment go along." in page
    assert "1 query is closed here" in page
    assert answer.redirect_chain == [(f"{THERE}LBH/{moved.pk}/edit/", 302)]
    assert (moved.patient, moved.entry.visit, moved.entry.form_version) == (other, "C1D1", 1)
    assert (row.patient, row.sample, row.entry, row.value_text) == (other, moved, moved.entry, "1.2")
    said = f"Moved from SYN-012-001, visit C1D1 to SYN-012-002, visit C1D1: {WHY}"
    assert (sample.history.first().history_type, sample.history.first().recording.reason) == ("-", said)
    assert [(each.history_type, each.recording.reason) for each in moved.history.all()] == [("+", said)]
    assert HaematologyResult.history.filter(id=result.pk, history_type="-").exists()
    query.refresh_from_db()
    assert query.state == "closed"
    assert said in text_of(desk.get(f"{THERE}LBH/{moved.pk}/history/").content.decode())
    assert said in text_of(desk.get(f"{HERE}LBH/{sample.pk}/history/").content.decode())


def test_the_checks_are_run_for_both_patients(desk: Client, patient: Patient, other: Patient):
    record = make.record(VitalSigns, patient, "C1D1", temperature_c=Decimal("41.5"))
    desk.post(f"{HERE}VS/at/C1D1/", {"temperature_c": "41.5", "measured_at": "4mar2013 0900"})
    here = VitalSigns.objects.exclude(pk=record.pk).get()
    assert Query.objects.filter(record=here.pk, state="open").exists()

    move(desk, here, patient="SYN-012-002")

    moved = VitalSigns.objects.get(patient=other)
    assert not Query.objects.filter(record=here.pk, state="open").exists()
    assert {query.patient_id for query in Query.objects.filter(record=moved.pk, state="open")} == {other.pk}


def test_results_get_the_normal_range_of_the_patient_they_are_of(
    desk: Client, cast: Cast, patient: Patient, other: Patient
):
    make.record(Demographics, patient, sex="F")
    make.record(Demographics, other, sex="M")
    with recording(by=make.author(), reason="Ranges."):
        for sex, low in (("F", 150), ("M", 140)):
            NormalRange.objects.create(
                site=cast.here,
                laboratory="LAB-012",
                test="PLAT",
                unit="10^9/L",
                sex=sex,
                low=Decimal(low),
                high=Decimal(400),
                valid_from=date(2012, 1, 1),
            )
    result = make.record(HaematologyResult, patient, "C1D1", value_text="120", low=Decimal(150), high=Decimal(400))

    move(desk, result.sample, patient="SYN-012-002")

    moved = HaematologyResult.objects.get()
    assert (moved.low, moved.high, moved.grade) == (Decimal(140), Decimal(400), 1)


def test_what_was_typed_and_not_saved_goes_along(desk: Client, patient: Patient, other: Patient, investigator: User):
    record = make.record(PerformanceStatus, patient, "C1D1")
    keep_draft(investigator, f"{HERE}PS/{record.pk}/edit/", {"ecog": ["3"], "version": ["1"]})

    move(desk, record, patient="SYN-012-002")

    moved = PerformanceStatus.objects.get()
    draft = find_draft(investigator, f"{THERE}PS/{moved.pk}/edit/")
    assert draft is not None
    assert draft.typed["ecog"] == ["3"]


# Refused


def test_a_place_that_is_taken_refuses(desk: Client, patient: Patient, other: Patient):
    record = make.record(PerformanceStatus, patient, "C1D1")
    make.record(PerformanceStatus, patient, "C1D8")
    make.record(PerformanceStatus, other, "C1D1")

    assert refusal(desk, record, visit="C1D8") == (
        "The form Performance status is entered at SYN-012-001, visit C1D8 already. Move or remove that one first."
    )
    assert "is entered at SYN-012-002, visit C1D1 already" in refusal(desk, record, patient="SYN-012-002")
    assert refusal(desk, record) == (
        "The form stands at SYN-012-001, visit C1D1 already. Choose another patient or visit."
    )


def test_a_place_where_it_was_said_that_there_is_none_refuses(desk: Client, patient: Patient, other: Patient):
    record = make.record(AdverseEvent, patient)
    desk.post(f"{THERE}AE/at/LOG/without/", {"nothing": "1"})

    assert refusal(desk, record, patient="SYN-012-002") == (
        "At SYN-012-002 it was said that the form Adverse event has nothing to report. Open that form and take it back first."
    )


def test_a_patient_for_whom_one_may_not_enter_is_as_one_who_is_not_there(
    desk: Client, patient: Patient, patient_elsewhere: Patient
):
    record = make.record(PerformanceStatus, patient, "C1D1")

    for number in ("SYN-034-001", "SYN-012-099"):
        assert refusal(desk, record, patient=number) == (
            f"There is no patient '{number}' for whom you may enter forms. Check the number."
        )


def test_what_points_to_others_and_what_others_point_to_stays(desk: Client, patient: Patient, other: Patient):
    marrow = make.record(Marrow, patient, "C1EOC")
    assay = make.record(MrdAssay, patient, "C1EOC", marrow=marrow)
    event = make.record(AdverseEvent, patient)
    make.record(CytokineRelease, patient, event=event)
    ended = make.record(EndOfTreatment, patient, reason="ADVERSE EVENT", event_number=2)
    second = make.record(AdverseEvent, patient)

    assert refusal(desk, assay, patient="SYN-012-002").startswith("This form points to ")
    assert refusal(desk, marrow, patient="SYN-012-002").startswith(
        "This cannot be moved, because other forms point to it: "
    )
    assert refusal(desk, event, patient="SYN-012-002").startswith(
        "This cannot be moved, because other forms point to it: "
    )
    assert refusal(desk, ended, patient="SYN-012-002") == (
        "This form names adverse event 2 of SYN-012-001. Take that answer out, and move it then."
    )
    assert refusal(desk, second, patient="SYN-012-002") == (
        "End of treatment: End of treatment: Adverse event names this event. Correct that form first."
    )


def test_a_number_that_is_taken_there_refuses(desk: Client, patient: Patient, other: Patient):
    grade = make.record(EventGrade, patient)
    make.record(AdverseEvent, other)

    said = refusal(desk, grade.event, patient="SYN-012-002")

    assert said.startswith("The form cannot stand at SYN-012-002: ")
    assert EventGrade.objects.filter(patient=patient).exists()


def test_a_move_needs_a_reason_and_what_was_seen(desk: Client, patient: Patient):
    record = make.record(PerformanceStatus, patient, "C1D1")
    make.entry_expected(patient, "PS", "C1D8")

    assert refusal(desk, record, visit="C1D8", reason=" .") == (
        "Say why this form is moved. The reason is kept in the audit trail of both places."
    )
    assert refusal(desk, record, visit="C1D8", version="7") == (
        "Somebody changed this form since you opened it. Read it again before you go on."
    )
    assert "is not one of the available choices" in refusal(desk, record, visit="C9D9")


# Together


@pytest.mark.django_db(transaction=True)
def test_two_moves_that_cross_wait_for_each_other(cast: Cast, patient: Patient, coordinator: User):
    other = make.patient(patient.site)
    records = [make.record(VitalSigns, each, "C1D1") for each in (patient, other)]
    answers: list[int] = []

    def go(record: VitalSigns, number: str) -> None:
        try:
            client = Client()
            client.force_login(coordinator)
            address = f"/MT103-211/patients/{record.patient}/VS/{record.pk}/move/"
            seen = fields_of(client.get(address).content.decode())
            sent = {"patient": number, "visit": "C1D1", "reason": WHY}
            answers.append(client.post(address, seen | sent).status_code)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=go, args=(record, number))
        for record, number in zip(records, ("SYN-012-002", "SYN-012-001"), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [302, 302]
    assert sorted(VitalSigns.objects.values_list("patient__number", flat=True)) == ["SYN-012-001", "SYN-012-002"]
