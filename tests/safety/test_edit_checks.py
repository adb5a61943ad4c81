"""Every check on safety with a casebook in which it asks, and one in which it is silent."""

import pytest

from patients.anchors import starts_and_steps
from safety.edit_checks import CHECKS
from tests.casebooks import book, findings, row
from trial.edit_checks import Severity


def ae(**answers):
    """Fever of grade 2, which began and ended during treatment."""
    usual = {"number": 1, "term": "Fever", "coded_term": "Pyrexia", "started": "2013-03-06", "ended": "2013-03-08"}
    usual |= {"is_ongoing": False, "grade": 2, "is_serious": False, "relation": "NOT RELATED"}
    usual |= {"outcome": "RECOVERED/RESOLVED", "special_interest": ["NONE"]}
    return row("AE", key=answers.pop("key", 1), **usual | answers)


def dose(start="2013-03-04T09:00", stop="2013-04-01T09:00", rate=9):
    return row("EX", started_at=start, ended_at=stop, dose_ug_per_day=rate, cycle=1)


def death(day="2013-03-20", **answers):
    return row("DTH", died_on=day, **{"primary_cause": "ADVERSE EVENT – OTHER"} | answers)


def crs(**answers):
    usual = {"event_id": 1, "vasopressor": "NONE", "oxygen": "NONE", "temperature_c": 39, "fever_is_masked": False}
    return row("CRS", **usual | {"had_hypotension": False, "stopped_infusion": False} | answers)


def neu(**answers):
    return row("NEU", **{"event_id": 1, "signs": ["HEADACHE"], "seizure": "NONE", "stopped_infusion": False} | answers)


def gva(**answers):
    usual = {"event_id": 1, "assessed_on": "2013-03-20", "has_signs": True, "rash_percent": 10, "has_bullae": False}
    usual |= {"bilirubin_umol_per_l": 10, "stool_ml_per_day": 100, "treatments": ["TOPICAL"], "led_to_hospital": False}
    return row("GVA", **usual | answers)


def graded(test, value, grade):
    return {test: row("LBC.RESULT" if test == "ALT" else "LBH.RESULT", test=test, value=value, grade=grade)}


def sample(form, day, **results):
    return row(form, taken_at=f"{day}T08:00", **results)


def counts(*grades):
    """Blood counts a day apart, from before the first dose on, with these grades of the platelets."""
    days = ["2013-03-01", *(f"2013-03-{day}" for day in range(11, 16))]
    return [
        sample("LBH", day, **graded("PLAT", 20, grade)) for day, grade in zip(days[: len(grades)], grades, strict=True)
    ]


