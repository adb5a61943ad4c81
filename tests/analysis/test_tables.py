"""Tables and listings on eight patients, checked by eye: values, words, and who is behind each number."""

from dataclasses import replace

import pytest

from analysis.estimate import Estimate
from analysis.results import Result, Row, Table
from analysis.tables import baseline, flow, reproduced, response, safety, survival, treatment
from analysis.tables.cells import estimate_text
from analysis.tables.groups import ALL, NAIVE, PRIOR
from tests.example_datasets import empty_analysis, example_analysis


def cells(table: Table, *labels: str) -> list[Result]:
    """The cells of the row with this label, below the rows with the labels before it."""
    rows = iter(table.rows)
    found: Row | None = None
    for label in labels:
        found = next(row for row in rows if row.label == label)
    assert found is not None
    return [cell for cell in found.cells if cell is not None]


def texts(table: Table, *labels: str) -> list[str]:
    return [cell.text for cell in cells(table, *labels)]


# Columns


def test_the_chosen_cohort_is_the_first_column():
    headings = [[group.heading for group in example_analysis(cohort).groups] for cohort in (PRIOR, NAIVE, ALL)]

    assert headings == [
        ["Prior alloHSCT (N=4)", "No prior alloHSCT (N=2)", "All treated (N=7)"],
        ["No prior alloHSCT (N=2)", "Prior alloHSCT (N=4)", "All treated (N=7)"],
        ["All treated (N=7)", "Prior alloHSCT (N=4)", "No prior alloHSCT (N=2)"],
    ]


def test_who_was_not_treated_is_in_no_column():
    assert all("S8" not in group.patients for group in example_analysis().groups)


# Response


def test_a_count_knows_its_patients_and_its_unrounded_percentage():
    cohort, _, everybody = cells(response.remission(example_analysis()), "CR/CRh")

    assert (cohort.n, cohort.N, cohort.value, cohort.text) == (2, 4, 50.0, "2/4 (50.0 %)")
    assert cohort.patients == ("P1", "P2")
    assert everybody.value == pytest.approx(300 / 7)


@pytest.mark.reference
def test_the_interval_of_one_of_four_is_that_of_the_tables():
    # Clopper and Pearson 1934, n = 4, x = 1, 95 %: 0.0063 to 0.8059.
    interval = cells(response.remission(example_analysis()), "CR", "95 % CI")[0]

    assert (interval.lower, interval.upper) == (pytest.approx(0.63, abs=0.005), pytest.approx(80.59, abs=0.005))
    assert interval.text == "0.6–80.6"


def test_a_patient_without_an_assessment_is_no_responder_but_counts():
    assert texts(response.best_response(example_analysis()), "Not evaluable")[0] == "1/4 (25.0 %)"


def test_cri_is_a_row_where_the_study_uses_it():
    without, with_it = (response.best_response(example_analysis(uses_cri=uses)) for uses in (False, True))

    assert "CRi" not in [row.label for row in without.rows]
    assert "CRi" in [row.label for row in with_it.rows]


def test_mrd_is_counted_of_all_responders_of_the_evaluable_and_by_response():
    table = response.residual_disease(example_analysis())

    assert table.columns == (
        "Prior alloHSCT, responders (N=2)",
        "No prior alloHSCT, responders (N=1)",
        "All treated, responders (N=3)",
    )
    assert texts(table, "Of all responders", "MRD response (below 1e-4)")[2] == "2/3 (66.7 %)"
    assert texts(table, "Of the evaluable responders", "MRD response (below 1e-4)")[2] == "2/2 (100.0 %)"
    assert texts(table, "Of the responders with CR", "Complete MRD response")[2] == "1/2 (50.0 %)"
    assert texts(table, "Not evaluable")[2] == "1/3 (33.3 %)"


