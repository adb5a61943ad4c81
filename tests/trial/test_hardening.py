"""What holds on every page whatever it shows: its headers, its refusals, its line in the log, and where Marrow will not start.

The expected values are those of OWASP's secure headers and of the MDN HTTP Observatory, written out here.
"""

import csv
import hashlib
import http.client
import json
import logging
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.db import DatabaseError, OperationalError, connection
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import path, reverse
from django.utils.html import escape
from django.utils.http import urlencode

from safety.models import AdverseEvent
from tests import make
from tests.cast import PEOPLE, Cast
from tests.site_map import every_address, walk
from trial.access import open_to_everybody
from trial.audit import recording
from trial.browser_reports import MOST_A_MINUTE, MOST_BYTES
from trial.fields import TextField
from trial.logs import OneLine
from trial.models import AccessEvent, Draft, Patient
from trial.records import record_models
from trial.sign_in.links import password_link

ROOT = Path(__file__).resolve().parents[2]
POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "object-src 'none'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "report-uri /reports/",
    "report-to csp",
}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Reporting-Endpoints": 'csp="/reports/"',
}
ROLES = [name for name, role, _ in PEOPLE if role]


def a_failure(request):
    raise ValueError("SYN-012-001 weighs 71.5 kg")


def a_database_failure(request):
    raise DatabaseError("DETAIL: Key (number)=(SYN-012-001) already exists. (marrow.R010)")


class Broken:
    """The addresses of Marrow, and some that fail."""

    from trial import urls
    from trial.urls import handler400, handler403, handler404, handler500

    urlpatterns = [
        path("broken/", open_to_everybody(a_failure), name="broken"),
        path("api/v1/broken", open_to_everybody(a_database_failure), name="api-broken"),
        *urls.urlpatterns,
    ]


@pytest.fixture
def filled(cast: Cast, patient: Patient) -> Patient:
    """A patient with a record of every form, one of them corrected."""
    for model in record_models():
        make.record(model, patient)
    event = AdverseEvent.objects.filter(patient=patient)[0]
    with recording(by=cast["coordinator"], reason="The source says otherwise.", study=cast.study):
        event.term = "High fever"
        event.save()
    return patient


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What the program logs during the test, as it is written to the console."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(OneLine())
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


def client_of(cast: Cast, name: str, **options) -> Client:
    """Somebody's browser; nobody's for an empty name."""
    client = Client(**options)
    if name:
        client.force_login(cast[name])
    return client


def is_wrong(answer: HttpResponse) -> dict[str, str]:
    """The headers of an answer that are not as they should be."""
    wrong = {name: answer.get(name, "") for name, value in HEADERS.items() if answer.get(name) != value}
    if set(answer.get("Content-Security-Policy", "").split("; ")) != POLICY:
        wrong["Content-Security-Policy"] = answer.get("Content-Security-Policy", "")
    if not re.fullmatch(r"[0-9a-f]{32}", answer.get("X-Request-ID", "")):
        wrong["X-Request-ID"] = answer.get("X-Request-ID", "")
    features = dict(feature.split("=") for feature in answer.get("Permissions-Policy", "").split(", ") if feature)
    allowed = {name for name, who in features.items() if who != "()"}
    if len(features) < 30 or allowed != {"publickey-credentials-create", "publickey-credentials-get"}:
        wrong["Permissions-Policy"] = answer.get("Permissions-Policy", "")
    for strange in ("Access-Control-Allow-Origin", "X-Powered-By"):
        if strange in answer:
            wrong[strange] = answer[strange]
    return wrong


# Headers


@pytest.mark.parametrize("who", ["", "data manager", "administrator"])
def test_every_page_carries_the_headers_whoever_asks_and_whatever_the_answer(cast: Cast, filled: Patient, who: str):
    client = client_of(cast, who)

    wrong = {
        f"{method} {address}": found
        for name, address in every_address().items()
        for method in ("GET", "POST", "PUT", "TRACE")
        if (
            found := is_wrong(
                client_of(cast, who).generic(method, address) if method == "POST" else client.generic(method, address)
            )
        )
    }

    assert wrong == {}


@pytest.mark.parametrize(
    "address", ["/nowhere/", "/MT103-211/nowhere/at/all/", "/api/v1/nowhere", "/static/nowhere.css", "/patients/%00/"]
)
def test_a_refusal_carries_the_headers_too(client: Client, cast: Cast, address: str):
    assert is_wrong(client.get(address)) == {}


