"""The soft limits that lie between answers (STUDY B.4, column Soft): each fires, is silent at its bound, and says what is odd."""

from decimal import Decimal

import pytest

from patients.edit_checks.limits import CHECKS
from tests.casebooks import findings, row
from trial.edit_checks import CANNOT_BE_TOLD, Severity


def weight(kg, day):
    return row("PS", assessed_on=day, weight_kg=Decimal(kg))


def blood(blasts, share=None, day="2013-05-01T08:00"):
    results = {"BLAST": row("LBH.RESULT", test="BLAST", value=Decimal(blasts), unit_text="10^9/L")}
    if share is not None:
        results["BLASTLE"] = row("LBH.RESULT", test="BLASTLE", value=Decimal(share), unit_text="%")
    return row("LBH", taken_at=day, **results)


def interval(dose):
    return row(
        "EX",
        cycle=1,
        number=1,
        started_at="2013-03-04T09:00",
        ended_at="2013-03-11T09:00",
        dose_ug_per_day=Decimal(dose),
    )


REMISSION = row("RS", response="CR", assessed_on="2013-04-10")
DEATH = row("DTH", died_on="2013-06-01")
LAST_VISIT = row("SV", visited_on="2013-05-01", is_missed=False)

CONTRADICTIONS = ("SL-CONSENT.RFICDAT", "SL-WDR.WDDAT")  # that nobody can confirm
# The code, a casebook in which the check asks, one in which it is silent, and what the question must say.
EXAMPLES = [
    (
        "SL-ENR.RFICDAT",
        [row("ENR", consented_on="1916-03-01")],
        [row("ENR", consented_on="2011-12-04")],  # 28 days before enrolment began
        "Consent on 01-Mar-1916 is before 04-Dec-2011",
    ),
    (
        "SL-CONSENT.RFICDAT",
        [row("ENR", consented_on="2013-03-01", rows=[row("ENR.CONSENT", consented_on="2013-02-28")])],
        [row("ENR", consented_on="2013-03-01", rows=[row("ENR.CONSENT", consented_on="2013-03-01")])],
        "signed on 28-Feb-2013, before the first one on 01-Mar-2013",
    ),
    (
        "SL-WDR.WDDAT",
        [row("ENR", consented_on="2013-03-01"), row("WDR", withdrawn_on="2013-02-28")],
        [row("ENR", consented_on="2013-03-01"), row("WDR", withdrawn_on="2013-03-01")],
        "withdrawn on 28-Feb-2013, before it was given on 01-Mar-2013",
    ),
    (
        "SL-ALLH.CR1DUR",
        [row("ALLH", first_cr_on="2005-01-15", first_relapse_on="2010-02-20")],
        [row("ALLH", first_cr_on="2005-01-15", first_relapse_on="2010-01-10")],
        "lasted 61 months, more than 60",
    ),
    (
        "SL-HSCT.ENGRDAT",
        [row("HSCT", transplanted_on="2012-01-01", engrafted_on="2012-02-16")],  # 46 days
        [row("HSCT", transplanted_on="2012-01-01", engrafted_on="2012-02-15")],
        "Engraftment 46 days after",
    ),
    (
        "SL-PS.WEIGHT.CHANGE",
        [weight("70", "2013-03-01"), weight("71", "2013-03-08"), weight("63.8", "2013-03-15")],
        [weight("70", "2013-03-01"), weight("63", "2013-03-08")],
        "63.8 kg is more than 10 % from the 71 kg of 08-Mar-2013",
    ),
    ("SL-LBH.BLAST", [REMISSION, blood("0.02")], [REMISSION, blood("0")], "Blasts of 0.02 × 10^9/L in blood after CR"),
    ("SL-EX.EXDOSE", [interval("15")], [interval("28")], "15 µg/day is no dose of the protocol"),
    (
        "SL-DEX.DEXDOSE",
        [row("DEX", purpose="PREMEDICATION", dose_mg=Decimal(16))],
        [row("DEX", purpose="PREMEDICATION", dose_mg=Decimal(20))],
        "Premedication of 16 mg, and 20 mg are planned",
    ),
    (
        "SL-HO.HODISDAT",
        [row("HO", admitted_on="2013-03-01", discharged_on="2013-05-31")],  # 91 days
        [row("HO", admitted_on="2013-03-01", discharged_on="2013-05-30")],
        "A stay of 91 days",
    ),
    (
        "SL-DTH.DTHDAT",
        [DEATH, LAST_VISIT],  # 31 days
        [row("DTH", died_on="2013-05-31"), LAST_VISIT],
        "is of 01-May-2013, more than 30 days earlier",
    ),
]


