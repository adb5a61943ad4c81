"""The report on the page: its state in the address, its cells and their patients, its figures, its export, the search."""

import hashlib
import io
import json
import time
import zipfile
from datetime import timedelta

import pytest
from django.test import Client

from analysis.live import live_report
from analysis.views import SOURCES, address_of
from patients.models import Death, Demographics, Enrolment, InfusionInterval, Transplant
from safety.models import AdverseEvent
from tests import make
from tests.cast import Cast
from trial.access_record.models import AccessEvent, AccessKind
from trial.audit import recording
from trial.models import Patient
from trial.records import record_model
from trial.sign_in.confirmation import BEGAN


def treat(patient: Patient) -> None:
    """What makes a patient one of the prior alloHSCT cohort."""
    make.record(Demographics, patient)
    make.record(Enrolment, patient)
    make.record(InfusionInterval, patient, ended_at=make.MOMENT + timedelta(days=28), ended_at_offset=60)
    make.record(Transplant, patient)


@pytest.fixture
def statistics(client: Client, cast: Cast) -> Client:
    """A browser in which the statistician is signed in."""
    client.force_login(cast["statistician"])
    return client


def page(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, address
    return answer.content.decode()


def test_each_number_leads_to_its_patients_and_they_to_their_forms(statistics: Client, patient, patient_elsewhere):
    treat(patient)
    treat(patient_elsewhere)
    make.record(Death, patient, died_on="2013-09-01")

    answer = statistics.get("/MT103-211/report/T-5.3/")
    (deaths,) = [
        cell
        for _, _, rows in answer.context["tables"]
        for row, cells in rows
        for cell, _ in cells
        if cell and row.label == "Deaths" and cell.group == "Prior alloHSCT"
    ]
    behind = page(statistics, f"/MT103-211/report/T-5.3/patients/{address_of(deaths)}/")

    assert f'href="patients/{address_of(deaths)}/"' in answer.content.decode()
    assert "1/2 (50.0 %)" in deaths.text
    assert "Patients behind 1/2 (50.0 %)" in behind
    assert "/MT103-211/patients/SYN-012-001/DTH/" in behind
    assert "SYN-034-001" not in behind


def test_a_coordinators_numbers_are_of_the_site_and_the_page_says_so(client, cast, patient, patient_elsewhere):
    treat(patient)
    treat(patient_elsewhere)
    client.force_login(cast["coordinator"])

    own = page(client, "/MT103-211/report/T-4.1/")

    assert "Prior alloHSCT (N=1)" in own
    assert "site 012 only" in own
    assert "These are not the study" in own


def test_the_report_is_live_and_the_past_can_be_asked(statistics: Client, patient: Patient):
    treat(patient)
    before = page(statistics, "/MT103-211/report/T-4.1/")
    with recording(by=make.author(), reason="Never transplanted."):
        transplant = Transplant.objects.get()
        last = transplant.history.first().recording.at
        transplant.delete()

    now = page(statistics, "/MT103-211/report/T-4.1/")
    past = page(statistics, f"/MT103-211/report/T-4.1/?as_of={last.isoformat().replace('+00:00', 'Z')}")

    assert "Prior alloHSCT (N=1)" in before
    assert "Prior alloHSCT (N=0)" in now
    assert "Prior alloHSCT (N=1)" in past
    assert "Later changes are not in these numbers." in past


def swap_numbers(one: Patient, other: Patient) -> None:
    """Let two patients change numbers."""
    with recording(by=make.author(), reason="The numbers were mixed up."):
        first, second = one.number, other.number
        for patient, number in ((one, "SYN-999-999"), (other, first), (one, second)):
            patient.number = number
            patient.save()


def shown_last() -> set[int]:
    return {one.patient_id for one in AccessEvent.objects.latest("pk").patients.all()}


def test_pages_of_the_past_record_the_patients_of_that_instant(statistics: Client, patient, patient_elsewhere):
    treat(patient)
    make.record(AdverseEvent, patient, grade=5, outcome="FATAL", is_ongoing=False, ended="2013-09-01")
    make.record(Death, patient, died_on="2013-09-01")
    last = Death.history.first().recording.at.isoformat().replace("+00:00", "Z")
    swap_numbers(patient, patient_elsewhere)

    listing = statistics.get(f"/MT103-211/report/L-6.8/?as_of={last}")
    of_listing = shown_last()
    cell = next(
        address
        for _, _, rows in statistics.get(f"/MT103-211/report/T-5.3/?as_of={last}").context["tables"]
        for _, cells in rows
        for result, address in cells
        if result and result.patients
    )
    behind = page(statistics, f"/MT103-211/report/T-5.3/patients/{cell}/?as_of={last}")

    assert listing.status_code == 200
    assert of_listing == shown_last() == {patient.pk}
    assert "/MT103-211/patients/SYN-034-001/" in behind  # the number that the patient has today
    assert "/MT103-211/patients/SYN-012-001/" not in behind


def test_a_number_of_the_past_says_that_its_forms_open_as_they_are_now(statistics: Client, patient: Patient):
    treat(patient)
    last = Transplant.history.first().recording.at.isoformat().replace("+00:00", "Z")
    address = "/MT103-211/report/T-4.1/patients/{}/"
    (row, *_) = statistics.get("/MT103-211/report/T-4.1/").context["tables"][0][2]
    cell = address.format(address_of(row[1][0][0]))

    assert "The forms open as they are now." not in page(statistics, cell)
    assert "The forms open as they are now." in page(statistics, f"{cell}?as_of={last}")


def test_the_state_of_the_page_is_in_every_link(statistics: Client, patient: Patient):
    treat(patient)

    found = page(statistics, "/MT103-211/report/?cohort=all&cutoff=2014-09-30")

    assert "cut-off 30-Sep-2014" in found
    assert "cut-off 30-Sep-2014" in page(statistics, "/MT103-211/report/?cohort=all&cutoff=30sep2014")
    assert 'href="/MT103-211/report/T-4.1/?cohort=all&amp;cutoff=2014-09-30"' in found


@pytest.mark.parametrize(
    ("address", "status", "sentence"),
    [
        ("report/T-9.9/", 404, "There is no output T-9.9. Choose from F-1.2, T-2.1"),
        ("report/?cohort=some", 404, "There is no cohort &#x27;some&#x27;. Choose from prior-allohsct"),
        ("report/?as_of=yesterday", 400, "&#x27;yesterday&#x27; is not an instant."),
        ("report/?as_of=2999-01-01", 400, "is not over yet."),
        ("report/?cutoff=31.12.2016", 400, "&#x27;31.12.2016&#x27; is not a date."),
        ("report/T-4.1/patients/0123456789/", 404, "That number is not in T-4.1 any more."),
        ("report/F-5.4/figure-7.svg", 404, "F-5.4 has 1 figures, counted from 0."),
    ],
)
def test_what_is_not_there_is_said_in_a_sentence_that_lists_what_is(statistics, patient, address, status, sentence):
    assert sentence in page(statistics, f"/MT103-211/{address}", status)


def test_a_figure_comes_as_a_specification_and_as_a_picture(statistics: Client, patient: Patient):
    treat(patient)

    spec = json.loads(page(statistics, "/MT103-211/report/F-5.4/figure-0.json"))
    picture = page(statistics, "/MT103-211/report/F-5.4/figure-0.svg")

    assert spec["$schema"].endswith("vega-lite/v6.json")
    assert picture.startswith("<svg")
    assert " style=" not in picture  # the page's policy would refuse it


def test_the_export_is_a_zip_with_its_manifest(statistics: Client, patient: Patient):
    treat(patient)

    answer = statistics.post("/MT103-211/report/export/", {"cohort": "prior-allohsct", "format": ["csv"]})

    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    names = {name.rsplit("/", 1)[1] for name in archive.namelist()}
    assert "synthetic" in answer["Content-Disposition"]
    assert {"manifest.json", "redo.py", "redo.R"} <= names
    assert any(name.lower().startswith("adtte") for name in names)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"format": ["xls"]}, "There is no format &#x27;xls&#x27;. Choose from csv, parquet."),
        ({}, "Choose at least one of csv, parquet."),
        ({"cohort": "some"}, "Select a valid choice. some is not one of the available choices."),
        ({"cutoff": "12.3.2013"}, "&#x27;12.3.2013&#x27; is not a date."),
        ({"as_of": "yesterday"}, "&#x27;yesterday&#x27; is not an instant."),
        ({"as_of": "2999-01-01", "format": ["csv"]}, "is not over yet."),
        ({"purpose": "x" * 201}, "Ensure this value has at most 200 characters"),
    ],
)
def test_an_export_that_cannot_be_made_says_why_and_keeps_what_was_typed(statistics: Client, patient, given, sentence):
    answer = statistics.post("/MT103-211/report/export/", {"recipient": "Dr Ada Roe"} | given)
    shown = answer.content.decode()

    assert answer.status_code == 400
    assert sentence in shown
    assert 'value="Dr Ada Roe"' in shown
    assert not AccessEvent.objects.filter(kind=AccessKind.EXPORTED).exists()


