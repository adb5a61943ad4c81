from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from patients.exposure import Interval, derive_exposure, dexamethasone_mg, known_at, site_time
from trial.parameters import Parameters

START = datetime(2012, 3, 1, 9)
FAR = date(2016, 12, 31)


def interval(cycle, from_day, to_day, dose, *, start=START, record=0, offset=60):
    """An infusion of `dose` µg a day from one day after `start` to another."""
    end = None if to_day is None else start + timedelta(days=to_day)
    return Interval(record, cycle, start + timedelta(days=from_day), offset, end, offset, dose)


def cycles(*intervals, last_day=FAR):
    return derive_exposure(intervals, Parameters(), last_day).cycles


CYCLE_1 = (interval(1, 0, 7, 9, record=1), interval(1, 7, 28, 28, record=2))
LATER = [interval(k, 42 * (k - 1), 42 * (k - 1) + 28, 28) for k in range(2, 6)]


@pytest.mark.reference
def test_planned_and_cumulative_doses_are_those_of_study_z5():
    exposure = derive_exposure([*CYCLE_1, *LATER], Parameters(), FAR)

    assert [cycle.dose for cycle in exposure.cycles] == [651, 784, 784, 784, 784]
    assert [cycle.days for cycle in exposure.cycles] == [28, 28, 28, 28, 28]
    assert exposure.dose == exposure.planned_dose == 3787
    assert exposure.days == 140
    assert exposure.relative_dose == 1


@pytest.mark.reference
def test_an_interruption_that_is_made_up_leaves_the_dose_and_moves_the_end_by_its_length():
    # Z.5: 36 hours at day 10 of cycle 1
    made_up = [interval(1, 0, 7, 9), interval(1, 7, 9, 28), interval(1, 9, 10.5, 0), interval(1, 10.5, 29.5, 28)]

    (cycle,) = cycles(*made_up)

    assert cycle.dose == 651
    assert cycle.days == 28
    assert cycle.interruptions == (36,)
    assert cycle.ended_on == date(2012, 3, 30)
    assert cycles(*CYCLE_1)[0].ended_on == date(2012, 3, 29)


def test_a_cycle_begins_and_ends_with_its_doses():
    # C.1.1: a row of dose 0 does not move either
    rows = [interval(1, -1, 0, 0, record=9), *CYCLE_1, interval(1, 28, 40, 0)]

    (cycle,) = cycles(*rows)

    assert (cycle.started_on, cycle.ended_on) == (date(2012, 3, 1), date(2012, 3, 29))
    assert cycle.record == 1
    assert cycle.interruptions == (24, 12 * 24)


def test_neighbouring_rows_of_dose_0_are_one_interruption():
    (cycle,) = cycles(interval(1, 0, 7, 9), interval(1, 7, 7.1, 0), interval(1, 7.1, 7.2, 0), interval(1, 7.2, 9, 28))

    assert cycle.interruptions == pytest.approx((4.8,))
    assert cycle.interruptions_of(4) == 1
    assert cycle.interruptions_of(5) == 0


def test_a_cycle_without_a_dose_was_not_started():
    assert cycles(interval(1, 0, 7, 0)) == ()
    assert derive_exposure([], Parameters(), FAR).relative_dose is None


def test_a_cycle_is_completed_after_27_days_of_infusion():
    parameters = Parameters()

    assert cycles(interval(2, 0, 27, 28))[0].is_completed(parameters)
    assert not cycles(interval(2, 0, 26.99, 28))[0].is_completed(parameters)


def test_the_full_dose_is_reached_by_one_interval_of_28():
    assert cycles(*CYCLE_1)[0].reached_full_dose
    assert not cycles(interval(1, 0, 7, 9))[0].reached_full_dose


def test_hours_are_true_hours_when_the_clocks_change():
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2012, 3, 20, 10, tzinfo=berlin)
    end = datetime(2012, 3, 27, 10, tzinfo=berlin)  # summer time began on 25 March
    row = Interval(1, 1, naive(start), 60, naive(end), 120, 9)

    (cycle,) = cycles(row)

    assert cycle.days * 24 == 7 * 24 - 1


