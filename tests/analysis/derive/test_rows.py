from datetime import date, datetime
from typing import get_type_hints

import numpy as np
import pandas as pd
import pytest

from analysis.derive.rows import FORMS, TESTS, Demographics, Dexamethasone, Marrow, read, read_casebooks
from tests.analysis.derive.frames import empty_frames, fill
from trial.partial_dates import parse
from trial.records import record_models


@pytest.mark.parametrize("form", FORMS)
def test_every_column_that_is_read_is_one_of_the_form(form):
    (model,) = (model for model in record_models() if model.form.code == form)
    columns = {"record", *(field.attname for field in model._meta.concrete_fields)}

    assert get_type_hints(FORMS[form][1]).keys() <= columns


def test_the_tests_that_are_read_are_those_of_the_code_list():
    from patients.laboratory_tests import panel_of

    assert set(TESTS) <= {test.code for test in panel_of("LBH")}


def test_blanks_are_none_and_every_kind_is_a_plain_value():
    frames = empty_frames()
    fill(
        frames,
        "BM",
        [{"sampled_on": "2012-03-29", "blasts_percent": 3, "specimens": ["BIOPSY"], "is_adequate": True}, {}],
    )
    fill(frames, "DM", [{"born_on": "1980-05"}])
    fill(frames, "DEX", [{"given_at": "2012-03-29T09:30"}])

    first, blank = read(frames["BM"], Marrow)
    (about,) = read(frames["DM"], Demographics)
    (given,) = read(frames["DEX"], Dexamethasone)

    assert (first.sampled_on, first.blasts_percent, first.specimens) == (date(2012, 3, 29), 3.0, ("BIOPSY",))
    assert first.is_adequate is True
    assert blank[1:] == (None, None, (), None, None, None)
    assert about.born_on == parse("1980-05")
    assert given.given_at == datetime(2012, 3, 29, 9, 30)
    assert given.given_on == date(2012, 3, 29)
    assert given._replace(given_at=None).given_on is None


def test_blood_results_stand_beside_their_sample_in_the_order_of_time():
    frames = empty_frames()
    fill(
        frames,
        "LBH",
        [
            {"record": 8, "taken_at": "2012-03-30T01:00", "taken_at_offset": -360},
            {"record": 7, "taken_at": "2012-03-29T09:00"},
            {"record": 9},
        ],
    )
    results = [(8, "NEUT", 1.2), (8, "PLAT", 120), (7, "HGB", 88), (8, "RETI", 3), (99, "NEUT", 5)]
    fill(frames, "LBH.RESULT", [{"sample_id": s, "test": t, "value": v} for s, t, v in results])

    (book,) = read_casebooks(frames)

    early, late = book.counts
    assert (early.record, early.haemoglobin, early.neutrophils) == (7, 88, None)
    assert (late.record, late.neutrophils, late.platelets) == (8, 1.2, 120)
    assert late.taken_on == date(2012, 3, 29)  # the evening before, at the site
    assert late.as_count[2:4] == (1.2, 120)


def test_a_count_beyond_what_can_be_measured_stands_for_its_limit_and_too_few_blasts_for_none():
    frames = empty_frames()
    fill(frames, "LBH", [{"record": 7, "taken_at": "2012-03-29T09:00"}])
    results = [("NEUT", 0.1, "<0.1"), ("PLAT", 1000, ">1000"), ("BLAST", 0.1, "< 0.1"), ("BLASTLE", 1, "≤1")]
    results += [("HGB", 88, "8.8"), ("WBC", None, None)]
    fill(frames, "LBH.RESULT", [{"sample_id": 7, "test": t, "value": v, "value_text": w} for t, v, w in results])

    (book,) = read_casebooks(frames)

    assert book.counts[0].as_count[2:] == (0.1, 1000, 0, 0)
    assert (book.counts[0].haemoglobin, book.counts[0].leukocytes) == (88, None)


def test_an_infusion_that_cannot_be_placed_is_left_out():
    frames = empty_frames()
    whole = {"cycle": 1, "started_at": "2012-03-01T09:00", "dose_ug_per_day": 9}
    fill(frames, "EX", [whole, *({**whole, name: None} for name in whole)])

    (book,) = read_casebooks(frames)

    assert len(book.intervals) == 1
    assert book.intervals[0].ended_at is None


def test_patients_come_in_the_order_of_their_numbers():
    frames = empty_frames(patients=("SYN-002-001", "SYN-001-002"))
    fill(frames, "SV", [{"patient": "SYN-002-001", "visited_on": "2012-03-29"}])

    books = read_casebooks(frames)

    assert [book.patient for book in books] == ["SYN-001-002", "SYN-002-001"]
    assert [len(book.visits) for book in books] == [0, 1]


def test_reading_leaves_the_frames_as_they_were():
    frames = empty_frames()
    fill(frames, "BM", [{"sampled_on": "2012-03-29", "blasts_percent": np.nan}])
    before = {form: frame.copy() for form, frame in frames.items()}

    read_casebooks(frames)

    for form, frame in frames.items():
        pd.testing.assert_frame_equal(frame, before[form])
