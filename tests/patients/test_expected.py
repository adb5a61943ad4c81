from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients.expected import Course, course_of, expected_visits, expected_without_visit
from tests.casebooks import book, row

CONSENT = date(2013, 3, 1)
FIRST = date(2013, 3, 11)  # a Monday
LATE = date(2016, 1, 1)
SCREENED = Course(consented_on=CONSENT)
TWO_CYCLES = Course(
    consented_on=CONSENT,
    is_enrolled=True,
    cycles={1: FIRST, 2: FIRST + timedelta(days=42)},
    last_dose_on=FIRST + timedelta(days=70),
    has_ended_treatment=True,
)


def codes(course: Course, today: date = LATE) -> list[str]:
    return [visit.code for visit in expected_visits(course, today)]


def visit(course: Course, code: str, today: date = LATE):
    (found,) = [visit for visit in expected_visits(course, today) if visit.code == code]
    return found


def test_after_consent_only_screening_is_expected():
    assert codes(SCREENED, CONSENT) == ["SCR"]
    assert visit(SCREENED, "SCR", CONSENT).closes == date(2013, 3, 21)  # three weeks, the first of them day 1


def test_screening_is_within_three_weeks_of_the_first_dose_and_not_before_consent():
    early = replace(TWO_CYCLES, consented_on=date(2013, 1, 1))

    assert (visit(early, "SCR").opens, visit(early, "SCR").closes) == (date(2013, 2, 18), date(2013, 3, 10))
    assert (visit(TWO_CYCLES, "SCR").opens, visit(TWO_CYCLES, "SCR").closes) == (CONSENT, date(2013, 3, 10))


ASKED_BY_THE_SCHEDULE = {
    # STUDY A.5, column by column, for a patient with an earlier allogeneic transplantation
    "SCR": "PS VS LBH LBC LBO BM EMD GVA GVC",
    "PRE": "VS LBH LBC LBO",
    "C1D1": "PS VS LBH LBC LBO GVA GVC",
    "C1D2": "PS VS LBH LBC LBO",
    "C1D3": "PS VS LBH LBC LBO",
    "C1D8": "PS VS LBH LBC LBO GVA GVC",
    "C1D15": "PS VS LBH LBC LBO GVA GVC",
    "C1D22": "PS VS LBH LBC LBO GVA GVC",
    "C1EOC": "PS VS LBH LBC LBO BM MRD EMD RS GVA GVC",
    "C2D1": "PS VS LBH LBC LBO GVA GVC",
    "C2D2": "PS VS LBH LBC LBO",
    "C2D8": "PS VS LBH LBC LBO GVA GVC",
    "C2D15": "PS VS LBH LBC LBO GVA GVC",
    "C2D22": "PS VS LBH LBC LBO GVA GVC",
    "SFUP30": "PS VS LBH LBC LBO EMD GVA GVC",
    "EFU6": "PS LBH LBC LBO BM MRD RS GVA GVC",
}


@pytest.mark.parametrize(("code", "forms"), ASKED_BY_THE_SCHEDULE.items())
def test_each_visit_asks_what_the_schedule_of_assessments_has_in_its_column(code, forms):
    whole = replace(TWO_CYCLES, uses_pre_phase=True, allografted_on=date(2012, 1, 1))

    assert set(visit(whole, code).forms) == {"SV", *forms.split()}


def test_two_undisturbed_cycles_and_what_follows():
    assert codes(TWO_CYCLES, FIRST + timedelta(days=365)) == [
        "SCR",
        *("C1D1", "C1D2", "C1D3", "C1D8", "C1D15", "C1D22", "C1EOC"),
        *("C2D1", "C2D2", "C2D8", "C2D15", "C2D22", "C2EOC"),
        "EFU3",
        "SFU3",
        "SFUP30",
        *("EFU6", "SFU6"),
        *("EFU9", "SFU9"),
        *("EFU12", "SFU12"),
    ]


