"""The states of a query: who may lead it where. The table below is written by hand from the rules, and not read from the code."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from patients.models import Visit
from tests import make
from tests.cast import Cast
from trial.audit import Stale, recording, service_account
from trial.models import Patient, Query, QueryMessage, Role
from trial.review.models import Audience, Step
from trial.review.queries import (
    CHECKER,
    NotAll,
    NotPossible,
    ask,
    ask_all_again,
    close_with_form,
    keep_answer,
    take,
    take_all,
    take_by_number,
    waiting_for,
)

# What a step does: from the state on the left to the one behind the arrow.
STEPS = {
    "answered": "open>answered answered>answered",
    "reopened": "answered>open closed>open cancelled>open",
    "closed": "open>closed answered>closed",
    "cancelled": "open>cancelled answered>cancelled",
    "reworded": "open>open",
    "mended": "open>closed answered>closed",
    "removed": "open>closed answered>closed",
}
# Who may take it: the site and the data management, and nobody else. Who answers depends on who is asked.
WHO = {
    "reopened": {"monitor", "data manager", CHECKER},
    "closed": {"monitor", "data manager"},
    "cancelled": {"monitor", "data manager"},
    "reworded": {CHECKER},
    "mended": {CHECKER},
    "removed": {"coordinator", "investigator"},
}
ASKED = {
    "site": {"coordinator", "investigator"},
    "investigator": {"investigator"},
    "data manager": {"data manager"},
}
SILENT = {"mended", "removed"}
ACTORS = [*(str(role) for role in Role), CHECKER, ""]


def act(who: str, study: Any = None) -> Any:
    """A recording in a role, or in the name of the checks."""
    if who == CHECKER:
        return recording(by=service_account(CHECKER), reason="Edit checks were run.", study=study)
    user = User.objects.get_or_create(username=f"somebody who is {who or 'nothing'}")[0]
    return recording(by=user, reason="For a test.", role=who, study=study)


def asked(patient: Patient, who: str = "monitor", **values: Any) -> Query:
    """A query about a visit that somebody asks."""
    record = make.record(Visit, patient, "SCR")
    about = {"entry": record.entry, "form": "SV", "record": record.pk, "field": "visited_on"}
    with act(who, patient.study):
        return ask(Query(**{"patient": patient, "question": "Is this right?", **about, **values}))


class AQuery(RuleBasedStateMachine):
    """Anybody tries anything with one query. What the tables do not say is refused, and leaves nothing."""

    patient: Patient

    def __init__(self) -> None:
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.query: Query | None = None
        self.state, self.said, self.answered_by = "open", 1, ""

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)

    @rule(who=st.sampled_from(ACTORS), audience=st.sampled_from(sorted(ASKED)), is_of_check=st.booleans())
    def somebody_asks(self, who: str, audience: str, is_of_check: bool) -> None:
        if self.query is not None:
            return
        allowed = {CHECKER} if is_of_check else {"monitor", "data manager", "safety physician"}
        try:
            self.query = asked(
                self.patient, who, asked_of=audience, check_code="EC-999" if is_of_check else "", severity="W"
            )
        except NotPossible:
            assert who not in allowed
            assert not QueryMessage.objects.exists()
        else:
            assert who in allowed

    @rule(
        who=st.sampled_from(ACTORS),
        step=st.sampled_from(sorted(STEPS)),
        text=st.sampled_from(["It is.", " ", ""]),
    )
    def somebody_takes_a_step(self, who: str, step: str, text: str) -> None:
        if self.query is None:
            return
        after = dict(pair.split(">") for pair in STEPS[step].split()).get(self.state)
        roles = ASKED[self.query.asked_of] if step == "answered" else WHO[step]
        is_own = step in ("closed", "cancelled") and self.state == "answered" and who == self.answered_by
        is_of_check = who != CHECKER or bool(self.query.check_code)
        is_said = step in SILENT or bool(text.strip())
        query = Query.objects.get()
        is_possible = bool(after and who in roles and is_of_check and is_said and not is_own)
        try:
            with act(who, self.patient.study):
                take(query, Step(step), text)
        except NotPossible:
            assert not is_possible, (who, step, self.state)
        else:
            assert is_possible, (who, step, self.state)
            self.state, self.said = str(after), self.said + 1
            self.answered_by = who if step == "answered" else self.answered_by

    @invariant()
    def the_query_stands_as_the_tables_say(self) -> None:
        if self.query is not None:
            now = Query.objects.get()
            assert (now.state, now.messages.count()) == (self.state, self.said)
            assert all(message.version == 1 for message in now.messages.all())


def test_a_forbidden_step_is_never_taken_and_an_allowed_one_leaves_its_message(patient: Patient):
    machine: Any = type("AQueryOfThePatient", (AQuery,), {"patient": patient})

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_nothing_is_done_outside_of_a_recording(patient: Patient):
    query = asked(patient)

    with pytest.raises(NotPossible, match="Nobody is named as acting"):
        take(query, Step.CLOSED, "It is.")


def test_a_message_says_who_in_which_role_and_when(cast: Cast, patient: Patient, coordinator: User):
    query = asked(patient)
    with recording(by=coordinator, reason="A query was answered.", role="coordinator", study=patient.study):
        keep_answer(query.pk, "Confirmed with the source.", version=1)

    first, second = QueryMessage.history.order_by("history_id").select_related("recording")
    query.refresh_from_db()
    assert [(each.step, each.text, each.recording.role) for each in (first, second)] == [
        ("asked", "Is this right?", "monitor"),
        ("answered", "Confirmed with the source.", "coordinator"),
    ]
    assert second.recording.person_name == "Coordinator"
    assert (query.state, query.answer) == ("answered", "Confirmed with the source.")


def test_a_step_on_what_somebody_changed_meanwhile_is_refused(patient: Patient):
    query = asked(patient)
    with act("coordinator"):
        keep_answer(query.pk, "It is right.", version=1)

    with pytest.raises(Stale), act("monitor"):
        take_by_number(query.pk, Step.CLOSED, "Not needed.", version=1)

    query.refresh_from_db()
    assert query.state == "answered"


def test_many_take_a_step_together_with_one_reason(patient: Patient):
    queries = [asked(patient) for _ in range(3)]

    with act("data manager"):
        done = take_all({query.pk: 1 for query in queries}, Step.CLOSED, " Agreed with the site. ")

    assert done == 3
    assert set(Query.objects.values_list("state", "version")) == {("closed", 2)}
    assert QueryMessage.objects.filter(step="closed", text="Agreed with the site.").count() == 3
    assert QueryMessage.history.filter(step="closed").values("recording").distinct().count() == 1


def test_many_take_a_step_all_or_none(patient: Patient):
    possible, changed, at_rest = (asked(patient) for _ in range(3))
    with act("coordinator"):
        keep_answer(changed.pk, "It is right.", version=1)
    with act("monitor"):
        take(Query.objects.get(pk=at_rest.pk), Step.CANCELLED, "Asked twice.")
    said = QueryMessage.objects.count()

    with pytest.raises(NotAll) as refused, act("data manager"):
        take_all({possible.pk: 1, changed.pk: 1, at_rest.pk: 2}, Step.CLOSED, "Agreed.")

    assert refused.value.why == {
        "Somebody changed it since you opened the list.": [changed.pk],
        "It is cancelled.": [at_rest.pk],
    }
    assert Query.objects.get(pk=possible.pk).state == "open"
    assert QueryMessage.objects.count() == said


def test_the_same_place_is_asked_about_again(patient: Patient):
    query = asked(patient, CHECKER, check_code="EC-999", severity="W")

    with act("monitor"):
        number = ask_all_again([query.pk], "Is it right in the source?")
    with pytest.raises(NotPossible), act("coordinator"):
        ask_all_again([query.pk], "Is it right in the source?")

    again = Query.objects.latest("pk")
    assert number == 1
    assert (again.form, again.record, again.field, again.entry_id) == ("SV", query.record, "visited_on", query.entry_id)
    assert (again.check_code, again.state, again.question) == ("", "open", "Is it right in the source?")


def test_what_waits_about_a_form_is_closed_with_it(patient: Patient):
    waiting, decided = asked(patient), asked(patient)
    with act("monitor"):
        take(decided, Step.CANCELLED, "Asked twice.")

    with act("coordinator"):
        close_with_form(Query.objects.order_by("pk"))

    assert list(Query.objects.order_by("pk").values_list("state", flat=True)) == ["closed", "cancelled"]
    assert list(waiting.messages.values_list("step", flat=True)) == ["asked", "removed"]


@pytest.mark.parametrize(
    ("role", "waits"),
    [
        ("coordinator", {"site"}),
        ("investigator", {"site", "investigator"}),
        ("data manager", {"data manager", "answered", "answered of a check"}),
        ("monitor", {"answered"}),
        ("statistician", set()),
    ],
)
def test_what_waits_for_a_role(patient: Patient, role: str, waits: set[str]):
    for audience in Audience.values:
        asked(patient, question=audience, asked_of=audience)
    for question, who, code in (("answered", "monitor", ""), ("answered of a check", CHECKER, "EC-999")):
        query = asked(patient, who, question=question, check_code=code)
        with act("coordinator"):
            take(query, Step.ANSWERED, "It is right.")

    assert set(Query.objects.filter(waiting_for(role)).values_list("question", flat=True)) == waits
