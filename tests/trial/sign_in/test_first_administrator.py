"""The first administrator: a fresh install has nobody, and one address makes the first, once."""

import os
import re
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client, override_settings

from tests.cast import Cast, assemble
from tests.trial.sign_in.signing_in import events, found, is_signed_in
from trial.audit import recording
from trial.models import Membership, Person, Recording, Role, Study
from trial.people.actions import hold_accounts

NEW = "a pelican beside four lanterns"
TYPED = {
    "user_name": "Ann.Lee ",
    "name": "Ann Lee",
    "organisation": "Marrow Research",
    "email": "ann.lee@hospital.example",
    "password1": NEW,
    "password2": NEW,
}


def invited(capsys, *arguments: str) -> str:
    """The address that the command prints."""
    call_command("first_administrator", *arguments)
    return found(r"\S*/sign-in/first/\S+", capsys.readouterr().out)


def test_the_first_administrator_comes_with_a_new_study(client: Client, db, capsys):
    address = invited(capsys, "--study", "MT103-211", "--title", "Blinatumomab in ALL")

    answer = client.post(address, TYPED)

    person = Person.objects.get()
    membership = Membership.objects.get()
    assert answer["Location"] == "/account/second-factor/"
    assert is_signed_in(client)
    assert (person.user.username, person.name, person.user.email) == ("ann.lee", "Ann Lee", "ann.lee@hospital.example")
    assert (membership.study.code, membership.study.title) == ("MT103-211", "Blinatumomab in ALL")
    assert (membership.role, membership.site) == (Role.ADMINISTRATOR, None)
    assert not membership.study.is_synthetic
    assert person.user.check_password(NEW)
    assert set(Recording.objects.values_list("reason", "person_name")) == {
        ("First administrator of the study, appointed by who runs this server.", "ann.lee")
    }
    assert ("role changed", "Ann Lee", "Ann Lee: first administrator") in events()


def test_an_address_works_once(client: Client, db, capsys):
    address = invited(capsys, "--study", "MT103-211", "--title", "Blinatumomab in ALL")
    client.post(address, TYPED)

    again = Client().post(address, TYPED | {"user_name": "eve", "email": "eve@hospital.example"})

    assert again.status_code == 404
    assert "The study MT103-211 has an administrator." in again.content.decode()
    assert User.objects.count() == 1


def posted(address: str, typed: dict[str, str], answers: list[tuple[int, str]]) -> None:
    """What a thread of its own does: fill in the form of the address."""
    try:
        answer = Client().post(address, typed)
        answers.append((answer.status_code, answer.content.decode()))
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_of_four_at_one_address_at_once_one_becomes_administrator(capsys):
    address = invited(capsys, "--study", "MT103-211", "--title", "Blinatumomab in ALL")
    people = [TYPED | {"user_name": f"person{turn}", "email": f"{turn}@hospital.example"} for turn in range(4)]
    answers: list[tuple[int, str]] = []
    threads = [threading.Thread(target=posted, args=(address, typed, answers)) for typed in people]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(status for status, _ in answers) == [302, 404, 404, 404]
    assert all("The study MT103-211 has an administrator." in page for status, page in answers if status == 404)
    assert (User.objects.count(), Person.objects.count(), Study.objects.count()) == (1, 1, 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("taken", "sentence"),
    [
        ({"username": "somebody", "email": TYPED["email"]}, f"an account with the address {TYPED['email']} already"),
        ({"username": "ann.lee", "email": ""}, "The user name &#x27;ann.lee&#x27; is taken."),
    ],
)
def test_an_account_that_is_made_meanwhile_shares_nothing_with_the_new_one(
    capsys, taken: dict[str, str], sentence: str
):
    people = assemble()
    with recording(by=people["data manager"], reason="She left."):
        person = people["administrator"].person
        person.is_active = False
        person.save()
    address = invited(capsys, "--study", people.study.code)
    answers: list[tuple[int, str]] = []
    thread = threading.Thread(target=posted, args=(address, TYPED, answers))

    with transaction.atomic():
        hold_accounts()
        User.objects.create_user(**taken)
        thread.start()
        thread.join(2)  # it waits for this transaction to end
    thread.join()

    assert sentence in answers[0][1]
    assert not Person.objects.filter(name="Ann Lee").exists()
    assert User.objects.filter(**taken).count() == 1


