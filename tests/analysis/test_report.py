"""The report of a small demo: its JSON, its HTML, its instants, and a sentence for everything that there is not."""

import json
from datetime import date
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from analysis.catalogue import NotInCatalogue
from analysis.extract import EVERYTHING
from analysis.report import population_in_words, read_day, read_instant, report, report_html
from patients.models import Death, HaematologyResult, ResponseAssessment
from tests.analysis.test_extract import somebody_of
from trial.audit import recording
from trial.models import Patient, Study


@pytest.fixture
def somebody(db: None) -> User:
    return User.objects.create_user("somebody")


def results(made: Any, number: str) -> list[dict[str, Any]]:
    return next(output for output in made.as_dict()["outputs"] if output["number"] == number)["results"]


def one(made: Any, number: str, **wanted: Any) -> dict[str, Any]:
    (found,) = [row for row in results(made, number) if all(row[name] == value for name, value in wanted.items())]
    return found


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("report", *arguments, stdout=out)
    return out.getvalue()


# What it holds


def test_the_json_says_what_it_was_made_from(demo: Study):
    made = json.loads(command("--cohort", "all", "--cutoff", "2014-09-30"))

    assert list(made)[:6] == ["study", "cohort", "as_of", "cutoff", "synthetic", "marrow"]
    assert (made["study"], made["cohort"], made["cutoff"]) == ("MT103-211", "all", "2014-09-30")
    assert made["as_of"].endswith("Z")
    assert made["synthetic"] is True


def test_each_result_has_the_keys_that_others_parse(demo: Study):
    keys = ["group", "variable", "level", "statistic", "unit", "value", "lower", "upper", "n", "N", "text", "patients"]

    for output in report(EVERYTHING).as_dict()["outputs"]:
        assert list(output) == ["number", "title", "population", "footnotes", "results"]
        assert all(list(row)[:12] == keys for row in output["results"])


def test_a_line_of_the_reproduction_has_its_verdict_beside_it(demo: Study):
    line = one(report(EVERYTHING, outputs=["A-9.3"]), "A-9.3", variable="P-04")

    assert set(line) >= {"published", "check", "verdict", "source", "tag"}
    assert line["published"] == "29/64 (45 %)"


def test_only_the_outputs_asked_for_are_made(demo: Study):
    made = json.loads(command("--output", "T-5.3", "T-4.1"))

    assert [output["number"] for output in made["outputs"]] == ["T-4.1", "T-5.3"]


def test_the_listing_has_its_words_as_results(demo: Study):
    assert all(row["statistic"] == "listed" for row in results(report(EVERYTHING), "L-6.8"))


def test_numbers_in_json_are_plain_and_never_nan(demo: Study):
    text = report(EVERYTHING).as_json()

    assert "NaN" not in text
    assert "Infinity" not in text


# Instants and changes


def test_deleting_what_the_investigators_said_leaves_the_response_unchanged(demo: Study, somebody: User):
    before = results(report(EVERYTHING, outputs=["T-4.1"]), "T-4.1")
    with recording(by=somebody, reason="What if nobody had assessed the response?"):
        ResponseAssessment.objects.filter(adjudicated_response=None).delete()

    assert results(report(EVERYTHING, outputs=["T-4.1"]), "T-4.1") == before


def test_a_changed_platelet_count_moves_the_number_its_patients_and_the_reproduction(demo: Study, somebody: User):
    before = report(EVERYTHING)
    patient = one(before, "T-4.1", group="All treated", variable="CR", statistic="count")["patients"][0]
    with recording(by=somebody, reason="The laboratory corrected its report."):
        for result in HaematologyResult.objects.filter(patient__number=patient, test="PLAT"):
            result.value = 20
            result.save()

    after, then = report(EVERYTHING), report(EVERYTHING, as_of=before.as_of)

    cr_before, cr_after, cr_then = (
        one(made, "T-4.1", group="All treated", variable="CR", statistic="count") for made in (before, after, then)
    )
    assert set(cr_before["patients"]) - set(cr_after["patients"]) == {patient}
    assert cr_after["n"] == cr_before["n"] - 1
    assert one(after, "A-9.3", variable="P-07a")["n"] == one(before, "A-9.3", variable="P-07a")["n"] - 1
    assert cr_then == cr_before
    assert [output["results"] for output in then.as_dict()["outputs"]] == [
        output["results"] for output in before.as_dict()["outputs"]
    ]


def test_a_changed_date_of_death_moves_survival_and_its_patients(demo: Study, somebody: User):
    before = report(EVERYTHING)
    death = Death.objects.order_by("pk").first()
    assert death is not None
    patient = death.patient.number
    with recording(by=somebody, reason="The patient is alive: the death was another person's."):
        death.delete()

    after, then = report(EVERYTHING), report(EVERYTHING, as_of=before.as_of)

    deaths = [one(made, "T-5.3", group="All treated", level="event")["patients"] for made in (before, after, then)]
    assert set(deaths[0]) - set(deaths[1]) == {patient}
    assert deaths[2] == deaths[0]
    assert one(after, "A-9.3", variable="P-17a")["patients"] == one(before, "A-9.3", variable="P-17a")["patients"]


def test_an_earlier_cutoff_knows_fewer_deaths(demo: Study):
    def deaths(cutoff: str) -> int:
        return one(report(EVERYTHING, cutoff=cutoff), "T-5.3", group="All treated", level="event")["n"]

    assert deaths("2012-12-31") < deaths("2016-12-31")


def test_an_earlier_instant_knows_fewer_patients(demo: Study):
    early = report(EVERYTHING, as_of="2012-12-31", cohort="all")

    assert early.cutoff == date(2012, 12, 31)
    assert len(one(early, "F-1.2", level="Signed consent")["patients"]) < Patient.objects.count()