@override_settings(ALLOWED_HOSTS=["marrow.example.org"])
def test_an_answer_to_another_host_name_carries_the_headers_and_a_sentence(client: Client, db: None):
    answer = client.get("/", headers={"host": "elsewhere.example.org"})

    assert answer.status_code == 400
    assert is_wrong(answer) == {}
    assert "This server does not answer to that name." in answer.content.decode()
    assert "elsewhere" not in answer.content.decode()


def test_a_file_of_the_program_may_be_kept_by_the_browser_and_has_the_other_headers(client: Client, db: None):
    answer = client.get("/static/marrow.css")
    answer.close()

    assert answer.status_code == 200
    assert set(is_wrong(answer)) == {"Cache-Control"}
    assert "max-age" in answer["Cache-Control"]


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PUT", "PATCH", "DELETE", "OPTIONS", "SEARCH"])
def test_a_method_that_no_page_has_is_refused_with_what_the_page_takes(client: Client, cast: Cast, method: str):
    client.force_login(cast["monitor"])

    answer = client.generic(method, "/MT103-211/patients/")

    assert answer.status_code == 405
    assert answer["Allow"] == "GET, HEAD, POST"
    if method != "HEAD":
        assert f"This address cannot be used with {method}." in answer.content.decode()


def test_a_page_that_takes_posts_only_says_so(client: Client, cast: Cast):
    client.force_login(cast["monitor"])

    answer = client.get("/sign-out/")

    assert answer.status_code == 405
    assert answer["Allow"] == "POST"
    assert "It takes POST." in answer.content.decode()


def test_no_cookie_can_be_read_by_a_script_or_sent_from_another_site(client: Client, cast: Cast):
    client.get("/sign-in/")
    client.post("/sign-in/", {"login": "monitor", "password": "as long as it needs to be"})
    client.get("/")

    cookies = {cookie.key: cookie for cookie in client.cookies.values()}

    assert {"marrow-sid", "marrow-csrf"} <= set(cookies)
    for cookie in cookies.values():
        assert cookie["httponly"], cookie.key
        assert cookie["samesite"] == "Lax", cookie.key
        assert cookie["path"] == "/", cookie.key
        assert not cookie["domain"], cookie.key


@pytest.mark.parametrize("name", ["marrow-sid", "marrow-csrf"])
@pytest.mark.parametrize(
    "value", [r'"aaaaaaaaaaaaaaaaaaaa\000aaaaaaaaaa"', r'"aaaaaaaaaaaaaaaaaaaa\377aaaaaaaaaa"', '""', "a-b"]
)
def test_whoever_sends_a_damaged_cookie_counts_as_signed_out(client: Client, cast: Cast, name: str, value: str):
    answers = [client.get(address, headers={"cookie": f"{name}={value}"}) for address in ("/sign-in/", "/", "/api/v1/")]

    assert [answer.status_code for answer in answers] == [200, 302, 404]
    assert answers[1]["Location"].startswith("/sign-in/")


# What the browser reports


def violation(directive="script-src-elem", address="http://testserver/MT103-211/patients/SYN-012-001/") -> str:
    return json.dumps(
        {"csp-report": {"effective-directive": directive, "document-uri": address, "script-sample": "71.5 kg"}}
    )


def test_a_report_of_the_policy_is_counted_by_directive_and_page_and_nothing_else_is_kept(
    client: Client, db: None, log
):
    new = [
        {
            "type": "csp-violation",
            "body": {"effectiveDirective": "img-src", "documentURL": "http://testserver/sign-in/"},
        }
    ]

    answers = [client.post("/reports/", violation(), content_type="application/csp-report") for _ in range(10)]
    answers.append(client.post("/reports/", json.dumps(new), content_type="application/reports+json"))

    assert {answer.status_code for answer in answers} == {204}
    said = [line.split(" trial.browser_reports ")[1].split(" request=")[0] for line in log.getvalue().splitlines()]
    assert said == [
        "The content security policy stopped script-src-elem on page patient: 1 this hour.",
        "The content security policy stopped script-src-elem on page patient: 10 this hour.",
        "The content security policy stopped img-src on page account_login: 1 this hour.",
    ]
    assert "SYN-012-001" not in log.getvalue()
    assert "71.5" not in log.getvalue()


