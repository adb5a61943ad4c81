"""Every check on the history and on the disease at baseline with a casebook in which it asks, and one in which it is silent."""

import pytest

from patients.edit_checks import baseline, history
from tests.casebooks import findings, row
from trial.edit_checks import Severity

CHECKS = (*history.CHECKS, *baseline.CHECKS)


def dose(start="2013-03-04T09:00", stop="2013-04-01T09:00", rate=9):
    return row("EX", started_at=start, ended_at=stop, dose_ug_per_day=rate, cycle=1)


def enr(**answers):
    return row("ENR", **{"consented_on": "2013-03-01", "is_enrolled": True} | answers)


SCREENED_AGAIN = enr(rows=[row("ENR.SCREENING", screened_on="2013-02-04")])


def hsct(**answers):
    usual = {"number": 1, "kind": "ALLOGENEIC", "transplanted_on": "2012-05-14", "donor": "MATCHED SIBLING"}
    return row("HSCT", **usual | answers)


def ptx(kind="SALVAGE", start="2012-10-01", stop="2012-10-28", **answers):
    return row("PTX", kind=kind, started_on=start, ended_on=stop, **{"line": 1} | answers)


def marrow(day="2013-03-01", blasts=80, key=7, **answers):
    usual = {"sampled_on": day, "blasts_percent": blasts, "reader": "CENTRAL", "is_adequate": True}
    return row("BM", key=key, **usual | answers)


def bdis(**answers):
    return row("BDIS", **{"marrow_id": 7} | answers)


def chemistry(day="2013-03-01", **results):
    """A sample in which the upper limit of normal of each test is 10."""
    rows = {
        test: row("LBC.RESULT", test=test, value=value, high=10, unit_text=unit(test))
        for test, value in results.items()
    }
    return row("LBC", taken_at=f"{day}T08:00", **rows)


def unit(test):
    return "µmol/L" if test in ("BILI", "CREAT") else "U/L"