def test_mrd_response_is_shown_by_the_methods_of_the_sample_that_showed_it():
    rows = response.residual_disease(example_analysis()).rows
    by_method = {row.cells[2].level: row.cells[2].patients for row in rows[-2:] if row.cells[2] is not None}

    assert by_method == {"FLOW; PCR IG/TR": ("P2",), "PCR IG/TR": ("P1",)}


# Time to event


def test_the_median_is_in_the_middle_of_a_stretch_at_one_half():
    median = cells(survival.overall(example_analysis()), "Median (months), 95 % CI")[0]

    assert median.value == pytest.approx(25 / 30.4375)
    assert (median.unit, median.n, median.N) == ("months", 4, 4)


def test_deaths_and_censored_patients_are_all_patients():
    table = survival.overall(example_analysis())

    assert cells(table, "Deaths")[0].patients == ("P1", "P2", "P3")
    assert cells(table, "Censored")[0].patients == ("P4",)


def test_a_landmark_beyond_the_last_observation_is_not_estimable():
    six_months = cells(survival.overall(example_analysis()), "Without event at 6 months, 95 % CI")

    assert (six_months[0].text, six_months[0].value) == ("NE", None)
    assert six_months[1].value == 50.0  # P6 died on day 50, P5 lives


def test_relapse_and_death_without_relapse_are_told_apart():
    table = survival.relapse_free(example_analysis())

    assert [cell.patients for cell in cells(table, "Relapse")] == [("P1",), (), ("P1",)]
    assert [cell.patients for cell in cells(table, "Death without relapse")] == [("P2",), (), ("P2",)]
    assert texts(table, "Median follow-up (months), 95 % CI")[1] == "9.9 (NE, NE)"  # 300 days, one patient


def test_follow_up_counts_who_is_alive():
    table = survival.data_status(example_analysis())

    assert texts(table, "Alive at the last contact") == ["1/4 (25.0 %)", "1/2 (50.0 %)", "3/7 (42.9 %)"]
    assert texts(table, "Shortest to longest time (months)")[0] == "0.3–1.3"
    assert texts(table, "Observed follow-up of the alive (months)", "Median")[2] == "2.0"  # 40, 60 and 400 days


def test_a_curve_has_a_row_for_each_step_with_the_patients_who_leave():
    cohort, everybody = survival.drawn(example_analysis(), "OS")
    rows = survival.steps_table(cohort).rows

    assert everybody.group.name == "All treated"
    assert [row.label for row in rows] == ["0.3", "0.7", "1.0", "1.3"]
    assert next(row.cells[3].text for row in rows if row.cells[3]).startswith("75.0 % (")
    assert [row.cells[3].patients for row in rows if row.cells[3]] == [("P1",), ("P2",), ("P3",), ("P4",)]


def test_where_everybody_or_nobody_is_left_there_is_no_interval():
    last = survival.steps_table(survival.drawn(example_analysis(NAIVE), "RFS")[0]).rows[-1].cells[3]

    assert last is not None
    assert (last.value, last.lower, last.upper, last.text) == (100.0, None, None, "100.0 % (NE, NE)")


def test_all_treated_is_drawn_once_when_it_is_the_cohort():
    assert [one.group.name for one in survival.drawn(example_analysis(ALL), "OS")] == ["All treated"]


def test_numbers_at_risk_are_the_patients_whose_time_is_at_least_that_long():
    start = cells(survival.at_risk_table(survival.drawn(example_analysis(), "OS")), "0 months")
    month_12 = cells(survival.at_risk_table(survival.drawn(example_analysis(), "OS")), "12 months")

    assert (start[0].text, start[1].text) == ("4", "100.0 % (NE, NE)")
    assert (month_12[0].text, month_12[2].text, month_12[2].patients) == ("0", "1", ("P5",))


# Baseline and treatment


