"""Every check on marrow, MRD and response with a casebook in which it asks, and one in which it is silent."""

from decimal import Decimal

import pytest

from patients.edit_checks.marrow import CHECKS
from tests.casebooks import findings, row
from trial.edit_checks import Severity


def dose(start="2013-03-04T09:00", stop="2013-04-01T09:00", cycle=1):
    return row("EX", started_at=start, ended_at=stop, dose_ug_per_day=28, cycle=cycle)


def bm(day="2013-04-02", blasts=2, key=7, **answers):
    usual = {"sampled_on": day, "blasts_percent": blasts, "reader": "CENTRAL", "is_adequate": True}
    return row("BM", key=key, **usual | answers)


def lbh(day="2013-04-02", neutrophils=2, platelets=150, key=8, **more):
    values = {"NEUT": neutrophils, "PLAT": platelets, **more}
    results = {
        test: row("LBH.RESULT", test=test, value=Decimal(value[1:]), value_text=value)
        if isinstance(value, str)
        else row("LBH.RESULT", test=test, value=value)
        for test, value in values.items()
    }
    return row("LBH", key=key, taken_at=f"{day}T08:00", **results)


def rs(response="CR", day="2013-04-02", **answers):
    return row("RS", **{"response": response, "assessed_on": day, "marrow_id": 7, "count_id": 8, "cycle": 1} | answers)


def emd(day="2013-04-02", status="NO EVIDENCE", **answers):
    return row("EMD", assessed_on=day, status=status, **answers)


def mrd(**answers):
    return row("MRD", **{"marrow_id": 7, "result": "NEGATIVE", "sensitivity": 1e-4} | answers)


# The code, a casebook in which the check asks, one in which it is silent, and what the question must say.
EXAMPLES = [
    (
        "EC-085",
        [row("CYC", number=1), dose(), bm("2013-03-24")],
        [row("CYC", number=1), dose(), bm("2013-03-25")],
        "No marrow from 25-Mar-2013 to 29-Apr-2013 tells the response to cycle 1",
    ),
    (
        "EC-086",
        [rs("PR"), bm(is_adequate=False)],
        [rs("PR"), bm(is_adequate=False, specimens=["BIOPSY"])],
        "inadequate",
    ),
    (
        "EC-087",
        [rs(), bm(), lbh("2013-03-29"), lbh("2013-04-10")],
        [rs(), bm(), lbh("2013-03-30")],
        "no blood count from 30-Mar-2013 to 09-Apr-2013, around the marrow of 02-Apr-2013",
    ),
    (
        "EC-088",
        [rs("CRh"), bm(), lbh()],
        [rs("CRh", adjudicated_response="CR"), bm(), lbh()],
        "The assessor says CRh, the algorithm CR",
    ),
    ("EC-089", [rs(), bm(blasts=5.5)], [rs(), bm(blasts=5)], "CR with 5.5 % blasts"),
    ("EC-090", [rs(), lbh(neutrophils=1)], [rs(), lbh(platelets=101)], "the count used has 1 and 150"),
    ("EC-091", [rs("CRh"), lbh(platelets=50)], [rs("CRh"), lbh(platelets=51)], "CRh needs neutrophils above 0.5"),
    ("EC-092", [rs("CRh"), lbh()], [rs("CRh"), lbh(platelets=100)], "Neutrophils 2 and platelets 150 meet CR"),
    (
        "EC-093",
        [rs(), emd("2013-04-16", "PRESENT STABLE/SMALLER")],
        [rs(), emd("2013-04-17", "NEW LESION"), emd(status="RESOLVED")],
        "disease was PRESENT STABLE/SMALLER on 16-Apr-2013",
    ),
    (
        "EC-094",
        [rs(), lbh(), row("TRF", product="PLATELETS", given_on="2013-03-26")],
        [rs(), lbh(), row("TRF", product="PLATELETS", given_on="2013-03-25"), row("TRF", product="RBC")],
        "Platelets were given on 26-Mar-2013",
    ),
    (
        "EC-095",
        [rs(), lbh(), row("TRF", product="G-CSF", given_on="2013-03-19")],
        [rs(), lbh(), row("TRF", product="G-CSF", given_on="2013-03-18")],
        "G-CSF was given on 19-Mar-2013",
    ),
    (
        "EC-096",
        [rs("NR"), rs(day="2013-07-01", cycle=3), rs(day="2013-08-01", cycle=4)],
        [rs(), rs(day="2013-07-01", cycle=3)],
        "The first response is of cycle 3",
    ),
    ("EC-097", [mrd(sensitivity=1e-3)], [mrd()], "Negative at a sensitivity of 0.001"),
    (
        "EC-098",
        [mrd(result="POSITIVE QUANTIFIED", level=0)],
        [mrd(result="POSITIVE QUANTIFIED", level=1e-3)],
        "Enter its level; 0 is none",
    ),
    ("EC-099", [bm(), mrd(level=0.04)], [bm(), mrd(level=0.03)], "The level 0.04 is more than the 2.0 % blasts"),
    ("EC-100", [bm(blasts=6), mrd(), mrd()], [bm(blasts=5), mrd(), mrd()], "in a marrow with 6.0 % blasts"),
    (
        "EC-101",
        [rs(), row("REL", relapsed_on="2013-04-01")],
        [rs(), row("REL", relapsed_on="2013-04-02")],
        "The relapse on 01-Apr-2013 is before the first remission on 02-Apr-2013",
    ),
    (
        "EC-102",
        [row("REL", site="MOLECULAR ONLY", evidence=["BM BLASTS >5 %", "MRD >=1e-4"])],
        [row("REL", site="MOLECULAR ONLY", evidence=["MRD >=1e-4"])],
        "A molecular relapse has no blasts",
    ),
    (
        "EC-103",
        [rs("RELAPSE"), row("REL", relapsed_on="2013-04-17")],
        [rs("RELAPSE"), row("REL", relapsed_on="2013-04-16")],
        "within 14 days of 02-Apr-2013",
    ),
    (
        "EC-104",
        [row("BDIS", has_mrd_marker=False), mrd()],
        [row("BDIS", has_mrd_marker=False), mrd(result="NO MARKER")],
        "there is a result (NEGATIVE)",
    ),
]


