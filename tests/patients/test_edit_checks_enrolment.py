"""Every check on enrolment with a casebook in which it asks, and one in which it is silent."""

import pytest

from patients.edit_checks.enrolment import CHECKS
from tests.casebooks import TODAY, findings, row
from trial.edit_checks import Casebook, Record, Severity, find
from trial.parameters import Parameters
from trial.partial_dates import parse


def enr(**answers):
    return row("ENR", **{"consented_on": "2013-03-01", "screened_on": "2013-03-01", "is_enrolled": True} | answers)


def ie(*criteria, **answers):
    """An eligibility with these criteria, each with its answer."""
    rows = [row("IE.CRITERION", criterion=criterion, is_met=is_met) for criterion, is_met in criteria]
    return row("IE", rows=rows, **answers)


def dose(start="2013-03-04T09:00", stop="2013-04-01T09:00", rate=9):
    return row("EX", started_at=start, ended_at=stop, dose_ug_per_day=rate, cycle=1)


def signed(scope, day):
    """A signature. The form comes with monitoring; a casebook that has it names it."""
    return Record("SIGN", 1, 1, "LOG", {"scope": scope, "signed_on": parse(day).earliest})


# The code, a casebook in which the check asks, one in which it is silent, and what the question must say.
EXAMPLES = [
    (
        "EC-001",
        [enr(), row("BM", sampled_on="2013-02-28")],
        [enr(), row("BM", sampled_on="2013-03-01"), row("SV"), row("LBH", taken_at="2013-03-01T08:00")],
        "Something was done on 28-Feb-2013, before consent on 01-Mar-2013",
    ),
    (
        "EC-002",
        [enr(enrolled_on="2013-02-28")],
        [enr(enrolled_on="2013-03-01")],
        "Enrolment on 28-Feb-2013 is before consent on 01-Mar-2013",
    ),
    ("EC-003", [enr(), row("DM", born_on="1995-03-02")], [enr(), row("DM", born_on="1995-03-01")], "was 17 years old"),
    ("EC-004", [enr(), row("DM", born_on="1932-03-01")], [enr(), row("DM", born_on="1932-03-02")], "was 81 years old"),
    (
        "EC-005",
        [enr(), ie(("IN04", False), ("EX06", True), ("IN01", True))],
        [enr(), ie(("IN04", True), ("EX06", False))],
        "although IN04, EX06 is violated",
    ),
    (
        "EC-006",
        [ie(has_waiver=True)],
        [ie(has_waiver=True), row("DV", kind="ELIGIBILITY")],
        "Enter the protocol deviation",
    ),
    ("EC-007", [enr(is_enrolled=False)], [enr(is_enrolled=False, screen_failure="IN04")], "Enter the reason"),
    (
        "EC-008",
        [ie(qualifying_features=["RELAPSE <=12 MO AFTER ALLOHSCT"]), row("HSCT", kind="AUTOLOGOUS")],
        [ie(qualifying_features=["RELAPSE <=12 MO AFTER ALLOHSCT"]), row("HSCT", kind="ALLOGENEIC")],
        "Enter that transplantation",
    ),
    (
        "EC-009",
        [ie(qualifying_features=["PRIMARY REFRACTORY"]), row("ALLH", has_reached_cr=True)],
        [ie(qualifying_features=["PRIMARY REFRACTORY"]), row("ALLH", has_reached_cr=False)],
        "contradicts the first remission",
    ),
    (
        "EC-010",
        [
            ie(qualifying_features=["FIRST RELAPSE <=12 MO"]),
            row("ALLH", relapses=1, first_cr_on="2012-01-01", first_relapse_on="2013-01-01"),
        ],
        [
            ie(qualifying_features=["FIRST RELAPSE <=12 MO"]),
            row("ALLH", relapses=1, first_cr_on="2012-01-01", first_relapse_on="2012-12-31"),
        ],
        "1 relapses, first remission 01-Jan-2012, first relapse 01-Jan-2013",
    ),
    (
        "EC-011",
        [ie(qualifying_features=[">= SECOND SALVAGE"]), row("ALLH", salvage_therapies=0)],
        [ie(qualifying_features=[">= SECOND SALVAGE"]), row("ALLH", salvage_therapies=1)],
        "needs an earlier salvage therapy",
    ),
    ("EC-012", [row("DM", sex="M", pregnancy_test="NEG")], [row("DM", sex="M")], "not for a man"),
    (
        "EC-013",
        [dose(), row("DM", may_become_pregnant=True, pregnancy_test="ND")],
        [dose(), row("DM", may_become_pregnant=True, pregnancy_test="NEG")],
        "the pregnancy test is ND",
    ),
    (
        "EC-014",
        [enr(consented_on="2013-02-03"), dose()],
        [enr(consented_on="2013-02-04"), dose()],
        "The first dose on 04-Mar-2013 was 29 days after consent",
    ),
    (
        "EC-015",
        [ie(), dose(), signed("CASEBOOK", "2013-03-01"), signed("ELIGIBILITY", "2013-03-05")],
        [ie(), dose(), signed("ELIGIBILITY", "2013-03-04")],
        "not signed before the first dose on 04-Mar-2013",
    ),
    ("EC-016", [enr(cohort="ADDITIONAL"), dose()], [enr(cohort="MAIN"), dose()], "of the cohort ADDITIONAL"),
    (
        "EC-017",
        [enr(), row("MH", started="2013-03-02")],
        [enr(), row("MH", started="2013-03-01")],
        "A new condition is an adverse event",
    ),
    (
        "EC-017",
        [enr(), row("ALLH", diagnosed_on="2013-04")],
        [enr(), row("ALLH", diagnosed_on="2013-02")],
        "The diagnosis on UN-Apr-2013 is after consent on 01-Mar-2013",
    ),
]


