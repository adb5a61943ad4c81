"""Who could see what on a day: equal to a replay of what was done, whatever was done since."""

import csv
import io
import random
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.cast import FIRST_DAY, Cast
from trial.access import GRANTS, Permission, may
from trial.access_record.past import access_on
from trial.audit import recording
from trial.audit.demo_clock import dated_recording, demo_clock
from trial.models import Membership, Person, Role, Site, Study

BEGIN = date(2012, 3, 1)
PEOPLE = 1000
INSTANTS = sorted(
    datetime.combine(BEGIN + timedelta(days=9 * number), clock, UTC)
    for number in range(12)
    for clock in (time(0, 0), time(9, 30), time(23, 59, 59, 999999))
)
DAYS = [BEGIN + timedelta(days=day) for day in range(-1, 9 * 12 + 2, 3)] + [instant.date() for instant in INSTANTS[::3]]


def a_place(chance: random.Random, role: Role, sites: list[str]) -> str:
    return "" if role == Role.ADMINISTRATOR else chance.choice(["", *sites])


def some_dates(chance: random.Random) -> tuple[date, date | None]:
    since = BEGIN + timedelta(days=chance.randint(-30, 110))
    return since, chance.choice([None, since, since + timedelta(days=chance.randint(0, 90))])


def random_history(chance: random.Random, sites: list[str]) -> list[tuple[datetime, str, int, tuple]]:
    """The acts of one person's history, in order: (instant, what, number of the role, what it is now)."""
    acts: list[tuple[datetime, str, int, tuple]] = []
    roles: list[int] = []
    for instant in sorted(chance.sample(INSTANTS, chance.randint(2, 7))):
        what = chance.choice(["give", "give", "change", "change", "end", "take", "close", "open", "rename"])
        if what == "give" or (what in {"change", "end", "take"} and not roles):
            role = chance.choice(list(Role))
            roles.append(len(acts))
            acts.append((instant, "give", len(acts), (role, a_place(chance, role, sites), *some_dates(chance))))
        elif what == "change":
            role = chance.choice(list(Role))
            acts.append(
                (instant, what, chance.choice(roles), (role, a_place(chance, role, sites), *some_dates(chance)))
            )
        elif what == "end":
            acts.append((instant, what, chance.choice(roles), (chance.randint(0, 60),)))
        elif what == "take":
            acts.append((instant, what, roles.pop(chance.randrange(len(roles))), ()))
        else:
            acts.append((instant, what, 0, (f"renamed at {instant}",)))
    return acts


def write(histories: dict[str, list], study: Study, other: Study, sites: dict[str, Site], founder: User) -> None:
    """Do what the histories say, each act at its instant, through the models."""
    people = {person.name: person for person in Person.objects.all()}
    rows: dict[tuple[str, int], Membership] = {}
    for instant in INSTANTS:
        made, changed, taken, persons = [], [], [], []
        for name, acts in histories.items():
            for at, what, number, now in acts:
                if at != instant:
                    continue
                if what == "give":
                    role, site, since, until = now
                    row = Membership(person=people[name], study=study, role=role, starts_on=since, ends_on=until)
                    row.site = sites.get(site)
                    rows[name, number] = row
                    made.append(row)
                elif what == "change":
                    row = rows[name, number]
                    row.role, site, row.starts_on, row.ends_on = now
                    row.site = sites.get(site)
                    changed.append(row)
                elif what == "end":
                    row = rows[name, number]
                    row.ends_on = row.starts_on + timedelta(days=now[0])
                    changed.append(row)
                elif what == "take":
                    taken.append(rows.pop((name, number)).pk)
                else:
                    person = people[name]
                    person.is_active = {"close": False, "open": True}.get(what, person.is_active)
                    person.organisation = now[0]
                    persons.append(person)
        with dated_recording(at=instant, by=founder, reason="Access changes.", study=study):
            Membership.objects.bulk_create(made)
            Membership.objects.bulk_update(changed, ["role", "site", "starts_on", "ends_on"], batch_size=100)
            Membership.objects.filter(pk__in=taken).delete()
            Person.objects.bulk_update(persons, ["is_active", "organisation"], batch_size=100)
            if instant == INSTANTS[0]:
                Membership.objects.create(
                    person=people["Person 0"], study=other, role=Role.MONITOR, starts_on=BEGIN - timedelta(days=90)
                )


def replayed(histories: dict[str, list], day: date) -> set[tuple]:
    """What held on a day, worked out from the acts alone: nothing of the program is asked."""
    found = set()
    for name, acts in histories.items():
        is_active, organisation, held = True, "at first", {}
        for at, what, number, now in acts:
            if at.date() > day:
                break
            if what in {"give", "change"}:
                held[number] = now
            elif what == "end":
                role, site, since, _ = held[number]
                held[number] = (role, site, since, since + timedelta(days=now[0]))
            elif what == "take":
                del held[number]
            else:
                is_active = {"close": False, "open": True}.get(what, is_active)
                organisation = now[0]
        for number, (role, site, since, until) in held.items():
            if since <= day and (until is None or day <= until):
                found.add((name, number, organisation, role.value, site, since, until, is_active))
    return found


