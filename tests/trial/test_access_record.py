"""The access record as people read it: every reading, file and refusal in words, narrowed, scoped, counted, as CSV."""

import csv
import io
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from patients.models import Demographics, Enrolment, InfusionInterval
from tests import make
from tests.cast import FIRST_DAY, Cast, account
from trial.access_record.accesses import Accesses, Filters
from trial.access_record.keeping import record_access
from trial.access_record.models import AccessedPatient, AccessEvent, AccessKind
from trial.access_record.wording import PAGES
from trial.audit import recording
from trial.models import Membership, Patient, Person, Role
from trial.page_checks import pages

HERE = "/MT103-211"


@pytest.fixture
def keeper(client: Client, cast: Cast) -> Client:
    """A browser in which the data manager is signed in."""
    client.force_login(cast["data manager"])
    return client


def reader(person) -> Client:
    """Another browser, in which this person is signed in."""
    browser = Client()
    browser.force_login(person)
    return browser


def said(viewer, study, order="-at", **narrowed) -> list[str]:
    """The events that this person finds, in words."""
    found = Accesses(viewer, study, Filters(**narrowed), order)
    return [str(line.sentence) for line in found[0:1000]]


def table_of(answer) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))


# What is said of an event


def test_every_reading_is_said_in_words(cast: Cast, patient: Patient, patient_elsewhere, coordinator, data_manager):
    record = make.record(Demographics, patient)
    browser = reader(coordinator)
    monitor = reader(cast["monitor"])

    browser.get(f"{HERE}/patients/SYN-012-001/")
    browser.get(f"{HERE}/patients/SYN-012-001/DM/")
    browser.get(f"{HERE}/patients/SYN-012-001/DM/{record.pk}/")
    browser.get(f"{HERE}/patients/SYN-012-001/DM/{record.pk}/history/")
    browser.get(f"{HERE}/report/")
    monitor.get(f"{HERE}/patients/")

    assert said(data_manager, cast.study, kind="read") == [
        "Read the list of patients: 2 patients",
        "Read the report",
        f"Read the history of the record DM {record.pk} of SYN-012-001",
        f"Read the record DM {record.pk} of SYN-012-001",
        "Read the form DM of SYN-012-001",
        "Read the casebook of SYN-012-001",
    ]


def test_what_was_taken_away_says_for_whom_and_why(cast: Cast, patient, patient_elsewhere, data_manager):
    record_access(
        AccessKind.EXPORTED,
        by=cast["statistician"],
        study=cast.study,
        patients=[patient.pk, patient_elsewhere.pk],
        page="report-export",
        what="MT103-211-adam-all",
        recipient="Dr Ada Roe",
        purpose="Safety review",
    )

    assert said(data_manager, cast.study, kind="exported") == [
        "Took away the datasets MT103-211-adam-all of 2 patients, for Dr Ada Roe, purpose: Safety review"
    ]


def test_the_form_of_an_export_is_no_export(cast: Cast, statistician, data_manager):
    reader(statistician).get(f"{HERE}/report/export/")

    assert said(data_manager, cast.study) == ["Read the form that takes datasets away"]


def test_a_refusal_says_what_was_asked_for(cast: Cast, patient_elsewhere, coordinator, data_manager):
    reader(coordinator).get(f"{HERE}/patients/SYN-034-001/AE/")

    assert said(data_manager, cast.study, kind="refused") == ["Was refused: /MT103-211/patients/SYN-034-001/AE/"]


def test_every_page_about_a_study_has_words():
    named = {page.name for page in pages() if str(page.pattern).startswith("<str:study>")}

    assert named - PAGES.keys() == set()


def test_an_event_of_a_page_that_is_gone_is_still_read(keeper: Client, cast: Cast, patient: Patient):
    record_access(AccessKind.READ, by=cast["monitor"], study=cast.study, patients=[patient.pk], page="old-page")

    assert "Read the page old-page:" in keeper.get(f"{HERE}/access/").content.decode()


# Who finds what