def test_every_check_has_an_example():
    asked = {found.check for code, asks, _, _ in EXAMPLES for found in findings(CHECKS, code, *asks)}

    assert asked == set(CHECKS)


def test_every_number_of_the_specification_is_there():
    assert {int(check.code.removeprefix("EC-")) for check in CHECKS} == set(range(85, 105))


@pytest.mark.parametrize(
    ("code", "records"),
    [
        ("EC-101", [rs(), row("REL", relapsed_on="2013-04")]),
    ],
)
def test_where_the_order_cannot_be_told_the_question_is_a_warning(code, records):
    (found,) = findings(CHECKS, code, *records)

    assert found.severity == Severity.WARNING


@pytest.mark.parametrize(
    ("code", "records"),
    [
        ("EC-085", [row("CYC", number=2), dose()]),  # not begun
        ("EC-085", [row("CYC", number=1), dose(stop="2013-03-20T09:00")]),  # neither completed nor ended
        ("EC-085", [row("CYC", number=1), dose(), row("DTH", died_on="2013-04-29")]),
        ("EC-085", [row("CYC", number=1), dose(), row("REL", relapsed_on="2013-04-29")]),
        ("EC-085", [row("CYC", number=1), dose("2014-09-01T09:00", "2014-09-29T09:00")]),  # the window is open
        ("EC-086", [rs("NR"), bm(is_adequate=False)]),
        ("EC-086", [rs("CR")]),
        ("EC-087", [rs("NE"), bm()]),
        ("EC-087", [rs()]),
        ("EC-088", [rs()]),  # no marrow
        ("EC-088", [row("RS", response="CR")]),
        ("EC-089", [rs("PR"), bm(blasts=20)]),
        ("EC-090", [rs("CRh"), lbh(neutrophils=1)]),
        ("EC-090", [rs(), lbh(neutrophils="<2", platelets=">50")]),  # may be enough
        ("EC-090", [rs()]),
        ("EC-092", [rs("CRh"), lbh(neutrophils=1)]),
        ("EC-092", [rs("CRh"), lbh(platelets=">99")]),
        ("EC-092", [rs("CRh"), lbh(neutrophils=None)]),
        ("EC-092", [rs("CRh"), lbh(platelets=None)]),
        ("EC-093", [rs("PR"), emd(status="NEW LESION")]),
        ("EC-094", [rs("NR"), lbh(), row("TRF", product="PLATELETS", given_on="2013-04-01")]),
        ("EC-094", [rs(), row("TRF", product="PLATELETS", given_on="2013-04-01")]),
        ("EC-095", [rs(), row("TRF", product="G-CSF", given_on="2013-04-01")]),
        ("EC-095", [rs(), lbh(), row("CM", category="OTHER", started="2013-04-01")]),
        ("EC-096", [rs("NR", cycle=3)]),
        ("EC-099", [mrd(level=0.9)]),
        ("EC-100", [mrd()]),
        ("EC-100", [bm(blasts=50), mrd(), mrd(result="POSITIVE QUANTIFIED", level=1e-2)]),
        ("EC-101", [rs("NR"), row("REL", relapsed_on="2013-01")]),
        ("EC-103", [rs("PD")]),
        ("EC-103", [rs("RELAPSE"), row("REL", relapsed_on="2013-04")]),
        ("EC-104", [row("BDIS", has_mrd_marker=True), mrd()]),
        ("EC-104", [mrd()]),
    ],
)
def test_what_a_check_says_nothing_of(code, records):
    assert findings(CHECKS, code, *records) == []


