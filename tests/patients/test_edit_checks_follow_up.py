"""Every check on follow-up with a casebook in which it asks, and one in which it is silent."""

from datetime import date

import pytest

from patients.edit_checks.follow_up import CHECKS
from tests.casebooks import findings, row
from trial.edit_checks import Record, Severity


def dose(start="2013-03-04T09:00", stop="2013-04-01T09:00"):
    return row("EX", started_at=start, ended_at=stop, dose_ug_per_day=28, cycle=1)


def death(day="2014-01-10", **answers):
    return row("DTH", died_on=day, **answers)


def sfu(day="2014-01-20", **answers):
    return row("SFU", contacted_on=day, **answers)


def rs(response="CR", day="2013-04-02", **answers):
    return row("RS", response=response, assessed_on=day, **answers)


def rel(day="2013-06-01", **answers):
    return row("REL", relapsed_on=day, **{"site": "MARROW"} | answers)


def nsct(day="2013-07-01", **answers):
    return row(
        "NSCT", transplanted_on=day, **{"status": "CR/CRh AFTER BLINATUMOMAB", "had_other_therapy": False} | answers
    )


def signed(scope, is_void):
    """A signature. The form comes with monitoring; it says itself whether something was changed since."""
    return Record("SIGN", 1, 1, "LOG", {"scope": scope, "is_void": is_void})


ENR = row("ENR", consented_on="2013-03-01", agrees_to_survival_follow_up=True)

# The code, a casebook in which the check asks, one in which it is silent, and what the question must say.
EXAMPLES = [
    (
        "EC-190",
        [sfu(status="ALIVE IN REMISSION"), death()],
        [sfu(status="LOST TO FOLLOW-UP"), sfu("2014-01-10", status="ALIVE IN REMISSION"), death()],
        "ALIVE IN REMISSION on 20-Jan-2014, but the death form says 10-Jan-2014",
    ),
    (
        "EC-191",
        [sfu(last_alive_on="2014-01-21")],
        [sfu(last_alive_on="2014-01-20")],
        "was last known alive on 21-Jan-2014",
    ),
    (
        "EC-192",
        [death(), dose(stop="2014-02-01T09:00"), row("SV", visited_on="2014-01-11"), row("AE", started="2014-01-12")],
        [death(), dose(), row("SV", visited_on="2014-01-10"), row("SV")],
        "The death on 10-Jan-2014 is before what is entered on AE, SV, the last on 12-Jan-2014",
    ),
    (
        "EC-193",
        [ENR, dose(), sfu("2014-06-01")],
        [ENR, dose(), sfu("2014-06-02")],
        "The last contact was on 01-Jun-2014, 121 days ago",
    ),
    ("EC-194", [death(primary_cause="GVHD")], [death(primary_cause="GVHD"), nsct()], "The cause of death is GVHD"),
    (
        "EC-195",
        [death(disease="REMISSION"), rel()],
        [death(disease="REMISSION"), rel(), rs(day="2013-08-01")],
        "a relapse on 01-Jun-2013 is entered and no remission after it",
    ),
    ("EC-196", [row("EOS", reason="DEATH")], [row("EOS", reason="DEATH"), death()], "Fill in the death form"),
    (
        "EC-197",
        [rs(), nsct(), rel()],
        [rs("CRh"), nsct(), rel("2013-08-01")],
        "transplantation of 01-Jul-2013, but a relapse is entered before it",
    ),
    (
        "EC-198",
        [row("HSCT"), nsct(number_in_life=2), nsct("2013-12-01", number_in_life=2)],
        [row("HSCT"), nsct(number_in_life=2), nsct("2013-12-01", number_in_life=3)],
        "This is transplantation 2 in life; by the forms it is number 3",
    ),
    (
        "EC-199",
        [dose(), row("NTX", started_on="2013-03-31", kind="CHEMOTHERAPY")],
        [dose(), row("NTX", started_on="2013-04-01", kind="CHEMOTHERAPY")],
        "The therapy began on 31-Mar-2013, before the last dose on 01-Apr-2013",
    ),
    ("EC-199", [dose(), nsct("2013-03-04")], [dose(), nsct("2013-03-05")], "not after the first dose on 04-Mar-2013"),
    (
        "EC-200",
        [rs(), row("NTX", reason="RELAPSE")],
        [rs(), rs("RELAPSE", "2013-06-01"), row("NTX", reason="RELAPSE")],
        "was given for a relapse",
    ),
    (
        "EC-201",
        [dose(), dose("2014-08-01T09:00", "2014-08-30T09:00")],
        [dose("2014-08-01T09:00", "2014-08-31T09:00")],
        "The last infusion ended on 30-Aug-2014, 31 days ago",
    ),
    (
        "EC-202",
        [dose(), death("2014-03")],
        [dose(), death("2014-02")],
        "only UN-Mar-2014 is known, and survival at 12 months depends on the day",
    ),
    (
        "EC-203",
        [row("DV", importance="MAJOR")],
        [row("DV", importance="MAJOR", action="The site was trained.")],
        "Enter what was done about it",
    ),
    (
        "EC-204",
        [ENR, signed("CASEBOOK", is_void=True), signed("ELIGIBILITY", is_void=False)],
        [ENR, signed("CASEBOOK", is_void=True), signed("CASEBOOK", is_void=False)],
        "needs to be signed again",
    ),
    (
        "EC-205",
        [sfu(disease="RELAPSE"), rel("2014-01-21")],
        [sfu(disease="RELAPSE"), rel("2014-01-20")],
        "A relapse was known on 20-Jan-2014",
    ),
    ("EC-206", [death(disease="RELAPSED")], [death(disease="RELAPSED"), rel()], "had relapsed by the time of death"),
]