def test_a_coordinator_reads_the_own_site_and_no_published_figures(demo: Study):
    patient = Patient.objects.order_by("number").first()
    assert patient is not None
    viewer = somebody_of(patient.site)

    made = report(viewer)

    assert made.scope == f"site {patient.site.number} only"
    assert made.outputs[-1].number == "L-6.8"
    assert all(
        name.startswith(f"SYN-{patient.site.number}")
        for output in made.outputs
        for r in output.results
        for name in r.patients
    )
    with pytest.raises(NotInCatalogue, match="The published figures are of the whole study, and you see site"):
        report(viewer, outputs=["A-9.3"])


# HTML


class Checker(HTMLParser):
    """What a page fetches, and whether its elements are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "link", "br", "img"}:
            self.open.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in {"src", "href", "xlink:href"}]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_html_is_one_file_that_fetches_nothing_and_says_that_it_is_synthetic(demo: Study):
    html = report_html(report(EVERYTHING))

    checker = Checker()
    checker.feed(html)
    assert (checker.open, checker.fetched) == ([], [])
    assert html.count("SYNTHETIC DATA") == 21  # on top, and with each output
    assert html.count("<svg") == 3
    assert "./marrow report --study MT103-211 --cohort prior-allohsct --as-of 20" in html


# The command


def test_files_are_written_into_the_folder_and_named_synthetic(demo: Study, tmp_path: Path):
    printed = command("--format", "json,html", "--out", str(tmp_path / "new"), "--output", "T-4.1")

    names = sorted(file.name for file in (tmp_path / "new").iterdir())
    assert names == [
        "report-MT103-211-prior-allohsct-synthetic.html",
        "report-MT103-211-prior-allohsct-synthetic.json",
    ]
    assert all(name in printed for name in names)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--study", "X"], "There is no study 'X'. Choose from MT103-211."),
        (["--cohort", "x"], "There is no cohort 'x'. Choose from prior-allohsct, no-prior-allohsct, all."),
        (["--output", "T-9"], "There is no output T-9. Choose from F-1.2, T-2.1,"),
        (["--as-of", "yesterday"], "'yesterday' is not an instant. Write it as 2014-09-30"),
        (["--as-of", "20140930"], "'20140930' is not an instant. Write it as 2014-09-30"),
        (["--as-of", "2999-01-01"], "is not over yet. Give one up to 20"),
        (["--as-of", "1999-01-01"], "was not recorded yet. Give one from 20"),
        (["--cutoff", "2014-02-30"], "'2014-02-30' is not a date. Write the cut-off as 2014-09-30."),
        (["--cutoff", "September"], "'September' is not a date."),
        (["--format", "pdf"], "There is no format 'pdf'. Choose from json, html."),
        (["--format", ","], "There is no format 'nothing'. Choose from json, html."),
    ],
)
def test_bad_input_gets_a_sentence_exit_code_2_and_nothing_written(
    demo: Study, tmp_path: Path, arguments: list[str], sentence: str
):
    with pytest.raises(CommandError) as refused:
        command(*arguments, "--out", str(tmp_path / "out"))

    assert sentence in str(refused.value)
    assert refused.value.returncode == 2
    assert not (tmp_path / "out").exists()


def test_two_formats_on_the_screen_are_refused(db: None):
    with pytest.raises(CommandError, match="Several formats need a folder") as refused:
        command("--format", "json,html")

    assert refused.value.returncode == 2


def test_a_folder_that_cannot_be_written_gets_a_sentence(demo: Study, tmp_path: Path):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(CommandError, match="The report cannot be written to") as refused:
        command("--output", "T-4.1", "--out", str(tmp_path / "file" / "below"))

    assert refused.value.returncode == 2


# What is asked


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2014-09-30", "2014-09-30T23:59:59.999999+00:00"),  # the end of the day
        ("2014-09-30T12:00:00Z", "2014-09-30T12:00:00+00:00"),
        ("2014-09-30T12:00", "2014-09-30T12:00:00+00:00"),  # UTC unless told
        ("2014-09-30T12:00:00+02:00", "2014-09-30T10:00:00+00:00"),
    ],
)
def test_an_instant_is_read_in_utc(text: str, instant: str):
    found = read_instant(text)

    assert found is not None
    assert found.isoformat() == instant


def test_what_is_a_date_or_nothing_already_stays_as_it_is():
    assert (read_instant(None), read_day(None)) == (None, None)
    assert read_day(date(2014, 9, 30)) == date(2014, 9, 30)
    assert read_day("2014-09-30") == date(2014, 9, 30)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_an_instant_past_the_ends_of_the_calendar_is_refused(text: str):
    with pytest.raises(NotInCatalogue, match="is not an instant") as refused:
        read_instant(text)

    assert refused.value.status == 400


def test_empty_text_asks_for_nothing():
    assert (read_instant(""), read_day("")) == (None, None)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("FAS", "treated patients (FAS)"),
        ("SAF NAIVE", "treated patients without an earlier alloHSCT (SAF NAIVE)"),
        (
            "PHSCT-R",
            "treated patients with a relapse after an earlier alloHSCT and with CR or CRh within two cycles (PHSCT-R)",
        ),
        ("as published", "as published"),
    ],
)
def test_a_population_is_said_in_words(code: str, words: str):
    assert population_in_words(code) == words


def test_every_population_has_words(demo: Study):
    populations = {output.population for output in report(EVERYTHING).outputs} - {"as published"}

    assert all(population_in_words(code) != code for code in populations)
