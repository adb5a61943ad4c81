"""Who gets which page: one table. And the rule behind it: not visible is missing (404), visible but not allowed is 403."""

import hashlib
import json
import logging
import statistics
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import path, resolve

from patients.models import Enrolment
from patients.printing.document import Document
from patients.printing.typesetting import data_of
from tests import make
from tests.access.ids import Page, all_pages, own_addresses, trials
from tests.access.leaking import WAYS
from tests.access.sweep import FIELDS, METHODS, NEW_EACH_TIME, Browser, Plan, Sweep, text_of
from tests.access.world import ELSEWHERE, FAR, MORE_OF_ONE_SITE, VIEWERS, World, lay_the_ground, populate, whole_world
from tests.access.world import HERE as SITE_HERE
from tests.cast import FIRST_DAY, Cast, account
from trial.access import Permission, may, memberships_of, patients_visible_to, requires, sees_all_patients
from trial.audit import recording
from trial.models import Membership, Patient, Person, Role
from trial.page_checks import check_that_pages_say_who_may_open_them, pages

HERE = "/MT103-211/patients/SYN-012-001/"
COLUMNS = (
    "coordinator",
    "investigator",
    "colleague",
    "monitor",
    "data manager",
    "safety physician",
    "statistician",
    "inspector",
    "administrator",
    "stranger",
    "foreigner",
    "nobody",
)