def test_the_days_of_a_cycle_follow_from_the_actual_start():
    delayed = replace(TWO_CYCLES, cycles={1: FIRST, 2: FIRST + timedelta(days=49)})

    assert visit(TWO_CYCLES, "C2D8").day == date(2013, 4, 29)
    assert visit(delayed, "C2D8").day == date(2013, 5, 6)
    assert visit(TWO_CYCLES, "C1EOC").closes == date(2013, 4, 21)  # until the day before the next cycle
    assert visit(delayed, "C1EOC").closes == date(2013, 4, 28)


def test_the_visit_at_the_end_of_a_cycle_is_on_day_29_and_the_marrow_belongs_to_it():
    end = visit(TWO_CYCLES, "C1EOC")

    assert (end.day, end.opens) == (date(2013, 4, 8), date(2013, 4, 5))
    assert {"BM", "MRD", "EMD", "RS", "LBH"} <= set(end.forms)


def test_nothing_is_expected_before_its_day():
    assert codes(TWO_CYCLES, FIRST + timedelta(days=2)) == ["SCR", "C1D1", "C1D2", "C1D3"]


def test_a_cycle_that_was_stopped_early_has_no_further_days_but_its_end():
    stopped = Course(
        CONSENT, cycles={1: FIRST}, last_dose_on=FIRST + timedelta(days=9), has_ended_treatment=True, is_enrolled=True
    )

    assert codes(stopped, FIRST + timedelta(days=60)) == ["SCR", "C1D1", "C1D2", "C1D3", "C1D8", "C1EOC", "SFUP30"]
    assert visit(stopped, "SFUP30").day == FIRST + timedelta(days=39)


def test_a_cycle_that_was_skipped_is_not_asked_for():
    starts = {1: FIRST, 3: FIRST + timedelta(days=84)}
    skipped = replace(TWO_CYCLES, cycles=starts, last_dose_on=FIRST + timedelta(days=112))

    assert not [code for code in codes(skipped) if code.startswith("C2")]
    assert "C3D8" in codes(skipped)


def test_an_early_transplantation_ends_the_visits_of_treatment_and_the_efficacy_follow_up():
    transplanted = Course(
        CONSENT,
        is_enrolled=True,
        cycles={1: FIRST},
        last_dose_on=FIRST + timedelta(days=28),
        has_ended_treatment=True,
        transplanted_on=FIRST + timedelta(days=40),
        allografted_on=FIRST + timedelta(days=40),
    )

    found = codes(transplanted, FIRST + timedelta(days=200))

    assert found == ["SCR", *("C1D1", "C1D2", "C1D3", "C1D8", "C1D15", "C1D22", "C1EOC"), "SFU3", "SFU6"]
    assert visit(transplanted, "C1EOC").closes == FIRST + timedelta(days=39)


def test_a_transplantation_before_the_end_of_the_cycle_takes_its_visit_away():
    early = replace(TWO_CYCLES, cycles={1: FIRST}, transplanted_on=FIRST + timedelta(days=20))

    assert "C1D22" not in codes(early)
    assert "C1EOC" not in codes(early)


def test_relapse_ends_the_efficacy_follow_up_and_not_the_survival_contacts():
    relapsed = replace(TWO_CYCLES, relapsed_on=FIRST + timedelta(days=150))

    assert [code for code in codes(relapsed, FIRST + timedelta(days=200)) if "FU" in code] == [
        "EFU3",
        "SFU3",
        "SFUP30",
        "SFU6",
    ]


def test_whoever_died_or_left_is_asked_for_nothing_more():
    died = replace(TWO_CYCLES, died_on=FIRST + timedelta(days=46))
    left = replace(TWO_CYCLES, left_on=FIRST + timedelta(days=46))

    assert codes(died)[-1] == codes(left)[-1] == "C2D2"
    assert "DTH" in expected_without_visit(died)
    assert "EOS" in expected_without_visit(died)
    assert "DTH" not in expected_without_visit(left)


