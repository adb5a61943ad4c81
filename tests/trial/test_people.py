"""People and their roles: the list, a person's page, what an administrator may do and what no administrator may."""

import csv
import io
import threading
import time
from datetime import date, timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.core import mail
from django.db import connection
from django.db.models.signals import pre_save
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from tests import make
from tests.cast import FIRST_DAY, PEOPLE, Cast, assemble
from trial.access import GRANTS, Permission, may, memberships_of, patients_visible_to
from trial.access_record.keeping import record_access
from trial.access_record.models import AccessEvent, AccessKind
from trial.audit import Recording, Stale, recording
from trial.models import AccessReview, Membership, Patient, Person, Role
from trial.people import actions
from trial.people.actions import CannotChange, first_day_uncovered, proposed_user_name
from trial.people.history import changes_of_access
from trial.people.reading import AccountState, Holding, members_of, word_places
from trial.people.reviews import REVIEW_EVERY_DAYS, review_due
from trial.sign_in.confirmation import BEGAN

DAY = timedelta(days=1)
WHY = "The sponsor asked for it in writing."
PEOPLE_PAGE = "/MT103-211/people/"


def today() -> date:
    return timezone.now().date()


def give(user: User, role: Role, cast: Cast, site=None, starts_on=FIRST_DAY, ends_on=None) -> Membership:
    """A role that somebody has, put in by somebody else."""
    with recording(by=make.author(), reason="Helps out.", study=cast.study):
        return Membership.objects.create(
            person=user.person, study=cast.study, site=site, role=role, starts_on=starts_on, ends_on=ends_on
        )


def role_of(user: User) -> Membership:
    return Membership.objects.get(person__user=user)


def member(user: User, cast: Cast):
    return next(one for one in members_of(cast.study, today()) if one.person == user.person)


def page_of(user: User, rest: str = "") -> str:
    return f"{PEOPLE_PAGE}{user.person.pk}/{rest}"


def page_of_role(membership: Membership, act: str) -> str:
    return f"{PEOPLE_PAGE}{membership.person_id}/roles/{membership.pk}/{act}/"


def text_of(answer) -> str:
    """What the page says, with its line breaks and its signs as people read them."""
    return " ".join(answer.content.decode().replace("&#x27;", "'").split())


def wanted(**given):
    """A role as the form sends it."""
    return {"role": "monitor", "is_everywhere": "on", "starts_on": str(today()), "reason": WHY} | given


@pytest.fixture
def admin(client: Client, administrator) -> Client:
    """The administrator, signed in a moment ago."""
    client.force_login(administrator)
    return client


@pytest.fixture
def other_administrator(cast: Cast, stranger) -> User:
    """A second administrator, so that the first one can be changed."""
    give(stranger, Role.ADMINISTRATOR, cast)
    return stranger


# The list.


def test_the_list_names_everybody_who_has_or_had_a_role_and_nobody_else(admin, cast: Cast, monitor):
    with recording(by=cast["administrator"], reason="Was never needed.", study=cast.study):
        role_of(monitor).delete()

    listed = {one.name for one in members_of(cast.study, today())}

    assert listed == {name.title() for name, role, _ in PEOPLE if role}  # the stranger has no role
    assert "<strong>9</strong> people" in text_of(admin.get(PEOPLE_PAGE))
    assert "none: withdrawn" in text_of(admin.get(PEOPLE_PAGE))


def test_another_studys_people_are_not_listed_and_have_no_page(admin, cast: Cast):
    foreign = assemble("OTHER-1", tag=" abroad")

    page = admin.get(PEOPLE_PAGE).content.decode()

    assert "abroad" not in page
    assert admin.get(page_of(foreign["monitor"])).status_code == 404


def test_roles_at_several_sites_with_the_same_dates_are_one_line(cast: Cast, stranger):
    give(stranger, Role.MONITOR, cast, cast.elsewhere)
    give(stranger, Role.MONITOR, cast, cast.here)
    give(stranger, Role.STATISTICIAN, cast, starts_on=date(2011, 5, 1), ends_on=date(2012, 4, 30))

    first, second = member(stranger, cast).held

    assert str(first) == "Monitor, sites 012 and 034, from 01-Jan-2011"
    assert str(second) == "Statistician, all sites, from 01-May-2011 until 30-Apr-2012"
    assert [first.when, second.when] == [Holding.NOW, Holding.ENDED]


def test_sites_are_worded_as_in_a_sentence(cast: Cast):
    assert word_places([None]) == "all sites"
    assert word_places([cast.here]) == "site 012"
    assert word_places([cast.elsewhere, cast.here]) == "sites 012 and 034"


def test_the_list_says_how_each_account_stands(cast: Cast, monitor, statistician, inspector, coordinator):
    record_access(AccessKind.SIGNED_IN, by=monitor)
    Authenticator.objects.create(user=monitor, type=Authenticator.Type.TOTP, data={})
    Authenticator.objects.create(user=statistician, type=Authenticator.Type.RECOVERY_CODES, data={})
    User.objects.filter(pk=inspector.pk).update(is_active=False)
    record_access(AccessKind.SIGNED_IN, by=coordinator)
    record_access(AccessKind.LOCKED_OUT, by=coordinator)

    assert member(monitor, cast).states == (AccountState.ACTIVE,)
    assert member(monitor, cast).last_signed_in_at.date() == today()
    assert member(statistician, cast).states == (
        AccountState.ACTIVE,
        AccountState.NEVER_SIGNED_IN,
        AccountState.NO_SECOND_FACTOR,
    )
    assert member(inspector, cast).states == (AccountState.DISABLED,)
    assert AccountState.LOCKED in member(coordinator, cast).states


