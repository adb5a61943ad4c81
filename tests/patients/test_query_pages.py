"""A query is asked, read with its thread, answered and decided about on pages that need no script."""

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from patients.models import ChemistryResult, ChemistrySample, Visit, VitalSigns
from tests import make
from tests.trial.review.test_queries import act, asked
from trial.audit import recording
from trial.models import Patient, Query
from trial.review.models import Step
from trial.review.queries import take

HERE = "/MT103-211/patients/SYN-012-001/"


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text_of(answer: Any) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.content.decode())).split())


def put(user: User, where: str, **given: str) -> Any:
    return browser_of(user).post(
        f"{HERE}ask/{where}", {"text": "Is this right?", "asked_of": "site", "field": ""} | given
    )


def test_a_monitor_asks_about_a_field_and_the_site_answers_in_the_form(
    patient: Patient, monitor: User, coordinator: User
):
    record = make.record(VitalSigns, patient, "C1D1")
    link = re.search(
        r'href="([^"]+ask/[^"]+systolic_mmhg)"', browser_of(monitor).get(f"{HERE}VS/{record.pk}/").content.decode()
    )

    page = browser_of(monitor).get(unescape(str(link and link[1])))
    answer = put(monitor, f"?form=VS&record={record.pk}", field="systolic_mmhg", text="Is 124 right?")

    query = Query.objects.get()
    assert '<option value="systolic_mmhg" selected>' in page.content.decode()
    assert answer["Location"] == f"{HERE}queries/{query.pk}/"
    assert (query.form, query.record, query.field, query.entry_id) == (
        "VS",
        record.pk,
        "systolic_mmhg",
        record.entry_id,
    )
    form = browser_of(coordinator).get(f"{HERE}VS/{record.pk}/edit/").content.decode()
    sent = dict(re.findall(r'name="([^"]+)"[^>]* value="([^"]*)"', form))
    browser_of(coordinator).post(
        f"{HERE}VS/{record.pk}/edit/",
        {name: value for name, value in sent.items() if name not in ("add", "next", "another")}
        | {
            f"answer.{query.pk}": "Read again from the chart.",
            "time_point": "PRE-DOSE",
            "oxygen": "NONE",
            "vasopressor": "NONE",
        },
    )
    query.refresh_from_db()
    assert (query.state, query.answer) == ("answered", "Read again from the chart.")


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ("", ("", "", None)),
        ("?visit=C1D8", ("", "C1D8", None)),
        ("?form=DTH", ("DTH", "", None)),
        ("?form=SV&visit=C1D8", ("SV", "C1D8", None)),
    ],
)
def test_a_patient_a_visit_and_a_form_are_asked_about(patient: Patient, monitor: User, coordinator: User, where, place):
    put(monitor, where)

    query = Query.objects.get()
    assert (query.form, query.visit, query.entry) == place
    for page in (f"{HERE}visits/", HERE, "/MT103-211/queries/", "/MT103-211/today/", f"{HERE}queries/{query.pk}/"):
        answer = browser_of(coordinator).get(page)
        assert answer.status_code == 200, page
        assert "today" in page or "Is this right?" in text_of(answer), page


def test_what_is_expected_and_not_filled_is_asked_about_by_its_entry(patient: Patient, monitor: User):
    entry = make.entry_expected(patient, "SV", "C1D8")

    put(monitor, "?form=SV")

    assert Query.objects.get().entry == entry


@pytest.mark.parametrize(
    "where", ["?form=XX", "?form=SV&record=9", "?form=SV&record=x", "?visit=V99", "?form=SV&visit=V99"]
)
def test_what_the_patient_does_not_have_is_not_asked_about(patient: Patient, monitor: User, where):
    assert put(monitor, where).status_code == 404
    assert not Query.objects.exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"text": " . "}, "Type the question."),
        ({"text": "x" * 501}, "The text has 501 characters. Say it in 500."),
        ({"text": "a\x07"}, "cannot be kept (U+0007)"),
        ({"asked_of": "sponsor"}, "sponsor"),
        ({"field": "nothing"}, "'nothing' is no question of this form. Choose one that is."),
    ],
)
def test_a_question_that_cannot_be_put_stays_as_it_was_typed(patient: Patient, monitor: User, given, said):
    record = make.record(Visit, patient, "SCR")

    answer = put(monitor, f"?form=SV&record={record.pk}", **given)

    assert answer.status_code == 400
    assert said in text_of(answer)
    assert not Query.objects.exists()


def test_a_changed_value_stands_in_the_thread(patient: Patient, monitor: User, coordinator: User):
    record = make.record(VitalSigns, patient, "C1D1", systolic_mmhg=124)
    with act("monitor", patient.study):
        query = asked(patient, form="VS", entry=record.entry, record=record.pk, field="systolic_mmhg")
    with recording(by=coordinator, reason="Misread.", role="coordinator", study=patient.study):
        record.systolic_mmhg, record.heart_rate = 142, 99
        record.save()

    said = text_of(browser_of(monitor).get(f"{HERE}queries/{query.pk}/"))

    assert re.search(
        r"Systolic[^→]* was 124 → now 142 mmHg Coordinator \(coordinator\), \d\d-\w{3}-\d{4} \d\d:\d\d", said
    )
    assert "99" not in said.partition("What was said")[2]