def test_a_made_up_report_is_called_unknown(client: Client, db: None, log):
    client.post("/reports/", violation("SYN-012-001\n", "javascript:alert(1)"), content_type="application/csp-report")
    client.post("/reports/", violation(["x"], "http://[::"), content_type="application/csp-report")
    client.post("/reports/", json.dumps([7, {"type": "csp-violation"}, {}]), content_type="application/reports+json")

    assert [line.partition("stopped ")[2].split(" request=")[0] for line in log.getvalue().splitlines()] == [
        "unknown on page unknown: 1 this hour."
    ]


def test_reports_stop_being_counted_when_there_are_too_many(client: Client, db: None, log):
    for _ in range(MOST_A_MINUTE + 50):
        answer = client.post("/reports/", violation(), content_type="application/csp-report")

    assert answer.status_code == 204
    assert "100 this hour" not in log.getvalue()


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 10_000, b'{"a": "' + b"x" * MOST_BYTES + b'"}'])
def test_what_is_no_report_is_refused(client: Client, db: None, body: bytes):
    answer = client.post("/reports/", body, content_type="application/csp-report")

    assert answer.status_code == 400


def test_the_policy_names_the_address_that_takes_reports():
    assert settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["report-uri"] == [reverse("browser-reports")]


# Requests from elsewhere

FORM, JSON = ("x=1", "application/x-www-form-urlencoded"), ("{}", "application/json")
TAKES_NO_COOKIE = {"browser-reports"}  # csrf_exempt, with the reason beside it


@pytest.mark.parametrize("who", ["", "coordinator", "data manager", "administrator"])
def test_nothing_is_done_without_the_token_of_a_page(cast: Cast, filled: Patient, who: str):
    client = client_of(cast, who, enforce_csrf_checks=True)
    before = fingerprint()

    answers = {
        f"{method} {name}": client.generic(method, address, *(JSON if name.startswith("api-") else FORM))
        for name, address in every_address().items()
        for method in ("POST", "PUT", "PATCH", "DELETE")
        if name not in TAKES_NO_COOKIE
    }

    assert {
        what: answer.status_code for what, answer in answers.items() if answer.status_code not in {401, 403, 405}
    } == {}
    assert fingerprint() == before
    posts = {
        what: answer
        for what, answer in answers.items()
        if what.startswith("POST ") and not what.startswith("POST api-")
    }
    assert [
        what for what, answer in posts.items() if "without the mark of your visit" not in answer.content.decode()
    ] == []


def test_a_form_without_its_token_is_answered_with_the_way_back(cast: Cast):
    client = client_of(cast, "monitor", enforce_csrf_checks=True)

    own = client.post("/sign-out/", headers={"referer": "http://testserver/MT103-211/changes/?kind=~"})
    strange = client.post("/sign-out/", headers={"referer": "http://elsewhere.example.org/trap/"})

    assert own.status_code == strange.status_code == 403
    assert 'href="/MT103-211/changes/?kind=~">Load the page again' in own.content.decode()
    assert 'href="/">Load the page again' in strange.content.decode()
    assert "elsewhere" not in strange.content.decode()


@pytest.mark.parametrize(
    ("sent_by", "kept"), [("same-origin", True), ("same-site", False), ("cross-site", False), ("none", False)]
)
def test_what_was_typed_is_kept_when_the_token_is_missing_unless_another_site_sent_it(cast: Cast, sent_by, kept):
    client = client_of(cast, "monitor", enforce_csrf_checks=True)
    address = reverse("api-token-new")

    answer = client.post(address, {"name": "Monthly figures"}, headers={"sec-fetch-site": sent_by})

    assert answer.status_code == 403
    assert ("What you typed is kept for you." in answer.content.decode()) is kept
    found = Draft.objects.filter(user=cast["monitor"], page=address, typed={"name": ["Monthly figures"]})
    assert found.exists() is kept


def test_what_was_typed_into_a_page_of_the_account_is_not_kept(cast: Cast):
    client = client_of(cast, "monitor", enforce_csrf_checks=True)

    for name in ("account_change_password", "account_login", "account_reauthenticate"):
        client.post(reverse(name), {"hint": "a word"}, headers={"sec-fetch-site": "same-origin"})

    assert not Draft.objects.exists()


# What a GET leaves behind

WRITTEN_BY_READING = {
    "trial_accessevent",  # the record of who looked at what
    "trial_accessedpatient",
    "django_session",
    "usersessions_usersession",  # when each session was last seen
    "marrow_cache",
}


def fingerprint() -> dict[str, str]:
    """A digest of each table, without those that reading writes to."""
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            if table not in WRITTEN_BY_READING:
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
                rows = sorted(map(repr, cursor.fetchall()))
                found[table] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return found


