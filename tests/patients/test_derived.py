"""The derived answers of the casebook, each by an example that can be worked out by hand (STUDY C.1.1, B.4).

The names of the first tests are the rows of C.1.1, column "Test of the derivation".
"""

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from patients.derived import DERIVATIONS
from tests.casebooks import book, row
from trial.derivations import Between, between, rounded
from trial.partial_dates import parse


def derive(name, record, *others, **given):
    (derivation,) = [each for each in DERIVATIONS if (each.form, each.name) == (record.form, name)]
    casebook = book(record, *others, **given)
    assert set(casebook.records) <= {record.form, *derivation.reads}, "the rule does not name every form that it reads"
    return derivation.derive(record, casebook)


def ex(start, stop, rate, cycle=1, **answers):
    return row("EX", started_at=start, ended_at=stop, dose_ug_per_day=Decimal(rate), cycle=cycle, **answers)


def result(test, value):
    return {test: row("LBH.RESULT", test=test, value=Decimal(value))}


def lbc(moment, test, value):
    return row("LBC", taken_at=moment, **{test: row("LBC.RESULT", test=test, value=Decimal(value))})


STEPPED = [ex("2013-03-04T09:00", "2013-03-11T09:00", 9), ex("2013-03-11T09:00", "2013-04-01T09:30", 28)]
SECOND = [ex("2013-04-15T09:00", "2013-05-12T09:00", 28, cycle=2)]
AT_SITE = timezone(timedelta(hours=2))


def test_a_cycle_starts_with_the_first_dose_and_ends_with_the_last():
    cycle = row("CYC", number=1)

    assert derive("CYCSTDTM", cycle, *STEPPED, *SECOND).isoformat() == "2013-03-04T09:00:00+00:00"
    assert derive("CYCENDTM", cycle, *STEPPED, *SECOND).isoformat() == "2013-04-01T09:30:00+00:00"


def test_a_row_of_dose_0_does_not_move_start_or_end():
    pauses = [ex("2013-03-03T09:00", "2013-03-04T09:00", 0), ex("2013-04-01T09:30", "2013-04-03T09:00", 0)]
    cycle = row("CYC", number=1)

    assert derive("CYCSTDTM", cycle, *STEPPED, *pauses).day == 4
    assert derive("CYCENDTM", cycle, *STEPPED, *pauses).isoformat() == "2013-04-01T09:30:00+00:00"


def test_a_moment_of_a_cycle_is_shown_by_the_clock_of_the_site():
    interval = ex("2013-07-01T23:30", "2013-07-02T23:30", 9, started_at_offset=120, ended_at_offset=120)
    cycle = row("CYC", number=1)

    assert derive("CYCSTDTM", cycle, interval) == datetime(2013, 7, 2, 1, 30, tzinfo=AT_SITE)
    assert derive("CYCENDTM", cycle, interval).isoformat() == "2013-07-03T01:30:00+02:00"


def test_a_cycle_that_runs_has_no_end_and_one_without_a_dose_has_neither():
    running = [STEPPED[0], ex("2013-03-11T09:00", None, 28)]

    assert derive("CYCENDTM", row("CYC", number=1), *running) is None
    assert derive("CYCSTDTM", row("CYC", number=2), *running) is None
    assert derive("CYCENDTM", row("CYC", number=2), *running) is None


def test_ec_125_the_end_of_treatment_is_the_day_of_the_last_dose_also_after_a_correction():
    end = row("EOT")
    corrected = [SECOND[0], ex("2013-05-12T09:00", "2013-05-13T09:00", 28, cycle=2)]

    assert derive("EOTDAT", end, *STEPPED, *SECOND) == date(2013, 5, 12)
    assert derive("EOTDAT", end, *STEPPED, *corrected) == date(2013, 5, 13)


def test_the_end_of_treatment_of_a_retreatment_is_its_own():
    first, again = row("EOT", key=1), row("EOT", key=2)
    cycles = [row("CYC", number=1, kind="INDUCTION"), row("CYC", number=2, kind="RETREATMENT")]

    assert derive("EOTDAT", first, again, *STEPPED, *SECOND, *cycles) == date(2013, 4, 1)
    assert derive("EOTDAT", again, first, *STEPPED, *SECOND, *cycles) == date(2013, 5, 12)
    assert derive("NCYCST", again, first, *STEPPED, *SECOND, *cycles) == 1


def test_treatment_that_runs_or_never_began_has_no_last_dose():
    assert derive("EOTDAT", row("EOT"), ex("2013-03-04T09:00", None, 9)) is None
    assert derive("EOTDAT", row("EOT")) is None
    assert derive("NCYCST", row("EOT")) == 0