def test_every_check_has_an_example():
    asked = {found.check for code, asks, _, _ in EXAMPLES for found in findings(CHECKS, code, *asks)}

    assert asked == set(CHECKS)


def test_every_number_of_the_specification_is_there():
    assert {int(check.code.removeprefix("EC-")) for check in CHECKS} == set(range(1, 18))


@pytest.mark.parametrize(
    ("code", "records"),
    [
        ("EC-003", [enr(), row("DM", born_on="1995")]),
        ("EC-004", [enr(), row("DM", born_on="1932-03")]),
        (
            "EC-010",
            [
                ie(qualifying_features=["FIRST RELAPSE <=12 MO"]),
                row("ALLH", relapses=1, first_cr_on="2012-01", first_relapse_on="2013-01-10"),
            ],
        ),
        ("EC-017", [enr(), row("MH", started="2013")]),
    ],
)
def test_where_the_order_cannot_be_told_the_question_is_a_warning(code, records):
    (found,) = findings(CHECKS, code, *records)

    assert found.severity == Severity.WARNING
    assert found.question.startswith("The dates are known in part")


def test_eligibility_that_was_never_signed_is_asked_about_where_there_are_signatures():
    sheet, infusion = ie(), dose()
    with_signatures = Casebook({"IE": [sheet], "EX": [infusion], "SIGN": []}, Parameters(), TODAY)

    assert [found.check.code for found in find(CHECKS, with_signatures)] == ["EC-015"]
    assert findings(CHECKS, "EC-015", sheet, infusion) == []  # before monitoring there are none


@pytest.mark.parametrize(
    ("code", "records"),
    [
        ("EC-003", [row("DM", born_on="2000-01-01")]),
        ("EC-004", [row("DM", born_on="1900-01-01")]),
        ("EC-003", [row("ENR"), row("DM", born_on="2000-01-01")]),
        ("EC-005", [enr(is_enrolled=False), ie(("IN04", False))]),
        ("EC-005", [enr(), ie(("IN04", False), has_waiver=True)]),
        ("EC-005", [enr(), ie(("IN04", False)), ie(("IN04", True))]),  # screened again
        ("EC-010", [ie(qualifying_features=["FIRST RELAPSE <=12 MO"]), row("ALLH", relapses=1)]),
        ("EC-010", [ie(qualifying_features=["PRIMARY REFRACTORY"]), row("ALLH", relapses=2)]),
        ("EC-010", [ie(qualifying_features=["FIRST RELAPSE <=12 MO"])]),
        ("EC-014", [enr(consented_on="2012-01-01")]),
        ("EC-015", [ie(), signed("ELIGIBILITY", "2013-03-05")]),
        ("EC-016", [enr(cohort="ADDITIONAL")]),
        ("EC-017", [row("MH", started="2013-03-02")]),
        ("EC-017", [row("ENR"), row("MH", started="2013-03-02")]),
    ],
)
def test_what_a_check_says_nothing_of(code, records):
    assert findings(CHECKS, code, *records) == []


def test_a_second_relapse_does_not_support_the_first_one():
    history = row("ALLH", relapses=2, first_cr_on="2012-01-01", first_relapse_on="2012-06-01")

    (found,) = findings(CHECKS, "EC-010", ie(qualifying_features=["FIRST RELAPSE <=12 MO"]), history)

    assert "2 relapses" in found.question


@pytest.mark.parametrize(
    ("records", "given", "is_asked"),
    [
        ([], {}, False),  # no consent: nobody knows yet when it was asked for
        ([row("ENR", consented_on="2014-09-10")], {}, False),  # the log is expected until the screening is over
        ([row("ENR", consented_on="2014-09-09")], {}, True),
        ([row("ENR", consented_on="2014-09-10")], {"gates": {"HSCT": False}}, True),  # the site says there is none
        ([row("ENR", consented_on="2014-09-10"), row("HSCT")], {}, True),
        ([row("ENR", consented_on="2014-09-10"), dose("2014-09-30T09:00")], {}, True),  # treated
        ([row("ENR", consented_on="2014-01-01", screened_on="2014-09-15")], {}, True),
    ],
)
def test_the_transplantation_that_qualifies_is_asked_for_once_its_log_is_answered_or_overdue(records, given, is_asked):
    claimed = ie(qualifying_features=["RELAPSE <=12 MO AFTER ALLOHSCT"])

    assert bool(findings(CHECKS, "EC-008", claimed, *records, **given)) is is_asked
