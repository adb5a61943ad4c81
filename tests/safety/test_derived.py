"""The derived answers of adverse events and their parts, each by an example that can be worked out by hand (STUDY C.1.1, C.7)."""

from decimal import Decimal

import pytest

from safety.derived import DERIVATIONS
from safety.edit_checks import CHECKS
from tests.casebooks import book, findings, row
from trial.derivations import Between
from trial.partial_dates import parse

EVENT = 5


def derive(name, record, *others):
    (derivation,) = [each for each in DERIVATIONS if (each.form, each.name) == (record.form, name)]
    casebook = book(record, *others)
    assert set(casebook.records) <= {record.form, *derivation.reads}, "the rule does not name every form that it reads"
    return derivation.derive(record, casebook)


def ex(start, stop, rate, cycle=1, **answers):
    return row("EX", started_at=start, ended_at=stop, dose_ug_per_day=Decimal(rate), cycle=cycle, **answers)


def ae(started="2013-03-12", grade=3, **answers):
    return row("AE", key=EVENT, number=1, started=started, grade=grade, **answers)


def crs(**answers):
    usual = {"temperature_c": Decimal(39), "fever_is_masked": False, "had_hypotension": False, "vasopressor": "NONE"}
    usual |= {"oxygen": "NONE", "organs": ["NONE"], "treatments": ["NONE"], "stopped_infusion": False}
    return row("CRS", event_id=EVENT, **usual | answers)


def neu(**answers):
    usual = {"consciousness": "NORMAL", "seizure": "NONE", "has_motor_weakness": False, "pressure": "NONE"}
    return row("NEU", event_id=EVENT, **usual | {"alternative_cause": "NONE"} | answers)


def gva(**answers):
    usual = {"has_signs": True, "rash_percent": Decimal(0), "has_bullae": False, "has_upper_gut_signs": False}
    usual |= {"assessed_on": "2013-03-20", "stool_ml_per_day": Decimal(100)}
    return row("GVA", **usual | answers)


def bilirubin(day, value):
    return row("LBC", taken_at=f"{day}T08:00", BILI=row("LBC.RESULT", test="BILI", value=Decimal(value)))


STEPPED = [ex("2013-03-04T09:00", "2013-03-11T09:00", 9), ex("2013-03-11T09:00", "2013-04-01T09:00", 28)]


@pytest.mark.parametrize("form", ["CRS", "NEU"])
def test_ec_163_and_ec_168_onset_and_study_grade_are_those_of_the_event(form):
    detail = row(form, event_id=EVENT)

    assert derive(f"{form}STDTM", detail, ae("2013-03-12T14:30")) == parse("2013-03-12T14:30")
    assert derive(f"{form}GRCT", detail, ae(grade=2)) == 2
    assert derive(f"{form}GRCT", detail, ae(grade=3)) == 3  # after a correction of the event
    assert derive(f"{form}STDTM", row(form)) is None
    assert derive(f"{form}GRCT", row(form)) is None


def test_the_bilirubin_is_the_mean_of_three_days_else_the_nearest():
    around = [bilirubin("2013-03-19", "30"), bilirubin("2013-03-20", "40.1"), bilirubin("2013-03-21", "50")]
    far = [bilirubin("2013-03-17", "70"), bilirubin("2013-03-23", "90"), bilirubin("2013-03-16", "10")]

    assert derive("GVBILI", gva(), *around, *far) == Decimal("40.0")  # 120.1 / 3
    assert derive("GVBILI", gva(), *far) == 70  # three days on either side: the earlier one
    assert derive("GVBILI", gva(), far[2]) is None
    assert derive("GVBILI", gva()) is None
    assert derive("GVBILI", gva(assessed_on=None), *around) is None


def test_a_typed_bilirubin_counts_and_the_derived_one_is_kept_beside_it():
    laboratory = bilirubin("2013-03-20", "40")  # stage 1; 60 is stage 2

    assert derive("GVSTLI", gva(), laboratory) == 1
    assert derive("GVSTLI", gva(bilirubin_umol_per_l=Decimal(60)), laboratory) == 2
    assert derive("GVBILI", gva(bilirubin_umol_per_l=Decimal(60)), laboratory) == 40


def test_ec_177_stages_the_liver_by_the_laboratory_where_no_bilirubin_was_typed():
    untreated = gva(treatments=["NONE"])  # 60 µmol/L is stage 2 of the liver: grade III

    assert findings(CHECKS, "EC-177", untreated) == []
    (found,) = findings(CHECKS, "EC-177", untreated, bilirubin("2013-03-20", "60"))
    assert "MAGIC grade III" in found.question


