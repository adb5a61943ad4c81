"""What has happened to a patient, which forms that makes expected, and which of them have all their answers."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from patients.casebook import unanswered
from patients.expected import Course
from patients.grid.course import course_of, courses_of
from patients.grid.expecting import expect
from patients.grid.status import incomplete_entries, records_of_entries
from patients.models import (
    Death,
    Dexamethasone,
    EndOfStudy,
    EndOfTreatment,
    Enrolment,
    ExtramedullaryAssessment,
    InfusionInterval,
    LaterTransplant,
    Marrow,
    Relapse,
    Transplant,
    Visit,
)
from tests import make
from trial.audit import recording
from trial.models import FormEntry, Patient, Query
from trial.records import record_models

CONSENT = date(2013, 3, 1)
FIRST = date(2013, 3, 11)


def infuse(patient: Patient, cycle: int, start: datetime, days: int | None, **answers: object) -> InfusionInterval:
    """An infusion of some days, by the clock of a site an hour ahead; without days it still runs."""
    end = {"ended_at": start + timedelta(days=days), "ended_at_offset": 60} if days else {}
    return make.record(InfusionInterval, patient, cycle=cycle, started_at=start, started_at_offset=60, **end, **answers)


def consented(patient: Patient) -> Enrolment:
    return make.record(Enrolment, patient, consented_on=CONSENT, screened_on=CONSENT, enrolled_on=CONSENT)


def entries_of(patient: Patient) -> set[tuple[str, str]]:
    return set(FormEntry.objects.filter(patient=patient).values_list("form", "visit"))


def visits_of(patient: Patient) -> set[str]:
    return {visit for _, visit in entries_of(patient)} - {"LOG"}


# The course


def test_without_a_day_of_consent_there_is_no_course(patient):
    make.record(Enrolment, patient, consented_on=None)

    assert course_of(patient) is None


def test_a_course_is_read_from_the_forms_that_steer_it(patient):
    consented(patient)
    infuse(patient, 1, datetime(2013, 3, 11, 23, 30, tzinfo=UTC), 7)  # the 12th, by the clock of the site
    infuse(patient, 1, datetime(2013, 3, 18, 23, 30, tzinfo=UTC), 1, dose_ug_per_day=Decimal(0))
    infuse(patient, 1, datetime(2013, 3, 19, 23, 30, tzinfo=UTC), 20)
    infuse(patient, 2, datetime(2013, 4, 25, 9, 0, tzinfo=UTC), 28)
    make.record(Dexamethasone, patient, purpose="PRE-PHASE")
    make.record(EndOfTreatment, patient)
    make.record(Transplant, patient, kind="AUTOLOGOUS", transplanted_on="2011-05-02")
    make.record(LaterTransplant, patient, transplanted_on=date(2013, 8, 1))
    make.record(LaterTransplant, patient, transplanted_on=date(2013, 7, 1))
    make.record(Relapse, patient, relapsed_on="2013-10")
    make.record(Death, patient, died_on="2013-12")
    make.record(EndOfStudy, patient, ended_on=date(2013, 12, 31))

    found = course_of(patient)

    assert found == Course(
        consented_on=CONSENT,
        is_enrolled=True,
        cycles={1: date(2013, 3, 12), 2: date(2013, 4, 25)},
        last_dose_on=date(2013, 5, 23),
        has_ended_treatment=True,
        transplanted_on=date(2013, 7, 1),
        allografted_on=date(2013, 7, 1),
        relapsed_on=date(2013, 10, 1),  # the earliest day that it can have been
        died_on=date(2013, 12, 31),  # the latest
        left_on=date(2013, 12, 31),
        uses_pre_phase=True,
        screened_on=CONSENT,
    )


def test_an_infusion_that_still_runs_has_its_last_day_today(patient):
    consented(patient)
    with recording(by=make.author(), reason="The study has its own today."):
        patient.study.today = date(2013, 3, 20)
        patient.study.save()
    infuse(patient, 1, datetime(2013, 3, 11, 9, 0, tzinfo=UTC), None)

    assert course_of(patient).last_dose_on == date(2013, 3, 20)


def test_an_autologous_transplantation_is_no_allograft_and_an_allogeneic_one_before_the_study_is(patient):
    consented(patient)
    make.record(Transplant, patient, kind="AUTOLOGOUS", transplanted_on="2010-01-02")
    before = course_of(patient).allografted_on
    make.record(Transplant, patient, kind="ALLOGENEIC", number=2, transplanted_on="2012-05")

    assert (before, course_of(patient).allografted_on) == (None, date(2012, 5, 1))


def test_courses_take_as_many_queries_for_many_patients_as_for_one(cast, patient, django_assert_num_queries):
    patients = [patient, *(make.patient(cast.here, f"SYN-012-{number:03}") for number in range(2, 8))]
    for each in patients:
        consented(each)
        infuse(each, 1, datetime(2013, 3, 11, 9, 0, tzinfo=UTC), 28)

    with django_assert_num_queries(11):
        one = courses_of([patient])
    with django_assert_num_queries(11):
        all_of_them = courses_of(patients)

    assert len(one), len(all_of_them) == (1, 7)


# Expected forms are rows


def test_after_consent_the_forms_of_screening_are_asked_for(patient):
    consented(patient)

    asked = expect(patient, today=CONSENT)

    assert visits_of(patient) == {"SCR"}
    assert {("DM", "LOG"), ("IE", "LOG"), ("LBH", "SCR"), ("BM", "SCR")} <= entries_of(patient)
    assert ("ENR", "LOG") not in {(entry.form, entry.visit) for entry in asked.added}
    made = FormEntry.objects.get(patient=patient, form="DM").history.get().recording
    assert (made.person_name, made.study_id) == ("schedule", patient.study.pk)


def test_a_patient_whose_consent_is_not_known_is_asked_for_it_alone(patient):
    expect(patient)

    assert entries_of(patient) == {("ENR", "LOG")}


def test_expecting_twice_writes_nothing_more(patient):
    consented(patient)
    expect(patient, today=FIRST)

    asked = expect(patient, today=FIRST)

    assert (asked.added, asked.taken_away) == ((), ())


def test_a_delayed_cycle_takes_the_empty_forms_of_its_days_back_and_asks_again_later(patient):
    consented(patient)
    infuse(patient, 1, datetime(2013, 3, 11, 9, 0, tzinfo=UTC), 28)
    second = infuse(patient, 2, datetime(2013, 4, 22, 9, 0, tzinfo=UTC), 28)
    expect(patient, today=date(2013, 4, 30))
    make.record(Visit, patient, "C2D2", visited_on=date(2013, 4, 23))
    with recording(by=make.author(), reason="The cycle began later."):
        second.started_at += timedelta(days=7)
        second.ended_at += timedelta(days=7)
        second.save()

    asked = expect(patient, today=date(2013, 4, 29))

    assert {entry.visit for entry in asked.taken_away} == {"C2D2", "C2D8"}
    left = {visit for visit in visits_of(patient) if visit.startswith("C2")}
    assert left == {"C2D1", "C2D2"}  # what somebody entered stays
    assert FormEntry.history.filter(patient=patient.pk, visit="C2D8", history_type="-").exists()


def test_an_early_transplantation_takes_the_empty_visits_after_it_back(patient):
    consented(patient)
    infuse(patient, 1, datetime(2013, 3, 11, 9, 0, tzinfo=UTC), 28)
    expect(patient, today=date(2013, 4, 8))
    before = visits_of(patient)
    make.record(LaterTransplant, patient, transplanted_on=date(2013, 3, 30))

    expect(patient, today=date(2013, 4, 8))

    assert before - visits_of(patient) == {"C1D22", "C1EOC"}


@pytest.mark.parametrize("said", ["not done", "nothing to report", "a comment", "a query"])
def test_an_empty_entry_on_which_something_was_said_stays(patient, said):
    consented(patient)
    infuse(patient, 1, datetime(2013, 3, 11, 9, 0, tzinfo=UTC), 28)
    expect(patient, today=date(2013, 4, 8))
    entry = FormEntry.objects.get(patient=patient, visit="C1D22", form="VS")
    with recording(by=make.author(), reason="Something is said."):
        if said == "not done":
            entry.is_not_done, entry.not_done_reason = True, "The patient was away."
        elif said == "nothing to report":
            entry.has_any = False
        elif said == "a comment":
            entry.comment = "At another hospital."
        else:
            Query(patient=patient, entry=entry, form="VS", severity="W", question="Was the visit missed?").save()
        entry.save()
    make.record(LaterTransplant, patient, transplanted_on=date(2013, 3, 30))

    expect(patient, today=date(2013, 4, 8))

    assert [entry.form for entry in FormEntry.objects.filter(patient=patient, visit="C1D22")] == ["VS"]


def test_nothing_is_taken_back_when_the_day_of_consent_is_blanked(patient):
    enrolment = consented(patient)
    expect(patient, today=FIRST)
    before = entries_of(patient)
    with recording(by=make.author(), reason="The date is looked up again."):
        enrolment.consented_on = None
        enrolment.save()

    assert expect(patient, today=FIRST).taken_away == ()
    assert entries_of(patient) == before


def test_the_command_asks_for_the_forms_of_every_patient_and_says_how_many(cast, patient, patient_elsewhere, capsys):
    consented(patient)

    call_command("expect_forms")
    call_command("expect_forms", patient=["SYN-012-001"])

    assert capsys.readouterr().out.splitlines() == [
        "Patients: 2. Forms asked for: 17. Empty forms taken back: 0.",  # 8 of SCR, 8 of the log, ENR of the other one
        "Patients: 1. Forms asked for: 0. Empty forms taken back: 0.",
    ]


def test_the_command_names_what_it_does_not_know(cast, patient):
    with pytest.raises(CommandError, match="There is no patient SYN-999-001 in MT103-211"):
        call_command("expect_forms", patient=["SYN-999-001"])
    with pytest.raises(CommandError, match=r"Name one study with --study\. There is: MT103-211\."):
        call_command("expect_forms", study="MT999")


# A save asks for what follows from it


def test_a_saved_infusion_asks_for_the_forms_of_its_cycle_and_a_removed_one_takes_them_back(coordinator, patient):
    client = Client()
    client.force_login(coordinator)
    consented(patient)
    here = "/MT103-211/patients/SYN-012-001/EX/"
    sent = {
        "cycle": "1",
        "number": "1",
        "started_at": "11mar2013 10:00",
        "ended_at": "18mar2013 10:00",
        "dose_ug_per_day": "9",
        "change": "START",
        "EX.BAG-count": "0",
    }

    saved = client.post(here + "at/LOG/", sent)
    after_saving = visits_of(patient)
    record = InfusionInterval.objects.get()
    removed = client.post(f"{here}{record.pk}/remove/", {"reason": "Of another patient.", "version": "1"})

    assert (saved.status_code, removed.status_code) == (302, 302)
    assert {"C1D1", "C1D8", "C1EOC"} <= after_saving
    assert visits_of(patient) == {"SCR"}


# Which entries are complete


@pytest.mark.parametrize("model", record_models(), ids=lambda model: model.form.code)
def test_the_database_finds_the_same_records_incomplete_as_their_forms_do(patient, model):
    usual = make.record(model, patient)
    explained = make.record(model, make.patient(patient.site))
    with recording(by=make.author(), reason="Every blank has its reason."):
        explained.missing = dict.fromkeys(unanswered(explained), "UNK")
        explained.save()

    found = incomplete_entries([patient.pk, explained.patient_id])

    assert (usual.entry_id in found) == bool(unanswered(usual)) or model.form.part_of
    assert records_of_entries([patient.pk]).keys() >= {usual.entry_id}
    parents = [] if not model.form.part_of else unanswered(getattr(explained, make.PARENTS[model][0]))
    assert (explained.entry_id in found) == bool(parents)


@pytest.mark.parametrize(
    ("model", "answers", "lacking"),
    [
        (ExtramedullaryAssessment, {"methods": ["CSF", "EXAM"]}, True),
        (ExtramedullaryAssessment, {"methods": ["EXAM"]}, False),
        (ExtramedullaryAssessment, {"methods": ["CSF"], "has_csf_blasts": False}, False),
        (Marrow, {"is_adequate": True, "blasts_percent": None}, True),
        (Marrow, {"is_adequate": False, "blasts_percent": None}, False),
    ],
)
def test_an_answer_is_lacking_only_where_it_is_asked(patient, model, answers, lacking):
    given = {"specimens": ["ASPIRATE"], "cellularity": "NORMOCELLULAR"} if model is Marrow else {}
    record = make.record(model, patient, **given, **answers)

    found = incomplete_entries([patient.pk])

    assert bool(unanswered(record)) == lacking
    assert (record.entry_id in found) == lacking


def test_which_entries_are_complete_takes_two_queries(cast, patient):
    for number in range(2, 6):
        make.record(Visit, make.patient(cast.here, f"SYN-012-{number:03}"), "SCR")
    keys = list(Patient.objects.values_list("pk", flat=True))

    with CaptureQueriesContext(connection) as asked:
        records_of_entries(keys)
        incomplete_entries(keys)

    assert len(asked) == 2
