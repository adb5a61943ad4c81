"""Many queries at once: one act, all or nothing, on what the person saw. And a list that is gone through, one after the other."""

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from patients.models import ChemistryResult, ChemistrySample, VitalSigns
from tests import make
from tests.cast import Cast
from tests.trial.review.test_queries import act, asked
from trial.models import AccessEvent, Membership, Patient, Query, QueryMessage, Recording
from trial.review.models import Step
from trial.review.queries import CHECKER, take

LIST = "/MT103-211/queries/"
PAGES = {"answered": "answer-all/", "closed": "decide-all/", "reopened": "decide-all/", "cancelled": "decide-all/"} | {
    "ask": "ask-all/"
}


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text_of(answer: Any) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.content.decode())).split())


def send(user: User, step: str, *queries: Query, text: str = "One reason.", narrowed: str = "", **given: str) -> Any:
    picks = [f"{query.pk}.{query.version}" for query in queries]
    sent = {"step": step, "text": text, "pick": picks, "list": narrowed} | given
    return browser_of(user).post(LIST + PAGES[step], sent)


def seen_by(user: User, narrowed: str = "") -> str:
    found = re.search(r'name="seen" value="([^"]+)"', browser_of(user).get(f"{LIST}?{narrowed}").content.decode())
    return str(found and found[1])


def states() -> list[str]:
    return list(Query.objects.order_by("pk").values_list("state", flat=True))


@pytest.mark.parametrize(
    ("who", "step", "before", "after", "said"),
    [
        ("coordinator", "answered", None, "answered", "2 queries were answered."),
        ("data manager", "closed", None, "closed", "2 queries were closed."),
        ("monitor", "cancelled", None, "cancelled", "2 queries were cancelled."),
        ("monitor", "reopened", Step.CLOSED, "open", "2 queries were opened again."),
    ],
)
def test_the_chosen_ones_take_a_step_as_one_act(cast: Cast, patient: Patient, who, step, before, after, said):
    queries = [asked(patient) for _ in range(3)]
    if before:
        with act("data manager"):
            queries = [take(query, before, "Agreed.") for query in queries]
    acts = Recording.objects.count()

    answer = send(cast[who], step, *queries[:2], narrowed="state=all")

    assert answer["Location"] == f"{LIST}?state=all"
    assert states() == [after, after, "closed" if before else "open"]
    assert Recording.objects.count() == acts + 1
    assert Recording.objects.latest("pk").reason == "One reason."
    assert QueryMessage.objects.filter(step=step, text="One reason.").count() == 2


def test_what_was_done_is_said_with_its_number(patient: Patient, monitor: User):
    query = asked(patient)
    client = browser_of(monitor)

    answer = client.post(
        f"{LIST}decide-all/", {"step": "closed", "text": "Known.", "pick": f"{query.pk}.1", "list": ""}, follow=True
    )

    assert "1 query was closed." in text_of(answer)


def test_all_that_match_are_closed_on_every_page(patient: Patient, patient_elsewhere: Patient, data_manager: User):
    for _ in range(3):
        asked(patient)
    asked(patient_elsewhere)

    send(data_manager, "closed", narrowed="patient=012", all="1", seen=seen_by(data_manager, "patient=012"))

    assert states() == ["closed", "closed", "closed", "open"]


def test_all_that_match_are_left_alone_where_the_list_changed_meanwhile(patient: Patient, data_manager: User):
    query = asked(patient)
    seen = seen_by(data_manager)
    asked(patient)

    answer = send(data_manager, "closed", all="1", seen=seen)

    assert answer.status_code == 409
    assert "The list changed since you opened it, so nothing was done." in text_of(answer)
    assert 'value="One reason."' in answer.content.decode()
    assert query.history.count() == 1
    assert states() == ["open", "open"]


def test_where_some_cannot_none_is_touched_and_the_others_are_marked_still(patient: Patient, monitor: User):
    possible, changed, at_rest = (asked(patient) for _ in range(3))
    with act("coordinator"):
        take(Query.objects.get(pk=changed.pk), Step.ANSWERED, "It is.")
    with act("monitor"):
        at_rest = take(at_rest, Step.CANCELLED, "Asked twice.")

    answer = send(monitor, "closed", possible, changed, at_rest, narrowed="state=all")

    said, page = text_of(answer), answer.content.decode()
    assert answer.status_code == 409
    assert "Nothing was done: 2 of 3 cannot be closed. The other one is marked still" in said
    assert "1: Somebody changed it since you opened the list. SYN-012-001" in said
    assert "1: It is cancelled. SYN-012-001" in said
    assert re.findall(r'value="(\d+)\.\d+" form="together" checked', page) == [str(possible.pk)]
    assert states() == ["open", "answered", "cancelled"]


