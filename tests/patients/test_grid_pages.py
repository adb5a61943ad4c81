"""The grid of a patient and of many, and the day's work: what they say, to whom, and where they lead."""

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from patients.grid.cells import progress_of
from patients.grid.expecting import expect
from patients.models import Demographics, Enrolment, InfusionInterval, PerformanceStatus, Visit
from tests import make
from tests.cast import Cast
from trial.audit import recording
from trial.drafts import keep_draft
from trial.models import FormEntry, Patient, Query

CONSENT = date(2013, 3, 1)
TODAY = date(2013, 3, 20)  # day 10 of the first cycle
HERE = "/MT103-211/patients/SYN-012-001/"


@pytest.fixture
def treated(patient: Patient) -> Patient:
    """A patient on day 10 of the first cycle, with what the schedule asks for until then."""
    with recording(by=make.author(), reason="The study has its own today."):
        patient.study.today = TODAY
        patient.study.save()
    begin(patient)
    return patient


def begin(patient: Patient) -> None:
    make.record(Enrolment, patient, consented_on=CONSENT, screened_on=CONSENT, enrolled_on=CONSENT)
    start = datetime(2013, 3, 11, 9, 0, tzinfo=UTC)
    make.record(InfusionInterval, patient, started_at=start, ended_at=start + timedelta(days=7), ended_at_offset=60)
    expect(patient, today=TODAY)


def fill(patient: Patient, form: type, visit: str, **answers: object):
    """A record on the entry that is expected."""
    entry = FormEntry.objects.get(patient=patient, form=form.form.code, visit=visit)
    with recording(by=make.author(), reason="The form is entered."):
        return form.objects.create(patient=patient, entry=entry, **(make.USUAL[form] | answers))