def signed_in(name: str, by=None) -> None:
    record_access(AccessKind.SIGNED_IN if by else AccessKind.SIGN_IN_FAILED, by=by, person_name=name)


def somebody_of_another_study(name: str = "elsa"):
    """A person whose only role is in another study, and that study."""
    other = make.study("OTHER-1")
    person = account(name)
    with recording(by=make.author(), reason="Works on another study."):
        Person(user=person, name=name.title(), organisation="Elsewhere").save()
        Membership(person=person.person, study=other, role=Role.DATA_MANAGER, starts_on=FIRST_DAY).save()
    return person, other


def test_a_sign_in_is_found_in_the_studies_of_the_person_and_one_by_nobody_in_all(cast: Cast, data_manager):
    elsa, other = somebody_of_another_study()
    signed_in("Monitor", cast["monitor"])
    signed_in("Elsa", elsa)
    signed_in("mallory")

    def names(viewer, study) -> list[str]:
        return [line.event.person_name for line in Accesses(viewer, study, Filters())[0:10]]

    assert names(data_manager, cast.study) == ["mallory", "Monitor"]
    assert names(elsa, other) == ["mallory", "Elsa"]


def test_somebody_whose_role_was_removed_is_still_found(cast: Cast, monitor, data_manager, administrator):
    signed_in("Monitor", monitor)
    with recording(by=administrator, reason="Left the study.", study=cast.study):
        Membership.objects.get(person__user=monitor).delete()

    assert said(data_manager, cast.study, person=monitor.pk) == ["Signed in"]


def test_another_studys_events_and_patients_are_not_found(cast: Cast, patient: Patient, data_manager):
    elsa, other = somebody_of_another_study()
    there = make.patient(make.site(other), "OTHER-077")
    reader(elsa).get("/OTHER-1/patients/OTHER-077/")
    reader(data_manager).get("/OTHER-1/patients/OTHER-077/")  # 404, and on the record of the study that was asked for
    reader(data_manager).get(f"{HERE}/patients/SYN-012-001/")

    assert said(data_manager, cast.study) == ["Read the casebook of SYN-012-001"]
    assert said(elsa, other) == ["Was refused: /OTHER-1/patients/OTHER-077/", "Read the casebook of OTHER-077"]
    assert said(data_manager, cast.study, patient="077") == []
    assert Accesses(elsa, other, Filters()).patients() == {there.pk}


def test_who_sees_one_site_finds_what_concerns_its_patients(
    client: Client, cast: Cast, patient: Patient, patient_elsewhere, stranger, monitor
):
    with recording(by=cast["administrator"], reason="Keeps the data of one hospital."):
        Membership(
            person=stranger.person, study=cast.study, site=cast.here, role=Role.DATA_MANAGER, starts_on=FIRST_DAY
        ).save()
    signed_in("Monitor", monitor)
    browser = reader(monitor)
    browser.get(f"{HERE}/patients/")
    browser.get(f"{HERE}/patients/SYN-034-001/")
    reader(cast["coordinator"]).get(f"{HERE}/patients/SYN-034-001/")
    client.force_login(stranger)

    page = client.get(f"{HERE}/access/").content.decode()
    file = client.get(f"{HERE}/access.csv")

    assert said(stranger, cast.study, kind="read")[-1] == "Read the list of patients: SYN-012-001"
    assert said(stranger, cast.study, kind="refused") == said(stranger, cast.study, kind="signed in") == []
    assert "about the patients of your site" in page
    assert "SYN-034-001" not in page
    assert "SYN-034-001" not in b"".join(file.streaming_content).decode()


# Narrowed, sorted, counted


