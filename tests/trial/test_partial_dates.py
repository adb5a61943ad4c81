from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tables import table
from trial.partial_dates import NotADate, is_at_least, is_before, parse

TEXTS = st.dates(date(1990, 1, 1), date(2020, 12, 31)).flatmap(
    lambda day: st.sampled_from([f"{day:%Y}", f"{day:%Y-%m}", f"{day:%Y-%m-%d}", f"{day:%Y-%m-%d}T09:30"])
)


def test_a_partial_date_is_the_interval_of_days_it_could_be():
    known = table("""
        text                earliest    latest      precision
        in 2014             2014-01-01  2014-12-31  year
        in 2012-02          2012-02-01  2012-02-29  month       # a leap year
        in 2014-12          2014-12-01  2014-12-31  month
        in 2014-03-12       2014-03-12  2014-03-12  day
        in 2014-03-12T09:30  2014-03-12  2014-03-12  minute
    """)

    for row in known.itertuples():
        found = parse(row.text.removeprefix("in "))
        assert (found.earliest, found.latest) == (row.earliest.date(), row.latest.date())
        assert found.precision == row.precision


def test_a_partial_date_is_read_as_people_write_it():
    assert str(parse("2014")) == "UN-UNK-2014"
    assert str(parse("2014-03")) == "UN-Mar-2014"
    assert str(parse("2014-03-12")) == "12-Mar-2014"
    assert str(parse("2014-03-12T09:30")) == "12-Mar-2014 09:30"


def test_the_time_is_known_to_the_minute_or_not_at_all():
    assert parse("2014-03-12T09:30").at == time(9, 30)
    assert parse("2014-03-12").at is None


def test_only_a_known_day_is_complete():
    assert [parse(text).is_complete for text in ("2014", "2014-03", "2014-03-12")] == [False, False, True]


@pytest.mark.parametrize("text", ["", "14-03", "2014-3", "2014/03", "2014-03-12T09", "March 2014", "2014-03-12 09:30"])
def test_other_text_is_no_date(text):
    with pytest.raises(NotADate, match="is not a date"):
        parse(text)


@pytest.mark.parametrize("text", ["2014-13", "2014-02-30", "2014-03-12T24:00", "2014-03-12T09:60"])
def test_a_day_that_is_not_in_the_calendar_is_refused(text):
    with pytest.raises(NotADate, match="not in the calendar"):
        parse(text)


def test_is_at_least():
    assert is_at_least(parse("2014-03"), "year")
    assert is_at_least(parse("2014-03"), "month")
    assert not is_at_least(parse("2014-03"), "day")


def test_one_date_is_before_another_where_every_possible_pair_agrees():
    orders = table("""
        first           second          | expected
        on 2014-02      on 2014-03      | yes
        on 2014-03      on 2014-02      | no
        on 2014-03      on 2014-03-12   | -         # it may be
        on 2014-03-12   on 2014-03-12   | no        # the same day is not before
        on 2014-03-12   on 2014-03      | -
        on 2014-03-31   on 2014-03      | no        # the last day cannot be before any of them
        on 2014         on 2015-01-01   | yes
    """)

    found = [is_before(parse(row.first[3:]), parse(row.second[3:])) for row in orders.itertuples()]

    assert found == orders["expected"].tolist()


@given(TEXTS, TEXTS)
def test_two_dates_are_never_each_before_the_other(first, second):
    one, other = parse(first), parse(second)

    assert not (is_before(one, other) and is_before(other, one))


@given(TEXTS)
def test_every_date_lies_in_its_own_interval(text):
    found = parse(text)

    assert found.earliest <= found.latest
    assert str(found.earliest).startswith(text[:4])