@pytest.mark.parametrize(
    ("answers", "stages", "by_magic", "by_glucksberg"),
    [
        ({}, (0, 0, 0, 0), "0", "0"),
        ({"has_signs": False, "rash_percent": None}, (0, 0, 0, 0), "0", "0"),
        ({"rash_percent": Decimal(30)}, (2, 0, 0, 0), "I", "I"),
        ({"has_upper_gut_signs": True}, (0, 0, 1, 0), "II", "0"),
        ({"has_upper_gut_signs": True, "biopsy": "SUPPORTS"}, (0, 0, 1, 0), "II", "II"),
        ({"stool_ml_per_day": Decimal(1600)}, (0, 0, 0, 3), "III", "III"),
        ({"has_severe_pain": True}, (0, 0, 0, 4), "IV", "III"),
        ({"rash_percent": Decimal(60), "has_upper_gut_signs": None}, (3, 0, None, 0), "At least II", "At least II"),
    ],
)
def test_a_staging_has_the_stages_of_its_organs_and_two_grades(answers, stages, by_magic, by_glucksberg):
    staging, laboratory = gva(**answers), bilirubin("2013-03-20", "10")

    found = tuple(derive(name, staging, laboratory) for name in ("GVSTSK", "GVSTLI", "GVSTUG", "GVSTLG"))

    assert found == stages
    assert derive("GVMAGIC", staging, laboratory) == by_magic
    assert derive("GVGLUCK", staging, laboratory) == by_glucksberg


def test_a_staging_without_liver_or_answer_has_no_grade():
    assert derive("GVMAGIC", gva(rash_percent=Decimal(10))) == "Incomplete: liver or lower gut not assessed"
    assert derive("GVMAGIC", gva(has_signs=None)) is None
    assert derive("GVGLUCK", gva(has_signs=None)) is None
    assert derive("GVSTSK", gva(has_signs=None)) is None


@pytest.mark.parametrize(
    ("answers", "severity"),
    [
        ({"has_signs": None}, None),
        ({"has_signs": False}, "None"),
        ({"has_signs": True}, "None"),
        ({"has_signs": True, "skin_surface_score": 1, "skin_feature_score": 0}, "Mild"),
        ({"has_signs": True, "skin_feature_score": 2}, "Moderate"),
        ({"has_signs": True, "lung_symptom_score": 1}, "Moderate"),
        ({"has_signs": True, "lung_symptom_score": 0, "fev1_percent": Decimal(50)}, "Severe"),
        ({"has_signs": True, "eyes_score": 3, "other_causes": ["EYES"]}, "None"),
    ],
)
def test_chronic_gvhd_has_a_global_severity(answers, severity):
    assert derive("GCGLOBAL", row("GVC", **answers)) == severity


@pytest.mark.parametrize(
    ("answers", "proposed", "by_astct"),
    [
        ({}, 1, 1),
        ({"stopped_infusion": True}, 2, 1),
        ({"had_hypotension": True, "treatments": ["FLUIDS"]}, 2, 2),
        ({"vasopressor": "ONE VASOPRESSOR"}, 4, 3),  # the two scales differ
        ({"organs": ["RENAL"]}, 3, 1),  # organ toxicity does not enter ASTCT
        ({"temperature_c": Decimal("37.5")}, 1, "No grade: no fever"),
        ({"vasopressor": None}, None, None),
        ({"stopped_infusion": True, "resolved": "2013-03-16"}, 3, 1),  # four days
        ({"stopped_infusion": True, "resolved": "2013-03-15"}, 2, 1),  # three days are not prolonged
    ],
)
def test_a_cytokine_release_is_graded_twice_beside_the_site(answers, proposed, by_astct):
    assert derive("CRSGRAL", crs(**answers), ae()) == proposed
    assert derive("CRSGRAS", crs(**answers), ae()) == by_astct


def test_a_fatal_cytokine_release_is_grade_5_and_one_without_its_event_has_none():
    assert derive("CRSGRAL", crs(), ae(grade=5)) == 5
    assert derive("CRSGRAS", crs(), ae(outcome="FATAL")) == 5
    assert derive("CRSGRAL", crs()) is None
    assert derive("CRSGRAS", crs()) is None
    assert derive("NEUGRIC", neu()) is None


@pytest.mark.parametrize(
    ("started", "cycle", "day", "dose"),
    [
        ("2013-03-04", 1, 1, 9),
        ("2013-03-11", 1, 8, Between(9, 28)),  # the day of the step, without a time
        ("2013-03-11T08:59", 1, 8, 9),
        ("2013-03-11T09:00", 1, 8, 28),
        ("2013-04-02", 1, 30, 0),
        ("2013-03-01", None, None, 0),
        ("2013-03", None, None, None),
        (None, None, None, None),
    ],
)
def test_the_onset_of_a_cytokine_release_lies_in_a_cycle_at_a_dose(started, cycle, day, dose):
    assert derive("CRSCYC", crs(), ae(started), *STEPPED) == cycle
    assert derive("CRSDAYC", crs(), ae(started), *STEPPED) == day
    assert derive("CRSDOSE", crs(), ae(started), *STEPPED) == dose