def ask(patient: Patient, record, question: str = "Is this right?", **values: object) -> Query:
    with recording(by=make.author(), reason="A question.", study=patient.study):
        query = Query(
            patient=patient,
            entry=record.entry,
            form=record.form.code,
            record=record.pk,
            severity="W",
            question=question,
            **values,
        )
        query.save()
    return query


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text_of(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def statuses(patient: Patient, viewer: User) -> dict[tuple[str, str], str]:
    (progress,) = progress_of([patient], viewer)
    return {key: cell.status.name for key, cell in progress.cells.items()}


# How far each form is


def test_a_form_is_expected_until_its_window_is_over_and_overdue_from_then_on(treated, coordinator):
    found = statuses(treated, coordinator)

    assert found["C1D1", "VS"] == "OVERDUE"  # its day is its window
    assert found["C1D8", "VS"] == "OVERDUE"
    assert found["LOG", "DM"] == "EXPECTED"
    assert ("C1D15", "VS") not in found
    with recording(by=make.author(), reason="The day is an earlier one."):
        treated.study.today = date(2013, 3, 18)
        treated.study.save()
    assert statuses(treated, coordinator)["C1D8", "VS"] == "EXPECTED"


def test_a_record_makes_an_entry_incomplete_or_complete(treated, coordinator):
    fill(treated, Visit, "C1D1", visited_on=date(2013, 3, 11))
    fill(treated, PerformanceStatus, "C1D1", weight_kg=None)

    found = statuses(treated, coordinator)

    assert (found["C1D1", "SV"], found["C1D1", "PS"]) == ("COMPLETE", "INCOMPLETE")


def test_what_was_not_done_or_has_nothing_to_report_is_no_work(treated, coordinator):
    with recording(by=make.author(), reason="The site said so."):
        for form, visit, said in (
            ("VS", "C1D1", {"is_not_done": True, "not_done_reason": "Away"}),
            ("CM", "LOG", {"has_any": False}),
        ):
            entry = FormEntry.objects.get(patient=treated, form=form, visit=visit)
            for name, value in said.items():
                setattr(entry, name, value)
            entry.save()

    found = statuses(treated, coordinator)

    assert (found["C1D1", "VS"], found["LOG", "CM"]) == ("NOT_DONE", "COMPLETE")


def test_a_draft_is_seen_by_who_typed_it_and_by_nobody_else(treated, coordinator, investigator):
    record = fill(treated, Demographics, "LOG")
    keep_draft(coordinator, f"{HERE}VS/at/C1D1/", {"heart_rate": ["72"]})
    keep_draft(coordinator, f"{HERE}DM/{record.pk}/edit/", {"sex": ["M"]})

    mine, theirs = statuses(treated, coordinator), statuses(treated, investigator)

    assert (mine["C1D1", "VS"], mine["LOG", "DM"]) == ("DRAFT", "DRAFT")
    assert (theirs["C1D1", "VS"], theirs["LOG", "DM"]) == ("OVERDUE", "COMPLETE")


def test_a_draft_is_of_the_patient_of_one_study_though_another_has_the_same_number(treated, coordinator):
    namesake = make.patient(make.site(make.study("MT103-999")), treated.number)
    make.entry_expected(namesake, "VS", "C1D1")
    keep_draft(coordinator, f"{HERE}VS/at/C1D1/", {"heart_rate": ["72"]})

    assert statuses(treated, coordinator)["C1D1", "VS"] == "DRAFT"
    assert statuses(namesake, coordinator)["C1D1", "VS"] == "EXPECTED"


# The grid of one patient


def test_each_cell_of_a_patient_leads_whom_may_enter_it_straight_into_the_form(treated, coordinator):
    record = fill(treated, Visit, "C1D1", visited_on=date(2013, 3, 11))

    page = browser_of(coordinator).get(f"{HERE}visits/").content.decode()

    assert 'href="../VS/at/C1D1/"' in page
    assert f'href="../SV/{record.pk}/edit/"' in page
    assert f'href="{HERE}SV/at/UNS1/"' in page
    assert f'href="{HERE}DTH/at/LOG/"' in page  # not expected, and still to be entered when it happens


def test_who_only_reads_is_led_to_what_was_entered(treated, monitor):
    record = fill(treated, Visit, "C1D1", visited_on=date(2013, 3, 11))

    page = browser_of(monitor).get(f"{HERE}visits/").content.decode()

    assert f'href="../SV/{record.pk}/"' in page
    assert 'href="../VS/"' in page
    assert "/at/" not in page
    assert "/edit/" not in page


def test_a_status_is_said_in_words_with_its_open_queries(treated, coordinator):
    record = fill(treated, Visit, "C1D1", visited_on=date(2013, 3, 11))
    ask(treated, record)
    ask(treated, record, state="closed")

    page = browser_of(coordinator).get(f"{HERE}visits/").content.decode()

    assert ">Complete, 1 open query</a>" in page
    assert "C1D8 18-Mar-2013" in text_of(page)


def test_a_patient_without_consent_is_led_to_its_form(cast, patient, coordinator):
    page = browser_of(coordinator).get(f"{HERE}visits/").content.decode()

    assert "No visit is expected yet" in page
    assert f'href="{HERE}ENR/at/LOG/"' in page


# The grid of a site


def test_the_grid_of_a_site_shows_what_asks_for_most_at_each_visit(treated, coordinator):
    page = browser_of(coordinator).get("/MT103-211/grid/").content.decode()

    heads = re.findall(r'<th scope="col">([^<]+)</th>', page)
    assert heads == ["Patient", "Log", "SCR", "C1D1", "C1D2", "C1D3", "C1D8"]
    assert f'href="{HERE}visits/#C1D8"' in page
    assert "1 patient at your site" in text_of(page)


def test_a_visit_that_asks_for_nothing_is_a_sign_with_its_word_and_leads_nowhere(patient, coordinator):
    done = {visit: make.record(Visit, patient, visit, visited_on=date(2013, 3, 11)) for visit in ("SCR", "C1D1")}
    ask(patient, done["C1D1"])

    page = browser_of(coordinator).get("/MT103-211/grid/").content.decode()

    assert '<td class="sign complete">Complete</td>' in page
    assert f'<a class="sign complete" data-asked="1" href="{HERE}visits/#C1D1">Complete, 1 open query</a>' in page


def test_the_visits_that_nobody_planned_share_a_column_that_leads_to_what_asks_for_most(patient, coordinator):
    make.record(Visit, patient, "UNS1", visited_on=date(2013, 3, 11))
    make.entry_expected(patient, "VS", "UNS2")

    page = browser_of(coordinator).get("/MT103-211/grid/").content.decode()

    assert re.findall(r'<th scope="col">([^<]+)</th>', page) == ["Patient", "Log", "UNS"]
    assert f'<a class="sign expected" href="{HERE}visits/#UNS2">Expected</a>' in page


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("status=overdue", ["SYN-012-001"]),
        ("status=expected", ["SYN-012-001", "SYN-034-001"]),
        ("status=incomplete", ["SYN-012-001"]),
        ("status=asked", ["SYN-034-001"]),
        ("patient=034", ["SYN-034-001"]),
        ("status=overdue&patient=034", []),
    ],
)
def test_the_grid_is_narrowed_to_patients_with_a_form_in_some_state(treated, patient_elsewhere, monitor, asked, found):
    record = make.record(Demographics, patient_elsewhere)
    with recording(by=make.author(), reason="Every blank has its reason."):
        record.missing = {"may_become_pregnant": "NA", "pregnancy_test": "NA"}
        record.save()
    expect(patient_elsewhere, today=TODAY)
    ask(patient_elsewhere, record)

    page = browser_of(monitor).get(f"/MT103-211/grid/?{asked}").content.decode()

    assert re.findall(r">(SYN-\d{3}-\d{3})</a>", page) == found


