"""The outputs in report order: what there is, for whom, and what is said of what there is not."""

import pytest

from analysis.catalogue import NotInCatalogue, choose, entries
from analysis.tables.groups import ALL, NAIVE, PRIOR, Cohort
from tests.example_datasets import empty_analysis, example_analysis

ORDER = (
    "F-1.2 T-2.1 T-2.3 T-2.4 T-3.1 T-4.1 T-4.2 T-4.3 T-5.1 F-5.2 T-5.3 F-5.4 T-5.10 "
    "T-6.1 T-6.3 T-6.4 T-6.5 T-6.6 L-6.8 A-9.3"
).split()


def test_the_outputs_stand_in_the_order_of_the_report():
    assert [entry.number for entry in entries("MT103-211")] == ORDER


def test_published_figures_are_there_for_the_study_that_has_them():
    assert [entry.number for entry in entries("OTHER-1")] == ORDER[:-1]


def test_chosen_outputs_keep_the_order_of_the_report():
    assert [entry.number for entry in choose("MT103-211", ["T-5.3", "T-4.1"])] == ["T-4.1", "T-5.3"]


@pytest.mark.parametrize("nothing", [None, [], ()])
def test_naming_no_output_gives_all(nothing: list[str] | None):
    assert len(choose("MT103-211", nothing)) == len(ORDER)


def test_an_unknown_output_is_answered_with_those_there_are():
    with pytest.raises(NotInCatalogue) as refused:
        choose("OTHER-1", ["T-4.1", "T-9.9", "A-9.3"])

    assert str(refused.value) == f"There is no output T-9.9, A-9.3. Choose from {', '.join(ORDER[:-1])}."
    assert refused.value.status == 404


@pytest.mark.parametrize(
    ("cohort", "treated", "safety", "responders"),
    [(PRIOR, "PHSCT", "SAF PHSCT", "PHSCT-R"), (NAIVE, "NAIVE", "SAF NAIVE", "NAIVE-R"), (ALL, "FAS", "SAF", "RESP")],
)
def test_the_population_is_that_of_the_cohort(cohort: Cohort, treated: str, safety: str, responders: str):
    populations = {entry.number: entry.population(example_analysis(cohort)) for entry in entries("MT103-211")}

    assert (populations["T-5.3"], populations["T-6.1"], populations["T-5.1"]) == (treated, safety, responders)
    assert (populations["T-2.3"], populations["F-1.2"]) == ("PHSCT", "SCR")


@pytest.mark.parametrize("analysis", [example_analysis(), example_analysis(NAIVE), empty_analysis(ALL)])
def test_every_output_can_be_made_and_its_rows_fit_its_columns(analysis):
    for entry in entries("MT103-211"):
        output = entry.output(analysis)

        assert (output.number, output.title) == (entry.number, entry.title)
        assert output.footnotes
        for table in output.tables:
            assert all(len(row.cells) in (0, len(table.columns)) for row in table.rows)


def test_figures_have_their_data_as_tables():
    outputs = [entry.output(example_analysis()) for entry in entries("MT103-211")]

    assert [output.number for output in outputs if output.figures] == ["F-1.2", "F-5.2", "F-5.4"]
    assert all(output.tables for output in outputs)


def test_every_patient_behind_a_number_is_a_patient_of_its_column():
    analysis = example_analysis()
    of_column = {group.name: set(group.patients) for group in analysis.groups}

    for entry in entries("MT103-211"):
        for result in entry.output(analysis).results:
            assert set(result.patients) <= of_column.get(result.group, set(analysis.adsl.index))
            assert list(result.patients) == sorted(result.patients)


def test_a_count_has_as_many_patients_as_it_says():
    for entry in entries("MT103-211"):
        for result in entry.output(example_analysis()).results:
            if result.statistic == "count":
                assert len(result.patients) == result.n