@pytest.mark.parametrize("who", [*ROLES, "stranger"])
def test_reading_every_page_changes_nothing(cast: Cast, filled: Patient, who: str):
    client = client_of(cast, who)
    before = fingerprint()

    asked = {address: answer.status_code for address, answer in walk(client, of_each=1)}

    assert len(asked) >= len(every_address())
    assert {address: status for address, status in asked.items() if status >= 500} == {}
    assert fingerprint() == before
    assert SESSION_KEY in client.session  # no link signs anybody out


def test_a_link_for_another_account_does_not_sign_out_whoever_opens_it(client: Client, cast: Cast):
    client.force_login(cast["monitor"])

    answer = client.get(password_link(cast["coordinator"]), follow=True)

    assert answer.status_code == 403
    assert "This link is for another account than the one you are signed in to." in answer.content.decode()
    assert client.session[SESSION_KEY] == str(cast["monitor"].pk)


# What goes wrong


@override_settings(ROOT_URLCONF=Broken)
def test_a_failure_shows_its_number_alone_and_the_log_has_it_under_that_number(db: None, log):
    client = Client(raise_request_exception=False)

    page, program = client.get("/broken/"), client.get("/api/v1/broken")

    for answer in (page, program):
        said = answer.content.decode()
        assert answer.status_code == 500
        assert answer["X-Request-ID"] in said
        assert "Traceback" not in said
        assert "SYN-012-001" not in said
        (line,) = [line for line in log.getvalue().splitlines() if f"request={answer['X-Request-ID']}" in line]
        assert "test_hardening.py" in line
    assert "500 GET broken" in log.getvalue()
    assert "ValueError at" in log.getvalue()
    assert "DatabaseError(marrow.R010) at" in log.getvalue()
    assert "SYN-012-001" not in log.getvalue()
    assert program.json() == {
        "detail": "Something failed here. Nothing was half saved.",
        "request": program["X-Request-ID"],
    }


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("/api/v1/nowhere", 404, "There is no page at this address, or it is not for you."),
        (
            "/api/v1/report?output=%00",
            400,
            "The address has a character in it that no name can have (NUL). Take %00 out of it.",
        ),
    ],
)
def test_a_program_gets_a_refusal_as_json(client: Client, cast: Cast, address: str, status: int, said: str):
    client.force_login(cast["statistician"])

    answer = client.get(address)

    assert answer.status_code == status
    assert answer.json() == {"detail": said, "request": answer["X-Request-ID"]}


def test_too_large_or_damaged_bodies_get_a_sentence(client: Client, cast: Cast):
    address = "/sign-in/"
    many = "&".join(f"a{number}=1" for number in range(1001))
    damaged = "multipart/form-data; boundary=" + "=" * 300

    answers = {
        "More was sent at once": client.post(address, "a=" + "x" * 3_000_000, "application/x-www-form-urlencoded"),
        "More fields were sent": client.post(address, many, "application/x-www-form-urlencoded"),
        "The form arrived damaged": client.post(address, b"--=\r\n", damaged),
    }

    assert {said: answer.status_code for said, answer in answers.items()} == dict.fromkeys(answers, 400)
    for said, answer in answers.items():
        assert said in answer.content.decode()
        assert is_wrong(answer) == {}


def test_the_pages_of_refusals_carry_the_number_of_the_request(client: Client, cast: Cast):
    client.force_login(cast["administrator"])

    answers = [
        client.get("/MT103-211/nowhere/at/all/"),
        client.get("/MT103-211/changes/"),
        client.get("/sign-out/"),
        client.get("/?%00=1"),
    ]

    assert [answer.status_code for answer in answers] == [404, 403, 405, 400]
    for answer in answers:
        assert f"Request {answer['X-Request-ID']}" in answer.content.decode()


def test_the_number_on_the_answer_is_the_number_in_the_access_record(client: Client, cast: Cast, filled: Patient):
    client.force_login(cast["monitor"])

    answer = client.get(f"/MT103-211/patients/{filled.number}/")

    assert AccessEvent.objects.latest("pk").request_id == answer["X-Request-ID"]


# The log

UGLY = "a\r\nWARNING forged line\x1b[31m\x00\u2028\u202e\x85\x7f"


def test_a_line_of_the_log_stays_one_line_whatever_is_in_it(log):
    logging.getLogger("marrow.test").warning("Typed: %s", UGLY)
    logging.getLogger("marrow.test").error(UGLY, exc_info=OperationalError(UGLY))

    lines = log.getvalue().split("\n")

    assert len(lines) == 3  # two, and the empty one after the last end of line
    assert r"Typed: a\r\nWARNING forged line\x1b[31m\x00\u2028\u202e\x85\x7f" in lines[0]
    assert all(character.isprintable() for line in lines for character in line)