# A person a column, in the order of COLUMNS; the patient is at the coordinator's site and the colleague works at another.
# The foreigner has every role, in another study. The last column is somebody who is not signed in: 302 leads to the
# sign-in page.
TABLE = """
    page                                            coor inve coll moni data safe stat insp admi stra fore nobody
    /                                               302  302  302  302  302  302  302  302  302  403  302  302
    /sign-in/                                       302  302  302  302  302  302  302  302  302  302  302  200
    /sign-in/first/abc123/                          404  404  404  404  404  404  404  404  404  404  404  404
    /sign-in/second-step/                           302  302  302  302  302  302  302  302  302  302  302  302
    /sign-in/passkey/                               302  302  302  302  302  302  302  302  302  302  302  302
    /sign-in/closed/                                200  200  200  200  200  200  200  200  200  200  200  200
    /sign-in/forgotten/                             200  200  200  200  200  200  200  200  200  200  200  200
    /sign-in/forgotten/sent/                        200  200  200  200  200  200  200  200  200  200  200  200
    /sign-in/link/1-abc-0/                          200  200  200  200  200  200  200  200  200  200  200  200
    /sign-in/link/done/                             200  200  200  200  200  200  200  200  200  200  200  200
    POST /sign-in/with/                             404  404  404  404  404  404  404  404  404  404  404  404
    /sign-in/with/company/back/                     404  404  404  404  404  404  404  404  404  404  404  404
    /sign-in/with/nobody/                           302  302  302  302  302  302  302  302  302  302  302  302
    /account/                                       200  200  200  200  200  200  200  200  200  200  200  302
    /account/password/                              200  200  200  200  200  200  200  200  200  200  200  302
    /account/confirm/                               200  200  200  200  200  200  200  200  200  200  200  302
    /account/confirm/code/                          302  302  302  302  302  302  302  302  302  302  302  302
    /account/confirm/passkey/                       302  302  302  302  302  302  302  302  302  302  302  302
    /account/second-factor/                         200  200  200  200  200  200  200  200  200  200  200  302
    /account/second-factor/app/add/                 200  200  200  200  200  200  200  200  200  200  200  302
    /account/second-factor/app/remove/              404  404  404  404  404  404  404  404  404  404  404  302
    /account/second-factor/passkeys/                200  200  200  200  200  200  200  200  200  200  200  302
    /account/second-factor/passkeys/add/            200  200  200  200  200  200  200  200  200  200  200  302
    /account/second-factor/passkeys/9/name/         404  404  404  404  404  404  404  404  404  404  404  302
    /account/second-factor/passkeys/9/remove/       404  404  404  404  404  404  404  404  404  404  404  302
    /account/second-factor/recovery-codes/          404  404  404  404  404  404  404  404  404  404  404  302
    /account/second-factor/recovery-codes/new/      200  200  200  200  200  200  200  200  200  200  200  302
    /account/sessions/                              200  200  200  200  200  200  200  200  200  200  200  302
    /MT103-211/patients/                            200  200  200  200  200  200  200  200  403  404  404  302
    /MT103-211/patients.csv                         200  200  200  200  200  200  200  200  403  404  404  302
    /MT103-211/patients/SYN-012-001/                200  200  404  200  200  200  200  200  404  404  404  302
    /MT103-211/patients/SYN-012-001/screen-again/   302  302  404  403  403  403  403  403  404  404  404  302
    /MT103-211/patients/SYN-012-001/transfer/       403  403  404  403  200  403  403  403  404  404  404  302
    /MT103-211/patients/SYN-012-001/visits/         200  200  404  200  200  200  200  200  404  404  404  302
    /MT103-211/patients/SYN-012-001/story/          200  200  404  200  200  200  200  200  404  404  404  302
    /MT103-211/patients/SYN-012-001/casebook.pdf    200  200  404  200  200  200  200  200  404  404  404  302
    /MT103-211/patients/SYN-012-001/blank-casebook.pdf 200 200 404 200  200  200  200  200  404  404  404  302
    /MT103-211/blank-casebook.pdf                   200  200  200  200  200  200  200  200  403  404  404  302
    /MT103-211/grid/                                200  200  200  200  200  200  200  200  403  404  404  302
    /MT103-211/enrol/                               200  200  200  403  403  403  403  403  403  404  404  302
    /MT103-211/queries/                             200  200  200  200  200  200  200  200  403  404  404  302
    POST /MT103-211/queries/answer/                 404  404  404  403  404  403  403  403  403  404  404  302
    /MT103-211/queries/run/                         302  302  302  302  302  302  302  302  403  404  404  302
    /MT103-211/queries/figures/                     200  200  200  200  200  200  200  200  403  404  404  302
    /MT103-211/queries/figures.csv                  200  200  200  200  200  200  200  200  403  404  404  302
    POST /MT103-211/queries/answer-all/             400  400  400  403  400  403  403  403  403  404  404  302
    POST /MT103-211/queries/decide-all/             403  403  403  400  400  403  403  403  403  404  404  302
    POST /MT103-211/queries/ask-all/                403  403  403  400  400  400  403  403  403  404  404  302
    /MT103-211/patients/SYN-012-001/ask/            403  403  404  200  200  200  403  403  404  404  404  302
    /MT103-211/patients/SYN-012-001/queries/9/      404  404  404  404  404  404  404  404  404  404  404  302
    POST /MT103-211/patients/SYN-012-001/queries/9/answer/ 404 404 404 403 404 403 403 403 404 404 404 302
    POST /MT103-211/patients/SYN-012-001/queries/9/decide/ 403 403 404 404 404 403 403 403 404 404 404 302
    /MT103-211/today/                               200  200  200  200  200  200  200  200  403  404  404  302
    /MT103-211/patients/SYN-012-001/AE/             200  200  404  200  200  200  200  200  404  404  404  302
    /MT103-211/patients/SYN-012-001/XX/             404  404  404  404  404  404  404  404  404  404  404  302
    /MT103-211/patients/SYN-012-001/AE/1/           302  302  404  302  302  302  302  302  404  404  404  302
    /MT103-211/patients/SYN-012-001/AE/1/history/   404  404  404  404  404  404  404  404  404  404  404  302
    /MT103-211/patients/SYN-012-001/AE/at/LOG/      200  200  404  403  403  403  403  403  404  404  404  302
    POST /MT103-211/patients/SYN-012-001/AE/at/LOG/without/ 400  400  404  403  403  403  403  403  404  404  404  302
    POST /MT103-211/patients/SYN-012-001/AE/draft/  400  400  404  403  403  403  403  403  404  404  404  302
    /MT103-211/patients/SYN-012-001/AE/1/edit/      404  404  404  403  403  403  403  403  404  404  404  302
    /MT103-211/patients/SYN-012-001/AE/1/remove/    404  404  404  403  403  403  403  403  404  404  404  302
    /MT103-211/patients/SYN-012-001/AE/1/version/   404  404  404  403  403  403  403  403  404  404  404  302
    /MT103-211/patients/SYN-012-001/AE/1/move/      404  404  404  403  403  403  403  403  404  404  404  302
    /MT103-211/changes/                             200  200  200  200  200  200  200  200  403  404  404  302
    /MT103-211/changes.csv                          200  200  200  200  200  200  200  200  403  404  404  302
    /MT103-211/changes/999999/                      404  404  404  404  404  404  404  404  403  404  404  302
    /MT103-211/report/                              200  200  200  200  200  200  200  200  403  404  404  302
    /MT103-211/report/T-4.1/                        200  200  200  200  200  200  200  200  403  404  404  302
    /MT103-211/report/T-9.9/                        404  404  404  404  404  404  404  404  403  404  404  302
    /MT103-211/report/F-5.4/figure-0.json           200  200  200  200  200  200  200  200  403  404  404  302
    /MT103-211/report/F-5.4/figure-0.svg            200  200  200  200  200  200  200  200  403  404  404  302
    /MT103-211/report/T-4.1/patients/0/             404  404  404  404  404  404  404  404  403  404  404  302
    /MT103-211/report/export/                       403  403  403  403  200  403  200  200  403  404  404  302
    POST /MT103-211/report/export/                  403  403  403  403  400  403  400  400  403  404  404  302
    /MT103-211/access/                              403  403  403  403  200  403  403  200  403  404  404  302
    /MT103-211/access.csv                           403  403  403  403  200  403  403  200  403  404  404  302
    /MT103-211/access/people/                       403  403  403  403  200  403  403  200  403  404  404  302
    /MT103-211/access/people.csv                    403  403  403  403  200  403  403  200  403  404  404  302
    /MT103-211/access/999999/                       403  403  403  403  404  403  403  404  403  404  404  302
    /MT103-211/patients/SYN-012-001/access/         403  403  404  403  200  403  403  200  404  404  404  302
    /MT103-211/patients/SYN-012-001/access.csv      403  403  404  403  200  403  403  200  404  404  404  302
    /MT103-211/people/                              403  403  403  403  200  403  403  200  200  404  404  302
    /MT103-211/people.csv                           403  403  403  403  200  403  403  200  200  404  404  302
    /MT103-211/people/invite/                       403  403  403  403  403  403  403  403  200  404  404  302
    /MT103-211/people/add/                          403  403  403  403  403  403  403  403  200  404  404  302
    /MT103-211/people/reviews/                      403  403  403  403  200  403  403  200  200  404  404  302
    /MT103-211/people/review/                       403  403  403  403  200  403  403  403  200  404  404  302
    /MT103-211/people/999999/                       403  403  403  403  404  403  403  404  404  404  404  302
    /MT103-211/people/999999/roles/add/             403  403  403  403  403  403  403  403  404  404  404  302
    /MT103-211/people/999999/roles/9/end/           403  403  403  403  403  403  403  403  404  404  404  302
    /MT103-211/people/999999/roles/9/dates/         403  403  403  403  403  403  403  403  404  404  404  302
    /MT103-211/people/999999/disable/               403  403  403  403  403  403  403  403  404  404  404  302
    /MT103-211/people/999999/enable/                403  403  403  403  403  403  403  403  404  404  404  302
    /MT103-211/people/999999/password-link/         403  403  403  403  403  403  403  403  404  404  404  302
    /MT103-211/people/999999/second-factor/         403  403  403  403  403  403  403  403  404  404  404  302
    /MT103-211/search/?q=surv                       200  200  200  200  200  200  200  200  200  404  404  302
    /api/v1/report                                  200  200  200  200  200  200  200  200  403  404  200  401
    /account/tokens/                                200  200  200  200  200  200  200  200  403  403  200  302
    /account/tokens/new/                            200  200  200  200  200  200  200  200  403  403  200  302
    POST /account/tokens/marrow_0/revoke/           404  404  404  404  404  404  404  404  403  403  404  302
    POST /account/drafts/forget/                    302  302  302  302  302  302  302  302  302  302  302  302
    POST /sign-in/as/                               404  404  404  404  404  404  404  404  404  404  404  404
    POST /reports/                                  400  400  400  400  400  400  400  400  400  400  400  400
    POST /sign-out/                                 302  302  302  302  302  302  302  302  302  302  302  302
    /MT999/report/                                  404  404  404  404  404  404  404  404  404  404  404  302
"""