# The code, a casebook in which the check asks, one in which it is silent, and what the question must say.
EXAMPLES = [
    (
        "EC-020",
        [row("ALLH", diagnosed_on="2011-02-10", first_cr_on="2011-02-09")],
        [row("ALLH", diagnosed_on="2011-02-10", first_cr_on="2011-02-10")],
        "The first CR on 09-Feb-2011 is before the diagnosis on 10-Feb-2011",
    ),
    (
        "EC-020",
        [row("ALLH", first_cr_on="2011-04", first_relapse_on="2011-03")],
        [row("ALLH", first_cr_on="2011-04", first_relapse_on="2011-05")],
        "The first relapse on UN-Mar-2011 is before the first CR",
    ),
    (
        "EC-021",
        [row("DM", born_on="1980-05"), row("ALLH", diagnosed_on="1979")],
        [row("DM", born_on="1980-05"), row("ALLH", diagnosed_on="1981")],
        "The diagnosis on UN-UNK-1979 is before the birth on UN-May-1980",
    ),
    (
        "EC-021",
        [row("DM", born_on="1980-05"), ptx(start="1980-04")],
        [row("DM", born_on="1980-05"), ptx(start="1980-06")],
        "The therapy began on UN-Apr-1980, before the birth",
    ),
    (
        "EC-022",
        [row("ALLH", has_reached_cr=False, first_relapse_on="2012-01")],
        [row("ALLH", has_reached_cr=False)],
        "No remission was ever reached",
    ),
    (
        "EC-023",
        [row("ALLH", salvage_therapies=2), ptx(), ptx(kind="INDUCTION")],
        [row("ALLH", salvage_therapies=1), ptx(), ptx(kind="INDUCTION")],
        "There were 2 salvage therapies, but 1 are listed",
    ),
    (
        "EC-024",
        [ptx(start="2012-10-02", stop="2012-10-01")],
        [ptx(start="2012-10-01", stop="2012-10-01")],
        "ends on 01-Oct-2012",
    ),
    (
        "EC-025",
        [ptx(), ptx(line=2, start="2012-10-20")],
        [ptx(), ptx(line=2, start="2012-10-21")],
        "overlaps line 1 by 8 days",
    ),
    ("EC-026", [dose(), ptx(stop="2013-02-19")], [dose(), ptx(stop="2013-02-18")], "less than two weeks before"),
    ("EC-027", [ptx(is_blinatumomab=True)], [ptx(is_blinatumomab=False)], "EX16"),
    (
        "EC-029",
        [dose(), hsct(transplanted_on="2013-03-04")],
        [dose(), row("ALLH", diagnosed_on="2011"), hsct(transplanted_on="2013-03-03")],
        "not before the first dose (04-Mar-2013)",
    ),
    (
        "EC-030",
        [dose(), hsct(transplanted_on="2012-12-05")],
        [dose(), hsct(transplanted_on="2012-12-04")],
        "05-Dec-2012 is less than 90 days before the first dose on 04-Mar-2013",
    ),
    (
        "EC-031",
        [dose(), hsct(kind="AUTOLOGOUS", transplanted_on="2013-01-22")],
        [dose(), hsct(kind="AUTOLOGOUS", transplanted_on="2013-01-21")],
        "less than 42 days",
    ),
    ("EC-032", [hsct(relapsed_on="2012-05-14")], [hsct(relapsed_on="2012-05-15")], "is not after the transplantation"),
    (
        "EC-033",
        [dose(), hsct(has_relapsed=True), hsct(transplanted_on="2012-09-01", has_relapsed=False)],
        [dose(), hsct(has_relapsed=False), hsct(transplanted_on="2012-09-01", has_relapsed=True)],
        "No relapse after the last allogeneic transplantation",
    ),
    (
        "EC-034",
        [hsct(kind="AUTOLOGOUS")],
        [hsct(kind="AUTOLOGOUS", donor=None)],
        "The donor (MATCHED SIBLING) does not fit",
    ),
    ("EC-035", [hsct(graft="CORD BLOOD")], [hsct(donor="CORD BLOOD", graft="CORD BLOOD")], "stem cells is CORD BLOOD"),
    ("EC-036", [hsct(hla_match="9/10")], [hsct(hla_match="10/10")], "HLA match of 9/10"),
    ("EC-037", [hsct(had_acute_gvhd=True)], [hsct(had_acute_gvhd=True, acute_gvhd_grade="II")], "There was acute GVHD"),
    (
        "EC-037",
        [hsct(had_chronic_gvhd=True)],
        [hsct(had_chronic_gvhd=True, chronic_gvhd_severity="MILD")],
        "There was chronic GVHD",
    ),
    (
        "EC-038",
        [enr(), hsct(active_gvhd="ACUTE")],
        [enr(), hsct(active_gvhd="NONE")],
        "(ACUTE), and the patient was enrolled",
    ),
    (
        "EC-039",
        [dose(), hsct(last_immunosuppression_on="2013-02-19")],
        [dose(), hsct(last_immunosuppression_on="2013-02-18")],
        "was given last on 19-Feb-2013",
    ),
    (
        "EC-040",
        [dose(), hsct(last_lymphocyte_infusion_on="2013-02-04")],
        [dose(), hsct(last_lymphocyte_infusion_on="2013-02-03")],
        "Donor lymphocytes on 04-Feb-2013",
    ),
    (
        "EC-041",
        [dose(), hsct(relapsed_on="2013-03-05")],
        [dose(), hsct(relapsed_on="2013-03-04")],
        "after the first dose",
    ),
    (
        "EC-042",
        [hsct(), hsct(number=2, transplanted_on="2011-05-14")],
        [hsct(), hsct(number=2, transplanted_on="2012-12-14")],
        "Transplantation 2 on 14-May-2011",
    ),
    (
        "EC-043",
        [hsct(relapsed_on="2012-11-20"), row("ALLH", last_relapse_on="2012-12-22")],
        [hsct(relapsed_on="2012-11-20"), row("ALLH", last_relapse_on="2012-12-21")],
        "(22-Dec-2012) is not that after the last transplantation (20-Nov-2012)",
    ),
    (
        "EC-044",
        [hsct(conditioning="MYELOABLATIVE", tbi="<=2 Gy", conditioning_agents="Fludarabine")],
        [hsct(conditioning="MYELOABLATIVE", tbi="<=2 Gy", conditioning_agents="Flu, Bu")],
        "MYELOABLATIVE conditioning with total body irradiation of <=2 Gy and Fludarabine",
    ),
    (
        "EC-045",
        [bdis(), marrow(blasts=50), hsct(chimerism_percent=95, chimerism_on="2013-02-15")],
        [bdis(), marrow(blasts=50), hsct(chimerism_percent=95, chimerism_on="2013-02-14")],
        "Chimerism of 95 % with 50.0 % blasts in the marrow of 01-Mar-2013",
    ),
    ("EC-050", [bdis(), marrow(blasts=9.9), dose()], [bdis(), marrow(blasts=10), dose()], "has 9.9 % blasts"),
    (
        "EC-051",
        [bdis(philadelphia="POSITIVE"), dose()],
        [bdis(philadelphia="NEGATIVE"), dose()],
        "Philadelphia-positive",
    ),
    (
        "EC-051",
        [row("ALLH", philadelphia="POSITIVE"), dose()],
        [row("ALLH", philadelphia="UNKNOWN"), dose()],
        "Philadelphia-positive",
    ),
    ("EC-052", [bdis(cns_status="CNS3"), dose()], [bdis(cns_status="CNS2"), dose()], "EX03"),
    (
        "EC-053",
        [bdis(has_extramedullary_disease=True)],
        [bdis(has_extramedullary_disease=True, extramedullary_sites=["SKIN"])],
        "Enter its sites",
    ),
    (
        "EC-054",
        [bdis(), marrow("2013-02-03"), dose()],
        [bdis(), marrow("2013-02-04"), dose()],
        "of 03-Feb-2013 is not from",
    ),
    (
        "EC-055",
        [bdis(), marrow(), dose(), row("DEX", purpose="PRE-PHASE", given_at="2013-02-24T09:00")],
        [bdis(), marrow(), dose(), row("DEX", purpose="PRE-PHASE", given_at="2013-02-25T09:00")],
        "ask for dexamethasone in a pre-phase",
    ),
    ("EC-056", [row("PS", visit="SCR", ecog=3)], [row("PS", visit="SCR", ecog=2)], "ECOG 3 at screening"),
    (
        "EC-057",
        [dose(), chemistry(ALT=50, BILI=15), chemistry("2013-03-10", ALT=500)],
        [dose(), chemistry("2013-02-20", ALT=500), chemistry(ALT=49, BILI=14)],
        "excludes (EX13): ALT 5.0 times the upper limit of normal, BILI 1.5 times",
    ),
    (
        "EC-058",
        [bdis(has_extramedullary_disease=True), row("ALLH", had_extramedullary_disease=False)],
        [bdis(has_extramedullary_disease=True), row("ALLH", had_extramedullary_disease=True)],
        "contradicts the ALL history",
    ),
]


