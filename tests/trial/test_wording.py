"""How values are worded: the date forms of LOOK, code lists in words, blanks with their reason."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from patients.models import Demographics, HaematologySample, LaterTherapy, MrdAssay, PerformanceStatus, Transplant
from trial.wording import word_answer, word_date, word_instant, word_missing, word_moment, word_number, word_record

AT = datetime(2013, 3, 12, 22, 45, 10, tzinfo=UTC)


def test_a_day_has_its_month_as_a_word():
    assert word_date(date(2013, 3, 5)) == "05-Mar-2013"


def test_an_instant_says_that_it_is_utc():
    assert word_instant(AT) == "12-Mar-2013 22:45 UTC"


@pytest.mark.parametrize(
    ("offset", "words"),
    [
        (None, "12-Mar-2013 22:45 UTC"),
        (60, "12-Mar-2013 23:45 (UTC+01:00)"),
        (120, "13-Mar-2013 00:45 (UTC+02:00)"),
        (-300, "12-Mar-2013 17:45 (UTC−05:00)"),
        (345, "13-Mar-2013 04:30 (UTC+05:45)"),
    ],
)
def test_a_moment_is_shown_on_the_clock_of_its_site(offset, words):
    assert word_moment(AT, offset) == words


@pytest.mark.parametrize(
    ("model", "field", "value", "words"),
    [
        (Demographics, "born_on", "1980-05-17", "17-May-1980"),
        (Demographics, "born_on", "1980-05", "UN-May-1980"),
        (Demographics, "born_on", "1980", "UN-UNK-1980"),
        (Demographics, "sex", "F", "Female"),
        (Demographics, "sex", None, ""),
        (Demographics, "races", ["ASIAN", "WHITE"], "Asian; White"),
        (Demographics, "races", [], ""),
        (Demographics, "may_become_pregnant", True, "Yes"),
        (Demographics, "may_become_pregnant", False, "No"),
        (PerformanceStatus, "weight_kg", Decimal("71.50"), "71.5"),
        (PerformanceStatus, "assessed_on", date(2013, 3, 12), "12-Mar-2013"),
        (PerformanceStatus, "ice_orientation", 0, "0"),
        (MrdAssay, "level", 0.0001, "0.0001"),
        (MrdAssay, "sensitivity", 1e-5, "1e-05"),
        (Transplant, "tbi", "<=2 Gy", "<=2 Gy"),
        (Transplant, "donor_age_years", 34, "34"),
    ],
)
def test_an_answer_in_words(model, field, value, words):
    assert word_answer(model._meta.get_field(field), value) == words


def test_a_moment_of_a_record_takes_the_offset_beside_it():
    sample = HaematologySample(taken_at=AT, taken_at_offset=60)

    assert word_answer(HaematologySample._meta.get_field("taken_at"), sample.taken_at, beside=sample).endswith(
        "+01:00)"
    )


def test_zeros_that_only_the_scale_adds_are_left_out():
    assert [word_number(Decimal(text)) for text in ("11.200", "100", "0.000", "1E+2")] == ["11.2", "100", "0", "100"]


def test_why_an_answer_is_blank_is_said_in_words():
    assert word_missing({"sex": "UNK"}, "sex") == "Unknown"
    assert word_missing({"sex": "ELSE"}, "sex") == "ELSE"
    assert word_missing(None, "sex") == ""


def test_a_record_is_named_with_its_dates_in_words():
    assert word_record(Transplant(transplanted_on="2012-05")) == "Transplant UN-May-2012"


def test_a_persons_own_words_are_left_as_they_are():
    assert word_record(LaterTherapy(regimen="FLAG 2012-13")) == "Therapy FLAG 2012-13"


@pytest.mark.parametrize(
    ("model", "field", "value", "words"),
    [
        (Demographics, "born_on", "17 May", "17 May"),
        (Demographics, "born_on", "2012-13", "2012-13"),
        (Demographics, "born_on", 1980, "1980"),
        (Demographics, "sex", ["F"], "['F']"),
        (Demographics, "races", 7, "7"),
        (PerformanceStatus, "weight_kg", "seventy", "seventy"),
        (HaematologySample, "taken_at", "noon", "noon"),
    ],
)
def test_a_malformed_value_is_shown_as_it_stands(model, field, value, words):
    assert word_answer(model._meta.get_field(field), value) == words


def test_a_moment_with_an_impossible_offset_is_shown():
    field = HaematologySample._meta.get_field("taken_at")

    assert "2013" in word_answer(field, AT, beside=HaematologySample(taken_at=AT, taken_at_offset=9999))


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        (None, ""),
        ({}, ""),
        ({"sex": "UNK"}, "Unknown"),
        ({"sex": "?"}, "?"),
        ({"sex": 3}, "3"),
        (["sex"], ""),
        ("", ""),
    ],
)
def test_why_an_answer_is_blank_is_worded_however_it_was_stored(missing, words):
    assert word_missing(missing, "sex") == words