def test_nobody_closes_their_own_answer(cast: Cast, patient: Patient, data_manager: User):
    query = asked(patient, asked_of="data manager")
    send(data_manager, "answered", query, text="It is coded so.")
    query.refresh_from_db()

    answer = send(data_manager, "closed", query, narrowed="state=all")

    assert query.state == "answered"
    assert "The answer is your own: somebody else decides about it." in text_of(answer)
    assert states() == ["answered"]
    send(cast["monitor"], "closed", query)
    assert states() == ["closed"]


def test_a_query_of_another_site_is_as_if_it_were_not_there(
    cast: Cast, patient: Patient, patient_elsewhere: Patient, coordinator: User
):
    here, elsewhere = asked(patient), asked(patient_elsewhere)
    missing = Query(pk=99_000_000)

    foreign, nobodys = (send(coordinator, "answered", here, other) for other in (elsewhere, missing))

    assert [answer.status_code for answer in (foreign, nobodys)] == [409, 409]
    assert "1: It is not among the queries that you may see or decide about." in text_of(foreign)
    assert text_of(foreign) == text_of(nobodys)
    assert states() == ["open", "open"]


def test_a_role_at_one_site_decides_nothing_at_another(
    cast: Cast, patient: Patient, patient_elsewhere: Patient, statistician: User
):
    """A statistician sees every site; as a monitor at one site they decide there alone."""
    with act("administrator", cast.study):
        Membership.objects.create(
            person=statistician.person, study=cast.study, site=cast.here, role="monitor", starts_on="2011-01-01"
        )

    answer = send(statistician, "closed", asked(patient), asked(patient_elsewhere))

    assert answer.status_code == 409
    assert states() == ["open", "open"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"pick": []}, "No query was chosen."),
        ({"text": " . "}, "Say what the answer, the reason or the question is."),
        ({"text": "a\x07"}, "cannot be kept (U+0007)"),
        ({"pick": ["x.1"]}, "It is not among the queries that you may see or decide about."),
        ({"pick": ["9" * 30 + ".1"]}, "It is not among the queries that you may see or decide about."),
    ],
)
def test_what_cannot_be_read_changes_nothing(patient: Patient, monitor: User, given, said):
    asked(patient)

    answer = send(monitor, "closed", Query.objects.get(), **given)

    assert answer.status_code in (400, 409)
    assert said in text_of(answer)
    assert states() == ["open"]


def test_the_same_is_asked_again_of_what_many_queries_are_about(patient: Patient, monitor: User):
    queries = [asked(patient, CHECKER, check_code="EC-999", severity="W") for _ in range(2)]

    send(monitor, "ask", *queries, text="Is it right in the source?")

    new = Query.objects.filter(check_code="")
    assert set(new.values_list("record", flat=True)) == {query.record for query in queries}
    assert set(new.values_list("question", "state", "asked_of")) == {("Is it right in the source?", "open", "site")}


@pytest.mark.parametrize(("who", "step", "status"), [("coordinator", "closed", 403), ("monitor", "answered", 403)])
def test_whoever_may_not_is_refused(cast: Cast, patient: Patient, who, step, status):
    assert send(cast[who], step, asked(patient)).status_code == status
    assert states() == ["open"]


def test_the_list_says_how_many_are_in_each_state_and_is_narrowed_by_who_waits(patient: Patient, cast: Cast):
    asked(patient, question="Of the site?")
    asked(patient, question="Of the data manager?", asked_of="data manager")
    answered = asked(patient, question="Answered?")
    with act("coordinator"):
        take(answered, Step.ANSWERED, "It is.")

    def listed(who: str, narrowed: str) -> list[str]:
        page = text_of(browser_of(cast[who]).get(f"{LIST}?{narrowed}"))
        return re.findall(r"Query: ([^?]+\?)", page)

    assert "In all states: 2 open, 1 answered." in text_of(browser_of(cast["monitor"]).get(LIST))
    assert listed("coordinator", "waits=me") == ["Of the site?"]
    assert listed("data manager", "waits=me") == ["Of the data manager?", "Answered?"]
    assert listed("monitor", "waits=data+manager&state=answered") == ["Answered?"]
    assert listed("monitor", "asked_of=data+manager") == ["Of the data manager?"]
    assert listed("monitor", "source=check&state=all") == []
    assert listed("monitor", "source=person&sort=newest") == ["Of the data manager?", "Of the site?"]


def test_what_was_opened_again_is_listed(patient: Patient, monitor: User):
    asked(patient, question="New?")
    again = asked(patient, question="Again?")
    with act("monitor"):
        again = take(again, Step.CANCELLED, "Asked twice.")
        take(again, Step.REOPENED, "It was not.")

    page = text_of(browser_of(monitor).get(f"{LIST}?state=reopened"))

    assert "Again?" in page
    assert "New?" not in page


def test_many_cost_as_many_statements_as_few(
    patient: Patient, monitor: User, django_assert_max_num_queries, django_assert_num_queries
):
    first = [asked(patient) for _ in range(2)]
    later = [asked(patient) for _ in range(12)]
    with django_assert_max_num_queries(40) as few:
        send(monitor, "closed", *first)

    with django_assert_num_queries(len(few)):
        send(monitor, "closed", *later)


