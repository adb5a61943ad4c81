from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from patients.checking import casebook_for, edit_checks, run_checks
from patients.models import (
    ChemistryResult,
    ChemistrySample,
    Demographics,
    Enrolment,
    HaematologyResult,
    HaematologySample,
    InfusionInterval,
    Visit,
)
from safety.models import AdverseEvent, EventGrade
from tests import make
from tests.casebooks import row
from trial.audit import recording
from trial.edit_checks import EditCheck, SavedRecord, Severity
from trial.models import Query
from trial.partial_dates import parse
from trial.records import record_model
from trial.review.models import Step
from trial.review.queries import Settled, take

EVERYTHING = [
    EditCheck("EC-998", form, "", "", Severity.NOTE, lambda record, book: False, reads=("SV",))
    for form in ("LBH", "AE", "EX", "ENR")
]


def answered(query: Query, text: str) -> None:
    with recording(by=make.author(), reason="The site answers."):
        query.state, query.answer = "answered", text
        query.save()


def change(record, **values) -> None:
    with recording(by=make.author(), reason="Corrected from source."):
        for name, value in values.items():
            setattr(record, name, value)
        record.save()


@pytest.fixture
def late_consent(patient) -> Enrolment:
    """A consent that is dated after the enrolment."""
    return make.record(
        Enrolment, patient, consented_on=date(2013, 3, 6), enrolled_on=date(2013, 3, 4), screened_on=date(2013, 3, 6)
    )


def test_a_finding_opens_one_query_on_its_field(patient, late_consent):
    run_checks(patient)
    run_checks(patient)

    query = Query.objects.get()
    assert (query.check_code, query.form, query.record, query.field) == (
        "EC-002",
        "ENR",
        late_consent.pk,
        "enrolled_on",
    )
    assert query.question == "Enrolment on 04-Mar-2013 is before consent on 06-Mar-2013. Please check both dates."
    assert (query.state, query.severity, query.version) == ("open", "E", 1)


def test_the_query_is_updated_while_the_value_changes_and_closed_when_it_is_mended(patient, late_consent):
    run_checks(patient)

    change(late_consent, enrolled_on=date(2013, 3, 5))
    run_checks(patient)
    updated = Query.objects.get()
    change(late_consent, enrolled_on=date(2013, 3, 7))
    settled = run_checks(patient)

    assert "05-Mar-2013" in updated.question
    assert [query.state for query in settled.closed] == ["closed"]
    assert Query.objects.get().state == "closed"


def test_after_a_save_what_cannot_follow_from_it_is_neither_asked_nor_closed(patient):
    """EC-063 compares a sample with its visit, so that one sample says nothing of another."""
    make.record(Visit, patient, visit="C1D1", visited_on=date(2013, 3, 4))
    odd = {"taken_at": datetime(2013, 3, 20, 9, tzinfo=UTC), "taken_at_offset": 60, "laboratory": "LAB-012"}
    before, saved = (make.record(HaematologySample, patient, visit="C1D1", **odd) for _ in range(2))
    asked = run_checks(patient, ["LBH"], saved=SavedRecord("LBH", saved.pk))
    (query,) = (query for query in asked.asked if query.check_code == "EC-063")

    everything = run_checks(patient)
    again = run_checks(patient, ["LBH"], saved=SavedRecord("LBH", saved.pk))

    assert query.record == saved.pk
    assert ("EC-063", before.pk) in {(query.check_code, query.record) for query in everything.asked}
    assert again == Settled()


def test_an_answer_as_is_stays_quiet_until_a_needed_value_changes(patient, late_consent):
    run_checks(patient)
    answered(Query.objects.get(), "The consent was signed again on the 6th.")

    run_checks(patient)
    quiet = Query.objects.get().state
    change(late_consent, enrolled_on=date(2013, 3, 5))
    run_checks(patient)

    assert quiet == "answered"
    assert Query.objects.get().state == "open"


def test_an_answer_stays_quiet_only_while_what_the_check_reads_of_the_record_is_the_same(patient):
    """EC-013 asks of any pregnancy test that is not negative, of one that is blank too; EC-067 of any bilirubin below 2."""
    person = make.record(Demographics, patient, sex="F", may_become_pregnant=True, pregnancy_test=None)
    make.record(InfusionInterval, patient)
    sample = make.record(ChemistrySample, patient)
    bilirubin = make.record(
        ChemistryResult, patient, sample=sample, test="BILI", value=Decimal(1), unit_text="µmol/L", high=Decimal(21)
    )
    run_checks(patient)
    about = Query.objects.filter(check_code__in=("EC-013", "EC-067")).order_by("check_code")
    for query in about:
        answered(query, "The test was done twice.")

    run_checks(patient)
    quiet = [query.state for query in about.all()]
    change(person, pregnancy_test="POS")
    change(bilirubin, value=Decimal("0.2"), value_text="0.2")
    run_checks(patient)

    assert quiet == ["answered", "answered"]
    assert [query.state for query in about.all()] == ["open", "open"]


def test_a_query_that_was_closed_opens_again_when_the_check_fails_anew(patient, late_consent):
    run_checks(patient)
    change(late_consent, enrolled_on=date(2013, 3, 7))
    run_checks(patient)

    change(late_consent, enrolled_on=date(2013, 3, 4))
    run_checks(patient)

    assert Query.objects.get().state == "open"


