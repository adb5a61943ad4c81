"""The daily letter about queries, with a real mail server: who gets it, what is in it, and that nobody gets it twice."""

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from patients.models import Visit
from tests import make
from tests.cast import Cast
from tests.post import Box
from tests.trial.review.test_queries import act, asked
from trial.audit.recording import recording
from trial.models import Membership, Patient, Person, QueryDigest
from trial.review.models import Step
from trial.review.queries import take


@pytest.fixture
def addresses(cast: Cast) -> Cast:
    """Everybody of the cast has a mail address, but the investigator."""
    for name, user in cast.people.items():
        if name != "investigator":
            user.email = f"{name.replace(' ', '-')}@hospital.example"
            user.save()
    return cast


def send(**options: Any) -> str:
    said = io.StringIO()
    call_command("send_digest", stdout=said, **options)
    return said.getvalue()


def letters_of(post: Box) -> dict[str, str]:
    return {str(letter["To"]).partition("@")[0]: letter.get_content() for letter in post.letters}


def test_each_person_is_told_what_waits_for_their_role_at_their_sites(
    addresses: Cast, patient: Patient, patient_elsewhere: Patient, box: Box
):
    asked(patient)
    asked(patient_elsewhere, asked_of="data manager")
    answered = asked(patient_elsewhere)
    with act("coordinator"):
        take(answered, Step.ANSWERED, "It is.")

    said = send()

    found = letters_of(box)
    assert set(found) == {"coordinator", "monitor", "data-manager"}
    assert "1 query waits for you in MT103-211.\n\nSYN-012-001: Visit, asked today\n" in found["coordinator"].replace(
        "\r", ""
    )
    assert "2 queries wait for you" in found["data-manager"]
    assert "SYN-034-001" in found["monitor"]
    assert "SYN-012-001" not in found["monitor"]
    assert "3 letters sent, 0 sent before today, 0 refused by the mail server, 1 people have no mail address." in said
    assert box.letters[0]["Subject"].startswith("Marrow: ")


def test_nothing_of_a_patient_but_number_and_form_is_in_a_letter(addresses: Cast, patient: Patient, box: Box):
    record = make.record(Visit, patient, "SCR")
    asked(patient, question="Did the magpie come on the 3rd?", record=record.pk, field="visited_on")

    send()

    text = letters_of(box)["coordinator"]
    assert "magpie" not in text
    assert "2013" not in text


def test_nothing_is_sent_when_nothing_waits(addresses: Cast, patient: Patient, box: Box):
    with act("monitor"):
        take(asked(patient), Step.CANCELLED, "Asked twice.")

    assert "0 letters sent" in send()
    assert box.letters == []
    assert not QueryDigest.objects.exists()


def test_a_second_run_on_the_day_sends_nothing_twice(addresses: Cast, patient: Patient, box: Box):
    asked(patient)
    send()
    asked(patient)

    said = send(study="MT103-211")

    digest = QueryDigest.objects.get()
    assert len(box.letters) == 1
    assert "0 letters sent, 1 sent before today" in said
    assert (digest.person.user, digest.queries) == (addresses["coordinator"], 1)
    assert digest.history.get().recording.reason == "What waits for somebody was sent to them."


def test_what_the_mail_server_refuses_is_sent_by_the_next_run(addresses: Cast, patient: Patient, box: Box):
    asked(patient)
    with (
        override_settings(EMAIL_PORT=1),  # nobody listens there
        pytest.raises(CommandError, match=r"1 letter could not be sent\. Check MARROW_MAIL"),
    ):
        send()
    left = QueryDigest.objects.count()

    send()

    assert left == 0
    assert len(box.letters) == 1
    assert list(QueryDigest.history.order_by("history_id").values_list("history_type", flat=True)) == ["+", "-", "+"]


def test_nobody_without_a_role_or_with_a_closed_account_is_written_to(addresses: Cast, patient: Patient, box: Box):
    asked(patient)
    with recording(by=make.author(), reason="They left.", study=patient.study):
        Membership.objects.filter(person__user=addresses["coordinator"]).update(ends_on="2012-01-01")

    send()

    assert box.letters == []


def test_a_disabled_person_is_not_written_to(addresses: Cast, patient: Patient, box: Box):
    asked(patient)
    with recording(by=make.author(), reason="They left.", study=patient.study):
        Person.objects.filter(user=addresses["coordinator"]).update(is_active=False)

    send()

    assert box.letters == []


def test_without_a_mail_server_nothing_is_done(addresses: Cast, patient: Patient):
    asked(patient)

    assert "No mail server is set, so nothing was sent. Name it in MARROW_MAIL." in send()
    assert not QueryDigest.objects.exists()


def test_an_unknown_study_is_named(cast: Cast, box: Box):
    with pytest.raises(CommandError, match=r"There is no study 'NO-1'\. There is: MT103-211\."):
        send(study="NO-1")