def test_a_changed_result_of_a_laboratory_stands_in_the_thread(patient: Patient, monitor: User):
    sample = make.record(ChemistrySample, patient, "C1D1")
    result = make.record(
        ChemistryResult, patient, sample=sample, test="K", value=5, value_text="5.0", unit_text="mmol/L"
    )
    put(monitor, f"?form=LBC&record={sample.pk}", field="K", text="Is 5.0 right?")
    with act("coordinator", patient.study):
        result.value, result.value_text = 6, "6.0"
        result.save()

    said = text_of(browser_of(monitor).get(f"{HERE}queries/{Query.objects.get().pk}/"))

    assert "was 5.0 → now 6.0" in said


def test_each_role_is_offered_what_it_may_do(
    patient: Patient, monitor: User, coordinator: User, investigator: User, data_manager: User, statistician: User
):
    of_investigator = asked(patient, asked_of="investigator")

    def offered(user: User) -> list[str]:
        page = browser_of(user).get(f"{HERE}queries/{of_investigator.pk}/").content.decode()
        return re.findall(r'name="step" value="(\w+)"', page)

    assert offered(investigator) == ["answered"]
    assert offered(coordinator) == offered(statistician) == []
    assert offered(monitor) == offered(data_manager) == ["closed", "cancelled"]
    with act("investigator"):
        take(of_investigator, Step.ANSWERED, "It is.")
    assert offered(monitor) == ["closed", "reopened", "cancelled"]


def test_a_coordinator_reads_in_the_form_what_is_asked_of_another_role_and_cannot_answer_it(
    patient: Patient, coordinator: User
):
    query = asked(patient, asked_of="data manager")
    page = browser_of(coordinator).get(f"{HERE}SV/{query.record}/edit/").content.decode()

    assert "It is asked of the data manager." in page
    assert f'name="answer.{query.pk}"' not in page


def test_a_query_is_answered_opened_again_and_closed_on_its_page(patient: Patient, monitor: User, coordinator: User):
    query = asked(patient)
    page = f"{HERE}queries/{query.pk}/"

    browser_of(coordinator).post(f"{page}answer/", {"text": "It is.", "version": 1})
    browser_of(monitor).post(f"{page}decide/", {"step": "reopened", "text": "The source says 5.", "version": 2})
    browser_of(coordinator).post(f"{page}answer/", {"text": "Corrected.", "version": 3})
    browser_of(monitor).post(f"{page}decide/", {"step": "closed", "text": "Agreed.", "version": 4})

    query.refresh_from_db()
    said = text_of(browser_of(monitor).get(page)).partition("What was said")[2]
    places = [said.index(text) for text in ("Is this right?", "It is.", "The source says 5.", "Corrected.", "Agreed.")]
    assert query.state == "closed"
    assert places == sorted(places)


def test_two_people_at_once_and_nothing_is_lost(patient: Patient, monitor: User, coordinator: User, investigator: User):
    query = asked(patient)
    page = f"{HERE}queries/{query.pk}/answer/"
    browser_of(coordinator).post(page, {"text": "The first answer.", "version": 1})

    late = browser_of(investigator).post(page, {"text": "The second answer.", "version": 1})

    query.refresh_from_db()
    said = text_of(late)
    assert (late.status_code, query.answer) == (409, "The first answer.")
    assert "Somebody changed this query since you opened it." in said
    assert "The first answer." in said
    assert "The second answer." in said
    assert 'name="version" value="2"' in late.content.decode()


@pytest.mark.parametrize(
    ("who", "page", "given", "status"),
    [
        ("coordinator", "answer/", {"text": " ", "version": 1}, 400),
        ("monitor", "decide/", {"text": "", "step": "closed", "version": 1}, 400),
        ("monitor", "decide/", {"text": "Yes.", "step": "reopened", "version": 1}, 409),
        ("monitor", "decide/", {"text": "Yes.", "step": "mended", "version": 1}, 400),
        ("monitor", "decide/", {"text": "Yes.", "step": "closed", "version": "x"}, 400),
        ("monitor", "answer/", {"text": "Yes.", "version": 1}, 403),
        ("coordinator", "decide/", {"text": "Yes.", "step": "closed", "version": 1}, 403),
    ],
)
def test_what_cannot_be_done_leaves_the_query_as_it_is(cast: Any, patient: Patient, who, page, given, status):
    query = asked(patient)

    answer = browser_of(cast[who]).post(f"{HERE}queries/{query.pk}/{page}", given)

    query.refresh_from_db()
    assert answer.status_code == status
    assert (query.state, query.version, query.messages.count()) == ("open", 1, 1)