def naive(moment):
    return moment.astimezone(UTC).replace(tzinfo=None)


def test_a_day_is_a_day_at_the_site():
    evening_in_the_usa = Interval(1, 1, datetime(2012, 3, 2, 1), -360, datetime(2012, 3, 9, 1), -360, 9)
    unknown_offset = evening_in_the_usa._replace(started_at_offset=None, ended_at_offset=None)

    assert (evening_in_the_usa.started_on, evening_in_the_usa.ended_on) == (date(2012, 3, 1), date(2012, 3, 8))
    assert unknown_offset.started_on == date(2012, 3, 2)
    assert evening_in_the_usa._replace(ended_at=None).ended_on is None
    assert site_time(datetime(2012, 3, 2, 1), -360) == datetime(2012, 3, 1, 19)
    assert site_time(datetime(9999, 12, 31, 23, 59), 60) == datetime(9999, 12, 31, 23, 59)
    assert site_time(datetime(1, 1, 1), -60) == datetime(1, 1, 1)


def test_what_runs_at_the_cut_off_is_cut_at_the_end_of_that_day():
    (cycle,) = cycles(*CYCLE_1, last_day=date(2012, 3, 10))

    assert cycle.ended_on == date(2012, 3, 10)
    # 7 days of 9 µg, then from 8 March 10:00 site time to midnight after 10 March: 62 hours of 28 µg
    assert cycle.dose == pytest.approx(63 + 28 * 62 / 24)


def test_what_begins_after_the_cut_off_is_not_known():
    assert cycles(*CYCLE_1, last_day=date(2012, 2, 29)) == ()
    assert len(known_at(CYCLE_1, date(2012, 3, 7))) == 1


def test_an_interval_without_an_end_runs_until_the_next_one_or_the_cut_off():
    open_ended = [interval(1, 0, None, 9), interval(1, 7, None, 28)]

    first, second = known_at(open_ended, date(2012, 3, 31))

    assert first.ended_at == START + timedelta(days=7)
    assert site_time(second.ended_at, second.ended_at_offset) == datetime(2012, 4, 1)
    assert cycles(*open_ended, last_day=date(2012, 3, 31))[0].ended_on == date(2012, 3, 31)


def test_a_death_ends_an_infusion_without_an_end_and_undoes_no_dose():
    running = CYCLE_1[1]._replace(ended_at=None)

    def given(*intervals, life_ends):
        (cycle,) = derive_exposure(intervals, Parameters(), FAR, life_ends).cycles
        return cycle.ended_on, cycle.dose

    assert given(*CYCLE_1, life_ends=date(2011, 3, 20)) == (date(2012, 3, 29), 651)
    assert given(*CYCLE_1, life_ends=date(2012, 3, 20)) == (date(2012, 3, 29), 651)
    # from 10 o'clock at the site on 8 March until the midnight after 20 March: 12 days and 14 hours
    ended_on, dose = given(CYCLE_1[0], running, life_ends=date(2012, 3, 20))
    assert (ended_on, dose) == (date(2012, 3, 20), pytest.approx(63 + 302 / 24 * 28))
    # begun after a death that must be wrong: it was given, but nobody knows how long
    assert given(CYCLE_1[0], running, life_ends=date(2011, 3, 20)) == (date(2012, 3, 8), 63)


@pytest.mark.parametrize(
    ("frequency", "last_day", "expected"),
    [
        ("ONCE", None, 8),
        ("Q8H", date(2012, 3, 3), 72),  # three times a day for three days
        ("QD", date(2012, 3, 1), 8),
        ("BID", None, 16),  # no last day: the day of the first dose
        ("BID", date(2012, 2, 1), 16),  # a last day before the first says nothing
        ("PRN", date(2012, 3, 3), 8),
        (None, date(2012, 3, 3), 8),
    ],
)
def test_dexamethasone_mg(frequency, last_day, expected):
    assert dexamethasone_mg(8, frequency, date(2012, 3, 1), last_day) == expected