def test_the_dose_at_onset_is_told_by_the_clock_of_the_site():
    running = ex("2013-07-01T22:30", None, 28, started_at_offset=120)  # 00:30 on the second at the site
    stopped = ex("2013-07-01T08:00", "2013-07-01T20:00", 9, started_at_offset=120, ended_at_offset=120)

    assert derive("CRSDOSE", crs(), ae("2013-07-02T00:40"), running) == 28
    assert derive("CRSDOSE", crs(), ae("2013-07-02T00:20"), running) == 0
    assert derive("CRSDOSE", crs(), ae("2013-07-01T21:59"), stopped) == 9
    assert derive("CRSDOSE", crs(), ae("2013-07-01T22:00"), stopped) == 0
    assert derive("CRSDOSE", crs(), ae("2013-07-01")) is None  # never treated


def test_a_neurologic_event_has_an_icans_grade():
    assert derive("NEUGRIC", neu(), ae()) == 0
    assert derive("NEUGRIC", neu(ice_total=6), ae()) == 2
    assert derive("NEUGRIC", neu(seizure="SINGLE SEIZURE RESOLVED RAPIDLY"), ae()) == 3
    assert derive("NEUGRIC", neu(ice_total=6, alternative_cause="INFECTION"), ae()) == 0
    assert derive("NEUGRIC", neu(seizure=None), ae()) is None


def test_an_infection_shows_the_results_nearest_to_its_onset():
    def count(day, value):
        result = row("LBH.RESULT", test="NEUT", value=Decimal(value.removeprefix("<")), value_text=value)
        return row("LBH", taken_at=f"{day}T08:00", NEUT=result)

    def immunoglobulin(day, value):
        return row("LBO", taken_at=f"{day}T08:00", IGG=row("LBO.RESULT", test="IGG", value=Decimal(value)))

    infection, event = row("INF", event_id=EVENT), ae("2013-03-12")

    assert derive("INFANC", infection, event, count("2013-03-09", "0.4"), count("2013-03-13", "0.8")) == Decimal("0.8")
    assert derive("INFANC", infection, event, count("2013-03-09", "0.4")) == Decimal("0.4")
    assert derive("INFANC", infection, event, count("2013-03-09", "<0.1")) == "<0.1"
    assert derive("INFANC", infection, event, count("2013-03-08", "0.4"), count("2013-03-14", "0.9")) is None
    assert derive("INFANC", infection, event, row("LBH", taken_at="2013-03-12T08:00")) is None
    assert derive("INFANC", infection, ae("2013-03"), count("2013-03-12", "0.4")) is None
    assert derive("INFIGG", infection, event, immunoglobulin("2013-03-10", "3.9")) == Decimal("3.9")


@pytest.mark.parametrize(
    ("serious", "relation", "expected", "suspected"),
    [
        (True, "RELATED", False, True),
        (False, "RELATED", False, False),
        (True, "NOT RELATED", False, False),
        (True, "RELATED", True, False),
        (True, "RELATED", None, None),
        (None, None, True, False),
        (None, "RELATED", False, None),
    ],
)
def test_a_suspected_reaction_is_serious_related_and_unexpected(serious, relation, expected, suspected):
    report, event = row("SAE", event_id=EVENT, is_expected=expected), ae(is_serious=serious, relation=relation)

    assert derive("SAESUSAR", report, event) is suspected
    assert derive("SAESUSAR", row("SAE")) is None


def test_an_event_is_emergent_by_its_days_and_by_its_grades():
    # The first dose is on 04-Mar-2013, the last one ends on 01-Apr-2013: the window is open until 01-May-2013.
    worsened = row("AE.GRADE", began="2013-03-20", grade=3)
    before = row("AE.GRADE", began="2013-03-02", grade=2)

    assert derive("AETRTEM", ae("2013-03-04"), *STEPPED) is True
    assert derive("AETRTEM", ae("2013-05-01"), *STEPPED) is True
    assert derive("AETRTEM", ae("2013-05-02"), *STEPPED) is False
    assert derive("AETRTEM", ae("2013-03-03", grade_at_onset=1), *STEPPED) is False
    assert derive("AETRTEM", ae("2013-03-01", grade_at_onset=1, rows=[before, worsened]), *STEPPED) is True
    assert derive("AETRTEM", ae("2013-03-01", grade_at_onset=3, rows=[worsened]), *STEPPED) is False
    assert derive("AETRTEM", ae("2013-03-12")) is None
