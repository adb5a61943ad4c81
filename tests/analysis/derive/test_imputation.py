from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.derive.imputation import (
    impute_before_study,
    impute_birth,
    impute_death,
    impute_end,
    impute_later_therapy,
    impute_order,
    impute_relapse,
    impute_start,
)
from tests.tables import table
from trial.partial_dates import parse

FIRST_DOSE = date(2012, 3, 12)


def known(text):
    """The tables write `in 2012-03`, so that a known day is not read as a day of the table."""
    return None if text is None else parse(text.removeprefix("in "))


def day(value):
    return None if value is None or value != value else value.date()


def test_impute_start():
    events = table("""
        started         ended           | expected    flag
        in 2012-04      -               | 2012-04-01  D      # the first of the month
        in 2012-03      -               | 2012-03-12  D      # the month of first dose
        in 2012-03      in 2012-03-20   | 2012-03-12  D
        in 2012-03      in 2012-03-11   | 2012-03-01  D      # over before the first dose
        in 2012-03      in 2012-03      | 2012-03-12  D      # not surely over before
        in 2012         -               | 2012-03-12  M
        in 2013         -               | 2013-01-01  M
        in 2012-03-05   -               | 2012-03-05  -
    """)

    found = [impute_start(known(row.started), known(row.ended), FIRST_DOSE) for row in events.itertuples()]

    assert [each.on for each in found] == [day(value) for value in events["expected"]]
    assert [each.flag for each in found] == events["flag"].tolist()


def test_the_start_of_an_event_of_an_untreated_patient_is_the_first_of_the_month():
    assert impute_start(parse("2012-03"), None, None) == (date(2012, 3, 1), "D")


def test_impute_end():
    assert impute_end(parse("2012-04"), date(2016, 12, 31)) == (date(2012, 4, 30), "D")
    assert impute_end(parse("2012-04"), date(2012, 4, 20)) == (date(2012, 4, 20), "D")  # death or cut-off
    assert impute_end(parse("2012-04"), date(2012, 3, 20)) == (date(2012, 4, 1), "D")  # never another month
    assert impute_end(parse("2012-04-05"), date(2012, 3, 20)) == (date(2012, 4, 5), None)


def test_impute_death():
    deaths = table("""
        died            last_alive   cutoff      | expected    flag
        in 2013-09      2013-08-02   2016-12-31  | 2013-09-15  D      # the 15th
        in 2013-09      2013-09-20   2016-12-31  | 2013-09-21  D      # the day after the last sign of life
        in 2013-09      2013-09-30   2016-12-31  | 2013-09-30  D      # not after the end of the month
        in 2013-09      2013-08-02   2013-09-10  | 2013-09-10  D      # not after the cut-off
        in 2013-09      -            2016-12-31  | 2013-09-15  D
        in 2013-09-03   2013-08-02   2016-12-31  | 2013-09-03  -
    """)

    found = [impute_death(known(row.died), day(row.last_alive), row.cutoff.date()) for row in deaths.itertuples()]

    assert [each.on for each in found] == [day(value) for value in deaths["expected"]]
    assert [each.flag for each in found] == deaths["flag"].tolist()


def test_impute_relapse():
    assert impute_relapse(parse("2013-02"), None) == (date(2013, 2, 15), "D")
    assert impute_relapse(parse("2013-02"), date(2013, 2, 9)) == (date(2013, 2, 9), "D")  # died on the 9th
    assert impute_relapse(parse("2013-02"), date(2013, 1, 9)) == (date(2013, 2, 1), "D")
    assert impute_relapse(parse("2013-02-03"), None) == (date(2013, 2, 3), None)


def test_what_was_before_the_study_is_the_15th_of_its_month_and_never_of_a_year_alone():
    assert impute_before_study(parse("2011-02")) == (date(2011, 2, 15), "D")
    assert impute_before_study(parse("2011-02-03")) == (date(2011, 2, 3), None)
    assert impute_before_study(parse("2011")) is None
    assert impute_before_study(None) is None


@pytest.mark.parametrize(
    ("earlier", "later", "expected"),
    [
        ("2011-02", "2011-05", ("2011-02-15", "2011-05-15")),
        ("2012-03", "2012-03-10", ("2012-03-09", "2012-03-10")),  # the 15th would be after it
        ("2012-03", "2012-03-01", ("2012-03-01", "2012-03-01")),  # no day of March is before it
        ("2012-03-20", "2012-03", ("2012-03-20", "2012-03-21")),
        ("2012-03-31", "2012-03", ("2012-03-31", "2012-03-31")),
        ("2012-03", "2012-03", ("2012-03-15", "2012-03-16")),
        ("2012-03-10", "2012-03-10", ("2012-03-10", "2012-03-10")),
        ("2012-03-10", "2012-03-09", ("2012-03-10", "2012-03-09")),  # a contradiction stays one
        ("2012-04", "2012-03-10", ("2012-04-01", "2012-03-10")),
        ("2011", "2012-03-10", None),
        ("2011-05", "2012", None),
        (None, "2012-03-10", None),
        ("2011-05", None, None),
    ],
)
def test_an_imputed_day_does_not_pass_the_one_that_came_after(earlier, later, expected):
    days = impute_order(parse(earlier) if earlier else None, parse(later) if later else None)

    assert (days and tuple(day.isoformat() for day in days)) == expected


def test_impute_later_therapy():
    assert impute_later_therapy(parse("2012-06"), date(2012, 5, 10)) == (date(2012, 6, 15), "D")
    assert impute_later_therapy(parse("2012-06"), date(2012, 6, 20)) == (date(2012, 6, 21), "D")
    assert impute_later_therapy(parse("2012-06"), date(2012, 7, 20)) == (date(2012, 6, 30), "D")
    assert impute_later_therapy(parse("2012-06"), None) == (date(2012, 6, 15), "D")
    assert impute_later_therapy(parse("2012-06-02"), date(2012, 6, 20)) == (date(2012, 6, 2), None)


def test_impute_birth():
    assert impute_birth(parse("1980-05")) == (date(1980, 5, 15), "D")
    assert impute_birth(parse("1980")) == (date(1980, 7, 1), "M")
    assert impute_birth(parse("1980-05-17")) == (date(1980, 5, 17), None)


DAYS = st.dates(date(2010, 1, 1), date(2016, 12, 31))
KNOWN = DAYS.flatmap(lambda on: st.sampled_from([f"{on:%Y-%m}", f"{on:%Y-%m-%d}"])).map(parse)


@given(KNOWN, KNOWN | st.none(), DAYS)
def test_an_imputed_day_is_a_day_that_it_could_be(text, ended, other):
    found = [
        impute_start(text, ended, other),
        impute_end(text, other),
        impute_relapse(text, other),
        impute_later_therapy(text, other),
        impute_death(text, other, date(2016, 12, 31)),
    ]

    assert all(text.earliest <= each.on <= text.latest for each in found)
    assert all((each.flag is None) == text.is_complete for each in found)
