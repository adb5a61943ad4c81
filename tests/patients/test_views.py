"""The casebook on the page: who is listed, what a form says, what was corrected."""

import csv
import hashlib
import html
import io
import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from patients.casebook import Status, casebook_of
from patients.models import (
    Death,
    Demographics,
    Enrolment,
    HaematologyResult,
    HaematologySample,
    InfusionInterval,
    Marrow,
    Medication,
    MrdAssay,
    PerformanceStatus,
    PriorTherapy,
    Transplant,
)
from safety.models import AdverseEvent
from tests import make
from tests.cast import Cast
from trial.access_record.models import AccessEvent, AccessKind
from trial.audit import recording
from trial.models import FormEntry, Patient


@pytest.fixture
def at_site(client: Client, cast: Cast) -> Client:
    """A browser in which the coordinator is signed in."""
    client.force_login(cast["coordinator"])
    return client


def text_of(client: Client, address: str) -> str:
    """The words of a page, without its tags."""
    answer = client.get(address)
    assert answer.status_code == 200, address
    content = answer.content.decode().split("<main", 1)[1].split("</main>", 1)[0]
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", content)).split())


def test_the_list_shows_the_facts_of_each_patient_of_the_site(at_site: Client, patient, patient_elsewhere):
    make.record(Demographics, patient)
    make.record(Enrolment, patient)
    make.record(InfusionInterval, patient)
    make.record(Transplant, patient)
    make.record(Death, patient, died_on="2013-08")

    page = text_of(at_site, "/MT103-211/patients/")

    assert "1 patient at your site." in page
    facts = "SYN-012-001 012 Ulm Germany Female 17-May-1980 04-Mar-2013 Yes 04-Mar-2013 Died UN-Aug-2013"
    assert facts in page
    assert "SYN-034-001" not in page


def test_whether_there_was_a_transplant_is_said_when_somebody_has_said_it(at_site: Client, patient: Patient):
    def said() -> list[str]:
        page = at_site.get(f"/MT103-211/patients/{patient.number}/").content.decode()
        return re.findall(r"Prior alloHSCT</\w+>\s*<\w+[^>]*>\s*(\w+)", page)

    asked_nothing = said()
    log = make.entry_expected(patient, "HSCT")
    with recording(by=make.author(), reason="The log was asked for."):
        log.has_any = False
        log.save()

    assert (asked_nothing, said()) == ([], ["No"])


def test_a_failed_screening_is_a_status(at_site: Client, patient: Patient):
    make.record(Enrolment, patient, is_enrolled=False, enrolled_on=None, screen_failure="IN04")

    assert "Failed screening" in at_site.get(f"/MT103-211/patients/{patient.number}/").content.decode()


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", ["SYN-012-001", "SYN-034-001"]),
        ("?q=034", ["SYN-034-001"]),
        ("?status=died", ["SYN-012-001"]),
        ("?status=alive", ["SYN-034-001"]),
        ("?sort=-number", ["SYN-034-001", "SYN-012-001"]),
        ("?q=nobody", []),
    ],
)
def test_the_list_can_be_searched_narrowed_and_sorted(client, cast, patient, patient_elsewhere, asked, found):
    make.record(Death, patient)
    client.force_login(cast["monitor"])

    answer = client.get(f"/MT103-211/patients/{asked}")

    assert [str(row.record) for row in answer.context["table"].rows] == found


def test_the_list_narrows_to_a_site(client: Client, cast: Cast, patient, patient_elsewhere):
    client.force_login(cast["monitor"])

    answer = client.get(f"/MT103-211/patients/?site={cast.elsewhere.pk}")

    assert [str(row.record) for row in answer.context["table"].rows] == ["SYN-034-001"]


@pytest.mark.parametrize(
    "asked", ["per_page=-1", "per_page=0", f"per_page={'9' * 30}", "page=-1", f"page={'9' * 5000}"]
)
def test_the_length_of_a_page_is_not_in_the_address(at_site: Client, patient: Patient, asked: str):
    answer = at_site.get(f"/MT103-211/patients/?{asked}")

    assert answer.status_code == 200
    assert answer.context["table"].paginator.per_page == 50


@pytest.mark.parametrize("page", ["patients/", "patients.csv"])
def test_a_filter_that_cannot_be_read_keeps_what_was_typed(at_site: Client, patient: Patient, page: str):
    answer = at_site.get(f"/MT103-211/{page}?q={'x' * 61}&site=99&status=gone")
    content = answer.content.decode()

    assert answer.status_code == 400
    assert f'value="{"x" * 61}"' in content
    assert "Ensure this value has at most 60 characters" in content
    assert content.count("Select a valid choice.") == 2
    assert "so nothing is listed" in content
    assert "SYN-012-001" not in content