def test_a_record_that_is_gone_takes_its_query_with_it(patient, late_consent):
    run_checks(patient)
    with recording(by=make.author(), reason="Entered for the wrong patient."):
        late_consent.delete()

    run_checks(patient)

    assert Query.objects.get().state == "closed"


def test_only_the_checks_that_a_change_touches_are_run(patient, late_consent):
    run_checks(patient, ["AE"])

    assert not Query.objects.exists()


def test_a_check_across_forms_sees_the_other_forms(patient):
    make.record(
        Enrolment, patient, consented_on=date(2013, 3, 6), enrolled_on=date(2013, 3, 6), screened_on=date(2013, 3, 6)
    )
    make.record(Visit, patient, visit="SCR", visited_on=date(2013, 3, 5))

    run_checks(patient, ["SV"])

    asked = Query.objects.get(check_code="EC-001")
    assert asked.question.startswith("Something was done on 05-Mar-2013, before consent on 06-Mar-2013.")


def test_the_casebook_of_the_checks_has_what_a_check_asks_for(patient):
    sample = make.record(
        HaematologySample, patient, visit="C1D1", taken_at=datetime(2013, 3, 4, 23, 30, tzinfo=UTC), taken_at_offset=60
    )
    make.record(HaematologyResult, patient, sample=sample, test="PLAT", value=Decimal(120), value_text="120")
    event = make.record(AdverseEvent, patient, started="2013-03")
    make.record(EventGrade, patient, event=event, began="2013-03-04", grade=3)
    make.record(InfusionInterval, patient)

    book = casebook_for(patient, EVERYTHING)

    (count,) = book.all("LBH")
    assert (count.visit, count.taken_on) == ("C1D1", date(2013, 3, 5))  # the day at the site
    assert count.PLAT.value == Decimal(120)
    assert count.NEUT is None
    (seen,) = book.all("AE")
    assert seen.started == parse("2013-03")
    assert [row.grade for row in seen.rows["AE.GRADE"]] == [3]
    assert book.one("EX").dose_ug_per_day == Decimal(9)
    assert book.all("DM") == ()


def test_the_queries_do_not_grow_with_the_rows(patient, django_assert_num_queries):
    for _ in range(3):
        make.record(AdverseEvent, patient)
    few = [check for check in EVERYTHING if check.form == "AE"]

    with django_assert_num_queries(2):  # the events, their grades; of the visits nothing was asked
        book = casebook_for(patient, few)
        steps = [event.rows["AE.GRADE"] for event in (*book.all("AE"), *book.all("AE"))]

    assert steps == [()] * 6


def test_every_check_stands_once_and_asks_about_a_field_of_its_form():
    checks = edit_checks()
    # a row of the specification may look at several forms, or at several fields of one
    assert len({(check.code, check.form, check.field) for check in checks}) == len(checks)
    for check in checks:
        names = {field.name for field in record_model(check.form)._meta.get_fields()}
        assert check.field in names | {""}, check.code
        assert all(record_model(form) for form in set(check.reads) - {"SIGN"}), check.code  # signatures come later
        assert set(check.needs) <= set(row(check.form).answers), check.code


def test_run_checks_runs_over_every_patient_of_the_study(patient, late_consent, capsys):
    call_command("run_checks")

    assert "checks over 1 patients: 1 queries asked, 0 closed." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"study": "MT999"}, "Name one study with --study. There is: MT103-211."),
        ({"patient": ["SYN-000-000"]}, "There is no patient SYN-000-000 in MT103-211."),
    ],
)
def test_run_checks_says_what_there_is(cast, options, says):
    with pytest.raises(CommandError, match=says):
        call_command("run_checks", **options)


def test_a_run_on_one_form_leaves_the_question_that_the_same_check_asked_about_another(patient):
    blood = make.record(HaematologyResult, patient).sample
    serum = make.record(ChemistryResult, patient).sample
    run_checks(patient)
    asked = set(Query.objects.filter(check_code="EC-076").values_list("form", "record", "state"))

    settled = run_checks(patient, ["LBC"])

    assert asked == {("LBH", blood.pk, "open"), ("LBC", serum.pk, "open")}
    assert settled.closed == ()


@pytest.mark.parametrize("step", ["closed", "cancelled"])
def test_what_a_person_closed_is_asked_again_only_when_a_value_changes(patient, late_consent, step):
    run_checks(patient)
    with recording(by=make.author(), reason="It is known.", role="data manager"):
        take(Query.objects.get(), Step(step), "The consent was signed again on the 6th.")

    run_checks(patient)
    quiet = Query.objects.get().state
    change(late_consent, enrolled_on=date(2013, 3, 5))
    run_checks(patient)

    assert quiet == step
    assert Query.objects.get().state == "open"
    assert list(Query.objects.get().messages.values_list("step", flat=True)) == ["asked", step, "reopened"]


def test_what_the_check_closed_is_asked_again_when_the_same_value_comes_back(patient, late_consent):
    run_checks(patient)
    change(late_consent, enrolled_on=date(2013, 3, 7))
    run_checks(patient)
    change(late_consent, enrolled_on=date(2013, 3, 4))
    run_checks(patient)

    assert Query.objects.get().state == "open"
    assert list(Query.objects.get().messages.values_list("step", flat=True)) == ["asked", "mended", "reopened"]
