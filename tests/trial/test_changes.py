"""The study-wide list of changes: who, role, when, patient, form, field, old, new, why; narrowed, scoped, as CSV."""

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from patients.models import Demographics, HaematologyResult, HaematologySample, PerformanceStatus, Transplant
from tests import make
from tests.cast import FIRST_DAY, Cast
from trial.audit import Recording, recording
from trial.changes import Changes, Filters, Line, change_between, changes_of_record
from trial.models import FormEntry, Membership, Patient, Role


def correct(record, by, reason="Read again from the source.", field_reasons=None, **values):
    """Change fields of a record as a person at a site would."""
    with recording(by=by, reason=reason, role="Site coordinator", field_reasons=field_reasons, channel="web"):
        for name, value in values.items():
            setattr(record, name, value)
        record.save()


def lines(viewer, study, **narrowed) -> list[Line]:
    return [line for act in Changes(viewer, study, Filters(**narrowed)).page(0, 1000) for line in act.lines]


def test_a_change_says_old_new_and_why_in_words(cast: Cast, patient: Patient, monitor, coordinator):
    demographics = make.record(Demographics, patient)
    correct(demographics, coordinator, sex="M", born_on="1980-05")

    found = lines(monitor, cast.study, kind="~")

    assert [(line.field, line.old, line.new, line.why) for line in found] == [
        ("Date of birth", "17-May-1980", "UN-May-1980", "Read again from the source."),
        ("Sex", "Female", "Male", "Read again from the source."),
    ]
    assert {(line.act.person_name, line.act.role, line.patient) for line in found} == {
        ("Coordinator", "Site coordinator", patient.pk)
    }


def test_a_reason_for_one_field_stands_beside_that_field(cast: Cast, patient: Patient, monitor, coordinator):
    status = make.record(PerformanceStatus, patient)
    correct(status, coordinator, "Checked.", {"ecog": "Misread."}, ecog=2, weight_kg=70)

    assert {line.field: line.why for line in lines(monitor, cast.study, kind="~")} == {
        "ECOG": "Misread.",
        "Weight": "Checked.",
    }


def test_an_answer_that_becomes_blank_shows_why_it_is_blank(cast: Cast, patient: Patient, monitor, coordinator):
    demographics = make.record(Demographics, patient)
    correct(demographics, coordinator, ethnicity=None, missing={"ethnicity": "UNK"})

    assert [(line.field, line.old, line.new) for line in lines(monitor, cast.study, kind="~")] == [
        ("Ethnicity", "Not reported", ""),
        ("Ethnicity: why it is blank", "", "Unknown"),
    ]


def test_what_an_entry_takes_over_from_its_record_is_no_line_and_another_version_of_the_form_is_one(
    cast: Cast, patient: Patient, monitor, coordinator
):
    entry = make.entry_expected(patient, "PS", "C1D1")
    correct(entry, coordinator, collected_on=FIRST_DAY, form_version=1)
    correct(entry, coordinator, collected_on=FIRST_DAY + timedelta(days=1))
    first_entry = list(Changes(monitor, cast.study, Filters(kind="~")).page(0, 1000))
    correct(entry, coordinator, "Brought to the present version.", form_version=2)

    assert first_entry == []
    assert [(line.field, line.old, line.new) for line in lines(monitor, cast.study, kind="~")] == [
        ("Form version", "1", "2")
    ]


def test_a_moved_clock_is_part_of_its_moment(cast: Cast, patient: Patient, monitor, coordinator):
    sample = make.record(HaematologySample, patient)
    correct(sample, coordinator, taken_at=make.MOMENT + timedelta(hours=1), taken_at_offset=120)

    (line,) = lines(monitor, cast.study, kind="~")

    assert (line.field, line.old, line.new) == (
        "Sample taken",
        "04-Mar-2013 10:30 (UTC+01:00)",
        "04-Mar-2013 12:30 (UTC+02:00)",
    )


def test_an_offset_that_changes_alone_has_its_own_line(cast: Cast, patient: Patient, monitor, coordinator):
    sample = make.record(HaematologySample, patient)
    correct(sample, coordinator, taken_at_offset=120)

    (line,) = lines(monitor, cast.study, kind="~")

    assert (line.field, line.old, line.new) == ("Offset of the site's clock", "60", "120")


