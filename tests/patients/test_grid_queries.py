"""The list of queries: what it shows to whom, how it is narrowed, and how a query is answered in place."""

import re
from datetime import date
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client

from patients.checking import edit_checks
from patients.models import Demographics, Visit
from patients.querying.narrowing import checks_in_words
from tests import make
from trial.audit import recording
from trial.models import AccessEvent, Patient, Query

LIST = "/MT103-211/queries/"
ANSWER = "/MT103-211/queries/answer/"


def ask(patient: Patient, model: type = Visit, question: str = "Is this right?", **values: object) -> Query:
    record = make.record(model, patient, "LOG" if model is Demographics else "SCR")
    given = {"severity": "W", "field": "visited_on" if model is Visit else "sex"} | values
    with recording(by=make.author(), reason="A question.", study=patient.study):
        query = Query(
            patient=patient, entry=record.entry, form=model.form.code, record=record.pk, question=question, **given
        )
        query.save()
    return query


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def questions_in(client: Client, asked: str = "") -> list[str]:
    page = client.get(f"{LIST}?{asked}").content.decode()
    return [unescape(found).strip() for found in re.findall(r"</strong> ([^<]+\?)", page)]


def test_the_open_queries_are_listed_the_oldest_first(patient, coordinator):
    ask(patient, question="First?")
    ask(patient, question="Second?")
    ask(patient, question="Mended?", state="closed")

    assert questions_in(browser_of(coordinator)) == ["First?", "Second?"]


def test_nobody_sees_a_query_of_another_site(patient, patient_elsewhere, coordinator, colleague, monitor):
    ask(patient, question="Here?")
    ask(patient_elsewhere, question="Elsewhere?")

    assert questions_in(browser_of(coordinator)) == ["Here?"]
    assert questions_in(browser_of(colleague)) == ["Elsewhere?"]
    assert questions_in(browser_of(monitor)) == ["Here?", "Elsewhere?"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("state=answered", ["Answered?"]),
        ("state=closed", ["Closed?"]),
        ("state=all&form=SV", ["Open?", "Answered?", "Closed?"]),
        ("severity=E", ["Wrong?"]),
        ("check_code=EC-060", ["Open?"]),
        ("check_code=nobody%27s", ["Wrong?"]),
        ("form=DM", ["Wrong?"]),
        ("patient=034", ["Wrong?"]),
        ("age=7", []),
    ],
)
def test_the_list_is_narrowed(patient, patient_elsewhere, monitor, asked, found):
    ask(patient, question="Open?", check_code="EC-060")
    ask(patient, question="Answered?", state="answered", answer="Yes.")
    ask(patient, question="Closed?", state="closed")
    ask(patient_elsewhere, Demographics, question="Wrong?", severity="E")

    assert questions_in(browser_of(monitor), asked) == found


def test_the_age_of_a_query_counts_to_the_studys_own_today(patient, monitor):
    query = ask(patient)
    asked_on = query.history.get().recording.at.date()
    with recording(by=make.author(), reason="The study has its own today."):
        patient.study.today = date.fromordinal(asked_on.toordinal() + 14)
        patient.study.save()

    page = browser_of(monitor).get(f"{LIST}?age=14").content.decode()

    assert "14 days ago" in page
    assert questions_in(browser_of(monitor), "age=30") == []


def test_a_list_that_cannot_be_narrowed_is_empty_and_keeps_what_was_typed(patient, monitor):
    ask(patient)

    answer = browser_of(monitor).get(f"{LIST}?severity=X&patient=012")

    assert answer.status_code == 400
    assert 'value="012"' in answer.content.decode()


def test_a_query_is_answered_in_place_and_the_list_stays_narrowed(patient, coordinator):
    query = ask(patient)
    client = browser_of(coordinator)
    sent = {"query": query.pk, "version": "1", "answer": " The visit was brought forward. ", "list": "form=SV"}

    answer = client.post(ANSWER, sent)

    query.refresh_from_db()
    act = query.history.first().recording
    assert (answer.status_code, answer["Location"]) == (302, f"{LIST}?form=SV")
    assert (query.state, query.answer) == ("answered", "The visit was brought forward.")
    assert (act.person_name, act.role, act.reason) == ("Coordinator", "coordinator", "A query was answered.")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"answer": "  "}, "Say what the answer to the query is."),
        ({"answer": "x" * 1001}, "Ensure this value has at most 1000 characters (it has 1001)."),
        ({"answer": "a\x07b"}, "There is a character in the text that cannot be kept (U+0007). Type the text anew."),
        ({"version": "2"}, "This query was changed or answered since you opened the list. Read it again, and save."),
    ],
)
def test_an_answer_that_cannot_be_taken_is_shown_as_it_was_typed(patient, coordinator, given, said):
    query = ask(patient)
    sent = {"query": query.pk, "version": "1", "answer": "As it is.", "list": "form=DM"} | given

    answer = browser_of(coordinator).post(ANSWER, sent)

    page = unescape(answer.content.decode())
    query.refresh_from_db()
    assert answer.status_code == 400
    assert said in page
    assert sent["answer"].strip() in page
    assert (query.state, query.version) == ("open", 1)
    event = AccessEvent.objects.get(page="queries-answer")
    assert (event.kind, [one.patient_id for one in event.patients.all()]) == ("read", [patient.pk])


def test_a_query_that_was_closed_meanwhile_needs_no_answer(patient, coordinator):
    query = ask(patient)
    with recording(by=make.author(), reason="The value was mended."):
        query.state = "closed"
        query.save()

    answer = browser_of(coordinator).post(ANSWER, {"query": query.pk, "version": "1", "answer": "As it is."})

    assert "It needs no answer any more." in answer.content.decode()
    assert Query.objects.get().answer == ""


@pytest.mark.parametrize("number", ["", "x", "9" * 30, "\u0661"])
def test_a_query_that_is_not_there_is_missing(patient, coordinator, number):
    assert browser_of(coordinator).post(ANSWER, {"query": number}).status_code == 404


def test_nobody_answers_a_query_of_another_site_or_without_the_role(patient, colleague, monitor):
    query = ask(patient)
    sent = {"query": query.pk, "version": "1", "answer": "As it is."}

    assert browser_of(colleague).post(ANSWER, sent).status_code == 404
    assert browser_of(monitor).post(ANSWER, sent).status_code == 403
    assert f'action="{ANSWER}"' not in browser_of(monitor).get(LIST).content.decode()


def test_the_list_takes_as_many_queries_for_many_as_for_one(
    patient, coordinator, django_assert_max_num_queries, django_assert_num_queries
):
    client = browser_of(coordinator)
    ask(patient)
    with django_assert_max_num_queries(30) as first:
        client.get(LIST)
    for _ in range(5):
        ask(patient)

    with django_assert_num_queries(len(first)):
        client.get(LIST)


def test_the_checks_to_choose_from_say_what_they_ask():
    words = dict(checks_in_words())

    assert set(words) == {check.code for check in edit_checks()}
    assert words["EC-069"] == "EC-069 Direct bilirubin … exceeds total bilirubin …"
    assert words["EC-060"].startswith("EC-060 The visit on … is … days outside of its")
    assert not any("{" in text for text in words.values())


def test_the_list_of_checks_leaves_the_page_light(patient, monitor):
    assert len(browser_of(monitor).get(LIST).content) < 60_000