# The code, a casebook in which the check asks, one in which it is silent, and what the question must say.
EXAMPLES = [
    ("EC-140", [ae(ended="2013-03-05")], [ae()], "ends on 05-Mar-2013, before its onset on 06-Mar-2013"),
    ("EC-141", [ae(is_ongoing=True)], [ae()], "outcome is RECOVERED/RESOLVED"),
    ("EC-142", [ae(ended=None)], [ae()], "Enter the day on which it ended"),
    ("EC-143", [ae(grade=5)], [ae(grade=5, outcome="FATAL")], "Grade 5 and outcome RECOVERED/RESOLVED"),
    ("EC-144", [ae(grade=5, outcome="FATAL")], [ae(grade=5, outcome="FATAL"), death()], "Fill in the death form"),
    ("EC-145", [ae(grade=4), death(event_number=1)], [ae(grade=5), death(event_number=1)], "its grade is 4"),
    ("EC-146", [dose(), death()], [dose(), death(), ae(grade=5)], "died on 20-Mar-2013, during treatment"),
    (
        "EC-147",
        [ae(outcome="FATAL", ended="2013-03-19"), death()],
        [ae(outcome="FATAL", ended="2013-03-20"), death()],
        "ended on 19-Mar-2013, but the patient died on 20-Mar-2013",
    ),
    ("EC-148", [ae(is_serious=True)], [ae(is_serious=True, led_to_hospital=True)], "by which criterion"),
    ("EC-149", [ae(is_fatal=True)], [ae(is_fatal=True, outcome="FATAL")], "because of death"),
    ("EC-150", [ae(grade=4)], [ae(grade=4, is_serious=True)], "grade 4 event that is not serious"),
    (
        "EC-151",
        [ae(led_to_hospital=True), row("HO", admitted_on="2013-05-01", reason="AE")],
        [ae(led_to_hospital=True), row("HO", admitted_on="2013-03", reason="AE")],
        "Enter the stay",
    ),
    (
        "EC-152",
        [ae(), row("HO", reason="AE", event_id=1)],
        [ae(is_serious=True), row("HO", reason="AE", event_id=1)],
        "not serious",
    ),
    ("EC-153", [ae(is_serious=True)], [ae(is_serious=True), row("SAE", event_id=1)], "report is missing"),
    (
        "EC-154",
        [row("SAE", aware_at="2013-03-06T09:00", reported_at="2013-03-07T10:00")],
        [row("SAE", aware_at="2013-03-06T09:00", reported_at="2013-03-07T09:00")],
        "told 25 hours after",
    ),
    (
        "EC-155",
        [ae(rows=[row("AE.GRADE", grade=3)])],
        [ae(rows=[row("AE.GRADE", grade=2), row("AE.GRADE", grade=1)])],
        "grade history goes to 3",
    ),
    ("EC-156", [ae(grade_at_onset=3)], [ae(grade_at_onset=2)], "grade at onset, 3, is above the highest grade, 2"),
    (
        "EC-157",
        [ae(coded_term="Sepsis", grade=3)],
        [ae(coded_term="Sepsis", grade=4)],
        "no grade 3 for Sepsis. It has 4, 5",
    ),
    (
        "EC-158",
        [ae(), ae(key=2, number=2, started="2013-03-09")],
        [ae(), ae(key=2, number=2, started="2013-03-10")],
        "Event 1 is the same term",
    ),
    ("EC-159", [ae(started="2013-03", is_serious=True)], [ae(started="2013-03")], "The onset is UN-Mar-2013"),
    ("EC-160", [dose(), ae(started="2013-05-02")], [dose(), ae(started="2013-05-01")], "more than 30 days after"),
    (
        "EC-161",
        [dose(), ae(started="2013-03-03", relation="RELATED")],
        [dose(), ae(started="2013-03-04", relation="RELATED")],
        "before the first dose",
    ),
    (
        "EC-162",
        [ae(special_interest=["CRS", "INFECTION"]), crs()],
        [ae(special_interest=["CRS"]), crs()],
        "Fill in its form: INF",
    ),
    (
        "EC-164",
        [ae(grade=3), crs(vasopressor="ONE VASOPRESSOR")],
        [ae(grade=4), crs(vasopressor="ONE VASOPRESSOR")],
        "grade 4 in CTCAE",
    ),
    ("EC-165", [crs(temperature_c=37)], [crs(temperature_c=37, had_hypotension=True)], "No fever (37 °C)"),
    ("EC-166", [ae(grade=3), crs()], [ae(grade=3), crs(stopped_infusion=True)], "interruption of the infusion"),
    (
        "EC-167",
        [dose(), ae(started="2013-03-19"), crs()],
        [dose(), ae(started="2013-03-18"), crs()],
        "began 15 days after",
    ),
    ("EC-169", [neu(signs=["SEIZURE"])], [neu()], "answer on seizures (NONE) do not agree"),
    ("EC-170", [dose(), ae(grade=3), neu()], [dose(), ae(grade=3), neu(stopped_infusion=True)], "during the infusion"),
    (
        "EC-171",
        [neu(imaging_result="CNS LEUKEMIA")],
        [neu(imaging_result="CNS LEUKEMIA"), row("REL", site="CNS")],
        "Enter it as extramedullary disease or relapse",
    ),
    (
        "EC-172",
        [ae(special_interest=["GVHD ACUTE"])],
        [ae(special_interest=["GVHD ACUTE"]), row("HSCT", kind="ALLOGENEIC")],
        "no allogeneic transplantation is recorded before 06-Mar-2013",
    ),
    (
        "EC-173",
        [gva(transplant_concerned="POST-STUDY HSCT"), row("NSCT", transplanted_on="2013-05-01")],
        [gva(transplant_concerned="POST-STUDY HSCT"), row("NSCT", transplanted_on="2013-03-01")],
        "before the transplantation it concerns, on 01-May-2013",
    ),
    (
        "EC-174",
        [gva(led_to_hospital=True)],
        [gva(led_to_hospital=True), row("HO", reason="GVHD")],
        "with the reason GVHD",
    ),
    (
        "EC-175",
        [gva(bilirubin_umol_per_l=60), sample("LBC", "2013-03-20", BILI=row("LBC.RESULT", test="BILI", value=50))],
        [gva(bilirubin_umol_per_l=55), sample("LBC", "2013-03-20", BILI=row("LBC.RESULT", test="BILI", value=50))],
        "the laboratory found 50 that day",
    ),
    ("EC-176", [gva(stool_ml_per_day=None)], [gva(stool_ml_per_day=None, stool_episodes=1)], "number of episodes"),
    ("EC-177", [gva(rash_percent=60, treatments=["NONE"])], [gva(treatments=["NONE"])], "MAGIC grade II"),
    (
        "EC-178",
        [row("GVC", mouth_score=1, is_diagnostic=False, has_overlap=False)],
        [row("GVC", mouth_score=1, is_diagnostic=True, has_overlap=False)],
        "needs a diagnostic sign",
    ),
    (
        "EC-179",
        [dose(), ae(special_interest=["GVHD ACUTE"], started="2013-04-20"), row("NSCT", transplanted_on="2013-04-10")],
        [dose(), ae(special_interest=["GVHD ACUTE"], started="2013-04-05"), row("NSCT", transplanted_on="2013-04-10")],
        "after the transplantation of 10-Apr-2013",
    ),
    (
        "EC-180",
        [row("INF", pathogen="BACTERIAL", documentation="SUSPECTED", organism="E. coli")],
        [row("INF", pathogen="BACTERIAL", documentation="MICROBIOLOGICAL", organism="E. coli")],
        "E. coli is named",
    ),
    (
        "EC-181",
        [ae(coded_term="Pneumonia"), row("INF", event_id=1, had_iv_treatment=True)],
        [ae(coded_term="Pneumonia", grade=3), row("INF", event_id=1, had_iv_treatment=True)],
        "suggests grade 3",
    ),
    (
        "EC-182",
        [
            row("VS", measured_at="2013-03-20T08:00", temperature_c=39),
            sample("LBH", "2013-03-20", NEUT=row("LBH.RESULT", value=0)),
        ],
        [
            row("VS", measured_at="2013-03-20T08:00", temperature_c=39),
            sample("LBH", "2013-03-20", NEUT=row("LBH.RESULT", value=1)),
        ],
        "39 °C with neutrophils 0",
    ),
    (
        "EC-183",
        [ae(grade=5, special_interest=["INFECTION"]), death()],
        [ae(grade=5, special_interest=["INFECTION"]), death(primary_cause="ADVERSE EVENT – INFECTION")],
        "The fatal event is an infection (Fever)",
    ),
    (
        "EC-184",
        [dose(), ae(ended=None), row("NTX", started_on="2013-05-02")],
        [dose(), ae(), row("NTX", started_on="2013-05-02")],
        "the therapy that began on 02-May-2013",
    ),
    ("EC-185", [dose(), *counts(0, 3, 3)], [dose(), *counts(0, 3, 0, 3)], "PLAT is grade 3 for the second time"),
    (
        "EC-186",
        [ae(), crs(resolved="2013-03-05")],
        [ae(), crs(resolved="2013-03-06")],
        "before the onset of its event on 06-Mar-2013",
    ),
]