def test_the_rows_of_one_form_that_come_together_are_one_line(cast: Cast, patient: Patient, monitor, coordinator):
    with recording(by=coordinator, reason="First entry.", study=cast.study):
        entry = FormEntry.objects.create(patient=patient, form="LBH", visit="C1D1")
        sample = HaematologySample.objects.create(
            patient=patient, entry=entry, taken_at=make.MOMENT, taken_at_offset=60, laboratory="LAB"
        )
        for test in ("PLAT", "NEUT"):
            HaematologyResult.objects.create(
                patient=patient, entry=entry, sample=sample, test=test, value=1, value_text="1", unit_text="10^9/L"
            )

    (line,) = lines(monitor, cast.study, form="LBH")

    assert (line.title, line.field, line.new) == ("Haematology", "First entry", "Blood count 04-Mar-2013, and 2 more")


def test_a_result_says_which_test_it_is(cast: Cast, patient: Patient, monitor, coordinator):
    result = make.record(HaematologyResult, patient)
    correct(result, coordinator, value=110, value_text="110")

    found = lines(monitor, cast.study, kind="~")

    assert {(line.title, line.name, line.field) for line in found} == {
        ("Haematology", "Platelets 110 10^9/L", "Result"),
        ("Haematology", "Platelets 110 10^9/L", "As typed"),
    }


def test_a_record_that_is_the_only_one_needs_no_name(cast: Cast, patient: Patient, monitor, coordinator):
    correct(make.record(Demographics, patient), coordinator, sex="M")
    correct(make.record(Transplant, patient), coordinator, donor="CORD BLOOD")

    assert {line.title: line.name for line in lines(monitor, cast.study, kind="~")} == {
        "Demographics": "",
        "Prior transplantation": "Transplant 14-May-2012",
    }


def test_a_deleted_record_is_struck_through_and_its_history_stays(client: Client, cast: Cast, patient, coordinator):
    transplant = make.record(Transplant, patient)
    number = transplant.pk
    with recording(by=coordinator, reason="Entered for the wrong patient.", study=cast.study):
        transplant.delete()
    client.force_login(coordinator)

    (line,) = lines(coordinator, cast.study, kind="-")
    page = client.get(f"/MT103-211/patients/{patient.number}/HSCT/{number}/", follow=True)

    assert (line.field, line.old, line.new) == ("Deleted", "Transplant 14-May-2012", "")
    assert "<del>Transplant 14-May-2012</del>" in page.content.decode()
    assert "Entered for the wrong patient." in page.content.decode()


def test_a_deleted_patient_stays_in_the_list(client: Client, cast: Cast, patient, coordinator, monitor, colleague):
    with recording(by=coordinator, reason="Never signed consent.", study=cast.study) as act:
        patient.delete()

    for viewer in (coordinator, monitor):
        client.force_login(viewer)
        page = client.get("/MT103-211/changes/?patient=012-001").content.decode()
        text = b"".join(client.get("/MT103-211/changes.csv?kind=-").streaming_content).decode("utf-8-sig")
        (row,) = csv.DictReader(io.StringIO(text))

        assert "Never signed consent." in page
        assert "/patients/SYN-012-001/" not in page  # there is no such page any more
        assert (row["Patient"], row["Site"], row["Old"]) == ("SYN-012-001", "012", "SYN-012-001")
        assert "SYN-012-001" in client.get(f"/MT103-211/changes/{act.pk}/").content.decode()
    client.force_login(colleague)
    assert client.get(f"/MT103-211/changes/{act.pk}/").status_code == 404


def test_a_person_whose_role_was_deleted_stays_in_the_list(cast: Cast, monitor, administrator, colleague):
    with recording(by=administrator, reason="Left before the study began.", study=cast.study):
        Membership.objects.get(person__user=colleague).delete()
    correct(colleague.person, administrator, name="Colleague-Meyer")

    found = [line for line in lines(monitor, cast.study, kind="~") if line.title == "Person"]
    assert [(line.old, line.new) for line in found] == [("Colleague", "Colleague-Meyer")]