def rows() -> list[tuple[str, str, dict[str, int]]]:
    """(method, page, the status for each person) of the table."""
    found = []
    for line in TABLE.strip().splitlines()[1:]:
        words = line.split()
        method = words.pop(0) if words[0] == "POST" else "GET"
        found.append((method, words[0], dict(zip(COLUMNS, map(int, words[1:]), strict=True))))
    return found


@pytest.mark.parametrize(("method", "address", "expected"), rows(), ids=[f"{row[0]} {row[1]}" for row in rows()])
def test_who_gets_which_page(cast: Cast, patient: Patient, method: str, address: str, expected: dict[str, int]):
    cast.people["foreigner"] = foreigner()
    found = {}

    for person in COLUMNS:
        client = Client()
        if person != "nobody":
            client.force_login(cast[person])
        found[person] = client.generic(method, address).status_code

    assert found == expected


def foreigner() -> User:
    """Somebody with every role in a study of their own."""
    user, other = account("foreigner"), make.study("FAR-1")
    with recording(by=user, reason="They do everything there."):
        person = Person.objects.create(user=user, name="Foreigner", organisation="Far Research")
        for role in Role:
            Membership.objects.create(person=person, study=other, role=role, starts_on=FIRST_DAY)
    return user


def test_the_table_has_a_row_for_every_page():
    named = {page.name for page in pages()}

    tested = {resolved(page) for _, page, _ in rows()}

    assert named - tested == set()


