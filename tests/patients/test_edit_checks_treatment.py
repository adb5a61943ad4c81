"""Every check on treatment with a casebook in which it asks, and one in which it is silent."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients.edit_checks.treatment import CHECKS, dose_before, is_premedicated
from tests.casebooks import book, findings, row
from trial.edit_checks import Severity


def ex(start="2013-03-04T09:00", stop="2013-03-11T09:00", rate=9, cycle=1, **answers):
    return row("EX", started_at=start, ended_at=stop, dose_ug_per_day=rate, cycle=cycle, **answers)


def full(start="2013-03-11T09:00", stop="2013-04-01T09:00", **answers):
    return ex(start, stop, 28, **{"change_reason": "STEP-UP"} | answers)


def later(start="2013-04-15T09:00", stop="2013-05-13T09:00", rate=28, **answers):
    return ex(start, stop, rate, **{"cycle": 2} | answers)


def premedication(moment, dose=20):
    return row("DEX", purpose="PREMEDICATION", given_at=moment, dose_mg=dose)


def cyc(number=1, **answers):
    return row("CYC", number=number, **answers)


def ae(**answers):
    usual = {"number": 1, "started": "2013-03-12", "grade": 3, "special_interest": ["NEUROLOGIC"]}
    return row("AE", key=5, **usual | answers)


def neu(**answers):
    return row("NEU", **{"event_id": 5} | answers)


def stay(first="2013-03-04", last="2013-03-13"):
    return row("HO", admitted_on=first, discharged_on=last)


def cm(category, **answers):
    usual = {"drug": "X", "route": "ORAL", "started": "2013-03-10", "ended": "2013-03-11", "indication": "OTHER"}
    return row("CM", category=category, **usual | answers)


# What an undisturbed cycle 1 has, and one that was interrupted on 15-Mar-2013 and restarted ten days later.
CYCLE = [ex(), full()]
INTERRUPTED = [ex(), full(stop="2013-03-15T09:00")]

# The code, a casebook in which the check asks, one in which it is silent, and what the question must say.
EXAMPLES = [
    (
        "EC-111",
        [*INTERRUPTED, ex("2013-03-15T11:00", "2013-03-20T09:00", 28)],
        [*INTERRUPTED, ex("2013-03-15T09:00", "2013-03-15T11:00", 0), ex("2013-03-15T12:00", "2013-03-20T09:00", 28)],
        "the 2 hours before this interval, since 15-Mar-2013",
    ),
    (
        "EC-112",
        [*INTERRUPTED, full("2013-03-15T13:00"), premedication("2013-03-15T09:59")],
        [*INTERRUPTED, full("2013-03-15T13:00"), premedication("2013-03-15T10:00")],
        "A restart after 4 hours, without premedication",
    ),
    (
        "EC-113",
        [*CYCLE, premedication("2013-03-04T08:00"), premedication("2013-03-11T08:00", 16)],
        [*CYCLE, premedication("2013-03-04T08:00"), premedication("2013-03-11T08:00")],
        "A start or step without dexamethasone 20 mg",
    ),
    ("EC-114", [ex(rate=28)], [ex(rate=28, change_reason="OTHER")], "here it is 28, without a reason"),
    (
        "EC-115",
        [ex(stop="2013-03-12T09:00")],
        [ex(stop="2013-03-11T23:00")],
        "9 µg/day goes on until day 9",
    ),
    ("EC-116", [later(rate=9)], [later(rate=9, change_reason="ADVERSE EVENT")], "Cycle 2 starts at 9 µg/day"),
    ("EC-117", [ex(stop="2013-03-10T09:00"), full("2013-03-10T09:00")], CYCLE, "A step after 6.0 days at 9"),
    (
        "EC-118",
        [*INTERRUPTED, full("2013-03-23T09:00", change_reason="ADVERSE EVENT")],
        [*INTERRUPTED, full("2013-03-22T09:00", change_reason="ADVERSE EVENT")],
        "An adverse event interrupted cycle 1 for 8 days",
    ),
    ("EC-119", [cyc(6, kind="CONSOLIDATION")], [cyc(6, kind="RETREATMENT")], "Cycle 6 is beyond the five"),
    (
        "EC-120",
        [cyc(), ex(), full(stop="2013-04-02T10:00")],
        [cyc(), ex(), full(stop="2013-04-02T09:00")],
        "has 29.0 days",
    ),
    (
        "EC-121",
        [cyc(2), *CYCLE, later("2013-04-07T09:00")],
        [cyc(2), *CYCLE, later("2013-04-08T09:00")],
        "Cycle 2 began 6 days after",
    ),
    (
        "EC-122",
        [cyc(2, kind="CONSOLIDATION"), later(), row("RS", response="PR", assessed_on="2013-04-02")],
        [cyc(2, kind="CONSOLIDATION"), later(), row("RS", response="BFHM", assessed_on="2013-04-02")],
        "Cycle 2 is consolidation",
    ),
    (
        "EC-123",
        [ae(action="DOSE NOT CHANGED"), ex(change_reason="ADVERSE EVENT", event_number=1)],
        [ae(action="DRUG INTERRUPTED"), ex(change_reason="ADVERSE EVENT", event_number=1)],
        "the action of event 1 is DOSE NOT CHANGED",
    ),
    (
        "EC-124",
        [*CYCLE, row("DTH", died_on="2013-03-30")],
        [*CYCLE, row("DTH", died_on="2013-03-31")],
        "The infusion ended on 01-Apr-2013, after the death on 30-Mar-2013",
    ),
    (
        "EC-126",
        [row("EOT", reason="ADVERSE EVENT"), ae(action="DRUG INTERRUPTED")],
        [row("EOT", reason="ADVERSE EVENT"), ae(action="DRUG WITHDRAWN")],
        "no event has the action drug withdrawn",
    ),
    (
        "EC-127",
        [*CYCLE, ae(action="DRUG WITHDRAWN", started="2013-03-30")],
        [*CYCLE, ae(action="DRUG WITHDRAWN", started="2013-03-31")],
        "for an event of 30-Mar-2013, but the infusion went on until 01-Apr-2013",
    ),
    (
        "EC-128",
        [*CYCLE, ae(grade=4, started="2013-03-31")],
        [*CYCLE, ae(grade=4, started="2013-04-01")],
        "Grade 4 on 31-Mar-2013 stops the treatment for good",
    ),
    (
        "EC-129",
        [*CYCLE, ae(), neu(seizures_to_date=2)],
        [*INTERRUPTED, ae(started="2013-03-15"), neu(seizures_to_date=2)],
        "2 seizures stop the treatment for good, but it went on after 12-Mar-2013",
    ),
    (
        "EC-130",
        [*INTERRUPTED, ex("2013-03-25T09:00", "2013-04-01T09:00"), ae(), neu(resolved="2013-03-23")],
        [*INTERRUPTED, ex("2013-03-25T09:00", "2013-04-01T09:00"), ae(), neu(resolved="2013-03-22")],
        "Restart on 25-Mar-2013 at 9 µg/day after a grade 3 event resolved on 23-Mar-2013",
    ),
    (
        "EC-131",
        [*INTERRUPTED, ex("2013-03-25T09:00", "2013-04-01T09:00"), ae(), neu(resolved="2013-03-20")],
        [*INTERRUPTED, ex("2013-03-25T09:00", "2013-04-01T09:00"), ae(), neu(resolved="2013-03-19")],
        "took 8 days to resolve",
    ),
    (
        "EC-132",
        [cyc(), *CYCLE, stay(last="2013-03-11")],
        [cyc(), *CYCLE, stay(last="2013-03-11"), stay("2013-04-14", "2013-04-20")],
        "8 days in hospital in cycle 1; at least 9",
    ),
    (
        "EC-133",
        [row("DEX", dose_mg=30, frequency="QID", given_at="2013-03-10T09:00", last_day="2013-03-14")],
        [row("DEX", dose_mg=30, frequency="QID", given_at="2013-03-10T09:00", last_day="2013-03-13")],
        "120 mg of dexamethasone a day for 5 days",
    ),
    ("EC-134", [*CYCLE, cm("ANTICANCER")], [*CYCLE, cm("ANTICANCER", route="INTRATHECAL")], "X against cancer"),
    (
        "EC-135",
        [*CYCLE, cm("IMMUNOSUPPRESSANT")],
        [*CYCLE, cm("IMMUNOSUPPRESSANT", indication="GVHD")],
        "X suppresses the immune system",
    ),
]


def test_intervals_that_overlap_are_impossible_and_both_say_so():
    pairs = findings(CHECKS, "EC-110", ex(number=1), full("2013-03-11T08:59", number=2))
    same_start = findings(CHECKS, "EC-110", ex(stop=None, number=1), ex(stop=None, number=2))

    assert [found.severity for found in pairs] == [Severity.HARD, Severity.HARD]
    assert "This interval overlaps interval 2" in pairs[0].question
    assert len(same_start) == 2
    assert findings(CHECKS, "EC-110", *CYCLE) == []
    assert findings(CHECKS, "EC-110", ex(stop=None), full()) == []  # it ends where the next one begins
    assert len(findings(CHECKS, "EC-110", full("2013-03-05T09:00", None), ex())) == 2


def test_every_check_has_an_example():
    asked = {found.check for code, asks, _, _ in EXAMPLES for found in findings(CHECKS, code, *asks)}

    assert {check.code for check in set(CHECKS) - asked} == {"EC-110"}  # above


def test_every_number_of_the_specification_is_there_but_the_one_that_is_no_check():
    assert {int(check.code.removeprefix("EC-")) for check in CHECKS} == set(range(110, 136)) - {125}


@pytest.mark.parametrize(
    ("code", "records"),
    [
        ("EC-124", [*CYCLE, row("DTH", died_on="2013-03")]),
        ("EC-127", [*INTERRUPTED, ae(action="DRUG WITHDRAWN", started="2013-03")]),
        ("EC-128", [*INTERRUPTED, ae(grade=4, started="2013-03")]),
        ("EC-129", [*INTERRUPTED, ae(started="2013-03"), neu(seizures_to_date=2)]),
        ("EC-134", [*CYCLE, cm("ANTICANCER", started="2013-04", ended=None)]),
        ("EC-135", [*CYCLE, cm("IMMUNOSUPPRESSANT", started="2013-03", ended="2013-03")]),
    ],
)
def test_where_the_order_cannot_be_told_the_question_is_a_warning(code, records):
    found = findings(CHECKS, code, *records)[-1]

    assert found.severity == Severity.WARNING
    assert found.question.startswith("The dates are known in part")


@pytest.mark.parametrize(
    ("code", "records", "says"),
    [
        ("EC-113", [ex()], "A start or step"),
        ("EC-113", [ex("2014-09-29T09:00", None)], "A start or step"),  # yesterday
        ("EC-115", [ex("2014-09-20T09:00", None)], "until day 11"),  # still running on 30-Sep-2014
        ("EC-117", [*CYCLE, ex("2013-04-01T09:00", "2013-04-03T09:00"), full("2013-04-03T09:00")], "after 2.0 days"),
        (
            "EC-118",
            [
                *INTERRUPTED,
                ex("2013-03-15T09:00", "2013-03-23T09:00", 0, change_reason="ADVERSE EVENT"),
                full("2013-03-23T09:00"),
            ],
            "for 8 days",
        ),
        ("EC-121", [cyc(2), *CYCLE, later("2013-04-30T09:00")], "29 days after"),
        ("EC-123", [ex(change_reason="ADVERSE EVENT")], "none is named"),
        (
            "EC-128",
            [*CYCLE, ae(grade=4, rows=[row("AE.GRADE", grade=4, began="2013-03-14")])],
            "Grade 4 on 14-Mar-2013",
        ),
        (
            "EC-130",
            [*INTERRUPTED, full("2013-03-25T09:00"), ae(), neu()],
            "at 28 µg/day after a grade 3 event resolved on nothing",
        ),
        ("EC-132", [cyc(2), later()], "0 days in hospital in cycle 2; at least 2"),
        ("EC-134", [*CYCLE, cm("ANTICANCER", ended=None)], "against cancer"),
    ],
)
def test_the_other_ways_in_which_a_check_fails(code, records, says):
    found = findings(CHECKS, code, *records)[-1]

    assert says in found.question


@pytest.mark.parametrize(
    ("code", "records"),
    [
        ("EC-111", [ex(stop=None), full()]),
        ("EC-112", [ex(stop=None), full()]),
        ("EC-112", [ex(), ex("2013-03-15T09:00", "2013-03-20T09:00", 0)]),
        ("EC-113", [ex(rate=0)]),
        ("EC-113", [ex("2014-09-30T09:00", None)]),  # today: the premedication may still be entered
        ("EC-112", [ex(), full("2014-09-30T09:00", None)]),
        ("EC-114", [ex(), ex("2013-03-11T09:00", "2013-03-20T09:00", 28)]),  # from day 8 on it is due
        ("EC-114", [later()]),
        ("EC-115", [later(rate=9)]),
        ("EC-116", [*CYCLE]),
        ("EC-116", [later(), later("2013-05-13T09:00", "2013-05-14T09:00", 9)]),
        ("EC-116", [later(rate=9), cyc(2, new_cycle_reason="ADVERSE EVENT")]),
        ("EC-116", [later(rate=28)]),
        ("EC-117", [ex()]),
        ("EC-117", [full(), full("2013-04-01T09:00", None)]),
        ("EC-118", [*INTERRUPTED, full("2013-03-23T09:00", change_reason="OTHER")]),
        ("EC-121", [cyc(1), *CYCLE]),
        ("EC-121", [cyc(2), *CYCLE]),
        ("EC-122", [cyc(2, kind="CONSOLIDATION")]),
        ("EC-122", [cyc(2, kind="INDUCTION"), later()]),
        ("EC-123", [ex(change_reason="OTHER")]),
        ("EC-123", [ex(change_reason="ADVERSE EVENT", event_number=9)]),
        ("EC-123", [ae(), ex(change_reason="ADVERSE EVENT", event_number=1)]),
        ("EC-124", [ex(rate=0, stop="2014-01-01T09:00"), row("DTH", died_on="2013-03-30")]),
        ("EC-124", [*CYCLE]),
        ("EC-126", [row("EOT", reason="COMPLETED")]),
        ("EC-127", [ae(action="DRUG WITHDRAWN")]),
        ("EC-127", [*CYCLE, ae(action="DRUG INTERRUPTED")]),
        ("EC-128", [ae(grade=4)]),
        ("EC-128", [*CYCLE, ae(grade=3)]),
        ("EC-128", [*CYCLE, ae(grade=4, special_interest=["INFECTION"])]),
        ("EC-128", [*CYCLE, ae(grade=4, started=None)]),
        ("EC-129", [*CYCLE, ae(), neu(seizures_to_date=1)]),
        ("EC-129", [*CYCLE, neu(seizures_to_date=2)]),
        ("EC-129", [*CYCLE, ae(started=None), neu(seizures_to_date=2)]),
        ("EC-130", [*INTERRUPTED, ae(), neu(resolved="2013-03-23")]),  # never restarted
        ("EC-130", [*CYCLE, ae(), neu(resolved="2013-03-23")]),  # never interrupted
        ("EC-130", [*CYCLE, later(), ae(grade=2), neu()]),
        ("EC-130", [*CYCLE, later(), neu()]),
        ("EC-130", [*CYCLE, later(), ae(started=None), neu()]),
        ("EC-130", [*CYCLE, later(), ae(started="2013-04-05"), neu()]),  # while nothing was infused
        ("EC-131", [*INTERRUPTED, ae(), neu(resolved="2013-03-23")]),
        ("EC-132", [cyc(3), later(cycle=3)]),
        ("EC-132", [cyc(1)]),
        ("EC-132", [cyc(1), ex(stop="2013-03-11T09:00")]),  # stopped earlier
        ("EC-132", [cyc(1), *CYCLE, row("DTH", died_on="2013-03-12")]),
        ("EC-132", [cyc(1), ex("2014-09-28T09:00", None)]),  # too early to tell
        ("EC-133", [row("DEX", dose_mg=99, frequency="ONCE", given_at="2013-03-10T09:00", last_day="2013-04-14")]),
        ("EC-133", [row("DEX", dose_mg=25, frequency="QID", given_at="2013-03-10T09:00", last_day="2013-04-14")]),
        ("EC-134", [cm("ANTICANCER")]),
        ("EC-134", [*CYCLE, cm("OTHER")]),
        ("EC-134", [*CYCLE, cm("ANTICANCER", started="2013-04-02", ended=None)]),
        ("EC-135", [*CYCLE, cm("IMMUNOSUPPRESSANT", route="TOPICAL")]),
        ("EC-135", [*CYCLE, cm("IMMUNOSUPPRESSANT", event_number=3)]),
        ("EC-135", [*CYCLE, cm("IMMUNOSUPPRESSANT", ended="2013-03-10")]),  # one day
        ("EC-135", [*CYCLE, cm("IMMUNOSUPPRESSANT", started="2013-04-01", ended=None)]),  # one day of treatment
        ("EC-135", [*CYCLE, cm("STEROID")]),
    ],
)
def test_what_a_check_says_nothing_of(code, records):
    assert findings(CHECKS, code, *records) == []


def test_while_the_hospital_days_may_still_come_nothing_is_asked():
    assert findings(CHECKS, "EC-132", cyc(), *CYCLE, today=date(2013, 3, 12)) == []


def test_premedication_is_asked_about_on_the_day_itself_where_the_site_says_that_there_is_none():
    started_today = ex("2014-09-30T09:00", None)

    assert findings(CHECKS, "EC-113", started_today) == []
    assert len(findings(CHECKS, "EC-113", started_today, gates={"DEX": False})) == 1


MOMENTS = st.integers(0, 12).map(lambda hours: datetime(2013, 3, 4, tzinfo=UTC) + timedelta(hours=hours))


@st.composite
def infusions(draw):
    """Intervals of two cycles on one day, some without an end, some at the same moment."""
    rows = []
    for number in range(draw(st.integers(1, 6))):
        start, length = draw(MOMENTS), draw(st.one_of(st.none(), st.integers(0, 5)))
        rows.append(
            row(
                "EX",
                key=number + 1,
                number=number,
                cycle=draw(st.sampled_from([1, 2])),
                dose_ug_per_day=draw(st.sampled_from([0, 9, 28])),
                started_at=start,
                ended_at=start + timedelta(hours=length) if length is not None else None,
            )
        )
    return rows


@given(infusions())
def test_an_overlap_is_told_as_if_each_interval_was_compared_with_each(rows):
    asked = {found.record.key: found.question for found in findings(CHECKS, "EC-110", *rows)}

    in_order = sorted(rows, key=lambda one: one.started_at)
    for one in rows:
        ends = one.ended_at or one.started_at
        others = [
            other
            for other in in_order
            if other.key != one.key
            and (
                other.started_at == one.started_at
                or (one.started_at < (other.ended_at or other.started_at) and other.started_at < ends)
            )
        ]
        assert (one.key in asked) is bool(others)
        if others:
            assert f"overlaps interval {others[0].number}." in asked[one.key]


@given(infusions(), MOMENTS)
def test_the_dose_before_is_the_last_that_started_earlier_in_the_cycle(rows, moment):
    asked = row("EX", started_at=moment, cycle=1)

    found = dose_before(asked, book(*rows))

    earlier = [one for one in rows if one.cycle == 1 and one.dose_ug_per_day and one.started_at < moment]
    assert found == (max(earlier, key=lambda one: (one.started_at, one.key)) if earlier else None)


@given(st.lists(st.tuples(MOMENTS, st.sampled_from([None, 16, 20]))), MOMENTS)
def test_premedication_is_that_of_the_three_hours_before(given_doses, moment):
    rows = [row("DEX", purpose="PREMEDICATION", given_at=at, dose_mg=mg) for at, mg in given_doses]

    found = is_premedicated(book(*rows), moment, 20)

    assert found is any(mg == 20 and moment - timedelta(hours=3) <= at <= moment for at, mg in given_doses)