def test_every_check_has_an_example():
    assert {check.code for check in CHECKS} == {code for code, *_ in EXAMPLES}


def test_every_number_of_the_specification_is_there_but_those_that_are_no_checks():
    numbers = {int(check.code.removeprefix("EC-")) for check in CHECKS}

    assert numbers == set(range(140, 187)) - {163, 168}


@pytest.mark.parametrize(
    ("code", "records"),
    [
        ("EC-147", [ae(outcome="FATAL", ended="2013-03"), death()]),
        ("EC-146", [dose(), death("2013-05")]),
        ("EC-160", [dose(), ae(started="2013-05", ended=None)]),
        ("EC-161", [dose(), ae(started="2013-03", relation="RELATED")]),
        ("EC-186", [ae(started="2013-03", ended=None), crs(resolved="2013-03-05")]),
    ],
)
def test_where_the_order_cannot_be_told_the_question_is_a_warning(code, records):
    (found,) = findings(CHECKS, code, *records)

    assert found.severity == Severity.WARNING
    assert found.question.startswith("The dates are known in part")


def test_an_episode_of_a_result_is_asked_about_once_and_anew_after_it_ended():
    once = findings(CHECKS, "EC-185", dose(), *counts(0, 3, 4, 3))
    known = findings(CHECKS, "EC-185", dose(), *counts(0, 3, 3), ae(coded_term="Thrombocytopenia", grade=2, ended=None))
    mild = findings(CHECKS, "EC-185", dose(), *counts(0, 4, 4), ae(coded_term="Thrombocytopenia", grade=2, ended=None))
    high_before = findings(CHECKS, "EC-185", dose(), *counts(3, 3, 3))

    assert len(once) == 1
    assert known == []
    assert len(mild) == 1
    assert high_before == []