def resolved(page: str) -> str | None:
    return resolve(page.split("?")[0]).url_name


def test_marrow_e001_a_page_that_does_not_say_who_may_open_it_stops_the_start():
    def forgotten(request):
        return HttpResponse("for anybody")

    (error,) = check_that_pages_say_who_may_open_them(routes=[path("forgotten/", forgotten, name="forgotten")])

    assert error.id == "marrow.E001"
    assert error.msg == "The page 'forgotten' does not say who may open it."


def test_every_page_of_marrow_says_who_may_open_it():
    assert check_that_pages_say_who_may_open_them() == []


def test_a_person_sees_the_patients_of_their_own_sites_only(cast: Cast, patient: Patient, patient_elsewhere: Patient):
    seen = {name: set(patients_visible_to(cast[name])) for name in ("coordinator", "colleague", "monitor", "stranger")}

    assert seen == {
        "coordinator": {patient},
        "colleague": {patient_elsewhere},
        "monitor": {patient, patient_elsewhere},
        "stranger": set(),
    }


def test_a_role_holds_from_its_first_day_to_its_last_day_both_included(cast: Cast, monitor):
    membership = Membership.objects.get(person__user=monitor)
    with recording(by=monitor, reason="The monitor left.", study=cast.study):
        membership.ends_on = date(2015, 6, 30)
        membership.save()

    held = [
        memberships_of(monitor, on=day).exists()
        for day in (date(2010, 12, 31), date(2011, 1, 1), date(2015, 6, 30), date(2015, 7, 1))
    ]

    assert held == [False, True, True, False]
    assert not sees_all_patients(monitor, cast.study)


def test_a_person_who_is_not_active_any_more_sees_nothing(cast: Cast, patient: Patient, monitor):
    with recording(by=monitor, reason="The account is closed.", study=cast.study):
        monitor.person.is_active = False
        monitor.person.save()

    assert not patients_visible_to(monitor).exists()


def test_a_role_in_one_study_gives_nothing_in_another(cast: Cast, statistician, patient: Patient):
    with recording(by=statistician, reason="A second study begins."):
        other = type(cast.study)(code="OTHER-1", title="Another study")
        other.save()

    assert may(statistician, Permission.DATA_EXPORT, cast.study)
    assert not may(statistician, Permission.DATA_EXPORT, other)


def test_a_role_at_one_site_gives_nothing_at_another(
    cast: Cast, coordinator, patient: Patient, patient_elsewhere: Patient
):
    assert may(coordinator, Permission.PATIENTS_VIEW, patient)
    assert not may(coordinator, Permission.PATIENTS_VIEW, patient_elsewhere)


def test_a_right_at_one_site_gives_nothing_at_a_site_of_another_role(
    client: Client, cast: Cast, patient: Patient, patient_elsewhere: Patient, monitor
):
    with recording(by=monitor, reason="The monitor is the data manager of one site."):
        role = Membership(person=monitor.person, study=cast.study, site=cast.elsewhere, starts_on=FIRST_DAY)
        role.role = Role.DATA_MANAGER
        role.save()
    make.record(Enrolment, patient)
    make.record(Enrolment, patient_elsewhere)
    client.force_login(monitor)
    client.get(HERE)
    client.get("/MT103-211/patients/SYN-034-001/")

    listed = client.get("/MT103-211/patients/").content.decode()
    archive = client.post("/MT103-211/report/export/", {"cohort": "all", "format": "csv", "purpose": "A check"})
    taken = text_of(archive)
    read = client.get("/MT103-211/access/").content.decode()

    assert all(number in listed for number in ("SYN-012-001", "SYN-034-001"))
    assert "SYN-034-001" in taken
    assert "SYN-034-001" in read
    assert "SYN-012-001" not in taken
    assert "SYN-012-001" not in read