def test_the_list_is_of_the_viewers_patients_alone(cast: Cast, patient: Patient, patient_elsewhere: Patient, colleague):
    make.record(Demographics, patient)
    make.record(Demographics, patient_elsewhere)

    assert {line.patient for line in lines(colleague, cast.study)} == {patient_elsewhere.pk}


def test_a_role_that_sees_no_history_adds_no_site(
    client: Client, cast: Cast, patient: Patient, patient_elsewhere: Patient, colleague
):
    with recording(by=cast["administrator"], reason="Helps with the accounts of the study."):
        Membership.objects.create(
            person=colleague.person, study=cast.study, role=Role.ADMINISTRATOR, starts_on=FIRST_DAY
        )
    make.record(Demographics, patient)
    make.record(Demographics, patient_elsewhere)
    client.force_login(colleague)

    page = client.get("/MT103-211/changes/").content.decode()
    text = b"".join(client.get("/MT103-211/changes.csv").streaming_content).decode()

    assert {line.patient for line in lines(colleague, cast.study)} == {patient_elsewhere.pk}
    assert client.get(f"/MT103-211/changes/?site={cast.here.pk}").status_code == 400
    for shown in (page, text):
        assert "SYN-034-001" in shown
        assert "SYN-012-001" not in shown
    assert "012 Ulm" not in page


@pytest.mark.parametrize(
    ("narrowed", "count"),
    [
        ({}, 2),
        ({"patient": "034"}, 1),
        ({"patient": "999"}, 0),
        ({"form": "DM"}, 2),
        ({"form": "HSCT"}, 0),
        ({"kind": "-"}, 0),
    ],
)
def test_the_list_narrows(narrowed, count, cast: Cast, patient, patient_elsewhere, monitor, coordinator, colleague):
    for of, by in ((patient, coordinator), (patient_elsewhere, colleague)):
        correct(make.record(Demographics, of), by, sex="M")

    assert len(lines(monitor, cast.study, **{"kind": "~"} | narrowed)) == count
    assert len(Changes(monitor, cast.study, Filters(**{"kind": "~"} | narrowed))) == count


def test_the_list_narrows_to_a_site_a_person_and_a_period(
    cast: Cast, patient, patient_elsewhere, monitor, coordinator, colleague
):
    correct(make.record(Demographics, patient), coordinator, sex="M")
    correct(make.record(Demographics, patient_elsewhere), colleague, sex="M")
    today = Recording.objects.latest("at").at.date()
    day = timedelta(days=1)

    def count(**narrowed):
        return len(Changes(monitor, cast.study, Filters(kind="~", **narrowed)))

    assert count(site=cast.here.pk) == 1
    assert count(person=colleague.pk) == 1
    assert count(person=monitor.pk) == 0
    assert count(since=today - day, until=today) == 2
    assert count(since=today + day) == 0
    assert count(until=today - 2 * day) == 0


def test_a_page_costs_the_same_number_of_queries_however_long_the_trail_is(
    client: Client, cast: Cast, patient, monitor, coordinator
):
    status = make.record(PerformanceStatus, patient)
    client.force_login(monitor)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/MT103-211/changes/?form=PS").status_code == 200
        return len(captured)

    correct(status, coordinator, ecog=2)
    few = queries()
    for ecog in (1, 0, 1, 2, 3, 4, 0, 1, 2, 3):
        correct(status, coordinator, ecog=ecog)

    assert queries() == few


def test_a_large_act_has_a_page_of_its_own(client: Client, cast: Cast, patient, monitor, coordinator):
    with recording(by=coordinator, reason="An import.", study=cast.study) as act:
        numbers = range(1, Changes.SHOWN_OF_AN_ACT + 71)
        FormEntry.objects.bulk_create(FormEntry(patient=patient, form="AE", repeat=number) for number in numbers)
    client.force_login(monitor)

    (found,) = [one for one in Changes(monitor, cast.study, Filters()).page(0, 100) if one.recording.pk == act.pk]
    page = client.get("/MT103-211/changes/").content.decode()
    first = client.get(f"/MT103-211/changes/{act.pk}/")
    rest = client.get(f"/MT103-211/changes/{act.pk}/?first=100")

    assert found.more == 70
    assert "70 more changes in this act" in page
    assert 'rel="next"' in first.content.decode()
    assert rest.status_code == 200
    assert 'rel="next"' not in rest.content.decode()