def test_cycles_are_counted_and_27_days_complete_one():
    assert derive("NCYCST", row("EOT"), *STEPPED, *SECOND) == 2
    assert derive("NCYCCMP", row("EOT"), *STEPPED, *SECOND) == 2
    assert derive("NCYCCMP", row("EOT"), *STEPPED, ex("2013-04-15T09:00", "2013-05-12T08:59", 28, cycle=2)) == 1


def marrows(central):
    local = row("BM", key=7, sampled_on="2013-02-20", reader="LOCAL", is_adequate=True, blasts_percent=Decimal(60))
    return [local, row("BM", sampled_on="2013-02-20", reader="CENTRAL", is_adequate=True, **central)]


@pytest.mark.parametrize(
    ("central", "blasts", "category"),
    [
        ({"blasts_percent": Decimal("49.9")}, Decimal("49.9"), "10 to below 50"),
        ({"blasts_percent": Decimal(50)}, Decimal(50), "50 to below 75"),  # the corrected central report
        ({"blasts_percent": Decimal(75)}, Decimal(75), "75 or more"),
        ({"blasts_percent": Decimal("5.0"), "blasts_qualifier": "<"}, "< 5", "Below 10"),
        ({"blasts_percent": Decimal(9), "blasts_qualifier": "="}, Decimal(9), "Below 10"),
        ({"blasts_percent": None}, Decimal(60), "50 to below 75"),  # the central reader could not read it
    ],
)
def test_baseline_blasts_follow_the_central_reading(central, blasts, category):
    baseline = row("BDIS", marrow_id=7)

    assert derive("BLBM", baseline, *marrows(central)) == blasts
    assert derive("BLBMCAT", baseline, *marrows(central)) == category


def test_baseline_blasts_are_not_known_without_a_marrow_or_its_blasts():
    assert derive("BLBM", row("BDIS")) is None
    assert derive("BLBMCAT", row("BDIS")) is None
    assert derive("BLBM", row("BDIS", marrow_id=7), row("BM", key=7, sampled_on="2013-02-20")) is None


def test_blood_blasts_below_a_limit_are_shown_with_it():
    few = row("LBH.RESULT", test="BLAST", value=Decimal("0.1"), value_text="<0.1")
    sample = row("LBH", taken_at="2013-03-04T08:00", BLAST=few)

    assert derive("BLPB", row("BDIS"), sample, *STEPPED) == "<0.1"


def test_blood_blasts_are_those_of_the_last_sample_before_the_first_dose():
    samples = [
        row("LBH", taken_at="2013-03-01T08:00", **result("BLAST", "3.1")),
        row("LBH", taken_at="2013-03-04T08:00", **result("BLAST", "2.5")),
        row("LBH", taken_at="2013-03-04T15:00", **result("BLAST", "0.4")),  # on day 1, after the first dose
    ]

    assert derive("BLPB", row("BDIS"), *samples, *STEPPED) == Decimal("2.5")
    assert derive("BLPB", row("BDIS"), *samples) is None


@pytest.mark.parametrize(
    ("marrow", "blood", "indicated"),
    [("50.1", "0", True), ("50", "14.9", False), ("50", "15", True), (None, "15", True), (None, None, None)],
)
def test_a_pre_phase_is_indicated_by_marrow_or_blood(marrow, blood, indicated):
    central = {"blasts_percent": Decimal(marrow) if marrow else None}
    counts = [row("LBH", taken_at="2013-03-01T08:00", **result("BLAST", blood))] if blood else []
    seen = marrows(central)[1:]

    found = derive("PREPHASE", row("BDIS", marrow_id=seen[0].key), *seen, *counts, *STEPPED)

    assert found is indicated


def test_the_last_relapse_is_that_after_the_last_allogeneic_transplant_that_has_one():
    transplants = [
        row("HSCT", kind="ALLOGENEIC", transplanted_on="2010-05", relapsed_on="2011-02-03"),
        row("HSCT", kind="ALLOGENEIC", transplanted_on="2012-01-09"),
        row("HSCT", kind="AUTOLOGOUS", transplanted_on="2012-06-01", relapsed_on="2012-12-01"),
    ]

    assert derive("LASTREL", row("ALLH"), *transplants) == parse("2011-02-03")
    assert derive("LASTREL", row("ALLH", last_relapse_on="2012-12"), *transplants) == parse("2011-02-03")
    assert derive("LASTREL", row("ALLH"), transplants[2]) is None


def test_an_age_is_whole_years_at_consent():
    assert derive("AGE", row("DM", born_on="1980-03-05"), row("ENR", consented_on="2013-03-04")) == 32
    assert derive("AGE", row("DM", born_on="1980-03-04"), row("ENR", consented_on="2013-03-04")) == 33
    assert derive("AGE", row("DM", born_on="1980"), row("ENR", consented_on="2013-03-04")) == Between(32, 33)
    assert derive("AGE", row("DM"), row("ENR", consented_on="2013-03-04")) is None
    assert derive("AGE", row("DM", born_on="1980")) is None