def test_no_header_name_or_address_gets_into_the_log(cast: Cast, log):
    client = Client(raise_request_exception=False)
    headers = {"user-agent": UGLY, "referer": UGLY, "x-forwarded-for": UGLY, "host": "a\r\nforged"}

    client.get("/a%0D%0AWARNING%20forged%1B[31m/", headers=headers)
    client.get("/a%0D%0AWARNING%20forged%1B[31m/")
    client.post("/sign-in/", {"login": UGLY, "password": UGLY})
    client.get("/MT103-211/patients/?q=forged%0Aline")

    assert "forged" not in log.getvalue()
    assert all(re.match(r"\d{4}-\d\d-\d\d ", line) for line in log.getvalue().splitlines())


CANARY = "zilpzalp"


def canaries(cast: Cast, patient: Patient) -> None:
    """A word that no page of ours has, in every text of the records, of the people and of the study."""
    for model in record_models():
        typed = {
            answer.name: CANARY
            for answer in model.answers()
            if isinstance(answer, TextField) and "_text" not in answer.name
        }
        make.record(model, patient, **typed)
    with recording(by=cast["coordinator"], reason=f"The {CANARY} says otherwise.", study=cast.study):
        for thing, texts in (
            (cast.study, ("title", "registration")),
            (cast.here, ("name",)),
            *((cast[name].person, ("name", "organisation")) for name, _, _ in PEOPLE),
        ):
            for text in texts:
                setattr(thing, text, CANARY)
            thing.save()
        for entry in patient.entries.all():
            entry.comment = CANARY
            entry.save()
    User.objects.update(first_name=CANARY, last_name=CANARY, email=f"{CANARY}@example.org")


def test_nothing_of_a_patient_or_a_person_gets_into_the_log(cast: Cast, patient: Patient, log, mailoutbox):
    canaries(cast, patient)

    with override_settings(ROOT_URLCONF=Broken):
        for who in ("", "coordinator", "data manager", "administrator"):
            client = client_of(cast, who)
            client.raise_request_exception = False
            shown = [
                CANARY in getattr(answer, "content", b"").decode("utf-8", "replace")
                for _, answer in walk(client, of_each=1)
            ]
            client.get("/broken/")
            client.get(f"/MT103-211/changes/?q={CANARY}&since={CANARY}")
            client.get(f"/{CANARY}/{patient.number}/", headers={"host": CANARY})
            client.post("/sign-in/", {"login": CANARY, "password": CANARY})
            if who == "coordinator":
                assert sum(shown) > 10  # the walk saw what must not be logged

    assert "500 GET broken" in log.getvalue()
    assert CANARY not in log.getvalue()
    assert patient.number not in log.getvalue()
    assert [letter for letter in mailoutbox if CANARY in letter.subject + str(letter.body)] == []


# Files for a spreadsheet

FORMULAS = (
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1+1",
    "\r=1+1",
    '=HYPERLINK("https://example.org")',
    "=cmd|'/c calc'!A0",
)


def test_no_list_that_is_taken_away_holds_a_formula(cast: Cast, patient: Patient, client: Client):
    for formula in FORMULAS:
        event = make.record(AdverseEvent, patient, term=formula, coded_term=formula)
        with recording(by=cast["coordinator"], reason=f"{formula} says otherwise.", study=cast.study, role=formula):
            event.entry.comment = formula
            event.entry.save()
            cast["monitor"].person.name = formula
            cast["monitor"].person.organisation = formula
            cast["monitor"].person.save()
        AccessEvent.objects.create(
            kind="exported",
            study=cast.study,
            person_name=formula,
            organisation=formula,
            purpose=formula,
            recipient=formula,
        )
    client.force_login(cast["data manager"])
    lists = {name: address for name, address in every_address().items() if address.endswith(".csv")}

    texts = {name: text_of(client.get(address)) for name, address in lists.items()}

    assert len(texts) >= 5
    assert {name: formulas_in(text) for name, text in texts.items()} == {name: [] for name in lists}
    assert "'=1+1" in texts["changes-csv"]  # it is there, as text


def text_of(answer: HttpResponse) -> str:
    """The content of a file that is taken away."""
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith("attachment")
    return b"".join(answer).decode("utf-8-sig")