def test_gvhd_is_only_asked_after_an_allogeneic_transplantation():
    after = replace(TWO_CYCLES, allografted_on=CONSENT - timedelta(days=300))

    assert "GVA" not in visit(TWO_CYCLES, "C1D8").forms
    assert "GVA" in visit(after, "C1D8").forms


def test_gvhd_is_not_asked_at_the_visits_before_a_later_transplantation():
    later = replace(TWO_CYCLES, allografted_on=FIRST + timedelta(days=42))

    assert not {"GVA", "GVC"} & set(visit(later, "C1D22").forms)
    assert {"GVA", "GVC"} <= set(visit(later, "C2D1").forms)


def test_a_treatment_that_failed_has_no_efficacy_follow_up_and_goes_on_with_the_survival_contacts():
    failed = replace(TWO_CYCLES, has_failed=True)

    assert [code for code in codes(failed, FIRST + timedelta(days=200)) if "FU" in code] == ["SFU3", "SFUP30", "SFU6"]


def test_a_failed_screening_has_no_visit_that_is_still_expected():
    assert codes(replace(SCREENED, is_enrolled=False)) == []
    assert codes(replace(SCREENED, is_enrolled=None), CONSENT) == ["SCR"]


@pytest.mark.parametrize(
    ("reason", "has_failed"), [("COMPLETED", False), ("DISEASE RELAPSE", True), ("LACK OF EFFICACY", True)]
)
def test_why_treatment_ended_says_whether_it_failed(reason, has_failed):
    course = course_of(book(row("ENR", consented_on="2013-03-01"), row("EOT", reason=reason)))

    assert course.has_failed is has_failed


def test_a_transplantation_before_the_study_of_which_no_day_is_known_counts_from_the_beginning():
    course = course_of(book(row("ENR", consented_on="2013-03-01"), row("HSCT", kind="ALLOGENEIC")))

    assert "GVA" in visit(course, "SCR").forms


def test_without_a_day_of_consent_nothing_can_be_told():
    assert course_of(book(row("ENR"))) is None


def test_the_pre_phase_is_asked_where_the_study_has_one():
    assert visit(replace(TWO_CYCLES, uses_pre_phase=True), "PRE").day == FIRST - timedelta(days=5)


def test_forms_without_a_visit_come_with_what_has_happened():
    failed = replace(SCREENED, is_enrolled=False)
    treated = replace(TWO_CYCLES, has_ended_treatment=False)

    assert expected_without_visit(failed) == ("ENR", "IE", "DM")
    assert "EX" not in expected_without_visit(SCREENED)
    assert "EX" in expected_without_visit(treated)
    assert "EOT" not in expected_without_visit(treated)
    assert "EOT" in expected_without_visit(TWO_CYCLES)


@pytest.mark.parametrize("end", ["transplanted_on", "relapsed_on", "died_on", "left_on"])
def test_the_end_of_treatment_is_asked_for_when_something_else_says_that_it_has_ended(end):
    going_on = replace(TWO_CYCLES, has_ended_treatment=False)

    ended = replace(going_on, **{end: FIRST + timedelta(days=100)})

    assert "EOT" not in expected_without_visit(going_on)
    assert "EOT" in expected_without_visit(ended)


@given(st.lists(st.integers(42, 90), max_size=4), st.integers(0, 1000), st.booleans())
def test_every_visit_has_its_day_in_its_window_once_and_in_order(gaps, days, ended):
    starts, day = {1: FIRST}, FIRST
    for number, gap in enumerate(gaps, start=2):
        day += timedelta(days=gap)
        starts[number] = day
    course = Course(CONSENT, True, starts, day + timedelta(days=28), ended)

    found = expected_visits(course, FIRST + timedelta(days=days))

    assert all(visit.opens <= visit.day <= visit.closes for visit in found)
    assert len({visit.code for visit in found}) == len(found)
    assert [visit.day for visit in found] == sorted(visit.day for visit in found)
    assert all(visit.day <= FIRST + timedelta(days=days) for visit in found)
