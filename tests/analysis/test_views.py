"""The report on the page: its state in the address, its cells and their patients, its figures, its export, the search."""

import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.test import Client

from analysis.live import live_report
from analysis.views import SOURCES, address_of
from patients.models import Death, Demographics, Enrolment, InfusionInterval, Transplant
from tests import make
from tests.cast import Cast
from trial.audit import recording
from trial.models import Patient
from trial.records import record_model


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


def test_an_export_that_cannot_be_made_says_why(statistics: Client, cast: Cast, patient: Patient):
    answer = statistics.post("/MT103-211/report/export/", {"format": ["xls"]})

    assert answer.status_code == 400
    assert "There is no format &#x27;xls&#x27;. Choose from csv, parquet." in answer.content.decode()


def test_a_real_study_is_exported_for_a_purpose_to_a_recipient(statistics: Client, cast: Cast, patient: Patient):
    with recording(by=make.author(), reason="The study is real."):
        cast.study.is_synthetic = False
        cast.study.save()

    form = page(statistics, "/MT103-211/report/")
    answer = statistics.post("/MT103-211/report/export/", {"format": ["csv"]})

    assert 'name="purpose" required' in form
    assert answer.status_code == 400
    assert "Say what the data are for and who receives them" in answer.content.decode()


def test_following_a_link_never_takes_data_away(statistics: Client, patient: Patient):
    assert statistics.get("/MT103-211/report/export/").status_code == 405


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