def test_who_has_signed_in_since_is_not_locked(cast: Cast, coordinator):
    record_access(AccessKind.LOCKED_OUT, by=coordinator)
    record_access(AccessKind.SIGNED_IN, by=coordinator)

    assert AccountState.LOCKED not in member(coordinator, cast).states


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"q": "monit"}, {"Monitor"}),
        ({"q": "research coord"}, {"Coordinator"}),
        ({"q": "nobody at all"}, set()),
        ({"role": "coordinator"}, {"Coordinator", "Colleague"}),
        ({"role": "coordinator", "site": "here"}, {"Coordinator"}),
        ({"role": "monitor", "site": "here"}, {"Monitor"}),  # a role at all sites is one at each
        ({"when": "ENDED"}, {"Statistician"}),
        ({"when": "TO_COME"}, {"Inspector"}),
        ({"role": "inspector", "when": "NOW"}, set()),
        ({"state": "DISABLED"}, {"Colleague"}),
    ],
)
def test_the_list_narrows(asked, names, admin, cast: Cast, statistician, inspector, colleague):
    with recording(by=cast["administrator"], reason="Time went on.", study=cast.study):
        Membership.objects.filter(person__user=statistician).update(ends_on=today() - DAY)
        Membership.objects.filter(person__user=inspector).update(starts_on=today() + DAY)
        Person.objects.filter(user=colleague).update(is_active=False)
    asked = asked | ({"site": str(cast.here.pk)} if "site" in asked else {})

    text = b"".join(admin.get("/MT103-211/people.csv", asked).streaming_content).decode("utf-8-sig")

    assert {row["Name"] for row in csv.DictReader(io.StringIO(text))} == names


def test_a_person_with_another_role_today_has_not_left(admin, cast: Cast, monitor):
    give(monitor, Role.STATISTICIAN, cast, ends_on=date(2012, 1, 1))

    assert "Nobody matches." in text_of(admin.get(PEOPLE_PAGE, {"when": "ENDED"}))


def test_a_filter_that_cannot_be_read_stays_on_the_page(admin, cast: Cast):
    answer = admin.get(PEOPLE_PAGE, {"role": "king", "q": "monitor"})

    assert answer.status_code == 400
    assert "so nothing is listed" in text_of(answer)
    assert 'value="monitor"' in text_of(answer)


def test_the_file_has_a_line_for_each_role_and_no_formula(admin, cast: Cast, monitor):
    with recording(by=cast["administrator"], reason="A joke.", study=cast.study):
        Person.objects.filter(user=monitor).update(organisation="=HYPERLINK(evil)")

    answer = admin.get("/MT103-211/people.csv", {"q": "monitor"})
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text))

    assert answer["Content-Disposition"] == 'attachment; filename="synthetic-MT103-211-people.csv"'
    assert (row["User name"], row["Role"], row["Sites"], row["First day"]) == (
        "monitor",
        "Monitor",
        "all sites",
        "2011-01-01",
    )
    assert row["Organisation"] == "'=HYPERLINK(evil)"


def test_the_list_can_be_sorted_by_every_column(admin, cast: Cast, monitor):
    record_access(AccessKind.SIGNED_IN, by=monitor)

    for column in ("name", "organisation", "user_name", "roles", "states", "last_signed_in_at", "last_reviewed_on"):
        for sort in (column, f"-{column}"):
            assert admin.get(PEOPLE_PAGE, {"sort": sort}).status_code == 200, sort


@pytest.mark.parametrize("per_page", ["-1", "0", "x", "999999999"])
def test_the_address_does_not_say_how_many_people_a_page_has(per_page, admin, cast: Cast):
    for number in range(50):
        user = User.objects.create_user(f"more{number}")
        with recording(by=make.author(), reason="Joins.", study=cast.study):
            person = Person.objects.create(user=user, name=f"More {number}", organisation="Site")
            Membership.objects.create(person=person, study=cast.study, role=Role.MONITOR, starts_on=FIRST_DAY)

    answer = admin.get(PEOPLE_PAGE, {"per_page": per_page})

    assert answer.status_code == 200
    assert answer.content.decode().count('<th scope="row"') == 50


@pytest.mark.parametrize("page", ["-1", "0", "x", "999999999"])
def test_a_page_of_the_list_that_is_not_there_is_the_first_or_the_last(page, admin, cast: Cast):
    answer = admin.get(PEOPLE_PAGE, {"page": page})

    assert answer.status_code == 200


def test_the_list_costs_the_same_however_many_people_it_has(admin, cast: Cast):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert admin.get(PEOPLE_PAGE).status_code == 200
        return len(captured)

    few = queries()
    for number in range(8):
        user = User.objects.create_user(f"helper-{number}")
        with recording(by=cast["administrator"], reason="More work.", study=cast.study):
            Person.objects.create(user=user, name=f"Helper {number}", organisation="Marrow Research")
        give(user, Role.MONITOR, cast, cast.here)

    assert queries() == few


@pytest.mark.parametrize("name", ["data manager", "inspector"])
def test_who_may_only_look_is_offered_no_change(client: Client, cast: Cast, name: str, monitor):
    client.force_login(cast[name])

    for page in (PEOPLE_PAGE, page_of(monitor)):
        text = text_of(client.get(page))
        assert "Invite a person" not in text
        assert "/roles/" not in text
        assert "/disable/" not in text
    assert client.get(page_of_role(role_of(monitor), "end")).status_code == 403
    assert client.post(page_of_role(role_of(monitor), "end"), {"when": "now", "reason": WHY}).status_code == 403


# Inviting.

NEWCOMER = {"name": "Ann Lee", "organisation": "Ulm University Hospital", "email": "Ann.Lee@Ulm.example"}


def test_an_invited_person_has_a_role_no_password_and_a_link_shown_once(admin, cast: Cast, administrator):
    answer = admin.post(f"{PEOPLE_PAGE}invite/", wanted(**NEWCOMER, role="coordinator") | at(cast.here))

    user = User.objects.get(username="ann.lee")
    role = role_of(user)
    act = Recording.objects.latest("pk")
    event = AccessEvent.objects.filter(kind=AccessKind.ROLE_CHANGED).latest("id")
    assert answer.status_code == 200
    assert "/sign-in/link/" in text_of(answer)
    assert not user.has_usable_password()
    assert user.email == "ann.lee@ulm.example"
    assert (role.role, role.site, role.starts_on, role.ends_on) == ("coordinator", cast.here, today(), None)
    assert (act.by, act.role, act.reason) == (administrator, "administrator", WHY)
    assert event.by == administrator
    assert event.what.startswith("ann.lee: Invited Ann Lee of Ulm University Hospital: Site coordinator, site 012")