def test_only_results_in_a_row_make_an_episode():
    """Grades 3, 1, 1, 3 over a baseline of 0: the episode goes on, and no two in a row are of grade 3."""
    assert findings(CHECKS, "EC-185", dose(), *counts(0, 3, 1, 1, 3)) == []
    assert len(findings(CHECKS, "EC-185", dose(), *counts(0, 3, 1, 3, 3))) == 1
    assert len(findings(CHECKS, "EC-185", dose(), *counts(0, 3, 3, 1, 3, 3))) == 1  # the same episode
    assert len(findings(CHECKS, "EC-185", dose(), *counts(0, 3, 3, 0, 3, 3))) == 2


@pytest.mark.parametrize("support", [{"vasopressor": "ONE VASOPRESSOR"}, {"oxygen": "CPAP/BIPAP"}])
def test_either_support_is_enough_to_ask_for_grade_4(support):
    blank = {"vasopressor": None, "oxygen": None}

    assert len(findings(CHECKS, "EC-164", ae(grade=3), crs(**blank | support))) == 1
    assert findings(CHECKS, "EC-164", ae(grade=3), crs(**blank)) == []


def test_rows_of_one_event_are_found_in_whichever_order_they_were_entered():
    first, second = ("2013-03-01", "2013-03-04"), ("2013-03-05", "2013-03-08")

    for early, late in [(1, 2), (2, 1)]:
        rows = [
            ae(key=key, number=key, started=begins, ended=ends)
            for key, (begins, ends) in zip((early, late), (first, second), strict=True)
        ]
        (found,) = findings(CHECKS, "EC-158", *rows)
        assert found.record.key == 2
    assert findings(CHECKS, "EC-158", ae(started="2013-03-10"), ae(key=2, started=first[0], ended=first[1])) == []


@pytest.mark.parametrize("transplant", [[], [row("NSCT", transplanted_on="2013-09-02")]])
def test_a_late_infection_is_outside_the_window_unless_it_is_after_a_transplantation(transplant):
    infection = ae(started="2013-09-01", special_interest=["INFECTION"], ended=None)

    assert len(findings(CHECKS, "EC-160", dose(), infection, *transplant)) == 1