def test_the_grid_that_cannot_be_narrowed_shows_nobody(treated, coordinator):
    answer = browser_of(coordinator).get("/MT103-211/grid/?status=green")

    assert answer.status_code == 400
    assert "SYN-012-001" not in answer.content.decode()


def test_the_pages_take_as_many_queries_for_many_patients_as_for_one(cast: Cast, treated, coordinator):
    browser = browser_of(coordinator)
    ask(treated, fill(treated, Visit, "C1D1"))

    for_one = queries_of_pages(browser)
    for number in range(2, 6):
        another = make.patient(cast.here, f"SYN-012-{number:03}")
        begin(another)
        ask(another, fill(another, Visit, "C1D1"))
    for_five = queries_of_pages(browser)

    assert for_one == for_five


def queries_of_pages(browser: Client) -> list[int]:
    counts = []
    for page in ("/MT103-211/grid/", "/MT103-211/today/", "/MT103-211/grid/?status=overdue"):
        with CaptureQueriesContext(connection) as asked:
            assert browser.get(page).status_code == 200
        counts.append(len(asked))
    return counts


# The day's work


def test_todays_work_is_what_is_overdue_due_or_asked_the_oldest_first(treated, coordinator):
    fill(treated, Visit, "C1D8", visited_on=date(2013, 3, 18))
    ask(treated, fill(treated, Visit, "C1D1", visited_on=date(2013, 3, 11)))

    page = text_of(browser_of(coordinator).get("/MT103-211/today/").content.decode())

    lines = re.findall(r"SYN-012-001 (\d\d-\w{3}-\d{4}) (Overdue by \d+ days?|Due|Asked) (SCR|C1D\d+)?", page)
    assert lines[:-1] == [
        ("01-Mar-2013", "Due", ""),
        ("01-Mar-2013", "Overdue by 10 days", "SCR"),  # its window ended on the day before the first dose
        ("11-Mar-2013", "Due", ""),
        ("11-Mar-2013", "Overdue by 9 days", "C1D1"),
        ("12-Mar-2013", "Overdue by 8 days", "C1D2"),
        ("13-Mar-2013", "Overdue by 7 days", "C1D3"),
        ("18-Mar-2013", "Overdue by 2 days", "C1D8"),
    ]
    assert lines[-1][1] == "Asked"  # by the clock of the database, which is later than the study's own today


def test_each_task_leads_straight_into_its_form(treated, coordinator):
    visit = fill(treated, Visit, "C1D1", visited_on=date(2013, 3, 11))
    ask(treated, visit)
    keep_draft(coordinator, f"{HERE}VS/at/C1D2/", {"heart_rate": ["72"]})

    page = browser_of(coordinator).get("/MT103-211/today/").content.decode()

    assert f'href="{HERE}VS/at/C1D8/"' in page
    assert f'href="{HERE}SV/{visit.pk}/edit/"' in page
    assert "Your draft of Vital signs" in text_of(page)


def test_an_answered_query_is_no_work(treated, coordinator):
    ask(treated, fill(treated, Visit, "C1D1"), state="answered", answer="It is.")

    page = browser_of(coordinator).get("/MT103-211/today/?kind=Asked").content.decode()

    assert "Nothing to do" in page


def test_a_colleague_elsewhere_has_none_of_this_work(treated, colleague):
    page = browser_of(colleague).get("/MT103-211/today/").content.decode()

    assert "SYN-012-001" not in page
    assert "Nothing to do" in page
