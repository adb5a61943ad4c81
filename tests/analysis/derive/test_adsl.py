from datetime import date

import pandas as pd
import pytest

from analysis.derive.adsl import AGES, BLAST_HALVES, BLAST_QUARTERS, derive_adsl, group_of
from analysis.derive.rows import (
    Death,
    Demographics,
    EndOfStudy,
    EndOfTreatment,
    Enrolment,
    LaterTransplant,
    MrdAssay,
    PerformanceStatus,
)
from tests.analysis.derive.casebooks import (
    CYCLE_1,
    FAR,
    blood,
    casebook,
    derived,
    infusion,
    marrow,
    responder,
    row,
    treated,
)


def adsl(book, cutoff=FAR):
    frame = derive_adsl([derived(book, cutoff)])
    return frame.iloc[0] if len(frame) else None


def test_who_the_patient_is():
    found = adsl(casebook(demographics=[row(Demographics, born_on="1980-05", sex="M", races=["ASIAN", "WHITE"])]))

    assert (found["USUBJID"], found["SITEID"], found["COUNTRY"], found["REGION1"]) == (
        "SYN-001-001",
        "001",
        "DEU",
        "EUROPE",
    )
    assert (found["AGE"], found["AGEGR1"]) == (31, "18–<35")  # consent in February, birthday in May
    assert (found["SEX"], found["RACE"]) == ("M", "ASIAN; WHITE")


@pytest.mark.parametrize(
    ("forms", "age"),
    [
        ({"demographics": [row(Demographics, born_on="1980")]}, 31),
        ({"demographics": [row(Demographics)]}, None),
        ({"demographics": []}, None),
        ({"enrolments": [row(Enrolment)]}, None),
    ],
)
def test_age_at_consent(forms, age):
    found = adsl(casebook(**forms))["AGE"]

    assert found == age or (age is None and pd.isna(found))


def test_groups():
    assert [group_of(age, AGES) for age in (17, 18, 34, 35, 54, 55, 64, 65, 79)] == [
        "<18", "18–<35", "18–<35", "35–<55", "35–<55", "55–<65", "55–<65", ">=65", ">=65",
    ]  # fmt: skip
    assert [group_of(blasts, BLAST_HALVES) for blasts in (0, 49.9, 50)] == ["<50", "<50", ">=50"]
    assert [group_of(blasts, BLAST_QUARTERS) for blasts in (9.9, 10, 50, 74.9, 75)] == [
        "<10", "10–<50", "50–<75", "50–<75", ">=75",
    ]  # fmt: skip
    assert group_of(None, AGES) is None


def test_a_patient_without_an_enrolment_by_the_cut_off_has_no_row():
    assert adsl(casebook(enrolments=[])) is None
    assert adsl(casebook(), date(2012, 2, 19)) is None
    assert adsl(casebook(), date(2012, 2, 20))["SCRFL"] == "Y"


def test_treatment_dates():
    found = adsl(treated())

    assert found["TRTSDT"] == pd.Timestamp("2012-03-01")
    assert found["TRTEDT"] == pd.Timestamp("2012-05-10")
    assert found["TRTDURD"] == 71
    assert found["DCUTDT"] == pd.Timestamp("2016-12-31")
    assert pd.isna(adsl(casebook())["TRTDURD"])


def test_screened_enrolled_and_treated():
    failed = [row(Enrolment, consented_on="2012-02-20", is_enrolled=False)]
    later = [row(Enrolment, consented_on="2012-02-20", is_enrolled=True, enrolled_on="2012-02-28")]

    def sets(book, cutoff=FAR):
        found = adsl(book, cutoff)
        return "".join(found[name] for name in ("SCRFL", "ENRLFL", "FASFL", "SAFFL"))

    assert sets(treated()) == "YYYY"
    assert sets(casebook(enrolments=failed)) == "YNNN"
    assert sets(casebook(enrolments=[row(Enrolment)])) == "NNNN"
    assert sets(treated(enrolments=later), date(2012, 2, 27)) == "YNNN"
    assert sets(treated(enrolments=later), date(2012, 3, 1)) == "YYYY"


def test_death_and_its_cause():
    book = treated(deaths=[row(Death, died_on="2012-09", primary_cause="GVHD")])

    found, before = adsl(book), adsl(book, date(2012, 8, 31))

    assert (found["DTHDT"], found["DTHDTF"], found["DTHCAUS"]) == (pd.Timestamp("2012-09-15"), "D", "GVHD")
    assert pd.isna(before["DTHDT"])
    assert (before["DTHDTF"], before["DTHCAUS"]) == (None, None)