def test_a_transplant_is_impossible_where_the_form_says_that_there_is_none():
    (found,) = findings(CHECKS, "EC-028", hsct(), gates={"HSCT": False})

    assert found.severity == Severity.HARD
    assert findings(CHECKS, "EC-028", hsct(), gates={"HSCT": True}) == []
    assert findings(CHECKS, "EC-028", hsct()) == []


def test_every_check_has_an_example():
    asked = {found.check for code, asks, _, _ in EXAMPLES for found in findings(CHECKS, code, *asks)}

    assert {check.code for check in set(CHECKS) - asked} == {"EC-028"}  # above


def test_every_number_of_the_specification_is_there():
    numbers = {int(check.code.removeprefix("EC-")) for check in CHECKS}

    assert numbers == {*range(20, 46), *range(50, 59)}


@pytest.mark.parametrize(
    ("code", "records"),
    [
        ("EC-020", [row("ALLH", diagnosed_on="2011-02", first_cr_on="2011-02-20")]),
        ("EC-021", [row("DM", born_on="1980"), row("ALLH", diagnosed_on="1980")]),
        ("EC-026", [dose(), ptx(stop="2013-02")]),
        ("EC-029", [dose(), hsct(transplanted_on="2013-03")]),
        ("EC-030", [dose(), hsct(transplanted_on="2012-12")]),
        ("EC-032", [hsct(transplanted_on="2012-05", relapsed_on="2012-05-20")]),
        ("EC-039", [dose(), hsct(last_immunosuppression_on="2013-02")]),
        ("EC-041", [dose(), hsct(relapsed_on="2013-03")]),
        ("EC-043", [hsct(relapsed_on="2012-11"), row("ALLH", last_relapse_on="2012-12-20")]),
        ("EC-045", [bdis(), marrow(), hsct(chimerism_percent=95, chimerism_on="2013-02")]),
    ],
)
def test_where_the_order_cannot_be_told_the_question_is_a_warning(code, records):
    (found,) = findings(CHECKS, code, *records)

    assert found.severity == Severity.WARNING
    assert found.question.startswith("The dates are known in part")