@pytest.mark.parametrize(
    ("narrowed", "found"),
    [
        ({}, ["t", "e", "r", "s"]),
        ({"kind": "exported"}, ["e"]),
        ({"patient": "034"}, ["e"]),
        ({"patient": "SYN"}, ["e", "r"]),
        ({"page": "form"}, ["r"]),
        ({"address": "10.0."}, ["e", "r"]),
        ({"address": "10.0.0.2"}, ["e"]),
        ({"q": "ada ROE"}, ["e"]),
        ({"q": "feedfacefeedface"}, ["r"]),
        ({"q": "feedface"}, []),
        ({"q": "night"}, ["t"]),
        ({"since": date(2999, 1, 1)}, []),
        ({"until": date(2000, 1, 1)}, []),
        ({"since": date(2000, 1, 1), "until": date(9999, 12, 31)}, ["t", "e", "r", "s"]),
        ({"person": -1}, []),
    ],
)
def test_the_record_narrows(cast: Cast, patient, patient_elsewhere, monitor, data_manager, narrowed, found):
    def kept(kind, address, patients, **details) -> int:
        event = AccessEvent(kind=kind, by=monitor, person_name="Monitor", study=cast.study, address=address, **details)
        event.save()
        AccessedPatient.objects.bulk_create(AccessedPatient(event=event, patient_id=one.pk) for one in patients)
        return event.pk

    both = [patient, patient_elsewhere]
    names = {
        kept(AccessKind.SIGNED_IN, None, []): "s",
        kept(AccessKind.READ, "10.0.0.1", [patient], page="form", what="AE", session="feedfacefeedface"): "r",
        kept(AccessKind.EXPORTED, "10.0.0.2", both, recipient="Dr Ada Roe"): "e",
        kept(AccessKind.TOKEN_MADE, "10.1.0.1", [], what="nightly"): "t",
    }

    listed = Accesses(data_manager, cast.study, Filters(**narrowed))

    assert [names[line.event.pk] for line in listed[0:10]] == found
    assert len(listed) == len(found)


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ("", ["Zoe", "ada", "Bea"]),
        ("at", ["Bea", "ada", "Zoe"]),
        ("what", ["Bea", "ada", "Zoe"]),
        ("-what", ["Zoe", "ada", "Bea"]),
        ("nothing-like-that", ["Zoe", "ada", "Bea"]),
    ],
)
def test_the_record_is_sorted_by_its_heads(keeper: Client, cast: Cast, order, found):
    for kind, name in ((AccessKind.CONFIRMED, "Bea"), (AccessKind.SIGNED_IN, "ada"), (AccessKind.SIGNED_OUT, "Zoe")):
        record_access(kind, by=cast["monitor"], person_name=name)

    answer = keeper.get(f"{HERE}/access/?sort={order}")

    assert [line.event.person_name for line in answer.context["page"].object_list] == found


def test_fifty_events_are_a_page(keeper: Client, cast: Cast, monitor):
    for _ in range(51):
        signed_in("Monitor", monitor)

    first = keeper.get(f"{HERE}/access/?kind=signed in")
    second = keeper.get(f"{HERE}/access/?kind=signed in&page=2")

    assert "<strong>51</strong> events" in first.content.decode()
    assert [len(answer.context["page"].object_list) for answer in (first, second)] == [50, 1]


def test_a_page_costs_the_same_number_of_queries_however_long_the_record_is(
    keeper: Client, cast: Cast, patient, patient_elsewhere, monitor
):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert keeper.get(f"{HERE}/access/?kind=read&patient=SYN").status_code == 200
        return len(captured)

    browser = reader(monitor)
    browser.get(f"{HERE}/patients/SYN-012-001/")
    few = queries()
    for _ in range(10):
        browser.get(f"{HERE}/patients/")

    assert queries() == few


def test_a_wrong_filter_keeps_what_was_typed_and_lists_nothing(keeper: Client, cast: Cast, patient, monitor):
    reader(monitor).get(f"{HERE}/patients/SYN-012-001/")

    for address in ("access/", "access.csv"):
        answer = keeper.get(f"{HERE}/{address}?since=12.3.2013&q=casebook")
        page = answer.content.decode()
        assert answer.status_code == 400
        assert 'value="12.3.2013"' in page
        assert 'value="casebook"' in page
        assert "&#x27;12.3.2013&#x27; is not a day. Write it as 2014-09-30 or 30-Sep-2014." in page
        assert "so nothing is listed" in page
        assert "Read the casebook" not in page


