import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trial.partial_dates import NotADate, parse
from trial.typed_dates import Limits, read_typed_date

TRIAL = Limits(date(2010, 1, 1), date(2024, 12, 31))  # as of a visit
LIFE = Limits(date(1900, 1, 1), date(2024, 12, 31))  # as of a birth


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("12mar24", "2024-03-12"),
        ("12 mar 2014", "2014-03-12"),
        ("12-Mar-2014", "2014-03-12"),
        ("2  MARCH 2014", "2014-03-02"),
        ("mar24", "2024-03"),
        ("2014 mar", "2014-03"),
        ("2014 mar 12", "2014-03-12"),
        ("2024", "2024"),
        ("un mar 2024", "2024-03"),
        ("un unk 2014", "2014"),
        ("UN-UNK-2014", "2014"),
        ("un 2014", "2014"),
        ("un 12 2014", "2014-12"),
        ("2014-03-12", "2014-03-12"),
        ("2014-3", "2014-03"),
        ("03/2014", "2014-03"),
        ("13/04/2013", "2013-04-13"),  # there is no month 13
        ("04/13/2013", "2013-04-13"),
        ("03.03.2013", "2013-03-03"),  # both readings are the same day
        ("12mar24 0930", "2024-03-12T09:30"),
        ("12 mar 2014, 9:05", "2014-03-12T09:05"),
        ("2014-03-12T09:30", "2014-03-12T09:30"),
        ("12-Mar-2014 09:30", "2014-03-12T09:30"),
    ],
)
def test_a_date_is_read_as_people_type_it(text: str, means: str):
    assert read_typed_date(text, TRIAL).text == means


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("03/04/13", "'03/04/13' could be 04-Mar-2013 or 03-Apr-2013. Write the month in letters and the year in full"),
        ("12.3.2014", "'12.3.2014' could be 12-Mar-2014 or 03-Dec-2014. Write the month in letters"),
        ("12mar", "'12mar' is not a date. Write it as 12mar2014, mar2014 or 2014."),
        ("12", "'12' is not a date."),
        ("", "Nothing was typed. Write it as 12mar2014, mar2014 or 2014."),
        ("yesterday", "'yesterday' is not a date."),
        ("12 mar may 2014", "'12 mar may 2014' is not a date."),
        ("12 un 2014", "'12 un 2014' is not a date."),
        ("123 mar 2014", "'123 mar 2014' is not a date."),
        ("un 12 2014 5", "'un 12 2014 5' is not a date."),
        ("1/234/2014", "'1/234/2014' is not a date."),
        ("5 5", "'5 5' is not a date."),
        ("1 2 3 4", "'1 2 3 4' is not a date."),
        ("12 mar 201", "'12 mar 201' is not a date."),
        ("12 mar 2014 5", "'12 mar 2014 5' is not a date."),
        ("12 mar un", "'12 mar un' is not a date."),
        ("12 xy 2014", "'12 xy 2014' is not a date."),
        ("mar!2014", "'mar!2014' is not a date."),
        ("30feb2014", "'30feb2014' is not in the calendar. Check the day, the month and the year."),
        ("31/02/2014", "'31/02/2014' is not in the calendar."),
        ("12mar2014 2510", "'12mar2014 2510' has a time that no clock shows."),
        ("mar 2014 at 0930", "'mar 2014 at 0930' is not a date."),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_text_and_what_to_type(text: str, says: str):
    with pytest.raises(NotADate) as refused:
        read_typed_date(text, TRIAL)

    assert says in str(refused.value)


def test_a_year_of_two_digits_is_taken_only_where_the_field_leaves_one_reading():
    assert read_typed_date("12mar14", TRIAL).text == "2014-03-12"
    assert read_typed_date("12mar65", LIFE).text == "1965-03-12"
    with pytest.raises(NotADate, match="'12mar14' could be 12-Mar-1914 or 12-Mar-2014"):
        read_typed_date("12mar14", LIFE)
    with pytest.raises(NotADate, match="'12mar65' could be 12-Mar-1965 or 12-Mar-2065"):
        read_typed_date("12mar65", TRIAL)


def test_a_date_outside_of_the_limits_is_read_when_it_has_one_reading():
    assert read_typed_date("12mar1890", TRIAL).text == "1890-03-12"


@given(
    st.dates(date(1950, 1, 1), date(2024, 12, 31)),
    st.sampled_from(["%d%b%Y", "%d-%b-%Y", "%Y-%m-%d", "%d %B %Y", "%b%Y", "%Y"]),
)
def test_what_is_typed_in_full_is_what_is_read(day, form):
    typed = day.strftime(form)

    found = read_typed_date(typed, TRIAL)

    assert found.earliest <= day <= found.latest
    assert found.text == day.isoformat()[: len(found.text)]


@given(st.text(max_size=30))
def test_any_text_is_a_date_or_is_refused(text):
    with contextlib.suppress(NotADate):
        found = read_typed_date(text, TRIAL)

        assert parse(found.text) == found


@given(st.sampled_from(["2014", "2014-03", "2014-03-12", "2014-03-12T09:30"]))
def test_a_date_that_is_shown_can_be_typed_again(text):
    assert read_typed_date(str(parse(text)), TRIAL).text == text