def test_the_view_gets_the_patient_under_its_own_name(cast: Cast, patient: Patient, coordinator, rf):
    @requires(Permission.PATIENTS_VIEW, on=Patient)
    def story(request, patient):
        return HttpResponse(patient.number)

    request = rf.get(HERE)
    request.user, request.resolver_match = coordinator, resolve(HERE)

    assert story(request, study="MT103-211", patient="SYN-012-001").content == b"SYN-012-001"


def test_a_study_that_is_not_for_the_person_is_answered_with_those_that_are(client: Client, cast: Cast, coordinator):
    client.force_login(coordinator)

    page = client.get("/MT999/patients/").content.decode()

    assert "There is no study &#x27;MT999&#x27; for you. You have a role in: MT103-211." in page


# The sweep: every page, asked by everybody for what is theirs and for what is not (tests/access).


@pytest.fixture(autouse=True)
def printed_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed is compared by its words: a PDF is packed, so that a name inside it would not be seen."""

    def words_of(document: Document, at: datetime) -> bytes:
        return data_of(replace(document, printed=""), datetime.min).encode()

    monkeypatch.setattr("patients.printing.views.typeset", words_of)
    monkeypatch.setattr("patients.printing.blank._typeset_once", words_of)


@pytest.fixture
def quiet_log() -> Iterator[None]:
    """Thousands of refusals are asked for: a line for each would cost as much as the refusal."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


# What the usual run asks of everybody, and the whole one: `./marrow test tests/test_access.py -m slow`.
USUAL = Plan(methods=("GET", "POST"), own=1, strange=1, is_brief=True)
WHOLE = Plan(methods=METHODS, own=8, strange=6, is_brief=False)
OF_EACH_KIND = ("coordinator", "data manager of one site", "administrator")


def on_one_engine(viewers: Iterable[str]) -> list[Any]:
    """The viewers as parameters: all of them on SQLite, and one on PostgreSQL, to show that each page's queries hold there.

    What a page tells to whom is decided before the database is asked.
    """
    return [name if name == "coordinator" else pytest.param(name, marks=pytest.mark.sqlite) for name in viewers]


@pytest.mark.parametrize("viewer", on_one_engine(VIEWERS))
def test_what_is_not_theirs_is_answered_like_what_nobody_has(db, quiet_log, viewer: str, record_property):
    sweep = Sweep(world := whole_world(), world[viewer])

    for page in all_pages().values():
        sweep.addresses(page, USUAL)

    record_property("requests", sweep.asked)
    assert sweep.leaks == []


@pytest.mark.parametrize("viewer", on_one_engine(OF_EACH_KIND))
def test_a_field_of_a_form_or_a_query_tells_nothing_of_what_is_not_theirs(db, quiet_log, viewer: str, record_property):
    sweep = Sweep(world := whole_world(), world[viewer])

    for page in all_pages().values():
        sweep.fields(page, with_any=False)

    record_property("requests", sweep.asked)
    assert sweep.leaks == []


@pytest.mark.slow
@pytest.mark.parametrize("viewer", on_one_engine([*VIEWERS, *MORE_OF_ONE_SITE]))
def test_no_method_and_no_id_gets_anything_that_is_not_theirs(db, quiet_log, viewer: str, record_property):
    sweep = Sweep(world := whole_world(), world[viewer])

    for page in all_pages().values():
        sweep.addresses(page, WHOLE)
        sweep.fields(page, with_any=viewer in OF_EACH_KIND)

    record_property("requests", sweep.asked)
    assert sweep.leaks == []


@pytest.mark.parametrize("way", WAYS)
@override_settings(ROOT_URLCONF="tests.access.leaking")
def test_the_sweep_finds_each_way_of_leaking(db, way: str):
    sweep = Sweep(world := whole_world(), world["coordinator"])

    sweep.addresses(all_pages()[way], USUAL)
    sweep.fields(all_pages()[way], with_any=False)

    assert sweep.leaks != []


def test_an_argument_that_the_sweep_does_not_know_fails():
    page = Page("bed", ("study", "bed"))

    with pytest.raises(LookupError, match="The sweep does not know what 'bed' names in the address of 'bed'"):
        page.identity("bed")