def test_where_there_is_mail_the_link_goes_to_the_person_and_nobody_else_sees_it(admin, cast: Cast, monitor, settings):
    settings.HAS_MAIL = True
    User.objects.filter(pk=monitor.pk).update(email="monitor@ulm.example")

    answer = admin.post(page_of(monitor, "password-link/"), {"reason": WHY, "way": "mail"}, follow=True)
    for thread in threading.enumerate():
        if thread.name == "letters":
            thread.join()

    (letter,) = mail.outbox
    assert letter.to == ["monitor@ulm.example"]
    assert "/sign-in/link/" in letter.body
    assert "/sign-in/link/" not in text_of(answer)
    assert "Made a one-time link at which Monitor sets a new password. The link went by mail." in text_of(answer)


def test_where_there_is_no_mail_there_is_nothing_to_choose(admin, cast: Cast, monitor, settings):
    settings.HAS_MAIL = False

    assert 'name="way"' not in text_of(admin.get(page_of(monitor, "password-link/")))


def at(*sites) -> dict:
    return {"is_everywhere": "", "sites": [str(site.pk) for site in sites]}


def test_a_role_at_several_sites_is_a_membership_for_each(admin, cast: Cast):
    admin.post(f"{PEOPLE_PAGE}invite/", wanted(**NEWCOMER) | at(cast.here, cast.elsewhere))

    assert {one.site for one in Membership.objects.filter(person__name="Ann Lee")} == {cast.here, cast.elsewhere}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"user_name": "monitor"}, "The user name 'monitor' is taken."),
        ({"user_name": "Monitor "}, "The user name 'monitor' is taken."),
        ({"user_name": "аnn"}, "Take out 'а', even where it looks like a plain letter."),  # a Cyrillic a
        ({"name": "Анна"}, "No user name can be made from 'Анна'. Type one."),
        ({"email": "MONITOR@ulm.example"}, "There is an account with the address monitor@ulm.example already."),
        ({"email": "ann"}, "This is not an e-mail address. Check it."),
        ({"reason": " . "}, "Say why. The reason is kept in the audit trail."),
        ({"is_everywhere": ""}, "No site is chosen. Choose all sites, or at least one."),
        ({"starts_on": "03/12/2014"}, "'03/12/2014' is not a day. Write it as 2014-09-30 or 30-Sep-2014."),
        ({"starts_on": "2014-09-30"}, "Access cannot be given for the past: choose today or later."),
        ({"ends_on": "2014-09-30"}, "The last day is 30-Sep-2014, before the first one."),
        ({"role": "inspector"}, "An inspector has access for a time. Say until when."),
    ],
)
def test_what_stands_against_an_invitation_is_said_and_what_was_typed_is_kept(given, says, admin, cast: Cast, monitor):
    User.objects.filter(pk=monitor.pk).update(email="monitor@ulm.example")
    people = Person.objects.count()

    answer = admin.post(f"{PEOPLE_PAGE}invite/", wanted(**NEWCOMER) | given)

    assert answer.status_code == 400
    assert says in text_of(answer)
    assert 'value="Ulm University Hospital"' in text_of(answer)
    assert Person.objects.count() == people
    assert not User.objects.filter(username="ann.lee").exists()


@pytest.mark.parametrize("field", ["name", "organisation", "reason"])
@pytest.mark.parametrize(
    ("sign", "says"),
    [
        ("\n", "This text has a line break."),
        ("\u202e", "This text has a sign that does not print (U+202E)."),
        ("\u200b", "This text has a sign that does not print (U+200B)."),
        ("\u00a0", "This text has a sign that does not print (U+00A0)."),
        ("\u3164", "This text has a sign that does not print (U+3164)."),
    ],
)
def test_a_name_or_reason_with_a_sign_that_does_not_print_is_refused(field, sign, says, admin, cast: Cast):
    answer = admin.post(f"{PEOPLE_PAGE}invite/", wanted(**NEWCOMER) | {field: f"Ann{sign}Lee"})

    assert answer.status_code == 400
    assert says in text_of(answer)
    assert not User.objects.filter(email__iexact=NEWCOMER["email"]).exists()


@pytest.mark.parametrize("sign", ["\u200b", "\u2060", "\u3164"])
def test_a_reason_that_nobody_sees_is_none(sign, admin, cast: Cast, monitor):
    answer = admin.post(page_of(monitor, "disable/"), {"version": 1, "reason": sign})

    assert answer.status_code == 400
    assert Person.objects.get(user=monitor).is_active


@pytest.mark.parametrize("name", ["Łucja Wójcik-Żak", "李小龙", "O'Brien, Ann (Dr.)", "Nguyễn Thị Minh"])
def test_a_name_in_any_script_is_taken(name, admin, cast: Cast):
    admin.post(f"{PEOPLE_PAGE}invite/", wanted(**NEWCOMER) | {"name": name, "user_name": "ann.lee"})

    assert Person.objects.get(user__username="ann.lee").name == name


def test_an_administrator_is_of_the_whole_study(admin, cast: Cast):
    answer = admin.post(f"{PEOPLE_PAGE}invite/", wanted(**NEWCOMER, role="administrator") | at(cast.here))

    assert "An administrator is of the whole study. Choose all sites." in text_of(answer)


def test_a_site_of_another_study_cannot_be_chosen(admin, cast: Cast):
    foreign = assemble("OTHER-1", tag=" abroad")

    answer = admin.post(f"{PEOPLE_PAGE}invite/", wanted(**NEWCOMER) | at(foreign.here))

    assert "There is no such site in this study." in text_of(answer)


@pytest.mark.parametrize(
    ("name", "proposal"),
    [("Ann Lee", "ann.lee"), ("Jürgen Müller-Groß", "jurgen.muller.gro"), ("Анна", ""), ("Ann Fox", "ann.fox3")],
)
def test_a_user_name_is_made_from_the_name(db, name: str, proposal: str):
    User.objects.create_user("ann.fox")
    User.objects.create_user("ANN.FOX2", is_active=False)

    assert proposed_user_name(name) == proposal