def test_the_csv_is_what_was_narrowed_and_holds_no_formula(keeper: Client, cast: Cast, patient, patient_elsewhere):
    both = [patient.pk, patient_elsewhere.pk]
    details = {"page": "report-export", "purpose": "=HYPERLINK(evil)", "recipient": "@you", "content_hash": "ab" * 32}
    event = record_access(AccessKind.EXPORTED, by=cast["monitor"], study=cast.study, patients=both, **details)
    signed_in("Monitor", cast["monitor"])

    answer = keeper.get(f"{HERE}/access.csv?kind=exported")
    (row,) = table_of(answer)

    assert answer["Content-Disposition"] == 'attachment; filename="synthetic-MT103-211-access.csv"'
    assert (row["Who"], row["Kind"], row["Patients"]) == ("Monitor", "Took away", "SYN-012-001 SYN-034-001")
    assert (row["Purpose"], row["Recipient"], row["SHA-256"]) == ("'=HYPERLINK(evil)", "'@you", "ab" * 32)
    assert (row["Channel"], row["Event"]) == ("command", str(event.pk))


def test_reading_the_record_is_on_the_record(keeper: Client, cast: Cast, patient: Patient, monitor, data_manager):
    reader(monitor).get(f"{HERE}/patients/SYN-012-001/")

    keeper.get(f"{HERE}/access/")
    table_of(keeper.get(f"{HERE}/access.csv"))

    assert said(data_manager, cast.study, person=data_manager.pk) == [
        "Took away the access record as CSV of SYN-012-001",
        "Read the access record: SYN-012-001",
    ]


def test_an_event_shows_everything_that_was_kept_of_it(keeper: Client, cast: Cast, patient, patient_elsewhere):
    both = [patient.pk, patient_elsewhere.pk]
    details = {"page": "report-export", "purpose": "Review", "recipient": "Dr Roe", "content_hash": "ab" * 32}
    event = record_access(AccessKind.EXPORTED, by=cast["monitor"], study=cast.study, patients=both, **details)

    page = keeper.get(f"{HERE}/access/{event.pk}/").content.decode()

    for shown in ("SYN-012-001", "SYN-034-001", "Review", "Dr Roe", "ab" * 32, "Monitor"):
        assert shown in page
    assert keeper.get(f"{HERE}/access/{event.pk + 100}/").status_code == 404


def test_a_patient_who_was_removed_stays_on_the_record(keeper: Client, cast: Cast, patient, coordinator, data_manager):
    reader(coordinator).get(f"{HERE}/patients/SYN-012-001/")
    with recording(by=coordinator, reason="Never signed consent.", study=cast.study):
        patient.delete()

    page = keeper.get(f"{HERE}/access/?patient=012-001").content.decode()

    assert said(data_manager, cast.study, patient="012-001")[-1] == "Read the casebook of SYN-012-001"
    assert f'href="{HERE}/patients/SYN-012-001/access/"' not in page


# One patient's accounting