def test_ages_are_summarised_and_grouped():
    table = baseline.demographics(example_analysis())

    assert texts(table, "Age (years)", "Median")[0] == "35.0"
    assert texts(table, "Age (years)", "Min–max")[0] == "20–70"
    assert texts(table, "Age group", "Not known")[0] == "3/4 (75.0 %)"


def test_somebody_under_age_is_not_lost_and_otherwise_there_is_no_such_row():
    analysis = example_analysis()
    labels = [row.label for row in baseline.demographics(analysis).rows]
    analysis.datasets.adsl.loc[1, "AGEGR1"] = "<18"

    assert "Under 18" not in labels
    assert cells(baseline.demographics(replace(analysis)), "Age group", "Under 18")[0].patients == ("P2",)


def test_several_races_are_a_row_of_their_own_and_not_reported_is_not_known():
    table = baseline.demographics(example_analysis())

    assert cells(table, "Race", "Asian and White")[0].patients == ("P1",)
    assert cells(table, "Race", "White")[0].patients == ("P2",)
    assert cells(table, "Race", "Not known")[0].patients == ("P3", "P4")


def test_percentages_of_the_transplant_history_are_of_known_values():
    table = baseline.transplants(example_analysis())

    assert texts(table, "Conditioning", "Myeloablative") == ["1/2 (50.0 %)"]
    assert texts(table, "Conditioning", "Not known") == ["2/4 (50.0 %)"]
    assert texts(table, "2 or more") == ["1/4 (25.0 %)"]


def test_prophylaxis_of_several_kinds_counts_in_each():
    table = baseline.transplants(example_analysis())

    assert texts(table, "GVHD prophylaxis (several may apply)", "Antithymocyte globulin") == ["2/2 (100.0 %)"]


def test_intervals_are_summarised_and_put_in_classes_of_known_values():
    table = baseline.intervals(example_analysis())
    first = "Last alloHSCT to relapse (months)"

    assert texts(table, first, "n (missing)") == ["3 (1)"]
    assert [texts(table, first, label) for label, *_ in baseline.INTERVALS] == [["1/3 (33.3 %)"]] * 3


def test_exposure_is_shown_over_all_cycles_and_by_cycle_of_those_who_began_it():
    table = treatment.exposure(example_analysis())

    assert texts(table, "Relative dose intensity (%)", "Median")[0] == "55.0"
    assert texts(table, "Two or more") == ["0/4 (0.0 %)", "1/2 (50.0 %)", "1/7 (14.3 %)"]
    assert texts(table, "Cycle 1", "Completed, of those who began")[0] == "1/2 (50.0 %)"
    assert texts(table, "Cycle 2", "Began")[0] == "1/4 (25.0 %)"
    assert texts(table, "Cycle 2", "Dose (µg)", "Mean (SD)")[0] == "784.0 (NE)"


# Safety


def test_each_patient_counts_once_with_the_worst_emergent_grade():
    table = safety.worst_grade(example_analysis())

    assert [texts(table, label)[0] for label in ("No event", "Grade 2", "Grade 3", "Grade 5")] == [
        "1/4 (25.0 %)",  # P4: the event was over before the first dose
        "1/4 (25.0 %)",
        "1/4 (25.0 %)",
        "1/4 (25.0 %)",
    ]
    assert sum(cells(table, label)[2].n or 0 for label in [row.label for row in table.rows]) == 7


def test_a_fatal_event_counts_as_grade_5_whichever_grade_was_reported():
    analysis = example_analysis()
    tremor = analysis.datasets.adae["AEDECOD"] == "Tremor"
    analysis.datasets.adae.loc[tremor & (analysis.datasets.adae["AESEQ"] == 3), "AESDTH"] = "Y"
    analysis.datasets.adae.loc[analysis.datasets.adae["AEDECOD"] == "Sepsis", "ATOXGR"] = 4

    table = safety.overview(analysis)

    assert cells(table, "Fatal")[0].patients == cells(table, "Worst grade", "Grade 5")[0].patients == ("P1",)
    assert cells(safety.neurologic(analysis), "Worst grade", "Grade 5")[0].patients == ("P1",)


