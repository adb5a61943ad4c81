from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tables import table
from trial.schedule import cycle_of, months_between, study_day, whole_years

DAYS = st.dates(date(2000, 1, 1), date(2030, 12, 31))


def test_study_day():
    days = table("""
        on          first_dose  | expected
        2012-03-01  2012-03-01  | 1           # the day of first dose is day 1
        2012-02-29  2012-03-01  | -1          # the day before it is day -1
        2012-03-28  2012-03-01  | 28
        2011-03-01  2012-03-01  | -366
    """)

    found = [study_day(row.on.date(), row.first_dose.date()) for row in days.itertuples()]

    assert found == days["expected"].tolist()


@given(DAYS, DAYS)
def test_no_study_day_is_zero(day, first_dose):
    assert study_day(day, first_dose) != 0


@given(DAYS, DAYS)
def test_the_next_day_is_the_next_study_day(day, first_dose):
    following = study_day(day + timedelta(days=1), first_dose)

    assert following == (study_day(day, first_dose) + 1 or 1)


def test_cycle_of():
    starts = {1: date(2012, 3, 1), 2: date(2012, 4, 12)}

    assert cycle_of(date(2012, 2, 29), starts) is None
    assert cycle_of(date(2012, 3, 1), starts) == 1
    assert cycle_of(date(2012, 4, 11), starts) == 1
    assert cycle_of(date(2012, 4, 12), starts) == 2
    assert cycle_of(date(2013, 4, 12), starts) == 2
    assert cycle_of(date(2013, 4, 12), {}) is None


def test_months_are_of_30_and_seven_sixteenths_days():
    assert months_between(date(2012, 1, 1), date(2012, 1, 1)) == 0
    assert months_between(date(2012, 1, 1), date(2016, 1, 1)) == pytest.approx(48)  # four years have 1,461 days
    assert months_between(date(2016, 1, 1), date(2012, 1, 1)) == pytest.approx(-48)


def test_age_is_in_completed_years():
    assert whole_years(date(1980, 5, 17), date(2012, 5, 16)) == 31
    assert whole_years(date(1980, 5, 17), date(2012, 5, 17)) == 32