def test_the_end_of_treatment_is_known_when_no_infusion_runs_beyond_the_cut_off():
    ended = [row(EndOfTreatment, reason="COMPLETED"), row(EndOfTreatment, reason="OTHER")]
    running = [*CYCLE_1, infusion("2012-04-12", 28, cycle=2)._replace(ended_at=None), infusion("2012-03-10", 1, 0)]

    assert adsl(treated(ends_of_treatment=ended))["EOTRSN"] == "COMPLETED"
    assert adsl(treated(ends_of_treatment=ended), date(2012, 5, 9))["EOTRSN"] is None
    assert adsl(treated(ends_of_treatment=ended, intervals=running))["EOTRSN"] is None
    assert adsl(treated())["EOTRSN"] is None
    assert adsl(casebook(ends_of_treatment=ended))["EOTRSN"] is None


def test_the_end_of_study_is_known_from_its_day_on():
    book = treated(ends_of_study=[row(EndOfStudy, ended_on="2013-01-01", reason="DEATH")])

    assert adsl(book)["EOSRSN"] == "DEATH"
    assert adsl(book, date(2012, 12, 31))["EOSRSN"] is None


def test_baseline_is_the_last_value_up_to_the_first_dose():
    book = treated(
        performance=[
            row(PerformanceStatus, assessed_on="2012-02-22", ecog=1, weight_kg=71, height_cm=180),
            row(PerformanceStatus, assessed_on="2012-03-01", ecog=2, weight_kg=None),
            row(PerformanceStatus, assessed_on="2012-03-02", ecog=3, weight_kg=60),
            row(PerformanceStatus, ecog=4),
        ],
        counts=[
            blood("2012-02-25", 0.3, 22, leukocytes=3.1, haemoglobin=88, blasts=1.5),
            blood("2012-02-28", None, 30, leukocytes=2.0, blasts=None),
            blood("2012-03-01", 0.1, 10, leukocytes=1.0, taken_at="2012-03-01T09:30"),
        ],
        marrows=[marrow("2012-02-25", 80)],
    )

    found = adsl(book)

    assert (found["ECOGBL"], found["WEIGHTBL"], found["HEIGHTBL"]) == (2, 71, 180)
    assert (found["WBCBL"], found["ANCBL"], found["PLATBL"], found["HGBBL"]) == (2.0, 0.3, 30, 88)
    assert (found["BLPBBL"], found["BLBM"], found["BLBMGR1"], found["BLBMGR2"]) == (1.5, 80, ">=50", ">=75")


def test_the_baseline_of_an_untreated_patient_is_the_last_value_there_is():
    book = casebook(
        counts=[blood("2012-02-25", platelets=22)],
        performance=[row(PerformanceStatus, assessed_on="2012-02-22", ecog=1)],
    )

    assert (adsl(book)["PLATBL"], adsl(book)["ECOGBL"]) == (22, 1)


def test_cycles_started_and_completed():
    book = treated(intervals=[*CYCLE_1, infusion("2012-04-12", 10, cycle=2)])

    assert (adsl(book)["NCYCST"], adsl(book)["NCYCCMP"]) == (2, 1)
    assert pd.isna(adsl(casebook())["NCYCST"])


def test_response_within_two_cycles():
    sample = marrow("2012-05-09", 2)
    book = responder(
        marrows=[sample],
        counts=[blood("2012-05-09")],
        assays=[row(MrdAssay, marrow_id=sample.record, result="NEGATIVE", sensitivity=1e-5)],
        later_transplants=[row(LaterTransplant, transplanted_on="2012-07-01", had_other_therapy=False)],
    )

    found = adsl(book)

    assert (found["BOR2"], found["RESPFL"], found["MRDEVFL"], found["HSCTPFL"]) == ("CR", "Y", "Y", "Y")
    assert found["RESPDT"] == found["CRDT"] == pd.Timestamp("2012-03-29")
    assert (found["MRDR2FL"], found["MRDCR2FL"]) == ("Y", "Y")


def test_who_has_no_assessment_did_not_respond():
    found = adsl(treated())

    assert (found["BOR2"], found["RESPFL"], found["MRDEVFL"], found["HSCTPFL"]) == ("NE", "N", "N", "N")
    assert (found["MRDR2FL"], found["MRDCR2FL"]) == ("N", "N")
    assert pd.isna(found["RESPDT"])


def test_of_the_untreated_no_response_is_said():
    found = adsl(casebook())

    assert (found["BOR2"], found["MRDR2FL"], found["MRDCR2FL"]) == (None, None, None)
    assert (found["RESPFL"], found["PHSCTFL"], found["NAIVEFL"], found["LMK84FL"]) == ("N", "N", "N", "N")