# Roles.


def test_a_role_that_is_given_is_on_record_twice(admin, cast: Cast, statistician, administrator):
    admin.post(page_of(statistician, "roles/add/"), wanted(ends_on=f"{today() + 30 * DAY}"))

    given = Membership.objects.get(person__user=statistician, role=Role.MONITOR)
    event = AccessEvent.objects.filter(kind=AccessKind.ROLE_CHANGED).get()
    assert given.ends_on == today() + 30 * DAY
    assert (event.by, event.role, event.study, event.purpose) == (administrator, "administrator", cast.study, WHY)
    assert event.what.startswith("statistician: Gave Statistician the role Monitor, all sites, from ")


@pytest.mark.parametrize("where", ["here", "all"])
def test_the_same_role_on_the_same_days_is_refused(where, admin, cast: Cast, coordinator):
    places = at(cast.here) if where == "here" else {}

    answer = admin.post(page_of(coordinator, "roles/add/"), wanted(role="coordinator") | places)

    assert "Coordinator is Site coordinator, site 012 Ulm, from 01-Jan-2011 already." in text_of(answer)
    assert Membership.objects.filter(person__user=coordinator).count() == 1


def test_the_same_role_at_another_site_or_after_its_end_is_given(admin, cast: Cast, coordinator):
    role = role_of(coordinator)
    with recording(by=cast["administrator"], reason="Planned.", study=cast.study):
        role.ends_on = today() + DAY
        role.save()

    elsewhere = admin.post(page_of(coordinator, "roles/add/"), wanted(role="coordinator") | at(cast.elsewhere))
    later = admin.post(
        page_of(coordinator, "roles/add/"),
        wanted(role="coordinator", starts_on=str(today() + 2 * DAY)) | at(cast.here),
    )

    assert [elsewhere.status_code, later.status_code] == [302, 302]


def test_a_role_ended_at_once_gives_nothing_any_more(admin, cast: Cast, monitor, patient: Patient):
    role = role_of(monitor)

    answer = admin.post(page_of_role(role, "end"), {"when": "now", "version": 1, "reason": WHY}, follow=True)

    role.refresh_from_db()
    assert role.ends_on == today() - DAY
    assert not patients_visible_to(monitor).exists()
    assert "Ended the role of Monitor at once: Monitor, all sites." in text_of(answer)


def test_a_role_ended_with_a_day_holds_to_its_end(admin, cast: Cast, monitor):
    role = role_of(monitor)

    admin.post(page_of_role(role, "end"), {"when": "day", "last": str(today()), "version": 1, "reason": WHY})

    assert memberships_of(monitor).exists()
    assert not memberships_of(monitor, on=today() + DAY).exists()


def test_a_role_that_never_held_a_whole_day_is_withdrawn_and_stays_in_the_trail(admin, cast: Cast, stranger):
    role = give(stranger, Role.MONITOR, cast, starts_on=today())

    admin.post(page_of_role(role, "end"), {"when": "now", "version": 1, "reason": WHY})

    assert not Membership.objects.filter(pk=role.pk).exists()
    newest, first = changes_of_access(stranger.person, cast.study)
    assert (newest.what, newest.why) == ("Monitor, all sites: withdrawn", WHY)
    assert first.new == f"from {today():%d-%b-%Y}"
    assert admin.get(page_of(stranger)).status_code == 200


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"when": "day"}, "Give the last day, or end the role at once."),
        ({"when": "now", "last": "2030-01-01"}, "The role is to end at once, and a last day is given."),
        ({"when": "day", "last": "2014-09-30"}, "30-Sep-2014 is over, and the role held until today."),
        ({"when": "day", "last": "soon"}, "'soon' is not a day."),
    ],
)
def test_an_end_that_makes_no_sense_is_refused(given, says, admin, cast: Cast, monitor):
    role = role_of(monitor)

    answer = admin.post(page_of_role(role, "end"), {"version": 1, "reason": WHY} | given)

    assert says in text_of(answer)
    assert role_of(monitor).ends_on is None


def test_an_ended_role_is_not_changed_any_more(admin, cast: Cast, monitor):
    role = give(monitor, Role.STATISTICIAN, cast, ends_on=date(2012, 1, 1))

    end = admin.post(page_of_role(role, "end"), {"when": "now", "version": 1, "reason": WHY})
    dates = admin.post(page_of_role(role, "dates"), {"starts_on": "2011-01-01", "version": 1, "reason": WHY})

    assert "This role ended on 01-Jan-2012 already." in text_of(end)
    assert "This role ended on 01-Jan-2012. Give it anew instead." in text_of(dates)


def test_the_dates_of_a_role_to_come_can_both_be_changed(admin, cast: Cast, stranger):
    role = give(stranger, Role.MONITOR, cast, starts_on=today() + 5 * DAY)
    typed = {"starts_on": str(today() + DAY), "ends_on": str(today() + 9 * DAY), "version": 1, "reason": WHY}

    answer = admin.post(page_of_role(role, "dates"), typed)

    role.refresh_from_db()
    assert answer.status_code == 302
    assert (role.starts_on, role.ends_on) == (today() + DAY, today() + 9 * DAY)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"starts_on": "2012-01-01"}, "The role holds since 01-Jan-2011, and that is not changed any more."),
        ({"ends_on": "2014-09-30"}, "30-Sep-2014 is over, and the role held until today."),
        ({"ends_on": "2010-09-30"}, "The last day is 30-Sep-2010, before the first one."),
    ],
)
def test_dates_that_are_over_stay_as_they_are(given, says, admin, cast: Cast, monitor):
    typed = {"starts_on": "2011-01-01", "version": 1, "reason": WHY} | given

    answer = admin.post(page_of_role(role_of(monitor), "dates"), typed)

    assert says in text_of(answer)
    assert role_of(monitor).version == 1


