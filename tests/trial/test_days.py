"""A day as people type it: three ways, one reading each, and never a guess."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trial.days import NotADay, read_day
from trial.wording import word_date


@pytest.mark.parametrize(
    "typed", ["2014-09-30", "30-Sep-2014", "30sep2014", "30 SEP 2014", " 30-sep-2014\t", "30Sep2014"]
)
def test_a_day_is_read_in_each_way_that_it_is_written(typed: str):
    assert read_day(typed) == date(2014, 9, 30)


def test_a_single_digit_is_a_day_too():
    assert read_day("3-Mar-2013") == date(2013, 3, 3)


@pytest.mark.parametrize(
    "typed", ["12.3.2013", "03/12/2013", "2014-9-30", "2014", "30-Sept-2014", "yesterday", "", "٢٠١٤-٠٩-٣٠"]
)
def test_what_has_two_readings_or_none_is_refused_with_what_would_be_right(typed: str):
    with pytest.raises(NotADay, match=r"is not a day\. Write it as 2014-09-30 or 30-Sep-2014\."):
        read_day(typed)


@pytest.mark.parametrize("typed", ["2014-02-30", "31-Sep-2014", "30-Foo-2014", "0000-01-01"])
def test_what_is_in_no_calendar_says_so(typed: str):
    with pytest.raises(NotADay, match="is not in the calendar"):
        read_day(typed)


@given(st.dates(min_value=date(1000, 1, 1)))
def test_a_day_that_a_page_shows_is_read_again(day: date):
    assert read_day(word_date(day)) == read_day(day.isoformat()) == day