def test_the_csv_is_the_list_as_it_is_narrowed_and_sorted(client: Client, cast: Cast, patient, patient_elsewhere):
    make.record(Demographics, patient)
    make.record(Enrolment, patient)
    make.record(Death, patient, died_on="2013-08")
    client.force_login(cast["monitor"])

    answer = client.get("/MT103-211/patients.csv?q=SYN&sort=-number")
    last, first = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))

    assert answer["Content-Disposition"] == 'attachment; filename="synthetic-MT103-211-patients.csv"'
    assert (last["Patient"], first["Patient"]) == ("SYN-034-001", "SYN-012-001")
    assert (first["Site"], first["Sex"], first["Born"], first["Status"]) == (
        "012 Ulm",
        "Female",
        "17-May-1980",
        "Died UN-Aug-2013",
    )


def test_the_csv_is_on_record_with_its_patients_and_its_hash(at_site: Client, cast: Cast, patient, patient_elsewhere):
    answer = at_site.get("/MT103-211/patients.csv")

    (event,) = AccessEvent.objects.filter(kind=AccessKind.EXPORTED)
    assert (event.by, event.role, event.page) == (cast["coordinator"], "coordinator", "patient-list-csv")
    assert event.content_hash == hashlib.sha256(answer.content).hexdigest()
    assert [one.patient_id for one in event.patients.all()] == [patient.pk]


def test_each_form_says_how_far_it_is(at_site: Client, patient: Patient):
    make.record(Enrolment, patient)
    make.record(Demographics, patient, missing={"ethnicity": "UNK"}, ethnicity=None)
    with recording(by=make.author(), reason="Expected forms."):
        FormEntry.objects.create(patient=patient, form="ALLH")
        FormEntry.objects.create(patient=patient, form="HSCT", has_any=False)
        FormEntry.objects.create(patient=patient, form="PTX", has_any=True)
        FormEntry.objects.create(patient=patient, form="BDIS", is_not_done=True, not_done_reason="Patient left.")

    statuses = {form.form.code: form.status for section in casebook_of(patient).sections for form in section.forms}

    assert statuses["ENR"] is Status.INCOMPLETE  # the version of the consent is required and blank
    assert statuses["DM"] is Status.COMPLETE  # the blank answer says why it is blank
    assert statuses["ALLH"] is Status.EXPECTED
    assert statuses["HSCT"] is Status.COMPLETE
    assert statuses["PTX"] is Status.INCOMPLETE  # there is something to report, and no row yet
    assert statuses["BDIS"] is Status.NOT_DONE
    assert statuses["DTH"] is None
    page = text_of(at_site, f"/MT103-211/patients/{patient}/")
    assert "Prior transplantation Complete Nothing to report" in page
    assert "Demographics Complete" in page


def test_the_casebook_costs_the_same_number_of_queries_for_many_records(at_site: Client, patient: Patient):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            at_site.get(f"/MT103-211/patients/{patient}/")
        return len(captured)

    make.record(PriorTherapy, patient)
    few = queries()
    for _ in range(5):
        make.record(PriorTherapy, patient)

    assert queries() == few


def test_a_form_with_one_record_has_each_answer_beside_its_question(at_site: Client, patient: Patient):
    make.record(PerformanceStatus, patient, missing={"height_cm": "ND"})

    page = text_of(at_site, f"/MT103-211/patients/{patient}/PS/")

    assert "Weight 71.5 kg" in page
    assert "Height Not done" in page
    assert "Writing test done No" in page


def test_blood_counts_are_a_row_a_visit_with_a_column_a_test(at_site: Client, patient: Patient):
    for day, platelets in ((1, 40), (8, 60), (15, 90), (22, 120)):
        sample = make.record(HaematologySample, patient, visit=f"C1D{day}")
        make.record(HaematologyResult, patient, sample=sample, value=platelets, value_text=str(platelets))

    page = text_of(at_site, f"/MT103-211/patients/{patient}/LBH/")

    assert "4 rows." in page
    assert "Platelets 10^9/L" in page
    assert "C1D15 04-Mar-2013 10:30 (UTC+01:00) LAB-012 90" in page


def test_rows_are_in_the_order_of_their_dates(at_site: Client, patient: Patient):
    for started in ("2013-03-09", "2013-03", "2013-03-05"):
        make.record(AdverseEvent, patient, started=started)

    answer = at_site.get(f"/MT103-211/patients/{patient}/AE/")

    assert [record.started for record in answer.context["page"]] == ["2013-03", "2013-03-05", "2013-03-09"]