def test_the_overview_tells_fatal_infections_from_other_deaths():
    table = safety.overview(example_analysis())

    assert cells(table, "Fatal")[0].patients == cells(table, "Fatal infection")[0].patients == ("P1",)
    assert cells(table, "Leading to interruption")[0].patients == ("P1", "P3")
    assert cells(table, "Grade 3 or more")[0].patients == ("P1", "P3")


def test_neurologic_events_have_a_broad_and_a_narrow_definition():
    table = safety.neurologic(example_analysis())

    assert cells(table, "Any neurologic event")[0].patients == ("P1", "P2")
    assert cells(table, "Grade 3 or more, narrow")[0].patients == ("P1",)
    assert texts(table, "By term", "Tremor", "Grade 3 or more")[0] == "1/4 (25.0 %)"
    assert texts(table, "First onset (study day)", "Median")[0] == "3.0"  # days 2 and 4
    assert texts(table, "Longest duration (days)", "n (missing)")[0] == "2 (0)"


def test_cytokine_release_is_shown_by_cycle_with_tocilizumab():
    table = safety.cytokine_release(example_analysis())

    assert cells(table, "Cycle 1")[0].patients == ("P3",)
    assert cells(table, "Tocilizumab")[0].patients == ("P3",)


def test_gvhd_after_a_later_transplant_is_counted_apart():
    table = safety.graft_versus_host(example_analysis())

    assert cells(table, "Any GVHD")[2].patients == ("P5",)
    assert cells(table, "Chronic")[2].patients == ("P5",)
    assert cells(table, "GVHD after a later transplant")[2].patients == ("P3",)
    assert cells(table, "Led to hospitalisation")[2].patients == ("P5",)
    assert texts(table, "Earlier GVHD, of the patients with GVHD", "Chronic")[2] == "1/1 (100.0 %)"


def test_a_fatal_event_is_listed_with_its_days_and_the_last_response():
    table = safety.fatal_events(example_analysis())

    assert [row.label for row in table.rows] == ["P1"]
    assert [cell.text for cell in table.rows[0].cells if cell] == [
        "Sepsis",
        "Infection",
        "5",
        "14",
        "10",
        "RELAPSE",
        "Yes",
        "Adverse event",
    ]


def test_the_list_of_fatal_events_is_of_the_cohort():
    assert safety.fatal_events(example_analysis(NAIVE)).rows == ()


def test_what_is_not_known_of_a_fatal_event_is_said():
    analysis = example_analysis()
    analysis.datasets.adsl[["TRTEDT", "DTHDT"]] = None
    analysis.datasets.adae["ASTDY"] = float("nan")

    listed = [cell.text for cell in safety.fatal_events(analysis).rows[0].cells if cell]

    assert listed[2:5] == ["Not known", "Not known", "Not known"]


# Flow


def test_each_box_is_counted_among_the_one_before():
    counts = {box.label: box.count.text for box in flow.boxes(example_analysis())}

    assert counts == {
        "Signed consent": "8/8 (100.0 %)",
        "Not treated": "1/8 (12.5 %)",
        "Treated": "7/8 (87.5 %)",
        "AlloHSCT without later relapse": "1/7 (14.3 %)",
        "Prior alloHSCT": "4/7 (57.1 %)",
        "Prior alloHSCT: CR/CRh within 2 cycles": "2/4 (50.0 %)",
        "Prior alloHSCT: alloHSCT in that remission": "1/2 (50.0 %)",
        "No prior alloHSCT": "2/7 (28.6 %)",
        "No prior alloHSCT: CR/CRh within 2 cycles": "1/2 (50.0 %)",
        "No prior alloHSCT: alloHSCT in that remission": "0/1 (0.0 %)",
    }


