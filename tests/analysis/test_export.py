"""Datasets that leave: complete, described, repeatable, all or nothing; and redone by Python and by R."""

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection

from analysis.catalogue import NotInCatalogue
from analysis.derive import datasets as derived
from analysis.disclosure import CannotExport, Disclosure
from analysis.export import FORMATS, export, export_zip, write_dataset
from analysis.extract import EVERYTHING
from analysis.report import report
from analysis.standards.adam import DATASETS
from analysis.withdrawals import sentence_about
from patients.models import EndOfStudy, Withdrawal
from tests import make
from tests.analysis.test_extract import somebody_of
from trial.access_record.models import AccessEvent, AccessKind
from trial.audit import recording
from trial.models import Patient, Role, Study


@pytest.fixture
def real_data(demo: Study) -> Study:
    """The same study as if its patients were real."""
    study = Study.objects.get(pk=demo.pk)
    study.is_synthetic = False
    with recording(by=User.objects.create_user("somebody"), reason="What if they were real?"):
        study.save()
    return study


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("export", *arguments, stdout=out)
    return out.getvalue()


# The table of variables


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_every_variable_leaves_with_a_kind_and_a_label_of_at_most_40_bytes(dataset):
    columns = getattr(derived, dataset.name).columns

    assert [variable.name for variable in dataset.variables] == ["STUDYID", *columns]
    for variable in dataset.variables:
        assert variable.kind in {"text", "flag", "date", "whole", "number"}
        assert 0 < len(variable.label.encode()) <= 40
        assert variable.label.isascii()


# What is written


def test_the_files_hold_every_row_and_say_that_they_are_synthetic(demo: Study, tmp_path: Path):
    manifest = export(EVERYTHING, tmp_path / "out")

    names = sorted(file.name for file in (tmp_path / "out").iterdir())
    datasets = [f"{name}_synthetic.{kind}" for name in ("adae", "adrs", "adsl", "adtte") for kind in ("csv", "parquet")]
    assert names == sorted(["README.txt", "manifest.json", "redo.R", "redo.py", *datasets])
    adsl = pd.read_csv(tmp_path / "out" / "adsl_synthetic.csv")
    assert len(adsl) == Patient.objects.count()
    assert adsl["USUBJID"].str.startswith("SYN-").all()
    assert set(adsl["STUDYID"]) == {"MT103-211"}
    assert "SYNTHETIC DATA" in (tmp_path / "out" / "README.txt").read_text()
    assert manifest["note"].startswith("SYNTHETIC DATA")


