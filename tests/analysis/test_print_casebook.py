"""`print_casebook`: a file in a folder, on the access record first, and a sentence for what cannot be printed."""

import pytest
from django.core.management import CommandError, call_command

from trial.audit import recording
from trial.models import AccessEvent


def print_casebook(out, **options):
    call_command("print_casebook", out=out, **options)


def test_the_casebook_of_a_patient_is_written_and_on_record(patient, tmp_path):
    print_casebook(tmp_path / "new", patient=patient.number)

    file = tmp_path / "new" / f"synthetic-{patient.study.code}-{patient.number}-casebook.pdf"
    assert file.read_bytes().startswith(b"%PDF-")
    event = AccessEvent.objects.get(page="print_casebook command")
    assert (event.kind, event.what) == ("exported", file.name)
    assert [row.patient_id for row in event.patients.all()] == [patient.pk]


def test_empty_forms_for_nobody_are_written_and_name_nobody(study, tmp_path):
    print_casebook(tmp_path, blank=True)

    assert (tmp_path / f"synthetic-{study.code}-blank-casebook.pdf").exists()
    assert not AccessEvent.objects.filter(page="print_casebook command").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "Say whose casebook: --patient NUMBER. With --blank it may be left out."),
        ({"patient": "X-1"}, "There is no patient 'X-1' in study MT103-211. Check the number."),
        ({"study": "NO", "patient": "X-1"}, "There is no study 'NO'. Choose from MT103-211."),
    ],
)
def test_what_cannot_be_printed_is_said(study, tmp_path, options, sentence):
    with pytest.raises(CommandError) as said:
        print_casebook(tmp_path, **options)

    assert str(said.value) == sentence
    assert said.value.returncode == 2
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_named(patient, tmp_path):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(CommandError, match="cannot be written to"):
        print_casebook(tmp_path / "file", patient=patient.number)


def test_of_real_patients_it_is_said_what_for_and_for_whom(patient, coordinator, tmp_path):
    patient.study.is_synthetic = False
    with recording(by=coordinator, reason="A real study."):
        patient.study.save()

    with pytest.raises(CommandError, match="Say what the data are for"):
        print_casebook(tmp_path, patient=patient.number)
    print_casebook(tmp_path, patient=patient.number, purpose="Monitoring visit", recipient="The monitor")

    event = AccessEvent.objects.get(page="print_casebook command")
    assert (event.purpose, event.recipient) == ("Monitoring visit", "The monitor")