def test_a_thousand_corrections_are_read_together(client: Client, cast: Cast, patient, monitor, coordinator):
    numbers = range(1, 1102)  # SQLite takes a thousand conditions in a row
    with recording(by=coordinator, reason="An import.", study=cast.study):
        FormEntry.objects.bulk_create(
            FormEntry(patient=patient, form="AE", repeat=number, comment=f"Sheet {number}") for number in numbers
        )
    with recording(by=coordinator, reason="Read again from the source.", study=cast.study):
        FormEntry.objects.update(comment="Read again.")
    client.force_login(monitor)

    text = b"".join(client.get("/MT103-211/changes.csv?kind=~").streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))

    assert [row["Old"] for row in rows] == [f"Sheet {number}" for number in numbers]
    assert {row["New"] for row in rows} == {"Read again."}


def test_the_csv_has_what_the_page_shows(client: Client, cast: Cast, patient: Patient, monitor, coordinator):
    correct(make.record(Demographics, patient), coordinator, sex="M", reason="=HYPERLINK(evil)")
    client.force_login(monitor)

    answer = client.get("/MT103-211/changes.csv?kind=~")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    (row,) = list(csv.DictReader(io.StringIO(text)))

    assert answer["Content-Disposition"] == 'attachment; filename="synthetic-MT103-211-changes.csv"'
    assert (row["Who"], row["Role"], row["Patient"], row["Site"]) == (
        "Coordinator",
        "Site coordinator",
        "SYN-012-001",
        "012",
    )
    assert (row["Form"], row["Field"], row["Old"], row["New"]) == ("DM", "Sex", "Female", "Male")
    assert row["Why"] == "'=HYPERLINK(evil)"  # text to a spreadsheet, and no formula


@pytest.mark.parametrize("page", ["changes/", "changes.csv", "changes/1/"])
def test_a_filter_that_cannot_be_read_keeps_what_was_typed(client: Client, cast: Cast, monitor, patient, page):
    client.force_login(monitor)

    answer = client.get(f"/MT103-211/{page}?since=12.3.2013&patient=012&site=99")
    content = answer.content.decode()

    assert answer.status_code == 400
    assert 'value="12.3.2013"' in content
    assert 'value="012"' in content
    assert "&#x27;12.3.2013&#x27; is not a day. Write it as 2014-09-30 or 30-Sep-2014." in content
    assert "&#x27;99&#x27; is not in this list. Choose one that is." in content
    assert "so nothing is listed" in content
    assert "SYN-012-001" not in content


@pytest.mark.parametrize("typed", ["2999-01-31", "31-Jan-2999", "31jan2999", " 31 JAN 2999 "])
def test_a_day_is_typed_as_pages_show_it(client: Client, cast: Cast, monitor, patient, typed):
    client.force_login(monitor)

    answer = client.get("/MT103-211/changes/", {"since": typed})

    assert answer.status_code == 200
    assert "No change matches." in answer.content.decode()


def test_the_ends_of_the_calendar_and_of_counting_are_no_error(client: Client, cast: Cast, monitor, patient):
    act = Recording.objects.latest("pk").pk
    client.force_login(monitor)

    for asked in ("changes/?since=0001-01-01&until=9999-12-31", f"changes/{act}/?first={'9' * 5000}"):
        assert client.get(f"/MT103-211/{asked}").status_code == 200, asked
    text = b"".join(client.get("/MT103-211/changes.csv?until=9999-12-31").streaming_content).decode()
    assert "SYN-012-001" in text


def test_the_set_up_of_the_study_is_in_the_list_of_who_sees_all_of_it(cast: Cast, monitor, coordinator, patient):
    titles = {line.title for line in lines(monitor, cast.study)}

    assert {"Study", "Site", "Person", "Membership", "Patient"} <= titles
    assert {line.title for line in lines(coordinator, cast.study)} == {"Patient"}


def test_another_studys_changes_are_not_in_the_list(cast: Cast, patient: Patient, monitor):
    other = make.study("OTHER-1")
    there = make.patient(make.site(other))
    make.record(Demographics, there)
    make.record(Demographics, patient)

    assert {line.patient for line in lines(monitor, cast.study, form="DM")} == {patient.pk}