def test_the_manifest_has_instant_cutoff_cohort_rows_hashes_and_the_command(demo: Study, tmp_path: Path):
    export(EVERYTHING, tmp_path / "out", cutoff="2014-09-30", purpose="Check in R", recipient="A. Person")

    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert (manifest["study"], manifest["cohort"], manifest["cutoff"]) == ("MT103-211", "all", "2014-09-30")
    assert manifest["repeat"].startswith("./marrow export --study MT103-211 --cohort all --as-of 20")
    assert manifest["repeat"].endswith("--purpose 'Check in R' --recipient 'A. Person' --out DIR")
    assert len(manifest["files"]) == 10
    for file in manifest["files"]:
        content = (tmp_path / "out" / file["name"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
        assert file.get("rows") == file.get("rows_read_back")


def test_the_same_export_again_has_the_same_hashes(demo: Study, tmp_path: Path):
    first = export(EVERYTHING, tmp_path / "first")
    again = export(EVERYTHING, tmp_path / "again", as_of=first["as_of"], cutoff=first["cutoff"])

    assert [file["sha256"] for file in first["files"]] == [file["sha256"] for file in again["files"]]


def test_csv_and_parquet_hold_the_same(demo: Study, tmp_path: Path):
    export(EVERYTHING, tmp_path / "out")

    for dataset in DATASETS:
        stem = tmp_path / "out" / f"{dataset.name.lower()}_synthetic"
        parquet = pq.read_table(f"{stem}.parquet")
        csv = pd.read_csv(f"{stem}.csv", dtype=str, keep_default_na=False)
        assert csv.columns.tolist() == parquet.column_names
        for variable in dataset.variables:
            values = ["" if value is None else value for value in parquet[variable.name].to_pylist()]
            if variable.kind == "number":
                assert [float(text) if text else "" for text in csv[variable.name]] == values
            else:
                assert csv[variable.name].tolist() == [str(value) for value in values]


def test_the_manifest_says_who_withdrew_consent_and_of_whom_no_sample_may_be_used(demo: Study, tmp_path: Path):
    first, second, third = Patient.objects.filter(study=demo).order_by("number")[:3]
    with recording(by=make.author(), reason="Nobody has left yet."):
        EndOfStudy.objects.filter(patient__study=demo).delete()
        Withdrawal.objects.filter(patient__study=demo).delete()
    make.record(Withdrawal, first, withdrawn_on=date(2013, 9, 2), extent="ALL")
    make.record(Withdrawal, second, withdrawn_on=date(2013, 9, 3), extent="TREATMENT")
    make.record(EndOfStudy, third, ended_on=date(2013, 9, 4), reason="WITHDRAWAL OF CONSENT")

    manifest = export(EVERYTHING, tmp_path / "out", formats=["csv"])

    days = {
        each["patient"]: [each[f"{what}_from"] for what in ("treatment", "contact", "samples")]
        for each in manifest["withdrawals"]
    }
    assert days[first.number] == ["2013-09-02"] * 3
    assert days[second.number] == ["2013-09-03", None, None]
    assert days[third.number] == ["2013-09-04", "2013-09-04", None]
    readme = (tmp_path / "out" / "README.txt").read_text(encoding="utf-8")
    assert "3 patients withdrew consent, 1 of them to any further use of samples" in readme


def test_an_export_without_a_withdrawal_says_nothing_of_one():
    assert sentence_about([]) == ""
    assert sentence_about([{"samples_from": None}]).startswith("1 patient withdrew consent: see withdrawals in")


def test_parquet_files_carry_the_labels(demo: Study, tmp_path: Path):
    export(EVERYTHING, tmp_path / "out", formats=["parquet"])

    schema = pq.read_schema(tmp_path / "out" / "adtte_synthetic.parquet")
    assert schema.metadata[b"label"] == b"Time-to-Event Analysis Dataset"
    assert schema.field("CNSR").metadata == {b"label": b"Censor"}
    assert not (tmp_path / "out" / "redo.py").exists()  # the scripts read CSV


def test_a_cohort_leaves_alone(demo: Study, tmp_path: Path):
    export(EVERYTHING, tmp_path / "out", cohort="no-prior-allohsct")

    adsl, adae = (pd.read_csv(tmp_path / "out" / f"{name}_synthetic.csv") for name in ("adsl", "adae"))
    assert set(adsl["NAIVEFL"]) == {"Y"}
    assert set(adae["USUBJID"]) <= set(adsl["USUBJID"])
    assert '"No prior alloHSCT": "NAIVEFL"' in (tmp_path / "out" / "redo.py").read_text()


def test_an_empty_folder_that_is_there_is_used(demo: Study, tmp_path: Path):
    (tmp_path / "out").mkdir()

    export(EVERYTHING, tmp_path / "out", formats=["csv"])

    assert (tmp_path / "out" / "manifest.json").exists()


def test_the_zip_holds_the_same_files_under_its_own_name(demo: Study):
    name, packed = export_zip(EVERYTHING, cohort="all", formats=["csv"])

    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert name == "MT103-211-adam-all-2016-12-31-synthetic.zip"
        assert f"{name.removesuffix('.zip')}/adtte_synthetic.csv" in archive.namelist()


def test_a_statistician_of_one_site_exports_that_site(demo: Study, tmp_path: Path):
    patient = Patient.objects.order_by("number").first()
    assert patient is not None

    manifest = export(somebody_of(patient.site, Role.STATISTICIAN), tmp_path / "out")

    adsl = pd.read_csv(tmp_path / "out" / "adsl_synthetic.csv")
    assert adsl["USUBJID"].str.startswith(f"SYN-{patient.site.number}").all()
    assert manifest["scope"] == f"site {patient.site.number} only"


def test_whoever_may_take_nothing_away_exports_nobody(demo: Study, tmp_path: Path):
    patient = Patient.objects.order_by("number")[0]

    manifest = export(somebody_of(patient.site), tmp_path / "out")

    assert pd.read_csv(tmp_path / "out" / "adsl_synthetic.csv").empty
    assert manifest["scope"] == "no site"


# Purpose and recipient


def test_data_of_real_patients_need_a_purpose_and_a_recipient(real_data: Study, tmp_path: Path):
    for given in ({}, {"purpose": "Review"}, {"recipient": "A. Person", "purpose": " "}):
        with pytest.raises(CannotExport, match="Say what the data are for and who receives them"):
            export(EVERYTHING, tmp_path / "out", **given)

    manifest = export(EVERYTHING, tmp_path / "out", purpose="Review", recipient="A. Person", formats=["csv"])

    assert (manifest["purpose"], manifest["recipient"], manifest["note"]) == ("Review", "A. Person", "")
    assert (tmp_path / "out" / "adsl.csv").exists()


# On record


def exported() -> AccessEvent:
    """The only event of data that left."""
    return AccessEvent.objects.get(kind=AccessKind.EXPORTED)


def numbers_in(event: AccessEvent) -> set[str]:
    keys = event.patients.values("patient_id")
    return set(Patient.objects.filter(pk__in=keys).values_list("number", flat=True))


def test_the_command_puts_on_record_who_took_which_patients_for_what(demo: Study, tmp_path: Path):
    out = tmp_path / "out"
    command("--cohort", "no-prior-allohsct", "--purpose", "Check in R", "--recipient", "A. Person", "--out", str(out))

    event = exported()
    adsl = pd.read_csv(out / "adsl_synthetic.csv")
    manifest = (out / "manifest.json").read_bytes()
    me = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    assert numbers_in(event) == set(adsl["USUBJID"])
    assert (event.purpose, event.recipient) == ("Check in R", "A. Person")
    assert event.content_hash == hashlib.sha256(manifest).hexdigest()
    assert (event.study, event.page, event.channel) == (demo, "export command", "command")
    assert (event.by, event.person_name) == (None, f"{me} (on the server)")


def test_a_report_on_the_screen_is_on_record_with_the_patients_that_it_names(demo: Study):
    out = StringIO()
    call_command("report", "--output", "T-5.3", "--cohort", "all", stdout=out)

    named = {
        number
        for output in json.loads(out.getvalue())["outputs"]
        for result in output["results"]
        for number in result["patients"]
    }
    assert named
    assert numbers_in(exported()) == named
    assert exported().content_hash == hashlib.sha256(out.getvalue().removesuffix("\n").encode()).hexdigest()
    assert exported().what == "report-MT103-211-all-synthetic.json"


def test_each_file_of_a_report_is_on_record(demo: Study, tmp_path: Path):
    call_command("report", "--output", "T-5.3", "--format", "json,html", "--out", str(tmp_path), stdout=StringIO())

    kept = {event.what: event.content_hash for event in AccessEvent.objects.filter(kind=AccessKind.EXPORTED)}
    assert kept == {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in tmp_path.iterdir()}


def test_a_report_on_real_patients_needs_a_purpose_and_a_recipient(real_data: Study):
    with pytest.raises(CommandError, match="Say what the data are for and who receives them") as refused:
        call_command("report", "--output", "T-5.3", stdout=StringIO())

    assert refused.value.returncode == 2
    assert not AccessEvent.objects.exists()


def test_words_longer_than_the_record_keeps_are_refused(demo: Study, tmp_path: Path):
    with pytest.raises(CannotExport, match=r"The purpose has 201 characters\. Say it in at most 200\."):
        export(EVERYTHING, tmp_path / "out", purpose="x" * 201)


def test_what_cannot_be_put_on_record_does_not_leave(demo: Study, tmp_path: Path):
    def fail(left: Disclosure) -> None:
        raise CannotExport("The access record cannot be written, so nothing is given out.")

    with pytest.raises(CannotExport):
        export(EVERYTHING, tmp_path / "out", formats=["csv"], keep=fail)

    assert list(tmp_path.iterdir()) == []


def test_a_database_that_takes_no_record_gives_out_nothing(demo: Study, tmp_path: Path):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE trial_accessedpatient RENAME TO gone")

    for arguments in (["export", "--out", str(tmp_path / "out")], ["report"]):
        out = StringIO()
        with pytest.raises(CommandError, match="The access record cannot be written, so nothing is given out"):
            call_command(*arguments, stdout=out)
        assert out.getvalue() == ""
    assert list(tmp_path.iterdir()) == []


# All or nothing


def test_a_folder_in_use_is_left_as_it_is(demo: Study, tmp_path: Path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")

    with pytest.raises(CannotExport, match=r"is there already and not empty\. Name a new folder"):
        export(EVERYTHING, tmp_path / "out")

    assert [file.name for file in tmp_path.rglob("*.*")] == ["mine.txt"]


def test_a_file_that_lost_rows_stops_the_export(tmp_path: Path):
    def write_less(dataset: Any, frame: pd.DataFrame, file: Path) -> None:
        frame.iloc[1:].to_csv(file, index=False)

    losing = replace(FORMATS["csv"], write=write_less)

    with pytest.raises(CannotExport, match=r"adsl\.csv has 1 rows, 2 were to be written\. Nothing is exported\."):
        write_dataset(tmp_path, DATASETS[0], pd.DataFrame({"USUBJID": ["P1", "P2"]}), losing, suffix="")


def test_an_export_that_fails_at_the_end_leaves_nothing(demo: Study, tmp_path: Path):
    with pytest.raises(UnicodeEncodeError):  # half a character: it cannot be written into the manifest
        export(EVERYTHING, tmp_path / "out", formats=["csv"], purpose="\udc80")

    assert list(tmp_path.iterdir()) == []


# The command


def test_the_command_says_what_it_wrote(demo: Study, tmp_path: Path):
    printed = command("--format", "csv", "--out", str(tmp_path / "out"))

    assert f"adsl_synthetic.csv, {Patient.objects.count()} rows" in printed
    assert "redo.R" in printed


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--standard", "sdtm"], "There is no standard 'sdtm'. Choose from adam."),
        (["--format", "xpt"], "There is no format 'xpt'. Choose from csv, parquet."),
        (["--study", "X"], "There is no study 'X'. Choose from MT103-211."),
        (["--cohort", "x"], "There is no cohort 'x'. Choose from prior-allohsct, no-prior-allohsct, all."),
        (["--cutoff", "x"], "'x' is not a date."),
    ],
)
def test_bad_input_gets_a_sentence_exit_code_2_and_nothing_written(
    demo: Study, tmp_path: Path, arguments: list[str], sentence: str
):
    with pytest.raises(CommandError) as refused:
        command(*arguments, "--out", str(tmp_path / "out"))

    assert sentence in str(refused.value)
    assert refused.value.returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_gets_a_sentence(demo: Study, tmp_path: Path):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(CommandError, match="The export cannot be written to") as refused:
        command("--out", str(tmp_path / "file" / "out"))

    assert refused.value.returncode == 2


def test_a_place_that_is_not_a_folder_is_said_to_be_none(demo: Study, tmp_path: Path):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(CommandError, match=r"file' is not a folder\. Name a new one\.") as refused:
        command("--out", str(tmp_path / "file"))

    assert refused.value.returncode == 2


def test_an_unknown_format_is_refused_by_the_function_too(demo: Study, tmp_path: Path):
    for formats in (["xpt"], []):
        with pytest.raises(NotInCatalogue, match=r"Choose from csv, parquet\."):
            export(EVERYTHING, tmp_path / "out", formats=formats)


# Redone elsewhere


def expected_lines() -> dict[tuple[str, str, str], tuple[float | None, float | None, float | None]]:
    """What the report says of T-4.1 and of the numbers of F-5.4, by group, variable and statistic or landmark."""
    found: dict[tuple[str, str, str], tuple[float | None, float | None, float | None]] = {}
    for output in report(EVERYTHING, outputs=["T-4.1", "T-5.3"]).outputs:
        for result in output.results:
            if result.statistic in ("interval", "median", "survival"):
                kind = {"interval": "count"}.get(result.statistic, result.level or result.statistic)
                found[result.group, result.variable, kind] = (result.value, result.lower, result.upper)
    return found


def redone(folder: Path, *program: str) -> dict[tuple[str, str, str], tuple[float | None, ...]]:
    """The lines that a script of the export prints."""
    done = subprocess.run(program, cwd=folder, capture_output=True, text=True, check=True, timeout=120)
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    return {
        (group, variable, kind): tuple(None if text in ("NA", "nan") else float(text) for text in numbers)
        for group, variable, kind, *numbers in lines
    }


def agree(found: dict[Any, tuple[float | None, ...]]) -> None:
    """Every number that the script could make is the report's; what it leaves out is not estimable there."""
    expected = expected_lines()
    assert found
    assert set(found) <= set(expected)
    for key, numbers in expected.items():
        if key not in found:
            assert numbers[0] is None, key
            continue
        for mine, theirs in zip(numbers, found[key], strict=True):
            assert mine == (None if theirs is None else pytest.approx(theirs, rel=1e-9, abs=1e-9)), key


@pytest.mark.parametrize("name", ["redo.R", "redo.py"])
def test_a_script_that_redoes_numbers_has_at_most_fifteen_lines(demo: Study, tmp_path: Path, name: str):
    export(EVERYTHING, tmp_path / "out", formats=["csv"])

    lines = (tmp_path / "out" / name).read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if line.strip()]) <= 15
    assert max(map(len, lines)) <= 140


@pytest.mark.reference
def test_python_with_pandas_redoes_response_and_survival_from_the_csv_files(demo: Study, tmp_path: Path):
    export(EVERYTHING, tmp_path / "out", formats=["csv"])

    agree(redone(tmp_path / "out", sys.executable, "redo.py"))


@pytest.mark.r
@pytest.mark.reference
def test_r_with_survival_redoes_response_and_survival_from_the_csv_files(demo: Study, tmp_path: Path):
    export(EVERYTHING, tmp_path / "out", formats=["csv"])

    agree(redone(tmp_path / "out", "Rscript", "redo.R"))
