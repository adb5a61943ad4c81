from datetime import date

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.derive import derive
from analysis.derive.datasets import ADAE, ADEX, ADRS, ADSL, ADTTE, flag, join
from tests.analysis.derive.frames import empty_frames, fill
from trial.parameters import Parameters

FAR = date(2016, 12, 31)
NAMES = {"adsl": ADSL, "adrs": ADRS, "adtte": ADTTE, "adae": ADAE, "adex": ADEX}


def study(*numbers):
    """A small study: the first patient responds and relapses, the second dies early, the others are only screened."""
    frames = empty_frames(numbers)
    fill(frames, "ENR", [{"patient": number, "consented_on": "2012-02-20", "is_enrolled": True} for number in numbers])
    given_to = [number for number in numbers[:2] if number]
    doses = [(1, "2012-03-01T09:00", "2012-03-08T09:00", 9), (1, "2012-03-08T09:00", "2012-03-29T09:00", 28)]
    fill(
        frames,
        "EX",
        [
            {"patient": number, "cycle": c, "started_at": s, "ended_at": e, "dose_ug_per_day": d}
            for number in given_to
            for c, s, e, d in doses
        ],
    )
    if given_to:
        first, last = given_to[0], given_to[-1]
        fill(
            frames,
            "BM",
            [
                {
                    "patient": first,
                    "sampled_on": day,
                    "reader": "CENTRAL",
                    "is_adequate": True,
                    "blasts_percent": blasts,
                }
                for day, blasts in [("2012-02-25", 80), ("2012-03-29", 2), ("2012-08-01", 40)]
            ],
        )
        fill(frames, "LBH", [{"patient": first, "record": 1, "taken_at": "2012-03-29T09:00", "taken_at_offset": 60}])
        fill(frames, "LBH.RESULT", [{"sample_id": 1, "test": t, "value": v} for t, v in [("NEUT", 2), ("PLAT", 150)]])
        fill(frames, "DTH", [{"patient": last, "died_on": "2012-09-03"}])
        fill(frames, "AE", [{"patient": last, "number": 1, "started": "2012-03-02", "grade": 3, "relation": "RELATED"}])
    return frames


def datasets(frames, cutoff=FAR):
    found = derive(frames, Parameters(), cutoff)
    return {name: getattr(found, name) for name in NAMES}


def test_a_small_study_from_frames_to_datasets():
    found = datasets(study("SYN-001-001", "SYN-001-002", "SYN-001-003"))

    assert found["adsl"]["FASFL"].tolist() == ["Y", "Y", "N"]
    assert found["adsl"]["BOR2"].tolist() == ["CR", "NE", None]
    times = found["adtte"].set_index(["USUBJID", "PARAMCD"])
    assert times.loc[("SYN-001-001", "RFS"), "EVNTDESC"] == "RELAPSE"
    assert times.loc[("SYN-001-002", "OS"), "ADY"] == 187
    assert found["adae"]["TRTEMFL"].tolist() == ["Y"]
    assert found["adex"]["DOSCUM"].tolist() == [651] * 4


def test_a_study_without_patients_has_datasets_without_rows():
    found = datasets(empty_frames(()))

    assert {name: len(frame) for name, frame in found.items()} == dict.fromkeys(NAMES, 0)


@pytest.mark.parametrize("name", NAMES)
def test_the_kinds_of_the_variables_do_not_depend_on_the_rows(name):
    full = datasets(study("SYN-001-001", "SYN-001-002"))[name]
    empty = datasets(empty_frames(()))[name]

    assert list(full.columns) == list(empty.columns) == list(NAMES[name].columns)
    assert full.dtypes.tolist() == empty.dtypes.tolist()


def test_a_patient_with_nothing_but_a_number_is_no_trouble():
    assert len(datasets(empty_frames(("SYN-001-001",)))["adsl"]) == 0


@pytest.mark.parametrize("name", NAMES)
def test_two_groups_of_patients_derived_apart_are_both_derived_together(name):
    numbers = ["SYN-001-001", "SYN-001-002", "SYN-001-003"]
    whole = study(*numbers)

    def part(some):
        patients_of = {form: frame["patient"].isin(some) for form, frame in whole.items()}
        return datasets({form: frame[patients_of[form]] for form, frame in whole.items()})[name]

    apart = pd.concat([part(numbers[:1]), part(numbers[1:])], ignore_index=True)

    pd.testing.assert_frame_equal(apart, datasets(whole)[name], check_dtype=False)


@settings(max_examples=50)  # each example derives a patient
@given(st.dates(date(2012, 1, 1), date(2013, 12, 31)))
def test_nothing_in_any_dataset_is_dated_after_the_cut_off(cutoff):
    for frame in datasets(study("SYN-001-001", "SYN-001-002"), cutoff).values():
        for name in frame.select_dtypes("datetime64[ns]"):
            assert not (frame[name] > pd.Timestamp(cutoff)).any(), name


def test_flags_and_joined_codes():
    assert [flag(True), flag(False), flag(None)] == ["Y", "N", None]
    assert join(["A", "B"]) == "A; B"
    assert join([]) is None