def test_a_real_study_is_exported_for_a_purpose_to_a_recipient(statistics: Client, cast: Cast, patient: Patient):
    with recording(by=make.author(), reason="The study is real."):
        cast.study.is_synthetic = False
        cast.study.save()
    said = {"format": ["csv"], "purpose": "Safety review", "recipient": "Dr Ada Roe"}

    menu = page(statistics, "/MT103-211/report/")
    missing = statistics.post("/MT103-211/report/export/", {"format": ["csv"], "purpose": "Safety review"})
    right = statistics.post("/MT103-211/report/export/", said)

    assert 'name="purpose" required' in menu
    assert missing.status_code == 400
    assert "Say who receives the data." in missing.content.decode()
    assert 'value="Safety review"' in missing.content.decode()
    assert right.status_code == 200
    assert AccessEvent.objects.filter(kind=AccessKind.EXPORTED).count() == 1


def test_an_export_is_on_record_with_its_patients_purpose_recipient_and_hash(
    statistics, cast, patient, patient_elsewhere
):
    treat(patient)
    make.record(Enrolment, patient_elsewhere)  # of no cohort: never treated
    asked = {"cohort": "prior-allohsct", "format": ["csv"], "purpose": "Safety review", "recipient": "Dr Ada Roe"}

    answer = statistics.post("/MT103-211/report/export/", asked)

    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    (manifest,) = [name for name in archive.namelist() if name.endswith("manifest.json")]
    (event,) = AccessEvent.objects.filter(kind=AccessKind.EXPORTED)
    assert (event.by, event.role, event.page, event.channel) == (
        cast["statistician"],
        "statistician",
        "report-export",
        "page",
    )
    assert (event.purpose, event.recipient) == ("Safety review", "Dr Ada Roe")
    assert event.what == manifest.split("/")[0]
    assert event.content_hash == hashlib.sha256(archive.read(manifest)).hexdigest()
    assert [one.patient_id for one in event.patients.all()] == [patient.pk]