@pytest.mark.parametrize(("code", "odd", "usual", "says"), EXAMPLES, ids=[example[0] for example in EXAMPLES])
def test_each_limit_asks_beyond_its_bound_and_is_silent_at_it(code, odd, usual, says):
    (found,) = findings(CHECKS, code, *odd)

    assert says in found.question
    assert found.severity == (Severity.ERROR if code in CONTRADICTIONS else Severity.WARNING)
    assert findings(CHECKS, code, *usual) == []


def test_every_limit_has_its_example():
    assert {check.code for check in CHECKS} == {example[0] for example in EXAMPLES}


@pytest.mark.parametrize(
    ("code", "records"),
    [
        ("SL-CONSENT.RFICDAT", [row("ENR", consented_on="2013-03-01", rows=[row("ENR.CONSENT")])]),
        ("SL-WDR.WDDAT", [row("WDR", withdrawn_on="2013-02-28")]),
        ("SL-WDR.WDDAT", [row("ENR"), row("WDR", withdrawn_on="2013-02-28")]),
        ("SL-PS.WEIGHT.CHANGE", [weight("70", "2013-03-01")]),  # the first weight
        ("SL-EX.EXDOSE", [interval("0")]),  # an interruption
        ("SL-EX.EXDOSE", [interval("9")]),
        ("SL-DEX.DEXDOSE", [row("DEX", purpose="PRE-PHASE", dose_mg=Decimal(10))]),
        ("SL-LBH.BLAST", [blood("0.02")]),  # no remission before it
        ("SL-LBH.BLAST", [REMISSION, blood("0.02", share="1")]),  # EC-075 asks
        ("SL-LBH.BLAST", [REMISSION, blood("0.02", day="2013-04-10T08:00")]),  # of the day of the response
        ("SL-LBH.BLAST", [REMISSION, blood("0.02"), row("REL", relapsed_on="2013-05-02")]),
        ("SL-DTH.DTHDAT", [DEATH]),  # nothing is known before it
        ("SL-DTH.DTHDAT", [DEATH, LAST_VISIT, row("SFU", contacted_on="2013-06-03")]),  # a contact told of it
        ("SL-DTH.DTHDAT", [DEATH, LAST_VISIT, row("SFU", contacted_on="2013-05-20")]),
        ("SL-DTH.DTHDAT", [DEATH, interval("9"), LAST_VISIT, row("SV", visited_on="2013-05-20", is_missed=False)]),
    ],
)
def test_what_a_limit_says_nothing_of(code, records):
    assert findings(CHECKS, code, *records) == []


def test_a_visit_that_was_missed_is_no_contact():
    (found,) = findings(CHECKS, "SL-DTH.DTHDAT", DEATH, LAST_VISIT, row("SV", visited_on="2013-05-30", is_missed=True))

    assert "is of 01-May-2013" in found.question


def test_where_a_date_is_known_in_part_the_question_says_that_it_cannot_be_told():
    (found,) = findings(CHECKS, "SL-HSCT.ENGRDAT", row("HSCT", transplanted_on="2012-01", engrafted_on="2012-02-20"))

    assert found.question.startswith(CANNOT_BE_TOLD)
