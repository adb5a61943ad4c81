"""Every check on visits and laboratory with a casebook in which it asks, and one in which it is silent."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from patients.edit_checks.visits import CHECKS
from patients.expected import course_of
from tests.casebooks import book, findings, row
from trial.edit_checks import Severity, find

UNITS = {"HGB": "g/L", "BLASTLE": "%", "BILI": "µmol/L", "BILDIR": "µmol/L", "CREAT": "µmol/L", "UREA": "mmol/L"}


def dose(start="2013-03-04T09:00", stop="2013-04-01T09:00", rate=9, cycle=1):
    return row("EX", started_at=start, ended_at=stop, dose_ug_per_day=rate, cycle=cycle)


def sample(form, moment, *, visit="LOG", comment=None, laboratory="LAB1", units=None, high=10, low=1, **results):
    """A sample of that day or moment. The normal range of every result is 1 to 10 of the unit as typed."""
    rows = {
        test: row(
            f"{form}.RESULT",
            test=test,
            value=Decimal(value[1:]) if isinstance(value, str) else value,
            value_text=str(value),
            unit_text=(units or UNITS).get(test, "U/L" if form == "LBC" else "10^9/L"),
            low=low,
            high=high,
        )
        for test, value in results.items()
    }
    taken_at = moment if "T" in moment else f"{moment}T08:00"
    return row(
        form, taken_at=taken_at, visit=visit, comment=comment, laboratory=laboratory, rows=list(rows.values()), **rows
    )


def lbh(moment="2013-03-10", **results):
    return sample("LBH", moment, **results)


def lbc(moment="2013-03-10", **results):
    return sample("LBC", moment, **results)


def ae(**answers):
    return row(
        "AE", **{"started": "2013-03-06", "ended": "2013-04-30", "grade": 2, "special_interest": ["NONE"]} | answers
    )


def sv(day, visit, **answers):
    return row("SV", visit=visit, visited_on=day, **answers)


def vs(day="2013-03-06", **answers):
    return row("VS", measured_at=f"{day}T08:00", **answers)


def neutropenia(*days, value=0):
    return [lbh(day, NEUT=value) for day in days]


CONSENT = row("ENR", consented_on="2013-03-01", is_enrolled=True)
WEEK_DAYS = ("2013-03-11", "2013-03-14", "2013-03-18")
WEEK = neutropenia(*WEEK_DAYS)

# The code, a casebook in which the check asks, one in which it is silent, and what the question must say.
EXAMPLES = [
    (
        "EC-060",
        [CONSENT, dose(), sv("2013-03-13", "C1D8")],
        [CONSENT, dose(), sv("2013-03-11", "C1D8")],
        "The visit on 13-Mar-2013 is 2 days outside of its window, 11-Mar-2013 to 11-Mar-2013",
    ),
    (
        "EC-061",
        [sv("2013-03-11", "C1D8"), sv("2013-03-11", "C1D15")],
        [sv("2013-03-11", "C1D8"), sv("2013-03-11", "UNS")],
        "The visit C1D8 has the same date, 11-Mar-2013",
    ),
    *(
        (
            "EC-062",
            [sample(form, "2013-03-21"), row("DTH", died_on="2013-03-20")],
            [sample(form, "2013-03-20"), row("DTH", died_on="2013-03-20")],
            "The sample of 21-Mar-2013 was taken after the death on 20-Mar-2013",
        )
        for form in ("LBH", "LBC", "LBO")
    ),
    (
        "EC-062",
        [row("BM", sampled_on="2013-03-21"), row("DTH", died_on="2013-03-20")],
        [row("BM", sampled_on="2013-03-20"), row("DTH", died_on="2013-03-20")],
        "after the death on 20-Mar-2013",
    ),
    *(
        (
            "EC-063",
            [sv("2013-03-11", "C1D8"), sample(form, "2013-03-15", visit="C1D8")],
            [sv("2013-03-11", "C1D8"), sample(form, "2013-03-14", visit="C1D8")],
            "The sample of 15-Mar-2013 is more than 3 days from its visit on 11-Mar-2013",
        )
        for form in ("LBH", "LBC", "LBO")
    ),
    (
        "EC-064",
        [lbh(WBC=10, NEUT=6, LYM=4, BLAST=1)],
        [lbh(WBC=10, NEUT=6, LYM=4)],
        "all cells counted (11), exceed the leukocytes (10)",
    ),
    ("EC-065", [lbh(HGB=11)], [lbh(HGB=25)], "looks like g/dL"),
    ("EC-066", [lbh(PLAT=1)], [lbh(PLAT=1, comment="No clots.")], "Platelets are near zero"),
    ("EC-067", [lbc(BILI=1)], [lbc(BILI=2)], "Bilirubin below 2"),
    ("EC-068", [lbc(CREAT=1)], [lbc(CREAT=5)], "Creatinine below 5"),
    ("EC-069", [lbc(BILDIR=8, BILI=7)], [lbc(BILDIR=7, BILI=7)], "Direct bilirubin 8 exceeds total bilirubin 7"),
    (
        "EC-070",
        [lbh("2013-03-10", HGB=100), lbh("2013-03-13", HGB=59)],
        [lbh("2013-03-10", HGB=100), lbh("2013-03-13", HGB=141), row("TRF", product="RBC", given_on="2013-03-12")],
        "Haemoglobin was 100 g/L on 10-Mar-2013 and is 59",
    ),
    (
        "EC-071",
        [lbh("2013-03-10", PLAT=20), lbh("2013-03-12", PLAT=121)],
        [lbh("2013-03-10", PLAT=121), lbh("2013-03-12", PLAT=20), lbh("2013-03-20", PLAT=500)],
        "Platelets were 20 on 10-Mar-2013 and are 121",
    ),
    (
        "EC-072",
        [dose(), *WEEK],
        [dose(), *WEEK, ae(special_interest=["CYTOPENIA"])],
        "Neutrophils were below 0.5 from 11-Mar-2013 to 18-Mar-2013",
    ),
    (
        "EC-073",
        [dose(), lbc(ALT=51, BILI=31)],
        [dose(), lbc(ALT=51, BILI=31), ae(coded_term="Hepatotoxicity")],
        "ALT, BILI asks for an interruption",
    ),
    (
        "EC-074",
        [lbc("2013-03-10", ALT=31), lbc("2013-03-13", BILI=21, ALP=19)],
        [lbc("2013-03-10", ALT=31), lbc("2013-03-13", BILI=21, ALP=20)],
        "possibly Hy's law",
    ),
    (
        "EC-075",
        [row("RS", response="BFHM", assessed_on="2013-03-09"), lbh("2013-03-10", BLASTLE=2)],
        [row("RS", response="BFHM", assessed_on="2013-03-10"), lbh("2013-03-10", BLASTLE=2)],
        "2 % blasts in blood after BFHM on 09-Mar-2013",
    ),
    *(
        (
            "EC-076",
            [sample(form, "2013-03-10", low=None, high=None, **{test: 5})],
            [sample(form, "2013-03-10", low=None, **{test: 5})],
            f"The laboratory LAB1 has no normal range of {test}",
        )
        for form, test in (("LBH", "NEUT"), ("LBC", "ALT"), ("LBO", "INR"))
    ),
    ("EC-077", [vs(systolic_mmhg=80, diastolic_mmhg=80)], [vs(systolic_mmhg=80, diastolic_mmhg=79)], "Diastolic 80"),
    (
        "EC-078",
        [dose(), vs("2013-03-18", temperature_c=38)],
        [dose(), vs("2013-03-19", temperature_c=38)],
        "38 °C within two weeks of a start or a step",
    ),
    (
        "EC-079",
        [vs(vasopressor="NONE", oxygen="FACEMASK"), ae(grade=2)],
        [vs(vasopressor="NONE", oxygen="FACEMASK"), ae(grade=3)],
        "oxygen FACEMASK, but no adverse event of grade 3",
    ),
    (
        "EC-080",
        [row("PS", assessed_on="2013-03-06", writing="UNABLE"), ae(key=5)],
        [row("PS", assessed_on="2013-03-06", writing="UNABLE"), ae(key=5), row("NEU", event_id=5)],
        "Writing is UNABLE and ICE nothing",
    ),
    ("EC-081", [row("PS", ecog=5)], [row("PS", ecog=5), row("DTH")], "ECOG 5 is death"),
    (
        "EC-082",
        [dose(), row("PS", assessed_on="2013-03-01", weight_kg=50), row("PS", assessed_on="2013-03-04", weight_kg=44)],
        [dose(), row("PS", assessed_on="2013-03-01", weight_kg=44), row("PS", assessed_on="2013-03-04", weight_kg=45)],
        "44 kg at the first dose",
    ),
    (
        "EC-083",
        [lbc("2013-03-10", UREA=21, units={"UREA": "mg/dL"}), lbc("2013-03-11", UREA=30, units={"UREA": "mg/dL"})],
        [lbc(UREA=20, units={"UREA": "mg/dL"}), lbc(UREA=30, units={"UREA": "mg/dL (BUN)"})],
        "Urea of 21 mg/dL from LAB1",
    ),
]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ((), "The site has ranges of no laboratory."),
        (("LAB-012", "LAB-013"), "The site has ranges of LAB-012, LAB-013."),
        (tuple("ABCDEF"), "The site has ranges of A, B, C, D, E and others."),
    ],
)
def test_a_missing_range_names_the_laboratories_that_have_ranges(names, said):
    (check,) = (each for each in CHECKS if (each.code, each.form) == ("EC-076", "LBH"))
    seen = replace(book(sample("LBH", "2013-03-10", low=None, high=None, NEUT=5)), laboratories=lambda: names)

    (found,) = find([check], seen)

    assert found.question.endswith(said)


def test_every_check_has_an_example():
    asked = {found.check for code, asks, _, _ in EXAMPLES for found in findings(CHECKS, code, *asks)}

    assert asked == set(CHECKS)


def test_every_number_of_the_specification_is_there():
    assert {int(check.code.removeprefix("EC-")) for check in CHECKS} == set(range(60, 84))


def test_a_sample_in_the_month_of_death_may_be_before_it():
    (found,) = findings(CHECKS, "EC-062", lbh("2013-03-20"), row("DTH", died_on="2013-03"))

    assert found.severity == Severity.WARNING


def test_a_visit_may_be_early_as_well():
    (found,) = findings(CHECKS, "EC-060", CONSENT, dose(), sv("2013-03-28", "C1EOC"))

    assert "1 days outside of its window, 29-Mar-2013" in found.question


@pytest.mark.parametrize(
    ("code", "records", "says"),
    [
        ("EC-064", [lbh(WBC=1, NEUT=2)], "Neutrophils 2"),
        ("EC-070", [lbh("2013-03-10", HGB=100), lbh("2013-03-13", HGB=141)], "100 g/L on 10-Mar-2013 and is 141"),
        ("EC-079", [vs(vasopressor="ONE VASOPRESSOR", oxygen="NONE")], "Vasopressor ONE VASOPRESSOR"),
        ("EC-079", [vs(vasopressor="ONE VASOPRESSOR")], "Vasopressor ONE VASOPRESSOR"),  # either of the two is enough
        ("EC-079", [vs(oxygen="FACEMASK")], "oxygen FACEMASK"),
        (
            "EC-080",
            [
                row(
                    "PS",
                    assessed_on="2013-03-06",
                    ice_orientation=4,
                    ice_naming=2,
                    ice_commands=1,
                    ice_writing=1,
                    ice_attention=1,
                )
            ],
            "ICE 9",
        ),
        ("EC-074", [lbc(AST=31, BILI=21, ALP=19)], "Hy's law"),
        ("EC-073", [dose(stop=None), lbc(AST=51)], "AST asks"),
        (
            "EC-073",
            [dose(stop="2013-03-10T20:00"), dose("2013-03-10T20:00", rate=28), lbc(AST=51)],
            "AST asks",
        ),  # the step makes no gap
        ("EC-072", [dose(), *neutropenia("2013-02-28", value=1), *WEEK], "from 11-Mar-2013"),
        ("EC-072", [dose(), *neutropenia(*WEEK_DAYS, value="<0.1")], "from 11-Mar-2013"),
        ("EC-073", [dose(), lbc(ALT=">50")], "ALT asks"),  # the limit is 5 times 10
        ("EC-074", [lbc(ALT=">30", BILI=">20", ALP="<20")], "Hy's law"),
        ("EC-075", [row("RS", response="CR", assessed_on="2013-03-09"), lbh(BLASTLE=">90")], ">90 % blasts"),
    ],
)
def test_the_other_ways_in_which_a_check_fails(code, records, says):
    (found,) = findings(CHECKS, code, *records)

    assert says in found.question


def test_an_episode_of_neutropenia_is_asked_about_once_and_anew_after_it_ended():
    later = neutropenia("2013-03-21", "2013-03-25", "2013-04-01")
    mild = neutropenia("2013-03-19", value=Decimal("0.8"))  # grade 3 is above the baseline: the same episode
    normal = neutropenia("2013-03-19", value=5)

    once = findings(CHECKS, "EC-072", dose(), *WEEK, *later)
    same = findings(CHECKS, "EC-072", dose(), *WEEK, *mild, *later)
    anew = findings(CHECKS, "EC-072", dose(), *WEEK, *normal, *later)

    assert [len(once), len(same), len(anew)] == [1, 1, 2]


@pytest.mark.parametrize(
    ("code", "records"),
    [
        ("EC-060", [dose(), sv("2013-03-13", "C1D8")]),  # no consent
        ("EC-060", [row("ENR"), dose(), sv("2013-03-13", "C1D8")]),
        ("EC-060", [CONSENT, dose(), sv("2013-03-13", "C1D8", is_missed=True)]),
        ("EC-060", [CONSENT, dose(), sv("2013-03-13", "UNS")]),
        ("EC-061", [sv("2013-03-11", "C1D8"), sv("2013-03-12", "C1D15")]),
        ("EC-062", [lbh("2013-03-21")]),
        ("EC-063", [sv("2013-03-11", "C1D8"), lbh("2013-03-30", visit="C1D15")]),
        ("EC-065", [lbh(HGB=11, units={"HGB": "g/dL"})]),
        ("EC-066", [lbh(PLAT=2)]),
        ("EC-067", [lbc(BILI=1, high=1)]),
        ("EC-067", [lbc(BILI=1, high=None)]),
        ("EC-069", [lbc(BILDIR=8)]),
        ("EC-070", [lbh("2013-03-10", HGB=100), lbh("2013-03-13", PLAT=100)]),
        ("EC-070", [lbh("2013-03-10", PLAT=100), lbh("2013-03-13", HGB=100)]),
        ("EC-072", WEEK),  # not treated
        ("EC-072", [dose(), *neutropenia("2013-02-28"), *WEEK]),  # grade 4 before
        ("EC-072", [dose(), *neutropenia("2013-03-11", "2013-03-14", "2013-03-17")]),  # less than a week
        ("EC-072", [dose(), *neutropenia("2013-03-11", "2013-03-18"), lbh("2013-03-20", PLAT=9)]),  # two samples
        ("EC-072", [dose(), *WEEK[:2], lbh("2013-03-18", NEUT=0, comment="Not clinically significant.")]),
        ("EC-073", [lbc(ALT=51)]),
        ("EC-073", [dose(stop="2013-03-11T07:00"), lbc(ALT=51)]),
        ("EC-073", [dose("2013-03-10T09:00"), lbc(ALT=51)]),
        ("EC-073", [dose(), lbc(ALT=51, high=None)]),
        ("EC-073", [dose(), lbc(ALT=51, units={"ALT": "kat/L"})]),
        ("EC-074", [lbc(ALT=31, BILI=21)]),  # no phosphatase
        ("EC-074", [lbc("2013-03-10", ALT=31, ALP=9), lbc("2013-03-14", BILI=21)]),
        ("EC-074", [lbc(ALT=31, ALP=9)]),
        ("EC-075", [row("RS", response="CR", assessed_on="2013-03-09"), lbh(BLASTLE=2), row("REL")]),
        ("EC-075", [row("RS", response="CR", assessed_on="2013-03-09"), lbh(BLASTLE=0)]),
        ("EC-076", [lbh(BLAST=1, low=None, high=None)]),  # has no grades
        ("EC-076", [row("LBC", laboratory="LAB1", rows=[row("LBC.RESULT", test="ALT", missing={"value_text": "ND"})])]),
        ("EC-078", [vs(temperature_c=38)]),
        ("EC-078", [dose(), vs(temperature_c=Decimal("37.9"))]),
        ("EC-078", [dose(), vs(temperature_c=39), ae(special_interest=["CRS"])]),
        ("EC-078", [dose(), vs(temperature_c=39), ae(special_interest=["INFECTION"])]),
        ("EC-078", [dose(), vs(temperature_c=39), ae(coded_term="Pyrexia")]),
        ("EC-079", [vs(vasopressor="NONE", oxygen="LOW-FLOW NC <=6 L/min OR BLOW-BY")]),
        ("EC-079", [vs(vasopressor="NONE")]),
        ("EC-079", [vs(oxygen="NONE")]),
        ("EC-080", [row("PS", assessed_on="2013-03-06", writing="UNCHANGED", ice_naming=1)]),
        ("EC-082", [row("PS", assessed_on="2013-03-01", weight_kg=44)]),
        ("EC-082", [dose(), row("PS", assessed_on="2013-03-05", weight_kg=44)]),
        ("EC-082", [dose(rate=15), row("PS", assessed_on="2013-03-01", weight_kg=44)]),
        ("EC-083", [row("LBC", taken_at="2013-03-10T08:00", laboratory="LAB1")]),
        ("EC-083", [lbc(UREA="<21", units={"UREA": "mg/dL"})]),
        # beyond what can be measured, and not for sure what is asked about
        ("EC-064", [lbh(WBC="<0.1", NEUT="<0.5")]),
        ("EC-066", [lbh(PLAT="<10")]),
        ("EC-069", [lbc(BILDIR="<3", BILI=2)]),
        ("EC-070", [lbh("2013-03-10", HGB=100), lbh("2013-03-13", HGB="<30")]),
        ("EC-072", [dose(), *neutropenia(*WEEK_DAYS, value="<0.6")]),
        ("EC-073", [dose(), lbc(ALT=">49")]),
        ("EC-074", [lbc(ALT=">30", BILI=">20", ALP="<21")]),
        ("EC-075", [row("RS", response="CR", assessed_on="2013-03-09"), lbh(BLASTLE="<5")]),
    ],
)
def test_what_a_check_says_nothing_of(code, records):
    assert findings(CHECKS, code, *records) == []


def test_a_later_check_sees_that_an_infusion_has_a_gap():
    gap = [dose(stop="2013-03-10T12:00"), dose("2013-03-10T14:00")]

    assert findings(CHECKS, "EC-073", *gap, lbc(ALT=51)) == []


def test_the_course_of_the_schedule_is_read_from_the_casebook():
    course = course_of(
        book(
            CONSENT,
            dose(),
            dose("2013-04-15T09:00", "2013-05-01T09:00", cycle=2),
            row("EOT"),
            row("NSCT", transplanted_on="2013-06-01"),
            row("REL", relapsed_on="2013-07"),
            row("DTH", died_on="2013-08"),
            row("EOS", ended_on="2013-08-31"),
            row("DEX", purpose="PRE-PHASE"),
        )
    )

    assert course.cycles == {1: date(2013, 3, 4), 2: date(2013, 4, 15)}
    assert (course.last_dose_on, course.has_ended_treatment, course.uses_pre_phase) == (date(2013, 5, 1), True, True)
    assert (course.transplanted_on, course.allografted_on) == (date(2013, 6, 1), date(2013, 6, 1))
    assert (course.relapsed_on, course.died_on, course.left_on) == (
        date(2013, 7, 1),
        date(2013, 8, 31),
        date(2013, 8, 31),
    )