@pytest.mark.django_db
def test_the_access_of_any_day_equals_a_replay_of_a_thousand_random_histories():
    chance = random.Random(211)
    founder = User.objects.create_user("founder")
    accounts = User.objects.bulk_create(User(username=f"person-{number}") for number in range(PEOPLE))
    with demo_clock():
        with dated_recording(at=INSTANTS[0] - timedelta(days=60), by=founder, reason="The study begins."):
            study = Study.objects.create(code="MT103-211", title="The study")
            other = Study.objects.create(code="OTHER-1", title="Another study")
            sites = {
                f"{number} Hospital": Site.objects.create(
                    study=study, number=number, name="Hospital", country="DEU", time_zone="Europe/Berlin"
                )
                for number in ("012", "034", "056")
            }
            Person.objects.bulk_create(
                Person(user=user, name=f"Person {number}", organisation="at first")
                for number, user in enumerate(accounts)
            )
        histories = {f"Person {number}": random_history(chance, list(sites)) for number in range(PEOPLE)}
        write(histories, study, other, sites, founder)

    for day in DAYS:
        standings = access_on(study, day)

        expected = replayed(histories, day)
        assert sorted(
            (one.name, one.organisation, one.role.value, one.site, f"{one.since}", f"{one.until}", one.is_active)
            for one in standings
        ) == sorted(
            (name, organisation, role, site, f"{since}", f"{until}", is_active)
            for name, _, organisation, role, site, since, until, is_active in expected
        )
    assert {one.role for one in standings} == set(Role)


def test_a_role_gives_what_the_grants_say_and_nothing_to_a_person_who_is_not_active(cast: Cast, administrator):
    with recording(by=administrator, reason="Left the company.", study=cast.study):
        person = cast["monitor"].person
        person.is_active = False
        person.save()

    today = timezone.now().date()
    could = {one.name: set(one.permissions) for one in access_on(cast.study, today)}

    for name in ("coordinator", "data manager", "inspector", "administrator", "monitor"):
        assert could[name.title()] == {one for one in Permission if may(cast[name], one, cast.study)}
    assert could["Monitor"] == set()
    assert "Stranger" not in could


def test_an_old_day_is_asked_as_it_was_recorded_then_and_not_as_it_is_now(cast: Cast):
    assert access_on(cast.study, FIRST_DAY) == []  # roles that were to begin then were written down today


def test_the_page_says_who_could_do_what_and_so_does_the_csv(client: Client, cast: Cast, inspector):
    client.force_login(inspector)
    today = timezone.now().date()

    page = client.get("/MT103-211/access/people/").content.decode()
    answer = client.get(f"/MT103-211/access/people.csv?on={today:%d-%b-%Y}")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))

    assert "<strong>9</strong> roles held" in page
    assert "<dt>Investigator</dt><dd>see patients and their forms; " in page
    assert "Not active" not in page
    (coordinator,) = [row for row in rows if row["Who"] == "Coordinator"]
    assert (coordinator["Role"], coordinator["Site"], coordinator["Since"], coordinator["Until"]) == (
        "Site coordinator",
        "012 Ulm",
        "2011-01-01",
        "",
    )
    assert coordinator["Could see patients and their forms"] == "yes"
    assert coordinator["Could see who looked at what"] == ""
    assert answer["Content-Disposition"] == f'attachment; filename="synthetic-MT103-211-access-on-{today}.csv"'
    assert len([column for column in rows[0] if column.startswith("Could")]) == len(GRANTS) - 1  # not the first page


def test_a_day_with_nobody_says_so(client: Client, cast: Cast, inspector):
    client.force_login(inspector)

    assert (
        "Nobody had a role in the study on that day."
        in client.get("/MT103-211/access/people/?on=31-Dec-2010").content.decode()
    )


@pytest.mark.parametrize(
    ("on", "sentence"),
    [
        ("2999-01-31", "31-Jan-2999 is still to come. Give a day up to"),
        ("1/2/2014", "&#x27;1/2/2014&#x27; is not a day."),
    ],
)
@pytest.mark.parametrize("page", ["people/", "people.csv"])
def test_a_day_that_cannot_be_asked_is_kept_as_typed(client: Client, cast: Cast, inspector, on, sentence, page):
    client.force_login(inspector)

    answer = client.get(f"/MT103-211/access/{page}", {"on": on})

    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert f'value="{on}"' in answer.content.decode()


def test_a_day_costs_three_queries_however_many_people_there_are(cast: Cast):
    with CaptureQueriesContext(connection) as captured:
        access_on(cast.study, timezone.now().date())

    assert len(captured) == 3