def test_months_are_exact_where_both_days_are_known_and_a_span_where_not():
    # 2011-01-01 to 2012-01-01 are 365 days: 365 / 30.4375 = 11.99; 2011-01-31 to 2012-01-01: 335 days, 11.01
    exact = row("ALLH", first_cr_on="2011-01-01", first_relapse_on="2012-01-01")
    in_part = row("ALLH", first_cr_on="2011-01", first_relapse_on="2012-01-01")

    assert derive("CR1DUR", exact) == Decimal("12.0")
    assert derive("CR1DUR", in_part) == Between(Decimal("11.0"), Decimal("12.0"))
    assert derive("CR1DUR", row("ALLH", first_cr_on="2011-01-01")) is None
    assert derive("CR1DUR", row("ALLH", first_relapse_on="2011-01-01")) is None


def test_a_transplant_says_how_long_it_was_to_the_relapse_and_to_the_first_dose():
    transplant = row("HSCT", transplanted_on="2012-03-04", relapsed_on="2012-09-03")

    assert derive("TTRELHS", transplant) == Decimal("6.0")  # 183 days
    assert derive("TTDOSE", transplant, *STEPPED) == Decimal("12.0")  # 365 days
    assert derive("TTDOSE", transplant) is None


def test_the_ice_total_is_the_sum_of_its_parts():
    parts = {"ice_orientation": 4, "ice_naming": 3, "ice_commands": 1, "ice_writing": 1, "ice_attention": 0}

    assert derive("ICETOT", row("PS", **parts)) == 9
    assert derive("ICETOT", row("PS", **parts | {"ice_naming": None})) is None


def test_platelets_of_the_seven_days_before_a_sample_count():
    sample = row("LBH", taken_at="2013-03-20T08:00")

    assert derive("TRF7", sample, row("TRF", product="PLATELETS", given_on="2013-03-13")) is True
    assert derive("TRF7", sample, row("TRF", product="PLATELETS", given_on="2013-03-12")) is False
    assert derive("TRF7", sample, row("TRF", product="RED CELLS", given_on="2013-03-19")) is False
    assert derive("TRF7", row("LBH")) is None


def test_growth_factor_of_the_fourteen_days_before_a_sample_counts_wherever_it_is_entered():
    sample = row("LBH", taken_at="2013-03-20T08:00")

    assert derive("GCSF14", sample, row("TRF", product="G-CSF", given_on="2013-03-06")) is True
    assert derive("GCSF14", sample, row("CM", category="G-CSF", started="2013-03-10")) is True
    assert derive("GCSF14", sample, row("CM", category="G-CSF", started="2013-03")) is None
    assert derive("GCSF14", sample, row("CM", category="G-CSF", started="2013-03-05")) is False
    assert derive("GCSF14", row("LBH")) is None


def test_the_clearance_is_that_of_cockcroft_and_gault():
    # (140 - 33) x 70 kg x 1.23 / 92.1 = 100.03 mL/min for a man, with 1.04 for a woman 84.6
    sample = lbc("2013-03-20T08:00", "CREAT", "92.1")
    consent = row("ENR", consented_on="2013-03-04")
    weights = [
        row("PS", assessed_on="2013-03-01", weight_kg=Decimal(80)),
        row("PS", assessed_on="2013-03-18", weight_kg=Decimal(70)),
        row("PS", assessed_on="2013-03-21", weight_kg=Decimal(60)),  # after the sample
    ]

    assert derive("CRCL", sample, row("DM", born_on="1980-03-04", sex="M"), consent, *weights) == 100
    assert derive("CRCL", sample, row("DM", born_on="1980-03-04", sex="F"), consent, *weights) == 85
    assert derive("CRCL", sample, row("DM", born_on="1980", sex="M"), consent, *weights) == Between(100, 101)
    assert derive("CRCL", sample, row("DM", born_on="1980-03-04", sex="M"), consent) is None
    assert derive("CRCL", sample, consent, *weights) is None


def test_mrd_is_told_of_the_marrow_from_all_its_assays():
    negative = {"marrow_id": 4, "sensitivity": 1e-5, "result": "NEGATIVE"}
    assay = row("MRD", **negative)

    assert derive("MRDRESP", assay, row("MRD", **negative)) == "Complete"
    assert derive("MRDRESP", assay, row("MRD", **negative | {"result": "POSITIVE QUANTIFIED", "level": 1e-4})) == (
        "10⁻⁴ or more"
    )
    assert derive("MRDRESP", assay, row("MRD", **negative | {"marrow_id": 5, "result": "NO MARKER"})) == "Complete"
    assert derive("MRDRESP", row("MRD")) is None


