"""A study that has just begun: its people are there and nobody has been enrolled."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from analysis.catalogue import NotInCatalogue
from analysis.extract import ALL_SITES, EVERYTHING, extract
from analysis.report import find_study, report, report_html
from tests.cast import Cast, assemble
from trial.audit import recording
from trial.models import FormEntry, Patient, Study


def test_types_hold_without_a_row(cast: Cast):
    frames = extract(EVERYTHING, cast.study).frames

    assert all(frame.empty for frame in frames.values())
    assert frames["ENR"]["consented_on"].dtype == "datetime64[ns]"
    assert frames["EX"]["dose_ug_per_day"].dtype == "float64"


def test_a_statistician_gets_all_sites(cast: Cast):
    with recording(by=cast["coordinator"], reason="New patients."):
        Patient(study=cast.study, site=cast.elsewhere, number="SYN-034-001").save()
        Patient(study=cast.study, site=cast.here, number="SYN-012-001").save()

    found = extract(cast["statistician"], cast.study)

    assert found.frames["SUBJ"]["patient"].tolist() == ["SYN-012-001", "SYN-034-001"]
    assert found.frames["SUBJ"]["region"].tolist() == ["EUROPE", "USA"]
    assert found.scope == ALL_SITES


def test_an_entry_without_a_record_is_no_row(cast: Cast):
    with recording(by=cast["coordinator"], reason="Expected."):
        patient = Patient(study=cast.study, site=cast.here, number="SYN-012-001")
        patient.save()
        FormEntry(patient=patient, form="DM").save()

    assert extract(EVERYTHING, cast.study).frames["DM"].empty


def test_a_report_of_no_patient_says_so_in_its_listing(db: None):
    assemble("EMPTY-1", is_synthetic=False)

    html = report_html(report(EVERYTHING, study="EMPTY-1"))

    assert "No patient." in html
    assert "SYNTHETIC" not in html


def test_without_a_study_the_only_one_is_meant_and_among_several_one_must_be_named(db: None):
    with pytest.raises(NotInCatalogue, match="There is no study here yet"):
        find_study(EVERYTHING, None)

    assemble("ONE-1")
    assert find_study(EVERYTHING, None).code == "ONE-1"

    with recording(by=User.objects.create_user("founder"), reason="A second study."):
        Study(code="TWO-2", title="Two").save()
    with pytest.raises(NotInCatalogue, match=r"There are several studies\. Choose one of ONE-1, TWO-2") as refused:
        find_study(EVERYTHING, None)
    assert refused.value.status == 400


def test_a_study_without_a_role_is_not_there(db: None):
    cast = assemble("ONE-1")

    assert find_study(cast["statistician"], "ONE-1").code == "ONE-1"
    with pytest.raises(NotInCatalogue, match="There is no study here yet"):
        find_study(cast["stranger"], "ONE-1")


@pytest.mark.parametrize("command", [["report"], ["export", "--out", "somewhere"]], ids=["report", "export"])
def test_a_database_without_a_study_is_answered_with_a_sentence(tmp_path: Path, command: list[str]):
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MARROW_", "DJANGO_"))}
    manage = Path(__file__).resolve().parents[2] / "manage.py"

    answer = subprocess.run(
        [sys.executable, str(manage), *command],
        env=inherited | {"MARROW_MODE": "demo", "MARROW_DATABASE": str(tmp_path / "empty.sqlite3")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 2
    assert answer.stderr == "CommandError: There is no study here yet. `./marrow demo` builds one.\n"
    assert not (tmp_path / "somewhere").exists()