@pytest.mark.parametrize(
    ("code", "records", "says"),
    [
        ("EC-029", [row("ALLH", diagnosed_on="2012-06"), hsct()], "before the diagnosis (UN-Jun-2012)"),
        ("EC-034", [hsct(donor=None)], "The donor (nothing) does not fit"),
        ("EC-035", [hsct(donor="CORD BLOOD", graft="PBSC")], "The donor is CORD BLOOD"),
        ("EC-039", [hsct(is_immunosuppressed=True)], "is ongoing at screening"),
        ("EC-042", [hsct(number=2)], "Transplantation 2"),
        ("EC-044", [hsct(conditioning="REDUCED INTENSITY", tbi=">=8 Gy")], ">=8 Gy and nothing as agents"),
        ("EC-044", [hsct(conditioning="MYELOABLATIVE", tbi="<=2 Gy")], "<=2 Gy"),
        ("EC-042", [hsct(key=1), hsct(key=2, number=2), row("HSCT", number=1)], "Transplantation 1"),
    ],
)
def test_the_other_ways_in_which_a_check_fails(code, records, says):
    (found,) = findings(CHECKS, code, *records)

    assert says in found.question


def test_a_pre_phase_is_indicated_by_blasts_in_blood_too():
    count = row("LBH", taken_at="2013-03-01T08:00", BLAST=row("LBH.RESULT", test="BLAST", value=15))

    (found,) = findings(CHECKS, "EC-055", bdis(), marrow(blasts=50), dose(), count)

    assert found.check.code == "EC-055"
    assert findings(CHECKS, "EC-055", bdis(), marrow(blasts=50), dose()) == []
    assert findings(CHECKS, "EC-055", bdis(), marrow()) == []  # not treated
    assert findings(CHECKS, "EC-055", bdis(), dose()) == []  # nothing is known of blasts


def test_ecog_is_asked_about_at_the_screening_that_decides():
    assert findings(CHECKS, "EC-056", row("PS", visit="SCR2", ecog=3), SCREENED_AGAIN)


def test_the_clearance_at_baseline_is_by_cockcroft_and_gault():
    known = [dose(), enr(), row("DM", born_on="1953-01-01", sex="F"), row("PS", assessed_on="2013-03-01", weight_kg=60)]
    # (140 - 60) * 60 * 1.04 / 100 = 49.92; at 99 it is 50.4
    (found,) = findings(CHECKS, "EC-057", *known, row("LBC", taken_at="2013-03-01T08:00", CREAT=creatinine(100)))
    enough = findings(CHECKS, "EC-057", *known, row("LBC", taken_at="2013-03-01T08:00", CREAT=creatinine(99)))

    assert "creatinine clearance 49.9 mL/min" in found.question
    assert enough == []


def test_a_weight_after_the_sample_changes_no_clearance():
    """With the 60 kg of the day it is 50.4, which is what the page shows; with the 45 kg of the first dose it would be 37.8."""
    sample = row("LBC", taken_at="2013-03-01T08:00", CREAT=creatinine(99))
    known = [enr(), row("DM", born_on="1953-01-01", sex="F"), row("PS", assessed_on="2013-03-01", weight_kg=60)]

    assert findings(CHECKS, "EC-057", dose(), sample, *known, row("PS", assessed_on="2013-03-02", weight_kg=45)) == []