def formulas_in(text: str) -> list[str]:
    """The cells of a CSV file that a spreadsheet would compute."""
    cells = [cell for row in csv.reader(StringIO(text, newline="")) for cell in row]
    assert cells
    return [cell for cell in cells if cell[:1] in set("=+-@\t\r") and not re.fullmatch(r"-?[\d.]+", cell)]


# What is asked of a list

INJECTIONS = (
    "' OR '1'='1",
    "1; DROP TABLE trial_patient; --",
    "1 UNION SELECT password FROM auth_user",
    "-site__study__memberships__person__user__password",
    "'||(SELECT sql FROM sqlite_master)||'",
)
ASKED = (
    *(
        "q",
        "sort",
        "order",
        "order_by",
        "page",
        "per_page",
        "first",
        "kind",
        "person",
        "patient",
        "form",
        "site",
        "role",
    ),
    *("state", "since", "until", "on", "as_of", "cutoff", "cohort", "output", "study", "address", "field", "next"),
)


@pytest.mark.parametrize("injection", INJECTIONS)
def test_nothing_that_is_asked_of_a_list_reaches_the_database_as_sql(cast: Cast, filled: Patient, injection: str):
    client = client_of(cast, "data manager")
    before = fingerprint()
    hashes = set(User.objects.exclude(password="").values_list("password", flat=True))
    asked = urlencode([(name, injection) for name in ASKED])
    lists = [address for address in every_address().values() if address.startswith(("/MT103-211/", "/api/"))]

    answers = {address: client.get(f"{address}?{asked}") for address in lists}

    assert {address: answer.status_code for address, answer in answers.items() if answer.status_code >= 500} == {}
    for answer in answers.values():
        said = getattr(answer, "content", b"").decode("utf-8", "replace")
        assert not any(password in said for password in hashes)
        assert "sqlite_master" not in said.replace(escape(injection), "").replace(injection, "")
    assert fingerprint() == before


# Production

PRODUCTION = {"MARROW_MODE": "production", "MARROW_HOSTS": "marrow.example.org", "MARROW_BEHIND_PROXY": "on"}