def test_an_address_that_was_used_stays_dead_when_its_administrator_is_gone(client: Client, db, capsys):
    address = invited(capsys, "--study", "MT103-211", "--title", "Blinatumomab in ALL")
    client.post(address, TYPED)
    with recording(by=User.objects.get(), reason="She left."):
        person = Person.objects.get()
        person.is_active = False
        person.save()

    again = Client().get(address)

    assert again.status_code == 404
    assert "This address was used before." in again.content.decode()


def test_a_study_that_lost_its_administrator_can_have_a_new_one(client: Client, cast: Cast, capsys):
    with recording(by=cast["data manager"], reason="She left."):
        person = cast["administrator"].person
        person.is_active = False
        person.save()

    client.post(invited(capsys, "--study", cast.study.code), TYPED)

    assert Membership.objects.filter(study=cast.study, person__name="Ann Lee", role=Role.ADMINISTRATOR).exists()
    assert Study.objects.count() == 1


def test_an_address_works_for_a_day(client: Client, db, capsys):
    began = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
    with time_machine.travel(began, tick=False):
        address = invited(capsys, "--study", "MT103-211", "--title", "Blinatumomab in ALL")

    with time_machine.travel(began + timedelta(hours=23, minutes=59), tick=False):
        in_time = client.get(address)
    with time_machine.travel(began + timedelta(hours=24, minutes=1), tick=False):
        too_late = client.get(address)

    assert in_time.status_code == 200
    assert too_late.status_code == 404
    assert "This address is older than 24 hours" in too_late.content.decode()


def test_an_address_that_somebody_made_up_opens_nothing(client: Client, db):
    assert client.get("/sign-in/first/WyJYIiwiIiwwXQ:1w:aaaa/").status_code == 404


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"user_name": "аnn"}, "even where it looks like a plain letter"),
        ({"password1": "Ann Lee 2026", "password2": "Ann Lee 2026"}, "among the first words that somebody would try"),
        ({"password2": "something else"}, "You must type the same password each time."),
        ({"name": ""}, "This field is required."),
        ({"email": "not an address"}, "Enter a valid email address."),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_made(
    client: Client, db, capsys, wrong: dict[str, str], sentence: str
):
    address = invited(capsys, "--study", "MT103-211", "--title", "Blinatumomab in ALL")

    page = client.post(address, TYPED | wrong).content.decode()

    assert sentence in page
    assert "Marrow Research" in page
    assert not User.objects.exists()
    assert not Study.objects.exists()


def test_a_study_with_an_administrator_gets_no_address(cast: Cast):
    with pytest.raises(CommandError, match=r"The study MT103-211 has an administrator. That person invites others"):
        call_command("first_administrator", "--study", "MT103-211")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--study", "MT103-211"], "There is no study 'MT103-211' yet. Say what it is called"),
        (["--study", "a/b", "--title", "A study"], "'a/b' cannot be the code of a study"),
        (["--study", "account", "--title", "A study"], "'account' cannot be the code of a study"),
    ],
)
def test_a_study_that_cannot_begin_gets_no_address(db, arguments: list[str], sentence: str):
    with pytest.raises(CommandError, match=re.escape(sentence)):
        call_command("first_administrator", *arguments)


def test_the_demo_gets_no_address(db):
    with override_settings(IS_DEMO=True), pytest.raises(CommandError, match="The demo needs no administrator"):
        call_command("first_administrator", "--study", "MT103-211", "--title", "A study")


@pytest.mark.sqlite
def test_a_fresh_production_install_has_nobody_and_prints_a_whole_address(tmp_path: Path):
    key = tmp_path / "key"
    key.write_text("a-long-key-for-one-test-0123456789-abcdefghijklmnopqrstuvwxyz")
    key.chmod(0o600)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MARROW_", "DJANGO_"))} | {
        "MARROW_MODE": "production",
        "MARROW_DATABASE": str(tmp_path / "marrow.sqlite3"),
        "MARROW_SECRET_KEY_FILE": str(key),
        "MARROW_HOSTS": "marrow.example.org",
    }

    def run(*arguments: str) -> str:
        command = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("migrate")
    count = run("shell", "-v", "0", "-c", "from django.contrib.auth.models import User; print(User.objects.count())")
    printed = run("first_administrator", "--study", "MT103-211", "--title", "Blinatumomab in ALL")

    assert count.strip() == "0"
    assert "https://marrow.example.org/sign-in/first/" in printed