def test_an_inspectors_end_can_be_moved_and_not_taken_away(admin, cast: Cast, inspector):
    role = role_of(inspector)
    typed = {"starts_on": "2011-01-01", "version": 1, "reason": WHY}

    without = admin.post(page_of_role(role, "dates"), typed)
    moved = admin.post(page_of_role(role, "dates"), typed | {"ends_on": str(today() + DAY)})

    assert "An inspector has access for a time. Say until when." in text_of(without)
    assert moved.status_code == 302


def test_a_role_of_another_person_or_study_is_missing(admin, cast: Cast, monitor, statistician):
    foreign = assemble("OTHER-1", tag=" abroad")
    wrong = page_of(statistician, f"roles/{role_of(monitor).pk}/end/")

    assert admin.get(wrong).status_code == 404
    assert admin.get(page_of_role(role_of(foreign["monitor"]), "end")).status_code == 404


# What no administrator may.


def test_nobody_changes_their_own_access(admin, cast: Cast, administrator, other_administrator):
    role = role_of(administrator)
    everything = wanted(version=1, when="now")
    pages = [page_of_role(role, "end"), page_of_role(role, "dates")] + [
        page_of(administrator, act) for act in ("roles/add/", "disable/", "enable/", "password-link/", "second-factor/")
    ]

    for page in pages:
        answer = admin.post(page, everything)
        assert answer.status_code == 400, page
        assert "You cannot change your own access. Ask another administrator of the study." in text_of(answer), page
    assert "This is you." in text_of(admin.get(page_of(administrator)))
    assert Membership.objects.filter(person__user=administrator).count() == 1


def test_the_last_administrator_cannot_be_ended_or_disabled(admin, cast: Cast, administrator, other_administrator):
    with recording(by=administrator, reason="Leaves soon.", study=cast.study):
        Membership.objects.filter(person__user=administrator).update(ends_on=today() + 9 * DAY)
    admin.force_login(administrator)  # the session ended with the change
    role = Membership.objects.get(person__user=other_administrator)

    ended = admin.post(page_of_role(role, "end"), {"when": "now", "version": 1, "reason": WHY})
    dated = admin.post(
        page_of_role(role, "dates"),
        {"starts_on": "2011-01-01", "ends_on": str(today() + DAY), "version": 1, "reason": WHY},
    )
    disabled = admin.post(page_of(other_administrator, "disable/"), {"version": 1, "reason": WHY})

    without = f"MT103-211 would have no administrator on {today() + 10 * DAY:%d-%b-%Y}. Make somebody else"
    for answer in (ended, dated, disabled):
        assert without in text_of(answer)
    other_administrator.person.refresh_from_db()
    assert other_administrator.person.is_active
    assert Membership.objects.get(pk=role.pk).ends_on is None


def test_one_of_two_administrators_can_be_ended(admin, cast: Cast, other_administrator):
    role = Membership.objects.get(person__user=other_administrator)

    admin.post(page_of_role(role, "end"), {"when": "now", "version": 1, "reason": WHY})

    assert not memberships_of(other_administrator).exists()


def days_covered(periods, start: date, count: int) -> list[bool]:
    """Day by day, as one would count on a calendar."""
    days = [start + number * DAY for number in range(count)]
    return [any(first <= day and (last is None or day <= last) for first, last in periods) for day in days]


SOME_DAY = st.integers(0, 20).map(lambda number: date(2020, 1, 1) + number * DAY)


@given(st.lists(st.tuples(SOME_DAY, st.none() | SOME_DAY), max_size=5))
def test_the_first_day_that_nobody_covers_is_found(periods):
    start = date(2020, 1, 6)

    found = first_day_uncovered(periods, start)

    covered = days_covered(periods, start, 40)
    assert found == (None if all(covered) else start + covered.index(False) * DAY)


def test_an_investigator_is_ended_only_with_a_successor_or_knowingly(admin, cast: Cast, investigator, stranger):
    role = role_of(investigator)
    typed = {"when": "now", "version": 1, "reason": WHY}

    answer = admin.post(page_of_role(role, "end"), typed)

    assert "Investigator is investigator of site 012 Ulm. Choose who reads on, or say that nobody does." in text_of(
        answer
    )
    assert "Site 012 Ulm has no other investigator." in text_of(answer)
    assert role_of(investigator).ends_on is None


def test_the_successor_of_an_investigator_is_in_the_reason(admin, cast: Cast, investigator, stranger):
    role, heir = role_of(investigator), give(stranger, Role.INVESTIGATOR, cast, cast.here)
    typed = {"when": "now", "version": 1, "reason": WHY, f"successor_{role.pk}": str(heir.pk)}

    admin.post(page_of_role(role, "end"), typed)

    assert role_of(investigator).ends_on == today() - DAY
    assert Recording.objects.latest("pk").reason == f"{WHY} Stranger reads on for site 012 Ulm."


def test_a_successor_who_goes_first_is_none(admin, cast: Cast, investigator, stranger):
    role = role_of(investigator)
    heir = give(stranger, Role.INVESTIGATOR, cast, cast.here, ends_on=today() + DAY)
    typed = {"when": "day", "last": str(today() + DAY), "version": 1, "reason": WHY}

    answer = admin.post(page_of_role(role, "end"), typed | {f"successor_{role.pk}": str(heir.pk)})

    assert "Stranger is investigator only until" in text_of(answer)
    assert role_of(investigator).ends_on is None


@pytest.mark.parametrize("act", ["end", "dates", "disable"])
def test_that_nobody_follows_an_investigator_is_acknowledged_in_the_reason(act, admin, cast: Cast, investigator):
    role = role_of(investigator)
    page = page_of(investigator, "disable/") if act == "disable" else page_of_role(role, act)
    typed = {"when": "now", "starts_on": "2011-01-01", "ends_on": str(today() + DAY), "version": 1, "reason": WHY}

    silent = admin.post(page, typed)
    knowing = admin.post(page, typed | {f"successor_{role.pk}": "nobody"})

    assert [silent.status_code, knowing.status_code] == [400, 302]
    assert Recording.objects.latest("pk").reason == (f"{WHY} Acknowledged: no investigator reads on for site 012 Ulm.")