# A correction run


def query_on(patient: Patient, field: str, value: int = 124) -> Query:
    record = make.record(VitalSigns, patient, "C1D1", systolic_mmhg=value)
    return asked(patient, form="VS", entry=record.entry, record=record.pk, field=field)


def test_a_run_leads_from_form_to_form_with_the_field_focused_and_keeps_its_place(patient: Patient, coordinator: User):
    queries = [
        query_on(patient, "systolic_mmhg"),
        query_on(patient, "heart_rate"),
        query_on(patient, "temperature_site"),
    ]
    desk = browser_of(coordinator)

    first = desk.get(f"{LIST}run/?form=VS", follow=True)
    path, _ = first.redirect_chain[-1]
    page = first.content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)"(?: value="([^"]*)")?', page))
    hidden |= dict(re.findall(r'name="(measured_at)" value="([^"]*)"', page))
    saved = desk.post(path.partition("?")[0], answers_of(queries[0], hidden))
    assert saved.status_code == 302, text_of(saved)[:1500]
    second = desk.get(saved["Location"], follow=True)
    third = desk.get(f"{LIST}run/?place=3", follow=True).content.decode()

    assert path == f"/MT103-211/patients/SYN-012-001/VS/{queries[0].record}/edit/?place=1"
    assert "1 of 3 queries" in text_of(first)
    assert re.findall(r'name="(\w+)"[^>]*autofocus', page) == ["systolic_mmhg"]
    assert states() == ["answered", "open", "open"]
    assert "2 of 3 queries" in text_of(second)  # though the list has two left
    assert second.redirect_chain[-1][0].endswith(f"{queries[1].record}/edit/?place=2")
    assert f'name="answer.{queries[2].pk}" value="" maxlength="1000" autocomplete="off" autofocus' in third
    assert 'data-key="next"' not in third


def answers_of(query: Query, hidden: dict[str, str]) -> dict[str, str]:
    record = VitalSigns.objects.get(pk=query.record)
    typed = {
        name: str(getattr(record, name))
        for name in ("temperature_c", "systolic_mmhg", "diastolic_mmhg", "heart_rate", "oxygen_saturation")
    }
    codes = {"time_point": "PRE-DOSE", "oxygen": "NONE", "vasopressor": "NONE"}
    given = {f"answer.{query.pk}": "It is right.", "next": "1"}
    return hidden | typed | codes | given


def test_a_test_of_a_laboratory_form_has_its_query_beside_it_and_the_focus(patient: Patient, coordinator: User):
    sample = make.record(ChemistrySample, patient, "C1D1")
    make.record(ChemistryResult, patient, sample=sample, test="K", value=5, value_text="5", unit_text="mmol/L")
    query = asked(patient, form="LBC", entry=sample.entry, record=sample.pk, field="K")

    page = browser_of(coordinator).get(f"{LIST}run/", follow=True).content.decode()

    line = page.partition('data-name="LBC.RESULT.K-value_text"')[2].partition('class="entry-line')[0]
    assert f'name="answer.{query.pk}"' in line
    assert re.findall(r'name="([^"]+)"[^>]*autofocus', page) == ["LBC.RESULT.K-value_text"]


def test_who_may_not_enter_forms_goes_from_query_to_query(patient: Patient, monitor: User):
    queries = [asked(patient), asked(patient, entry=None, form="", record=None, field="")]
    desk = browser_of(monitor)

    desk.get(f"{LIST}run/")
    pages = [desk.get(f"{LIST}run/?place={place}") for place in (1, 2)]
    closed = desk.post(
        f"/MT103-211/patients/SYN-012-001/queries/{queries[0].pk}/decide/",
        {"step": "closed", "text": "Known.", "version": "1", "place": "1"},
    )

    assert [page["Location"] for page in pages] == [
        f"/MT103-211/patients/SYN-012-001/queries/{query.pk}/?place={n}" for n, query in enumerate(queries, start=1)
    ]
    assert closed["Location"].endswith(f"/queries/{queries[0].pk}/?place=1")
    assert "1 of 2 queries" in text_of(desk.get(closed["Location"]))


@pytest.mark.parametrize("asked_for", ["place=1", "place=0", "place=99999999", "place=x", "state=x", ""])
def test_a_run_that_is_not_there_leads_to_the_list(patient: Patient, monitor: User, asked_for):
    answer = browser_of(monitor).get(f"{LIST}run/?{asked_for}")

    assert answer.status_code == 302
    assert answer["Location"].startswith(LIST)


def test_a_run_shows_no_query_that_the_person_may_not_see_any_more(cast: Cast, patient: Patient, coordinator: User):
    asked(patient)
    desk = browser_of(coordinator)
    desk.get(f"{LIST}run/")
    with act("administrator", cast.study):
        patient.site = cast.elsewhere
        patient.save()

    answer = desk.get(f"{LIST}run/?place=1")

    assert answer["Location"].startswith(LIST)
    assert not AccessEvent.objects.filter(page="query").exists()