def test_fifty_readings_of_a_patient_are_all_in_the_accounting_and_no_other_patients(
    cast: Cast, patient: Patient, patient_elsewhere: Patient, inspector
):
    record = make.record(Demographics, patient)
    make.record(Demographics, patient_elsewhere)
    behind = address_of_a_number(cast, patient)
    by_page = {
        f"{HERE}/patients/": "the list of patients",
        f"{HERE}/patients/?q=012": "the list of patients",
        f"{HERE}/patients/SYN-012-001/": "the casebook",
        f"{HERE}/patients/SYN-012-001/DM/": "the form DM",
        f"{HERE}/patients/SYN-012-001/DM/{record.pk}/": f"the record DM {record.pk}",
        f"{HERE}/patients/SYN-012-001/DM/{record.pk}/history/": f"the history of the record DM {record.pk}",
        f"{HERE}/changes/": "the changes",
        f"{HERE}/changes.csv?patient=012": "the changes as CSV",
        behind: "the patients behind a number of T-2.1",
        f"{HERE}/search/?q=SYN": "the answers of the search",
        f"{HERE}/patients.csv?sort=number": "the list of patients as CSV",
        "/api/v1/report?cohort=all&output=T-2.1": "the report",
    }
    browsers = {name: reader(cast[name]) for name in ("monitor", "statistician", "data manager", "safety physician")}
    expected = []
    for number in range(50):
        address, words = list(by_page.items())[number % len(by_page)]
        name = list(browsers)[number % len(browsers)]
        answer = browsers[name].get(address)
        assert answer.status_code == 200, address
        b"".join(answer) if answer.streaming else None
        expected.append((name.title(), words))
    datasets = browsers["statistician"].post(f"{HERE}/report/export/", {"format": ["csv"], "cohort": "all"})
    assert datasets.status_code == 200
    expected.append(("Statistician", "the datasets MT103-211-adam-all-2016-12-31-synthetic"))
    for elsewhere in ("", "DM/"):
        browsers["monitor"].get(f"{HERE}/patients/SYN-034-001/{elsewhere}")
    reader(cast["colleague"]).get(f"{HERE}/patients/SYN-012-001/")  # refused: nothing was seen

    answer = reader(inspector).get(f"{HERE}/patients/SYN-012-001/access.csv")
    rows = table_of(answer)

    assert [(row["Who"], row["What"]) for row in reversed(rows)] == [(who, in_words(words)) for who, words in expected]
    assert {row["Patients"] for row in rows} == {"SYN-012-001"}
    assert {row["Organisation"] for row in rows} == {"Marrow Research"}
    assert {row["What"]: row["Channel"] for row in rows if row["Channel"] != "page"} == {
        "Read the report: SYN-012-001": "api"
    }


def in_words(page: str) -> str:
    """The sentence of the accounting about a page."""
    if page.endswith("CSV") or page.startswith("the datasets"):
        return f"Took away {page} of SYN-012-001"
    of_patient = page.startswith(("the casebook", "the form", "the record", "the history"))
    return f"Read {page}{' of' if of_patient else ':'} SYN-012-001"


def address_of_a_number(cast: Cast, patient: Patient) -> str:
    """A number of the report that this patient is behind."""
    make.record(Enrolment, patient)
    make.record(InfusionInterval, patient, ended_at=make.MOMENT + timedelta(days=28), ended_at_offset=60)
    page = reader(cast["inspector"]).get(f"{HERE}/report/T-2.1/?cohort=all")
    cells = [cell for _, _, rows in page.context["tables"] for _, row in rows for cell in row if cell[0]]
    address = next(address for cell, address in cells if cell.patients == ("SYN-012-001",))
    return f"{HERE}/report/T-2.1/patients/{address}/?cohort=all"


def test_the_patients_page_leads_those_who_may_to_the_accounting(cast: Cast, patient: Patient):
    link = f'href="{HERE}/patients/SYN-012-001/access/"'

    found = {
        name: link in reader(cast[name]).get(f"{HERE}/patients/SYN-012-001/").content.decode()
        for name in ("coordinator", "monitor", "data manager", "inspector")
    }

    assert found == {"coordinator": False, "monitor": False, "data manager": True, "inspector": True}


def test_a_patient_of_whom_nothing_was_read_has_an_empty_accounting(keeper: Client, patient: Patient):
    assert (
        "Nobody has read the data of this patient yet."
        in keeper.get(f"{HERE}/patients/SYN-012-001/access/").content.decode()
    )


def test_the_bar_leads_to_the_record_for_those_who_keep_it(cast: Cast, patient: Patient):
    found = {
        name: f'href="{HERE}/access/"' in reader(cast[name]).get(f"{HERE}/patients/").content.decode()
        for name in ("coordinator", "statistician", "data manager", "inspector")
    }

    assert found == {"coordinator": False, "statistician": False, "data manager": True, "inspector": True}