@pytest.mark.parametrize(
    ("code", "records", "says"),
    [
        ("EC-085", [row("CYC", number=1), dose(stop="2013-03-20T09:00"), row("EOT")], "No marrow from 25-Mar-2013"),
        (
            "EC-085",
            [row("CYC", number=1), dose(), dose("2013-04-15T09:00", "2013-04-20T09:00", cycle=2)],
            "to 15-Apr-2013",
        ),
        ("EC-085", [row("CYC", number=1), dose(), row("REL", relapsed_on="2013-05")], "to 29-Apr-2013"),
        ("EC-086", [rs(marrow_id=None), bm(is_adequate=False)], "response CR is read"),
        ("EC-090", [rs(), lbh(platelets=100)], "has 2 and 100"),
        ("EC-090", [rs(), lbh(neutrophils="<0.1")], "has <0.1 and 150"),
        ("EC-092", [rs("CRh"), lbh(platelets=">1000")], "Neutrophils 2 and platelets >1000 meet CR"),
        ("EC-091", [rs("CRh"), lbh(neutrophils=0)], "has 0 and 150"),
        ("EC-095", [rs(), lbh(), row("CM", category="G-CSF", started="2013-03")], "given on UN-Mar-2013"),
        ("EC-098", [mrd(result="POSITIVE QUANTIFIED")], "nothing is none"),
    ],
)
def test_the_other_ways_in_which_a_check_fails(code, records, says):
    (found,) = findings(CHECKS, code, *records)

    assert says in found.question


BASELINE = [row("BDIS", marrow_id=1), bm("2013-03-01", 80, key=1)]


@pytest.mark.parametrize(
    ("records", "response"),
    [
        ([bm(), lbh()], "CR"),
        ([bm(blasts=5, blasts_qualifier=">"), lbh(), *BASELINE], "PR"),  # 5.1 %
        ([bm(blasts=60), lbh(), *BASELINE], "NR"),
        ([bm(), lbh(neutrophils=None)], "NE"),
        ([bm()], "NE"),  # no count
        ([bm(), lbh("2013-04-16"), dose("2013-04-15T09:00", cycle=2)], "NE"),  # after the next cycle began
        ([bm(), lbh("2013-04-09"), dose("2013-04-08T09:00", cycle=2)], "NE"),
        ([bm(), lbh("2013-04-08"), row("NTX", started_on="2013-04-08")], "NE"),  # other therapy began
        ([bm(), lbh("2013-04-07"), row("NTX", started_on="2013-04-08")], "CR"),
        ([bm(), lbh("2013-04-08"), row("NSCT", transplanted_on="2013-04-08")], "NE"),
        ([bm(), lbh(), emd(status="NEW LESION")], "PD"),
        ([bm(), lbh(), emd("2013-03-18", status="NEW LESION")], "CR"),  # too long ago
        ([bm(), lbh(), emd("2013-03-30", status="NEW LESION"), emd(status="NO EVIDENCE")], "CR"),  # the nearest
        ([bm(), lbh(), emd(status="NOT ASSESSED")], "CR"),
        ([bm(), lbh(), emd(status="NOT ASSESSED", has_csf_blasts=True)], "NR"),
        ([bm(blasts=30), lbh(), rs("CR", "2013-03-20", marrow_id=None)], "RELAPSE"),
        ([bm(blasts=30), lbh(), rs("RELAPSE", "2013-03-20", marrow_id=None), *BASELINE], "NR"),
        ([bm(), lbh(BLAST=9), lbh("2013-03-01", key=3, BLAST=1), dose(), *BASELINE], "PD"),  # 8 more than at baseline
        ([bm(blasts=None, key=6), bm(reader="LOCAL", blasts=1), lbh()], "CR"),  # the central one cannot be read
    ],
)
def test_the_algorithm_reads_what_is_beside_the_marrow(records, response):
    """Each casebook has an assessment that calls the response something else, so that the check names the algorithm's."""
    (found,) = findings(CHECKS, "EC-088", rs("BFHM"), *records)[-1:]

    assert f"the algorithm {response}." in found.question


def test_the_examination_that_the_assessment_names_counts():
    named = emd("2013-02-01", status="NEW LESION", key=5)

    (found,) = findings(CHECKS, "EC-088", rs("CR", extramedullary_id=5), named, bm(), lbh())

    assert "the algorithm PD" in found.question