def creatinine(value):
    return row("LBC.RESULT", test="CREAT", value=value, unit_text="µmol/L")


@pytest.mark.parametrize(
    "known",
    [
        [enr(), row("DM", born_on="1953-01-01", sex="F")],  # no weight
        [enr(), row("DM", born_on="1953-01-01", sex="U"), row("PS", assessed_on="2013-03-01", weight_kg=60)],
        [row("DM", born_on="1953-01-01", sex="F"), row("PS", assessed_on="2013-03-01", weight_kg=60)],
        [enr(), row("DM", sex="F"), row("PS", assessed_on="2013-03-01", weight_kg=60)],
        [enr(), row("PS", assessed_on="2013-03-01", weight_kg=60)],
    ],
)
def test_without_age_sex_and_weight_no_clearance_is_told(known):
    sample = row("LBC", taken_at="2013-03-01T08:00", CREAT=creatinine(200))

    assert findings(CHECKS, "EC-057", dose(), sample, *known) == []


@pytest.mark.parametrize(
    ("code", "records"),
    [
        ("EC-021", [row("ALLH", diagnosed_on="1979")]),
        ("EC-021", [row("DM"), ptx()]),
        ("EC-025", [ptx(kind="CONSOLIDATION"), ptx(line=2)]),
        ("EC-025", [ptx(), ptx(kind="CONSOLIDATION", line=2)]),
        ("EC-025", [ptx(line=None), ptx(line=2)]),
        ("EC-026", [ptx(stop="2013-03-01")]),
        ("EC-026", [dose(), ptx(kind="CNS PROPHYLAXIS", stop="2013-03-01")]),
        ("EC-030", [hsct(transplanted_on="2013-01-01")]),
        ("EC-030", [dose(), hsct(kind="SYNGENEIC", transplanted_on="2013-01-01")]),
        ("EC-033", [hsct(has_relapsed=False)]),
        ("EC-033", [dose(), hsct(kind="AUTOLOGOUS", has_relapsed=False)]),
        ("EC-038", [hsct(active_gvhd="ACUTE")]),
        ("EC-039", [hsct(last_immunosuppression_on="2013-03-01")]),
        ("EC-039", [dose(), hsct(is_immunosuppressed=False)]),
        ("EC-041", [hsct(relapsed_on="2014-03-05")]),
        ("EC-042", [hsct(), hsct(number=2, transplanted_on="2012-12-14"), row("HSCT", number=3)]),
        (
            "EC-043",
            [hsct(relapsed_on="2012-11-20"), ptx(relapsed_on="2012-12-20"), row("ALLH", last_relapse_on="2012-12-31")],
        ),
        ("EC-043", [row("ALLH", last_relapse_on="2012-12-31")]),
        ("EC-044", [hsct(conditioning="UNKNOWN", tbi=">=8 Gy")]),
        ("EC-045", [hsct(chimerism_percent=95, chimerism_on="2013-02-20")]),
        ("EC-045", [bdis(), marrow(), hsct(chimerism_percent=94, chimerism_on="2013-02-20")]),
        ("EC-045", [bdis(), marrow(blasts=None), hsct(chimerism_percent=95, chimerism_on="2013-02-20")]),
        ("EC-045", [bdis(), marrow(blasts=49), hsct(chimerism_percent=95, chimerism_on="2013-02-20")]),
        ("EC-050", [bdis(), marrow(blasts=5)]),
        ("EC-054", [bdis(), marrow("2012-02-03")]),
        ("EC-056", [row("PS", visit="C1D1", ecog=3)]),
        ("EC-056", [row("PS", visit="SCR", ecog=3), row("ENR", is_enrolled=False)]),  # a failed screening
        ("EC-056", [row("PS", visit="SCR", ecog=3), SCREENED_AGAIN]),  # of the one that failed
        ("EC-057", [chemistry(ALT=500)]),  # never treated, as whoever was not enrolled
    ],
)
def test_what_a_check_says_nothing_of(code, records):
    assert findings(CHECKS, code, *records) == []