def test_the_response_by_algorithm_stands_beside_that_of_the_assessor():
    seen = [
        row("BM", sampled_on="2013-04-02", reader="CENTRAL", is_adequate=True, blasts_percent=Decimal(3)),
        row("LBH", taken_at="2013-04-02T08:00", **result("NEUT", "1.2"), **result("PLAT", "120")),
    ]
    assessment = row("RS", assessed_on="2013-04-02", response="CRh")

    assert derive("RSALGO", assessment, *seen) == "CR"
    assert derive("RSDISC", assessment, *seen) is True
    assert derive("RSDISC", row("RS", assessed_on="2013-04-02", response="CR"), *seen) is False
    assert derive("RSDISC", row("RS", assessed_on="2013-04-02"), *seen) is None
    assert derive("RSDISC", assessment) is None


def test_days_in_hospital_are_those_of_the_cycle():
    stays = [
        row("HO", admitted_on="2013-03-01", discharged_on="2013-03-12"),  # nine days from the start on
        row("HO", admitted_on="2013-04-14", discharged_on="2013-04-20"),  # the cycle's last day is 14-Apr-2013
    ]

    assert derive("HOSPD", row("CYC", number=1), *STEPPED, *stays) == 10
    assert derive("HOSPD", row("CYC", number=1), *STEPPED, *stays, today=date(2013, 3, 5)) == 2
    assert derive("HOSPD", row("CYC", number=1), *stays) is None


def test_premedication_is_20_mg_in_the_three_hours_before_the_start():
    def given(moment, dose):
        return row("DEX", purpose="PREMEDICATION", given_at=moment, dose_mg=Decimal(dose))

    cycle = row("CYC", number=1)

    assert derive("PREOK", cycle, *STEPPED, given("2013-03-04T06:00", 20)) is True
    assert derive("PREOK", cycle, *STEPPED, given("2013-03-04T05:59", 20)) is False
    assert derive("PREOK", cycle, *STEPPED, given("2013-03-04T08:00", 16)) is False
    assert derive("PREOK", cycle) is None


def test_an_interval_has_a_duration_and_an_amount():
    # 9 µg/day for 7 days are 63 µg; 28 for 21 days and half an hour 588.6
    assert derive("EXDUR", STEPPED[0]) == 168
    assert derive("EXTOTDOS", STEPPED[0]) == 63
    assert derive("EXDUR", STEPPED[1]) == Decimal("504.5")
    assert derive("EXTOTDOS", STEPPED[1]) == Decimal("588.6")
    assert derive("EXDUR", ex("2013-03-04T09:00", None, 9)) is None
    assert derive("EXTOTDOS", ex("2013-03-04T09:00", None, 9)) is None


def test_an_interruption_is_as_long_as_nothing_ran():
    pause = ex("2013-03-06T09:00", "2013-03-07T15:00", 0)
    restart = ex("2013-03-07T15:00", "2013-03-20T09:00", 9)
    before = ex("2013-03-04T09:00", "2013-03-06T09:00", 9)

    assert derive("EXINTH", pause, before, restart) == 30
    assert derive("EXINTH", restart, before, pause) == 30
    assert derive("EXINTH", before, pause, restart) is None
    assert derive("EXINTH", row("EX")) is None


def test_dexamethasone_adds_up_over_its_days():
    def line(**answers):
        return row("DEX", given_at="2013-03-20T08:00", dose_mg=Decimal(8), **answers)

    assert derive("DEXTOT", line(frequency="TID", last_day="2013-03-22")) == 72
    assert derive("DEXTOT", line(frequency="ONCE")) == 8
    assert derive("DEXTOT", line(frequency="QD", last_day="2013-03")) == Between(8, 96)  # until 20 or 31 March
    assert derive("DEXTOT", row("DEX", dose_mg=Decimal(8))) is None
    assert derive("DEXTOT", row("DEX", given_at="2013-03-20T08:00")) is None


def test_a_medication_that_the_treatment_rules_out_is_marked():
    def medication(category, **answers):
        usual = {"route": "ORAL", "started": "2013-03-10", "ended": "2013-03-12", "indication": "OTHER"}
        return row("CM", category=category, **usual | answers)

    assert derive("CMPROH", medication("ANTICANCER"), *STEPPED) is True
    assert derive("CMPROH", medication("IMMUNOSUPPRESSANT"), *STEPPED) is True
    assert derive("CMPROH", medication("IMMUNOSUPPRESSANT", indication="GVHD"), *STEPPED) is False
    assert derive("CMPROH", medication("ANTICANCER", started="2013-04", ended="2013-04"), *STEPPED) is None
    assert derive("CMPROH", medication("ANTICANCER", started=None), *STEPPED) is None


def test_a_half_is_rounded_up_and_a_span_of_one_value_is_that_value():
    assert rounded(2.25, 1) == Decimal("2.3")
    assert between(3, 3) == 3
    assert between(3, 4) == Between(3, 4)