@pytest.fixture
def install(tmp_path: Path) -> dict[str, str]:
    """The environment of a production install: a key in a file that its owner alone may read, and a database file."""
    key = tmp_path / "secret-key"
    key.write_text(secrets.token_urlsafe(48), encoding="ascii")
    key.chmod(0o600)
    data = tmp_path / "data"
    data.mkdir(mode=0o750)
    others = {name: value for name, value in os.environ.items() if not name.startswith(("MARROW_", "DJANGO_"))}
    named = {"MARROW_SECRET_KEY_FILE": str(key), "MARROW_DATABASE": str(data / "study.sqlite3")}
    return (
        others | PRODUCTION | named | {"DJANGO_SETTINGS_MODULE": "trial.settings", "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    )


def manage(install: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of this install, as its administrator would."""
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *command], env=install, capture_output=True, text=True, check=False
    )


def with_settings(install: dict[str, str], folder: Path, *lines: str) -> dict[str, str]:
    """The same install with settings of its own on top of Marrow's."""
    (folder / "site_settings.py").write_text("\n".join(["from trial.settings import *", *lines]), encoding="utf-8")
    return install | {"DJANGO_SETTINGS_MODULE": "site_settings"}


def test_the_shipped_production_settings_pass_every_deployment_check(install):
    checked = manage(install, "check", "--deploy", "--fail-level", "WARNING")

    assert checked.returncode == 0, checked.stderr
    assert "System check identified no issues (0 silenced)." in checked.stdout


# What is changed in the environment, and the sentence that stops the start.
UNSAFE = {
    "debug": ({"MARROW_DEBUG": "on"}, "MARROW_DEBUG is 'on' in production. Remove it, or set it to 'off'."),
    "short key": ({"MARROW_SECRET_KEY": "short"}, "MARROW_SECRET_KEY is missing or weak."),
    "weak key": ({"MARROW_SECRET_KEY": "ab" * 40}, "MARROW_SECRET_KEY is missing or weak."),
    "repeated key": ({"MARROW_SECRET_KEY": "abcdefghij" * 5}, "MARROW_SECRET_KEY is missing or weak."),
    "repeated key with a tail": ({"MARROW_SECRET_KEY": "K" + "abcdefghij" * 9 + "!7"}, "MARROW_SECRET_KEY is missing"),
    "sample key": (
        {"MARROW_SECRET_KEY": "django-insecure-" + secrets.token_urlsafe(48)},
        "MARROW_SECRET_KEY is taken from an example, so others know it.",
    ),
    "no key": ({"MARROW_SECRET_KEY": None}, "MARROW_SECRET_KEY is missing or weak."),
    "any host": ({"MARROW_HOSTS": "*"}, "MARROW_HOSTS is missing or '*'."),
    "no host": ({"MARROW_HOSTS": None}, "MARROW_HOSTS is missing or '*'."),
    "no database": ({"MARROW_DATABASE": None}, "MARROW_DATABASE is missing."),
    "plain connection": (
        {"MARROW_DATABASE": "postgresql://u:secret@db.example.org/study"},
        "MARROW_DATABASE leads to another machine and lets the connection be read on the way.",
    ),
}


@pytest.mark.parametrize("what", UNSAFE)
def test_production_does_not_start_on(install, what):
    changed, sentence = UNSAFE[what]
    if "MARROW_SECRET_KEY" in changed:
        del install["MARROW_SECRET_KEY_FILE"]
    told = {name: value for name, value in (install | changed).items() if value is not None}

    started = manage(told, "check")

    assert started.returncode != 0
    assert sentence in started.stderr


def test_production_does_not_start_on_a_secret_that_everybody_may_read(install):
    file = install["MARROW_SECRET_KEY_FILE"]
    Path(file).chmod(0o644)

    started = manage(install, "check")

    assert started.returncode != 0
    assert f"MARROW_SECRET_KEY_FILE is '{file}', which everybody on this machine may read or write." in started.stderr
    assert f"chmod o-rwx {file}" in started.stderr


# Lines that a site could add to the settings, and what stops the start of its web server.
LOOSENED = {
    "CACHES = {'default': {'BACKEND': 'django.core.cache.backends.locmem.LocMemCache'}}": (
        "(marrow.S005) The cache 'default' is of one process alone"
    ),
    "SESSION_COOKIE_SECURE = False": "(marrow.S006) The cookie '__Host-sid' could be stolen",
    "CSRF_COOKIE_SECURE = False": "(marrow.S006) The cookie '__Host-csrf' could be stolen",
    "SESSION_COOKIE_NAME = 'sid'": "(marrow.S006) The cookie 'sid' could be stolen",
    "SESSION_COOKIE_DOMAIN = '.example.org'": "(marrow.S006) The cookie '__Host-sid' could be stolen",
    "CONTENT_SECURITY_POLICY['DIRECTIVES']['script-src'].append(\"'unsafe-inline'\")": "(marrow.S003)",
    "MIDDLEWARE = [name for name in MIDDLEWARE if 'LoginRequired' not in name]": "(marrow.S001)",
    "DATABASES['default']['ATOMIC_REQUESTS'] = True": "(marrow.S002)",
}


@pytest.mark.parametrize("line", LOOSENED)
def test_the_web_server_does_not_start_on_settings_that_were_loosened(install, tmp_path, line):
    served = subprocess.run(
        [sys.executable, "-c", "import trial.wsgi"],
        env=with_settings(install, tmp_path, line, "SILENCED_SYSTEM_CHECKS = ['marrow.S005', 'marrow.S006']"),
        capture_output=True,
        text=True,
        check=False,
    )

    assert served.returncode != 0
    assert f"ImproperlyConfigured: {LOOSENED[line]}" in served.stderr


def test_the_web_server_does_not_start_on_a_database_in_a_folder_that_everybody_may_write(install):
    folder = Path(install["MARROW_DATABASE"]).parent
    folder.chmod(0o777)

    served = subprocess.run(
        [sys.executable, "-c", "import trial.wsgi"], env=install, capture_output=True, text=True, check=False
    )

    assert served.returncode != 0
    assert f"(marrow.S007) The folder '{folder}' of the database may be written by everybody" in served.stderr
    assert f"chmod o-w {folder}" in served.stderr


@pytest.mark.parametrize("ending", ["", "-wal"])
def test_the_web_server_does_not_start_on_a_database_that_everybody_may_read(install, ending):
    with tempfile.TemporaryDirectory() as folder:  # not pytest's own, which lies in a folder that is closed
        file = Path(f"{folder}/study.sqlite3{ending}")
        file.touch()
        file.chmod(0o644)
        told = install | {"MARROW_DATABASE": f"{folder}/study.sqlite3"}
        behind_a_closed_folder = serve(told)
        Path(folder).chmod(0o755)

        served = serve(told)

    assert behind_a_closed_folder.returncode == 0, behind_a_closed_folder.stderr
    assert served.returncode != 0
    assert f"(marrow.S008) The database file '{file}' may be read by everybody on this machine." in served.stderr
    assert f"chmod o-rwx {file}" in served.stderr


def test_a_database_that_marrow_makes_is_closed_to_others_whatever_the_umask(install):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        told = install | {"MARROW_DATABASE": f"{folder}/study.sqlite3"}
        made = subprocess.run(
            ["sh", "-c", 'umask 022; exec "$0" manage.py makemigrations --check', sys.executable],
            env=told, cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip

        mode = Path(folder, "study.sqlite3").stat().st_mode & 0o777
        served = serve(told)

    assert made.returncode == 0, made.stderr
    assert mode == 0o640
    assert served.returncode == 0, served.stderr


def serve(install: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What a web server does first."""
    return subprocess.run(
        [sys.executable, "-c", "import trial.wsgi"], env=install, capture_output=True, text=True, check=False
    )


@pytest.fixture
def production(install, tmp_path) -> Iterator[Callable[..., http.client.HTTPResponse]]:
    """A production server with its database, behind a proxy that ends HTTPS: `ask(method, address, **headers)`."""
    told = with_settings(install, tmp_path, f"STATIC_ROOT = {str(tmp_path / 'static')!r}")
    for command in (["migrate", "--verbosity", "0"], ["collectstatic", "--noinput", "--verbosity", "0"]):
        done = manage(told, *command)
        assert done.returncode == 0, done.stderr
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "trial.wsgi:application", "--bind", f"127.0.0.1:{port}"]
    server = subprocess.Popen([*command, "--no-control-socket"], env=told, stderr=subprocess.PIPE, text=True)

    def ask(method: str, address: str, **headers: str) -> http.client.HTTPResponse:
        wire = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        wire.request(method, address, headers={"Host": "marrow.example.org", **headers})
        return wire.getresponse()

    for _ in range(300):
        with suppress(ConnectionRefusedError):
            ask("GET", "/")
            break
        time.sleep(0.1)
    yield ask
    server.terminate()
    server.communicate(timeout=30)


# What must not be found on a server: its sources, its data, listings, and pages for developers.
HIDDEN = (
    *("/.git/config", "/.env", "/static/", "/static/../manage.py", "/static/%2e%2e/manage.py", "/var/marrow.sqlite3"),
    *("/secret-key", "/admin/", "/api/", "/api/v1/", "/api/schema/", "/api/docs/", "/__debug__/", "/server-status"),
)


class FromServer(dict):
    """The headers of an answer over the wire, as Django's own answers have them."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        super().__init__(answer.getheaders())


def test_a_production_server_speaks_https_alone_and_keeps_its_cookies_to_itself(production):
    plain = production("GET", "/sign-in/")
    page = production("GET", "/sign-in/", **{"X-Forwarded-Proto": "https"})
    elsewhere = production("GET", "/sign-in/", Host="elsewhere.example.org")
    hidden = [production("GET", address, **{"X-Forwarded-Proto": "https"}).status for address in HIDDEN]

    assert (plain.status, plain.getheader("Location")) == (301, "https://marrow.example.org/sign-in/")
    assert page.status == 200
    assert is_wrong(FromServer(page)) == is_wrong(FromServer(plain)) == is_wrong(FromServer(elsewhere)) == {}
    assert page.getheader("Strict-Transport-Security") == "max-age=63072000; includeSubDomains; preload"
    (cookie,) = page.headers.get_all("Set-Cookie")
    assert cookie.startswith("__Host-csrf=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert elsewhere.status == 400
    assert hidden == [404] * len(HIDDEN)


# What the documentation says of all this


def test_every_test_that_the_page_on_security_names_is_there():
    named = set(re.findall(r"`(test_[a-z0-9_]+)`", (ROOT / "docs" / "security.md").read_text(encoding="utf-8")))
    sources = [file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py")]

    there = {name for source in sources for name in re.findall(r"^def (test_\w+)\(", source, re.MULTILINE)}

    assert len(named) > 30
    assert named - there == set()


def test_every_threat_names_its_test_or_says_what_is_not_built():
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    threats = re.findall(r"^\| (\d+) \|[^|]*\|([^|]*)\|([^|]*)\|$", text, re.MULTILINE)

    assert [int(number) for number, _, _ in threats] == list(range(1, 16))
    assert [
        number for number, promised, shown in threats if "`test_" not in shown and "nothing is" not in promised
    ] == []