def test_every_check_has_an_example():
    asked = {found.check for code, asks, _, _ in EXAMPLES for found in findings(CHECKS, code, *asks)}

    assert asked == set(CHECKS)


def test_every_number_of_the_specification_is_there():
    assert {int(check.code.removeprefix("EC-")) for check in CHECKS} == set(range(190, 207))


@pytest.mark.parametrize(
    ("code", "records"),
    [
        ("EC-190", [sfu(status="ALIVE WITH DISEASE"), death("2014-01")]),
        ("EC-191", [sfu(last_alive_on="2014-01")]),
        ("EC-192", [death("2014-01"), row("SV", visited_on="2014-01-20")]),
        ("EC-197", [rs(), nsct("2013-07-10"), rel("2013-07")]),
        ("EC-199", [dose(stop="2013-04-10T09:00"), row("NTX", started_on="2013-04", kind="CHEMOTHERAPY")]),
        ("EC-205", [sfu(disease="RELAPSE"), rel("2014-01")]),
    ],
)
def test_where_the_order_cannot_be_told_the_question_is_a_warning(code, records):
    (found,) = findings(CHECKS, code, *records)

    assert found.severity == Severity.WARNING
    assert found.question.startswith("The dates are known in part")


@pytest.mark.parametrize(
    ("code", "records", "says"),
    [
        ("EC-190", [sfu(status="DEAD")], "DEAD on 20-Jan-2014, but the death form says nothing"),
        ("EC-193", [ENR, dose()], "The last contact was on 01-Apr-2013"),
        ("EC-195", [death(disease="REMISSION"), rel(), rs(), sfu("2013-05-01", disease="REMISSION")], "a relapse on"),
        ("EC-197", [nsct()], "no CR or CRh is entered before it"),
        ("EC-197", [rs(), nsct(had_other_therapy=True)], "other therapy was given before it"),
    ],
)
def test_the_other_ways_in_which_a_check_fails(code, records, says):
    (found,) = findings(CHECKS, code, *records)

    assert says in found.question


@pytest.mark.parametrize(
    "later",
    [
        sfu("2013-09-01", disease="REMISSION"),
        row("NTX", best_response="CR", started_on="2013-06-10"),
        nsct("2013-09-01", status="CR AFTER OTHER THERAPY"),
        rs("CRi", "2013-06-20"),
    ],
)
def test_a_remission_after_the_relapse_may_be_told_by_any_form(later):
    assert findings(CHECKS, "EC-195", death(disease="REMISSION"), rel(), later) == []


@pytest.mark.parametrize(
    ("code", "records"),
    [
        ("EC-190", [sfu(status="ALIVE IN REMISSION")]),
        ("EC-190", [sfu(status="DEAD"), death()]),
        ("EC-190", [sfu(status="DEAD"), row("DTH")]),
        ("EC-193", [ENR, sfu("2013-06-01")]),  # never treated
        ("EC-193", [ENR, dose(), death()]),
        ("EC-193", [ENR, dose(), row("EOS")]),
        ("EC-193", [row("ENR", agrees_to_survival_follow_up=False), dose()]),
        ("EC-194", [death(primary_cause="OTHER")]),
        ("EC-194", [death(primary_cause="GVHD"), row("HSCT", kind="ALLOGENEIC")]),
        ("EC-195", [death(disease="RELAPSED"), rel()]),
        ("EC-195", [death(disease="REMISSION")]),
        ("EC-195", [death(disease="REMISSION"), rel(site="MOLECULAR ONLY")]),
        ("EC-195", [death(disease="REMISSION"), rel("2014-02-01")]),
        ("EC-196", [row("EOS", reason="STUDY CLOSED")]),
        ("EC-197", [nsct(status="ACTIVE DISEASE")]),
        ("EC-199", [dose(), row("NTX", started_on="2013-03-10", kind="BLINATUMOMAB RETREATMENT")]),
        ("EC-199", [row("NTX", started_on="2013-03-10", kind="CHEMOTHERAPY")]),
        ("EC-199", [nsct("2013-03-04")]),
        ("EC-200", [rs(), row("NTX", reason="RELAPSE"), rel()]),
        ("EC-200", [row("NTX", reason="RELAPSE")]),
        ("EC-200", [rs(), row("NTX", reason="MRD")]),
        ("EC-201", [dose(), row("EOT")]),
        ("EC-201", [row("EX", dose_ug_per_day=0, started_at="2013-03-04T09:00", ended_at="2013-03-05T09:00")]),
        ("EC-202", [death("2014-03")]),
        ("EC-202", [dose(), death("2014-03-04")]),
        ("EC-203", [row("DV", importance="MINOR")]),
        ("EC-204", [ENR]),
        ("EC-205", [sfu(disease="REMISSION")]),
    ],
)
def test_what_a_check_says_nothing_of(code, records):
    assert findings(CHECKS, code, *records) == []


def test_after_the_cut_off_nobody_is_overdue():
    assert findings(CHECKS, "EC-193", ENR, dose(), today=date(2016, 12, 31))
    assert findings(CHECKS, "EC-193", ENR, dose(), today=date(2017, 1, 1)) == []