def test_a_later_end_takes_nothing_from_an_investigator(admin, cast: Cast, investigator):
    role = role_of(investigator)
    with recording(by=cast["administrator"], reason="Planned.", study=cast.study):
        role.ends_on = today() + DAY
        role.save()
    typed = {"starts_on": "2011-01-01", "ends_on": str(today() + 9 * DAY), "version": 2, "reason": WHY}

    answer = admin.post(page_of_role(role, "dates"), typed)

    assert answer.status_code == 302
    assert Recording.objects.latest("pk").reason == WHY


# Accounts.


def test_a_disabled_person_is_disabled_in_every_place_and_can_be_enabled(admin, cast: Cast, monitor):
    admin.post(page_of(monitor, "disable/"), {"version": 1, "reason": WHY})
    off = (Person.objects.get(user=monitor).is_active, User.objects.get(pk=monitor.pk).is_active)
    admin.post(page_of(monitor, "enable/"), {"version": 2, "reason": WHY})
    on = (Person.objects.get(user=monitor).is_active, User.objects.get(pk=monitor.pk).is_active)

    assert [off, on] == [(False, False), (True, True)]
    newest, before, *_ = changes_of_access(monitor.person, cast.study)
    assert (newest.what, newest.old, newest.new) == ("Account", "disabled", "active")
    assert (before.what, before.old, before.new, before.by) == ("Account", "active", "disabled", "Administrator")


def test_a_disabled_persons_session_ends(admin, cast: Cast, monitor):
    theirs = Client()
    theirs.force_login(monitor)
    assert theirs.get("/MT103-211/changes/").status_code == 200

    admin.post(page_of(monitor, "disable/"), {"version": 1, "reason": WHY})

    assert theirs.get("/MT103-211/changes/")["Location"].startswith("/sign-in/")


def test_a_new_password_link_never_lets_the_administrator_choose_the_password(admin, cast: Cast, monitor):
    before = User.objects.get(pk=monitor.pk).password
    chosen = {"reason": WHY, "password": "chosen by somebody else", "password1": "chosen by somebody else"}

    answer = admin.post(page_of(monitor, "password-link/"), chosen)

    assert "/sign-in/link/" in text_of(answer)
    assert User.objects.get(pk=monitor.pk).password == before
    assert changes_of_access(monitor.person, cast.study)[0].what == (
        "Made a one-time link at which Monitor sets a new password. The link was shown, to be handed over."
    )


def test_a_lost_second_factor_is_removed_whole_and_on_record(admin, cast: Cast, monitor):
    for kind in (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN, Authenticator.Type.RECOVERY_CODES):
        Authenticator.objects.create(user=monitor, type=kind, data={})

    admin.post(page_of(monitor, "second-factor/"), {"reason": WHY})

    newest = changes_of_access(monitor.person, cast.study)[0]
    assert not Authenticator.objects.filter(user=monitor).exists()
    assert (newest.what, newest.why, newest.by) == ("Removed the second factor of Monitor.", WHY, "Administrator")


def test_where_there_is_no_second_factor_none_is_removed(admin, cast: Cast, monitor):
    answer = admin.post(page_of(monitor, "second-factor/"), {"reason": WHY})

    assert "Monitor has no second factor. There is nothing to remove." in text_of(answer)


@pytest.mark.parametrize("act", ["password-link/", "second-factor/"])
def test_a_disabled_account_is_enabled_first(act, admin, cast: Cast, monitor):
    with recording(by=cast["administrator"], reason="Left.", study=cast.study):
        Person.objects.filter(user=monitor).update(is_active=False)

    answer = admin.post(page_of(monitor, act), {"reason": WHY})

    assert "The account of Monitor is disabled. Enable it first." in text_of(answer)


@pytest.mark.parametrize("starts_on", [FIRST_DAY, date(2100, 1, 1)])
def test_a_role_in_another_study_does_not_keep_an_account_open(starts_on, admin, cast: Cast, monitor):
    foreign = assemble("OTHER-1", tag=" abroad")
    theirs = Client()
    theirs.force_login(monitor)
    assert theirs.get("/MT103-211/changes/").status_code == 200
    give(monitor, Role.MONITOR, foreign, starts_on=starts_on)

    answer = admin.post(page_of(monitor, "disable/"), {"version": 1, "reason": WHY})

    assert answer.status_code == 302
    assert not User.objects.get(pk=monitor.pk).is_active
    assert not Person.objects.get(user=monitor).is_active
    assert theirs.get("/MT103-211/changes/")["Location"].startswith("/sign-in/")


def test_the_only_administrator_of_another_study_is_not_disabled(admin, cast: Cast):
    foreign = assemble("OTHER-1", tag=" abroad")
    give(foreign["administrator"], Role.MONITOR, cast)

    answer = admin.post(page_of(foreign["administrator"], "disable/"), {"version": 1, "reason": WHY})

    assert answer.status_code == 400
    assert "Another study would have no administrator any more." in text_of(answer)
    assert "OTHER-1" not in text_of(answer)
    assert User.objects.get(pk=foreign["administrator"].pk).is_active


@pytest.mark.parametrize("act", ["enable/", "password-link/", "second-factor/"])
def test_the_account_of_somebody_of_another_study_too_is_not_one_administrators(act, admin, cast: Cast):
    foreign = assemble("OTHER-1", tag=" abroad")
    shared = foreign["monitor"]
    give(shared, Role.MONITOR, cast)
    Authenticator.objects.create(user=shared, type=Authenticator.Type.TOTP, data={})

    answer = admin.post(page_of(shared, act), {"version": 1, "reason": WHY})

    assert "has a role in another study too, of which you are not administrator." in text_of(answer)
    assert "OTHER-1" not in text_of(answer)
    assert User.objects.get(pk=shared.pk).is_active
    assert Authenticator.objects.filter(user=shared).exists()


# Somebody who has an account already.