def test_following_a_link_never_takes_data_away(statistics: Client, patient: Patient):
    answer = statistics.get("/MT103-211/report/export/?cohort=all&cutoff=2014-09-30")

    assert answer["Content-Type"].startswith("text/html")
    assert 'value="2014-09-30"' in answer.content.decode()
    assert not AccessEvent.objects.filter(kind=AccessKind.EXPORTED).exists()


def test_datasets_leave_only_with_whoever_confirmed_who_they_are_lately(statistics: Client, patient: Patient):
    session = statistics.session
    session[BEGAN] = time.time() - 11 * 60
    session.save()
    asked = {"format": ["csv"], "purpose": "Safety review", "recipient": "Dr Ada Roe"}

    answers = [
        statistics.get("/MT103-211/report/export/"),
        statistics.post("/MT103-211/report/export/", asked),
    ]

    assert [answer["Location"].split("?")[0] for answer in answers] == ["/account/confirm/"] * 2
    assert not AccessEvent.objects.filter(kind=AccessKind.EXPORTED).exists()


def test_people_who_see_the_same_patients_share_one_computation(cast: Cast, patient: Patient):
    def made(name: str) -> object:
        return live_report(cast[name], cast.study, cohort="all")

    assert made("monitor") is made("statistician")
    assert made("coordinator") is not made("monitor")
    assert made("coordinator") is not made("colleague")


def test_a_new_recording_makes_a_new_report(cast: Cast, patient: Patient, statistician):
    before = live_report(statistician, cast.study, cohort="all")
    make.record(Demographics, patient)

    assert live_report(statistician, cast.study, cohort="all") is not before


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ("SYN-012-001", "/MT103-211/patients/SYN-012-001/"),
        ("012-001", "/MT103-211/patients/SYN-012-001/"),
        ("012-001 hsct", "/MT103-211/patients/SYN-012-001/HSCT/"),
        ("t-4.1", "/MT103-211/report/T-4.1/"),
    ],
)
def test_an_exact_search_opens_what_it_means(statistics: Client, patient: Patient, typed: str, place: str):
    assert statistics.get("/MT103-211/search/", {"q": typed})["Location"] == place


def test_a_search_with_several_answers_lists_them(statistics: Client, patient, patient_elsewhere):
    outputs = page(statistics, "/MT103-211/search/?q=survival")
    patients = page(statistics, "/MT103-211/search/?q=SYN")
    nothing = page(statistics, "/MT103-211/search/?q=zzz")

    assert "T-5.3" in outputs
    assert "Survival follow-up" in outputs
    assert "SYN-012-001" in patients
    assert "SYN-034-001" in patients
    assert "Type a patient" in nothing


def test_a_search_finds_no_patient_of_another_site(client: Client, cast: Cast, patient, patient_elsewhere):
    client.force_login(cast["coordinator"])

    assert "SYN-034-001" not in page(client, "/MT103-211/search/?q=SYN-034")


def test_every_output_says_which_forms_its_numbers_come_from(cast: Cast, statistician):
    report = live_report(statistician, cast.study, cohort="all")

    assert {output.number for output in report.outputs} == set(SOURCES)
    assert all(record_model(code) for codes in SOURCES.values() for code in codes)