@pytest.mark.parametrize("viewer", on_one_engine(["coordinator", "foreigner", "nobody"]))
def test_what_is_refused_writes_nothing(db, quiet_log, viewer: str):
    world = whole_world()
    browser = Browser(world[viewer], keep=True)
    before = digests_of_tables()

    for page in all_pages().values():
        for trial in trials(world, world[viewer], page, most=1):
            for method in ("POST", "DELETE"):
                browser.ask(method, trial.foreign, dict.fromkeys(FIELDS, "a plausible word"))

    assert digests_of_tables() == before


def digests_of_tables() -> dict[str, str]:
    """A digest of the rows of each table, but of those that a refusal writes to: the access record, sessions, the cache."""
    written = {
        "trial_accessevent",
        "trial_accessedpatient",
        "django_session",
        "usersessions_usersession",
        "marrow_cache",
    }
    digests = {}
    with connection.cursor() as cursor:
        for table in sorted(set(connection.introspection.django_table_names(only_existing=True)) - written):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            digests[table] = hashlib.sha256("\n".join(sorted(map(repr, cursor.fetchall()))).encode()).hexdigest()
    return digests


@pytest.mark.parametrize(
    "viewer",
    [
        "coordinator",
        "data manager of one site",
        *(pytest.param(name, marks=pytest.mark.slow) for name in MORE_OF_ONE_SITE),
    ],
)
def test_what_is_recorded_elsewhere_changes_nothing_of_what_one_site_sees(db, quiet_log, viewer: str):
    world = lay_the_ground()
    populate(world, SITE_HERE)
    before = own_answers(world, viewer)

    populate(world, ELSEWHERE)
    populate(world, FAR)

    assert own_answers(world, viewer) == before


def own_answers(world: World, viewer: str) -> dict[str, object]:
    """What every page says of what is theirs, and the datasets that they may take away."""
    browser = Browser(world[viewer])
    questions = [
        ("GET", page.address(names))
        for page in all_pages().values()
        if page.name not in NEW_EACH_TIME
        for names in own_addresses(world, world[viewer], page, most=2)
    ]
    given = {"cohort": "all", "purpose": "a comparison", "recipient": "nobody"}
    questions += [("GET", f"/MT103-211/search/?q={word}") for word in ("-0", "KES", "AE")]
    questions += [("GET", "/MT103-211/patients/?status=alive&sort=-number"), ("GET", "/MT103-211/changes/?kind=~")]
    questions += [("GET", "/api/v1/report?output=T-6.4"), ("POST", "/MT103-211/report/export/")]
    return {
        f"{method} {address}": browser.ask(method, address, given if method == "POST" else None).neutral(())
        for method, address in questions
    }


def test_the_numbers_of_one_site_are_those_of_its_patients_and_say_so(db):
    world = whole_world()
    numbers = [patient.number for patient in world.patients[SITE_HERE]]
    browser = Browser(world["statistician of one site"])

    listed = browser.ask("GET", "/MT103-211/patients/").body
    flow = browser.ask("GET", "/MT103-211/report/F-1.2/").body
    found = browser.ask("GET", "/MT103-211/search/?q=-0").body
    report = json.loads(browser.ask("GET", "/api/v1/report").body)
    exported = browser.ask("POST", "/MT103-211/report/export/", {"cohort": "all", "format": "csv"}).body

    assert [number for number in numbers if number in listed and number in found and number in exported] == numbers
    assert "<strong>3</strong> patients" in listed
    assert "3/3 (100.0 %)" in flow
    assert {result["N"] for output in report["outputs"] for result in output["results"]} <= {0, 1, 2, 3, None}
    assert report["scope"] == "site 012 only"
    assert "Site 012" in listed
    assert "site 012 only" in flow.lower()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["patient", "form", "record", "record-history", "changes-act", "report-patients"])
def test_a_page_of_another_site_takes_as_long_as_a_page_that_is_not_there(db, quiet_log, name: str):
    world = whole_world()
    viewer = world["coordinator"]
    browser, page = Browser(viewer), all_pages()[name]
    trial = next(found for found in trials(world, viewer, page, most=0))
    taken: dict[str, list[float]] = {trial.foreign: [], trial.missing: []}

    for _ in range(150):
        for address, times in taken.items():  # in turns: a slower moment of the machine counts for both
            begun = time.perf_counter()
            browser.ask("GET", address)
            times.append(time.perf_counter() - begun)

    foreign, missing = map(statistics.median, taken.values())
    assert abs(foreign - missing) < 0.005  # seconds