@pytest.mark.parametrize("named", ["monitor-abroad", "MONITOR-ABROAD", "Monitor@Abroad.example"])
def test_somebody_of_another_study_is_found_by_the_exact_name_alone(named, admin, cast: Cast):
    foreign = assemble("OTHER-1", tag=" abroad")
    User.objects.filter(pk=foreign["monitor"].pk).update(email="monitor@abroad.example")

    answer = admin.post(f"{PEOPLE_PAGE}add/", wanted(account=named))

    assert answer.status_code == 302
    assert may(foreign["monitor"], Permission.PATIENTS_VIEW, cast.study)


@pytest.mark.parametrize("named", ["monitor", "abroad", "%abroad", "founder of OTHER-1", "statistician-abroad"])
def test_a_part_of_a_name_a_disabled_account_and_one_that_is_nobody_are_not_found(named, admin, cast: Cast):
    foreign = assemble("OTHER-1", tag=" abroad")
    User.objects.filter(pk=foreign["statistician"].pk).update(is_active=False)
    before = Membership.objects.count()

    answer = admin.post(f"{PEOPLE_PAGE}add/", wanted(account=named))

    said = text_of(answer)
    assert "is among the people of MT103-211 already" in said or f"is exactly '{named}'." in said
    assert Membership.objects.count() == before


def test_what_happened_in_another_study_is_not_told(admin, cast: Cast):
    foreign = assemble("OTHER-1", tag=" abroad")
    shared = foreign["monitor"]
    give(shared, Role.MONITOR, cast)
    with recording(by=foreign["administrator"], reason="A secret of theirs.", study=foreign.study):
        shared.person.organisation = "Elsewhere"
        shared.person.save()

    page = text_of(admin.get(page_of(shared)))

    assert "somebody of another study" in page
    assert "Elsewhere" in page
    assert "A secret of theirs." not in page
    assert "OTHER-1" not in page


# Two administrators at once.


def test_the_second_of_two_administrators_is_told_what_the_first_one_did(
    admin, cast: Cast, monitor, other_administrator
):
    role = role_of(monitor)
    second = Client()
    second.force_login(other_administrator)
    typed = {"starts_on": "2011-01-01", "version": 1, "reason": WHY}

    admin.post(page_of_role(role, "dates"), typed | {"ends_on": str(today() + DAY)})
    told = second.post(page_of_role(role, "dates"), typed | {"ends_on": str(today() + 9 * DAY)})

    assert told.status_code == 409
    said = text_of(told)
    assert "Administrator changed this role meanwhile: it is now from 01-Jan-2011 until" in said
    assert f'value="{today() + 9 * DAY}"' in said
    assert 'name="version" value="2"' in said  # the next attempt is made knowingly
    assert role_of(monitor).ends_on == today() + DAY


def test_the_second_who_disables_an_account_is_told(admin, cast: Cast, monitor, other_administrator):
    admin.post(page_of(monitor, "disable/"), {"version": 1, "reason": WHY})

    told = admin.post(page_of(monitor, "disable/"), {"version": 1, "reason": WHY})

    assert told.status_code == 409
    assert "Administrator changed this account meanwhile: it is now disabled." in text_of(told)


def test_a_role_that_was_withdrawn_meanwhile_is_stale(cast: Cast, monitor, administrator):
    role = role_of(monitor)
    with recording(by=administrator, reason="Withdrawn.", study=cast.study):
        Membership.objects.get(pk=role.pk).delete()

    with pytest.raises(Stale, match="Somebody withdrew this role meanwhile"), recording(by=administrator, reason=WHY):
        actions.end_role(role, None, seen=1, by=administrator, today=today())


def test_an_administrator_whose_role_ends_while_they_wait_changes_nothing(
    admin, cast: Cast, administrator, other_administrator, monitor
):
    def end_meanwhile(**kwargs) -> None:
        Membership.objects.filter(person__user=administrator).update(ends_on=today() - DAY)

    pre_save.connect(end_meanwhile, sender=Membership)

    answer = admin.post(page_of(monitor, "roles/add/"), wanted(role="statistician"))
    pre_save.disconnect(end_meanwhile, sender=Membership)

    assert answer.status_code == 403
    assert "Your own role was ended meanwhile. Nothing was changed." in text_of(answer)
    assert role_of(monitor).role == Role.MONITOR