def test_many_rows_are_read_page_by_page_in_the_order_of_their_dates(at_site: Client, patient: Patient):
    with recording(by=make.author(), reason="Many medications."):
        entries = FormEntry.objects.bulk_create(
            [FormEntry(patient=patient, form="CM", repeat=n, comment=f"Box {n}.") for n in range(1, 53)]
        )
        Medication.objects.bulk_create(
            [
                Medication(patient=patient, entry=entry, drug=f"Drug {entry.repeat}", started=f"20{entry.repeat:02}-01")
                for entry in entries
            ]
        )

    first, second = (
        at_site.get(f"/MT103-211/patients/{patient}/CM/?page={page}").content.decode() for page in ("1", "99")
    )

    assert "<strong>52</strong> rows, 1 to 50 of them here." in first
    assert "<strong>52</strong> rows, 51 to 52 of them here." in second
    assert re.findall(r"<td>Drug (\d+)\s", first) == [str(number) for number in range(1, 51)]
    assert re.findall(r"<td>Drug (\d+)\s", second) == ["51", "52"]
    assert ("Box 50." in first, "Box 51." in first) == (True, False)  # a comment stands above the row that it is on
    assert ("Box 50." in second, "Box 51." in second) == (False, True)


def test_a_form_without_records_says_why_it_is_empty(at_site: Client, patient: Patient):
    with recording(by=make.author(), reason="The gate was answered."):
        FormEntry.objects.create(patient=patient, form="HSCT", has_any=False)
        FormEntry.objects.create(patient=patient, form="DM")

    assert "there is nothing to report" in text_of(at_site, f"/MT103-211/patients/{patient}/HSCT/")
    assert "Nothing was entered on this form yet. It is expected." in text_of(
        at_site, f"/MT103-211/patients/{patient}/DM/"
    )
    assert "Nothing was entered on this form yet. It is filled" in text_of(
        at_site, f"/MT103-211/patients/{patient}/DTH/"
    )


def test_a_row_of_a_block_leads_to_its_form(at_site: Client, patient: Patient):
    answer = at_site.get(f"/MT103-211/patients/{patient}/LBH.RESULT/")

    assert answer["Location"] == f"/MT103-211/patients/{patient}/LBH/"


def test_a_record_shows_its_rows_and_the_record_that_it_points_to(at_site: Client, patient: Patient):
    sample = make.record(HaematologySample, patient)
    make.record(HaematologyResult, patient, sample=sample)
    marrow = make.record(Marrow, patient)
    assay = make.record(MrdAssay, patient, marrow=marrow)

    assert "Test Result As typed Unit Platelets 120 120 10^9/L" in text_of(
        at_site, f"/MT103-211/patients/{patient}/LBH/{sample.pk}/"
    )
    answer = at_site.get(f"/MT103-211/patients/{patient}/MRD/{assay.pk}/").content.decode()
    assert f'<a href="/MT103-211/patients/{patient}/BM/{marrow.pk}/">Marrow 04-Mar-2013, Central</a>' in answer


def test_a_corrected_answer_shows_old_new_who_and_when_and_leads_to_its_history(
    at_site: Client, cast: Cast, patient: Patient
):
    status = make.record(PerformanceStatus, patient)
    with recording(by=cast["coordinator"], reason="Misread.", role="Site coordinator", study=cast.study):
        status.weight_kg = Decimal("61.5")
        status.save()

    page = text_of(at_site, f"/MT103-211/patients/{patient}/PS/{status.pk}/")
    history = text_of(at_site, f"/MT103-211/patients/{patient}/PS/{status.pk}/history/?field=weight_kg")

    assert "Weight 61.5 kg was 71.5 → now 61.5 kg" in page
    assert "this is version 2" in page
    assert "2 versions, newest first." in history
    assert "Version 2: changed" in history
    assert "Coordinator (site coordinator) Why: Misread. Field Old and new Weight was 71.5 → now 61.5 kg" in history


def test_a_record_of_another_patient_is_not_there(at_site: Client, patient, patient_elsewhere):
    status = make.record(PerformanceStatus, patient_elsewhere)

    answer = at_site.get(f"/MT103-211/patients/{patient}/PS/{status.pk}/", follow=True)

    assert answer.status_code == 404


def test_an_unknown_form_is_answered_with_those_there_are(at_site: Client, patient: Patient):
    answer = at_site.get(f"/MT103-211/patients/{patient}/XX/")

    assert answer.status_code == 404
    assert "There is no form &#x27;XX&#x27;. Choose from AE, " in answer.content.decode()