def test_a_stay_for_gvhd_whose_event_denies_it_is_asked_about_on_the_stay():
    (found,) = findings(CHECKS, "EC-174", ae(led_to_hospital=False), row("HO", reason="GVHD", event_id=1))

    assert (found.check.form, found.record.form) == ("HO", "HO")


def test_gvhd_after_a_later_transplant_alone_needs_no_earlier_one():
    event = ae(special_interest=["GVHD ACUTE"], started="2013-06-10")
    in_part = ae(special_interest=["GVHD ACUTE"], started="2013-05", ended=None)
    later = row("NSCT", transplanted_on="2013-05-10")

    assert findings(CHECKS, "EC-172", event, later) == []
    assert findings(CHECKS, "EC-172", in_part, later)[0].severity == Severity.WARNING
    assert findings(CHECKS, "EC-172", ae(), later) == []


def test_a_gvhd_that_the_comment_explains_is_not_asked_about():
    assert findings(CHECKS, "EC-177", gva(rash_percent=60, treatments=["NONE"], comment="Palliative.")) == []


@pytest.mark.parametrize(
    ("code", "records"),
    [
        ("EC-146", [death()]),  # never treated
        ("EC-146", [dose(), death(primary_cause="ALL / DISEASE PROGRESSION")]),
        ("EC-147", [ae(outcome="FATAL")]),  # no death form yet
        ("EC-158", [ae(), ae(key=2, coded_term="Chills"), ae(key=3, started=None), ae(key=4, coded_term="Nausea")]),
        ("EC-158", [ae(ended=None, started=None), ae(key=2)]),
        ("EC-160", [ae(started="2013-09-01")]),
        ("EC-160", [dose(), ae(started="2013-09-01", relation="RELATED")]),
        ("EC-160", [dose(), row("HSCT"), ae(started="2013-09-01", special_interest=["INFECTION"])]),
        (
            "EC-160",
            [
                dose(),
                row("NSCT", transplanted_on="2013-08-31"),
                ae(started="2013-09-01", special_interest=["GVHD ACUTE"]),
            ],
        ),
        ("EC-161", [ae(relation="RELATED")]),
        ("EC-161", [dose(), ae()]),
        ("EC-167", [dose(), ae(started=None), crs()]),
        ("EC-167", [dose(), ae(started="2013-03-01"), crs()]),  # before any dose
        ("EC-167", [ae(key=9), crs()]),  # its event is not there
        ("EC-170", [ae(grade=3), neu()]),
        ("EC-173", [gva(), row("NSCT", transplanted_on="2013-05-01")]),
        ("EC-173", [gva(transplant_concerned="POST-STUDY HSCT")]),
        ("EC-179", [dose(), ae(special_interest=["GVHD ACUTE"], started="2013-04-05")]),
        ("EC-179", [ae(special_interest=["GVHD ACUTE"])]),
        ("EC-179", [dose(), ae()]),
        ("EC-182", [row("VS", measured_at="2013-03-20T08:00", temperature_c=38)]),
        ("EC-184", [ae(), row("NTX", started_on="2013-03-07")]),
        ("EC-185", [dose(), sample("LBH", "2013-03-11"), *counts(0, 2)]),
        ("EC-185", [*counts(0, 3, 3)]),  # never treated: all of it is baseline
        ("EC-186", [ae(started=None), crs(resolved="2013-03-05")]),
    ],
)
def test_what_a_check_says_nothing_of(code, records):
    assert findings(CHECKS, code, *records) == []


def test_a_step_follows_without_a_gap_and_a_restart_after_one():
    first = dose("2013-03-04T09:00", "2013-03-11T09:00")
    step = dose("2013-03-11T09:00", "2013-04-01T09:00", rate=28)
    bag = dose("2013-04-01T09:00", "2013-04-08T09:00", rate=28)
    restart = dose("2013-04-10T09:00", "2013-04-20T09:00", rate=28)

    found = [record for _, record in starts_and_steps(book(restart, bag, step, first))]

    assert found == [first, step, restart]