def test_the_table_of_the_flow_has_a_row_for_each_box():
    boxes = flow.boxes(example_analysis())

    assert [row.label for row in flow.flow(boxes).rows] == [box.label for box in boxes]


# Published beside computed


def reproduced_lines(is_synthetic: bool = False) -> dict[str, tuple[Result, str]]:
    rows = reproduced.reproduction(example_analysis(is_synthetic=is_synthetic)).rows
    found = {}
    for row in rows:
        result, verdict = row.cells[1], row.cells[2]
        assert result is not None
        assert verdict is not None
        found[result.variable] = (result, verdict.text)
    return found


def test_a_line_holds_what_was_published_and_what_is_computed():
    result, _ = reproduced_lines()["P-04"]

    assert (result.n, result.N, result.value, result.patients) == (2, 4, 50.0, ("P1", "P2"))
    assert result.extra["published"] == "29/64 (45 %)"
    assert result.extra["verdict"] == "differs"
    assert result.extra["tag"] == "C"


def test_the_cohorts_of_a_line_do_not_follow_the_report():
    of_cohort = {
        r.cells[1].variable: r.cells[1].text
        for r in reproduced.reproduction(example_analysis(NAIVE)).rows
        if r.cells[1]
    }

    assert of_cohort["P-04"] == "2/4 (50.0 %)"


def test_every_line_of_every_kind_is_there_once():
    lines = reproduced_lines()

    assert len(lines) == 140
    assert {result.extra["verdict"] for result, _ in lines.values()} == {
        "matches",
        "differs",
        "informative",
        "other population",
        "not computed",
    }


def test_what_is_from_memory_does_not_read_as_fact():
    from_memory = [result for result, _ in reproduced_lines().values() if result.extra["tag"] == "M"]

    assert from_memory
    assert all("from memory, not verified" in result.extra["published"] for result in from_memory)


def test_a_verdict_on_synthetic_data_says_so():
    lines = reproduced_lines(is_synthetic=True)

    assert lines["P-27b"][1] == "matches, synthetic, by construction"
    assert lines["P-04"][1] == "differs, synthetic"
    assert lines["P-38a"][1] == "other population"
    assert lines["P-27b"][0].extra["verdict"] == "matches"


def test_what_cannot_be_computed_is_not_computed_and_does_not_differ():
    result, verdict = reproduced_lines()["P-16b"]

    assert (result.value, result.text, verdict) == (None, "NE", "not computed")


def test_percentages_days_and_months_are_worded_in_their_unit():
    lines = reproduced_lines()

    assert lines["P-06b"][0].text.endswith(" %")
    assert lines["P-25d"][0].text == "day 3.0"
    assert lines["P-15"][0].text == "0.8 months"
    assert lines["P-38a"][0].text == ""


# Words


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate(8.509, 6.41, 11.39), "8.5 (6.4, 11.4)"),
        (Estimate(23.0, 13.0, None), "23.0 (13.0, NE)"),
        (Estimate(None, 2.0, None), "NE (2.0, NE)"),
        (Estimate(None, None, None), "NE"),
    ],
)
def test_what_cannot_be_estimated_is_ne(estimate: Estimate, text: str):
    assert estimate_text(estimate) == text


def test_a_study_without_patients_gives_empty_tables():
    analysis = empty_analysis()

    assert texts(response.remission(analysis), "CR/CRh") == ["0/0"] * 3
    assert texts(response.remission(analysis), "95 % CI") == ["NE"] * 3
    assert texts(survival.overall(analysis), "Median (months), 95 % CI") == ["NE"] * 3
    assert texts(survival.data_status(analysis), "Shortest to longest time (months)") == ["NE"] * 3
    assert texts(baseline.demographics(analysis), "Age (years)", "Median") == ["NE"] * 3
    assert safety.fatal_events(analysis).rows == ()
    assert treatment.exposure(analysis).rows
    assert len(reproduced.reproduction(analysis).rows) == 140