@pytest.mark.django_db(transaction=True)
def test_two_administrators_who_end_each_other_at_once_leave_one(cast: Cast, administrator, other_administrator):
    both = [administrator, other_administrator]
    roles = {user.pk: Membership.objects.get(person__user=user) for user in both}
    start = threading.Barrier(2)
    said = []

    def end(by: User, role: Membership) -> None:
        start.wait()
        try:
            with recording(by=by, reason=WHY, study=cast.study):
                said.append(actions.end_role(role, None, seen=1, by=by, today=today()))
        except CannotChange as refusal:
            said.append(str(refusal))
        finally:
            connection.close()

    threads = [threading.Thread(target=end, args=(by, roles[of.pk])) for by, of in (both, reversed(both))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(sentence.split()[0] for sentence in said) == ["Ended", "MT103-211"]
    assert sum(memberships_of(user).exists() for user in both) == 1


# Somebody who sits at an open screen.


def test_what_was_typed_waits_while_the_administrator_confirms_who_they_are(admin, cast: Cast):
    session = admin.session
    session[BEGAN] = time.time() - 3600
    session.save()

    led_away = admin.post(f"{PEOPLE_PAGE}invite/", wanted(**NEWCOMER))
    admin.force_login(cast["administrator"])
    back = text_of(admin.get(f"{PEOPLE_PAGE}invite/"))

    assert led_away["Location"].startswith("/account/confirm/")
    assert not User.objects.filter(username="ann.lee").exists()
    assert 'value="Ann.Lee@Ulm.example"' in back
    assert "This form is filled with what you typed" in back


# What would follow.


def test_what_ending_a_role_takes_away_is_said_before(admin, cast: Cast, coordinator):
    give(coordinator, Role.COORDINATOR, cast, cast.elsewhere)
    role = Membership.objects.get(person__user=coordinator, site=cast.here)

    said = text_of(admin.get(page_of_role(role, "end")))

    assert "Ends no open session of Coordinator." in said
    assert "Coordinator then sees no patient of site 012 any more, and still those of site 034." in said


def test_that_other_roles_show_the_same_is_said(admin, cast: Cast, monitor):
    give(monitor, Role.STATISTICIAN, cast)

    said = text_of(admin.get(page_of_role(Membership.objects.get(person__user=monitor, role="monitor"), "end")))

    assert "Other roles of Monitor show the same patients." in said


def test_disabling_takes_the_sight_of_every_patient(admin, cast: Cast, monitor):
    said = text_of(admin.get(page_of(monitor, "disable/")))

    assert "Monitor then sees no patient of MT103-211 any more." in said


# The periodic review.


def confirm(client: Client, **given):
    """Open the review, and send it as it is shown."""
    shown = client.get(f"{PEOPLE_PAGE}review/")
    seen = shown.context["form"].initial["seen"]
    return client.post(f"{PEOPLE_PAGE}review/", {"seen": seen, "is_confirmed": "on"} | given, follow=True)


@pytest.mark.parametrize("name", ["administrator", "data manager"])
def test_a_review_is_kept_with_who_confirmed_what(client: Client, cast: Cast, name: str):
    client.force_login(cast[name])

    answer = confirm(client, remarks="One leaves in May.")

    review = AccessReview.objects.get()
    act = review.history.get().recording
    assert (review.reviewed_as_of, review.people_count, review.remarks) == (today(), 9, "One leaves in May.")
    assert review.statement.startswith(f"I looked through the people of MT103-211 as of {today():%d-%b-%Y}.")
    assert (act.by, act.role) == (cast[name], name)
    assert "Kept: 9 people were reviewed" in text_of(answer)
    assert member(cast["monitor"], cast).last_reviewed_on == today()


def test_a_review_of_a_list_that_changed_meanwhile_is_not_kept(admin, cast: Cast, stranger):
    shown = admin.get(f"{PEOPLE_PAGE}review/").context["form"].initial["seen"]
    give(stranger, Role.MONITOR, cast)

    answer = admin.post(f"{PEOPLE_PAGE}review/", {"seen": shown, "is_confirmed": "on", "remarks": "All well."})

    assert answer.status_code == 409
    assert "The list changed while you looked at it." in text_of(answer)
    assert "All well." in text_of(answer)
    assert "Stranger" in text_of(answer)
    assert not AccessReview.objects.exists()


def test_a_review_needs_the_statement(admin, cast: Cast):
    answer = confirm(admin, is_confirmed="")

    assert "Tick the statement to confirm it." in text_of(answer)
    assert not AccessReview.objects.exists()


def test_an_inspector_reads_the_reviews_and_makes_none(client: Client, cast: Cast, inspector):
    client.force_login(inspector)

    assert client.get(f"{PEOPLE_PAGE}reviews/").status_code == 200
    assert client.get(f"{PEOPLE_PAGE}review/").status_code == 403


def test_a_review_is_due_so_many_days_after_the_last_one(admin, cast: Cast):
    first_made = today()
    before = review_due(cast.study, first_made)
    confirm(admin)
    after = review_due(cast.study, first_made)
    late = review_due(cast.study, first_made + (REVIEW_EVERY_DAYS + 1) * DAY)

    assert before.last is None
    assert before.due_on == after.due_on == first_made + 90 * DAY
    assert [before.is_overdue, after.is_overdue, late.is_overdue] == [False, False, True]
    assert after.last.by == "Administrator"


def test_an_overdue_review_is_on_the_first_page_of_the_administrator(admin, cast: Cast):
    with recording(by=cast["administrator"], reason="An old one.", study=cast.study):
        AccessReview.objects.create(
            study=cast.study, reviewed_as_of=today() - 91 * DAY, statement="All is well.", people_count=9
        )

    answer = admin.get("/", follow=True)

    assert answer.redirect_chain[-1][0] == PEOPLE_PAGE
    assert "The review of access is overdue." in text_of(answer)


def test_who_came_after_a_review_was_not_reviewed(admin, cast: Cast, stranger):
    confirm(admin)

    give(stranger, Role.MONITOR, cast)

    assert member(stranger, cast).last_reviewed_on is None


def test_a_review_is_in_the_list_of_changes(admin, client: Client, cast: Cast, monitor):
    confirm(admin)
    client.force_login(monitor)

    assert "Access review" in text_of(client.get("/MT103-211/changes/"))


# The rule behind it: who gives access sees no patient, and writes no data.

OF_PATIENTS = {
    Permission.PATIENTS_VIEW,
    Permission.PATIENTS_TRANSFER,
    Permission.CASEBOOK_EDIT,
    Permission.QUERY_ANSWER,
    Permission.QUERY_RAISE,
    Permission.QUERY_CLOSE,
    Permission.HISTORY_VIEW,
    Permission.REPORT_VIEW,
    Permission.DATA_EXPORT,
    Permission.ACCESS_VIEW,
    Permission.TOKENS_EDIT,
}
OF_PEOPLE = {Permission.PEOPLE_VIEW, Permission.PEOPLE_EDIT, Permission.PEOPLE_REVIEW}
OF_EVERYBODY = {Permission.HOME_VIEW, Permission.ACCOUNT_OWN}


def test_every_permission_is_of_patients_of_people_or_of_everybody():
    assert set(Permission) == OF_PATIENTS | OF_PEOPLE | OF_EVERYBODY


def test_an_administrator_has_no_permission_of_patients():
    assert [permission for permission in OF_PATIENTS if Role.ADMINISTRATOR in GRANTS[permission]] == []


@given(st.sampled_from(Role))
def test_no_role_gives_access_and_works_with_data(role):
    gives_access = role in GRANTS[Permission.PEOPLE_EDIT]
    works_with_data = any(role in GRANTS[permission] for permission in OF_PATIENTS)

    assert not (gives_access and works_with_data)


def test_no_administrator_gives_themselves_another_role(cast: Cast, administrator):
    asked = actions.Wanted(Role.DATA_MANAGER, (), today(), None)

    with pytest.raises(CannotChange, match="your own access"), recording(by=administrator, reason=WHY):
        actions.give_role(administrator.person, cast.study, asked, by=administrator, today=today())