def test_the_history_of_a_record_is_newest_first_and_begins_with_every_answer(cast: Cast, patient, coordinator):
    status = make.record(PerformanceStatus, patient)
    correct(status, coordinator, ecog=2)

    newest, first = changes_of_record(PerformanceStatus, status.patient_id, status.pk)

    assert [(field.label, field.old, field.new) for field in newest.fields] == [("ECOG", "1", "2")]
    assert {field.label: field.new for field in first.fields} == {
        "Assessed": "04-Mar-2013",
        "ECOG": "1",
        "Weight": "71.5",
        "Writing test done": "No",
    }
    assert [newest.kind, first.kind] == ["changed", "entered"]


@pytest.mark.parametrize(
    ("missing", "label", "words"),
    [
        ({"no_such_question": "UNK"}, "no_such_question: why it is blank", "Unknown"),
        (["sex", "born_on"], "Missing: why it is blank", "['sex', 'born_on']"),
    ],
)
def test_what_was_once_written_badly_can_be_read_for_ever(missing, label, words):
    history = PerformanceStatus.history.model
    values = {"id": 1, "patient_id": 1, "ecog": 1, "history_type": "~"}
    before = history(**values, version=1, missing={})
    now = history(**values, version=2, missing=missing, changed=["missing"])

    change = change_between(PerformanceStatus, now, before, Recording(reason="A repair."))

    assert [(field.label, field.old, field.new) for field in change.fields] == [(label, "", words)]


def test_corrections_are_what_was_there_before(cast: Cast, patient: Patient, monitor, coordinator):
    status = make.record(PerformanceStatus, patient, weight_kg=None, missing={"height_cm": "ND"})
    correct(status, coordinator, weight_kg=70)  # a first answer
    other = make.record(Demographics, patient)
    correct(other, coordinator, "Misread.", sex="M")
    correct(status, coordinator, "Another form.", weight_kg=None, ecog=2)
    correct(status, coordinator, "Found it.", missing={})
    expected = make.entry_expected(patient, "VS", "C1D1")
    correct(expected, coordinator, "Not done.", is_not_done=True, not_done_reason="Too ill.")
    correct(expected, coordinator, "Still not done.", not_done_reason="In another hospital.")

    found = lines(monitor, cast.study, kind="corrected")

    assert [(line.field, line.old, line.new, line.act.reason) for line in found] == [
        ("Why it was not done", "Too ill.", "In another hospital.", "Still not done."),
        ("Height: why it is blank", "Not done", "", "Found it."),
        ("ECOG", "1", "2", "Another form."),
        ("Weight", "70", "", "Another form."),
        ("Sex", "Female", "Male", "Misread."),
    ]
    assert len(Changes(monitor, cast.study, Filters(kind="corrected"))) == 4


def test_a_first_answer_beside_a_correction_is_not_among_the_corrections(
    cast: Cast, patient: Patient, monitor, coordinator
):
    status = make.record(PerformanceStatus, patient, weight_kg=None)
    correct(status, coordinator, ecog=2, weight_kg=70)

    assert [line.field for line in lines(monitor, cast.study, kind="corrected")] == ["ECOG"]


def test_what_was_taken_away_is_among_the_corrections_and_an_entry_that_was_empty_is_not(
    cast: Cast, patient: Patient, monitor, coordinator
):
    status = make.record(PerformanceStatus, patient)
    empty = make.entry_expected(patient, "VS", "C1D1")
    with recording(by=coordinator, reason="Wrong patient.", study=cast.study):
        status.delete()
    with recording(by=coordinator, reason="No more expected.", study=cast.study):
        empty.delete()

    assert [line.act.reason for line in lines(monitor, cast.study, kind="corrected")] == ["Wrong patient."]


def test_corrections_can_be_chosen_on_the_page_and_leave_as_csv(patient: Patient, client: Client, monitor, coordinator):
    status = make.record(PerformanceStatus, patient)
    correct(status, coordinator, "Misread.", ecog=2)
    client.force_login(monitor)

    page = client.get("/MT103-211/changes/?kind=corrected").content.decode()

    assert "<strong>1</strong> recorded act with such changes" in page
    assert '<option value="corrected" selected>Corrections: an earlier value changed, or gone</option>' in page
