"""The ground: settings, launcher, locks, vendored files, the promises of the test run itself."""

import ast
import hashlib
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.template import Context, Template
from packaging.requirements import Requirement

from tests import __main__ as both_engines
from tests.conftest import is_this_machine, refuse_the_network
from tests.settings import MisspeltVariable
from trial import environment, system_checks
from trial.db import durability

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "static" / "vendor"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def start(tmp_path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Start Marrow in another process, with these settings and no others. Production is tried in `test_hardening.py`."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("MARROW_", "DJANGO_"))}
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "check"],
        env=others | {"DJANGO_SETTINGS_MODULE": "trial.settings"} | settings,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )


# Settings


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("yes", "MARROW_X is 'yes'. Set it to 'on' or 'off'."),
        ("", "MARROW_X is empty. Give it a value or remove it."),
    ],
)
def test_a_flag_that_is_neither_on_nor_off_is_refused(monkeypatch, value, sentence):
    monkeypatch.setenv("MARROW_X", value)

    with pytest.raises(ImproperlyConfigured) as refusal:
        environment.read_flag("MARROW_X", default=False)

    assert str(refusal.value) == sentence


@pytest.mark.parametrize(("value", "read"), [("on", True), ("off", False), (None, True)])
def test_a_flag_is_on_or_off(monkeypatch, value, read):
    if value is not None:
        monkeypatch.setenv("MARROW_X", value)

    assert environment.read_flag("MARROW_X", default=True) is read


@pytest.mark.parametrize("value", ["0", "65", "4.5", "four", "-1", "٤"])
def test_a_number_out_of_its_range_is_refused(monkeypatch, value):
    monkeypatch.setenv("MARROW_X", value)

    with pytest.raises(ImproperlyConfigured, match=r"MARROW_X is '.*'\. Set it to a whole number from 1 to 64\."):
        environment.read_number("MARROW_X", 4, least=1, most=64)


def test_a_list_is_words_between_commas(monkeypatch):
    monkeypatch.setenv("MARROW_X", "a.example.org, b.example.org,")

    assert environment.read_list("MARROW_X", []) == ["a.example.org", "b.example.org"]
    assert environment.read_list("MARROW_Y", ["localhost"]) == ["localhost"]


def test_a_secret_may_come_from_a_file(monkeypatch, tmp_path):
    (tmp_path / "secret").write_text("hidden\n", encoding="utf-8")
    monkeypatch.setenv("MARROW_X_FILE", str(tmp_path / "secret"))

    assert environment.read_text("MARROW_X", "") == "hidden"


def test_a_secret_given_twice_is_refused(monkeypatch):
    monkeypatch.setenv("MARROW_X", "one")
    monkeypatch.setenv("MARROW_X_FILE", "another")

    with pytest.raises(ImproperlyConfigured, match=r"MARROW_X and MARROW_X_FILE are both set\. Keep one of them\."):
        environment.read_text("MARROW_X", "")


def test_a_secret_file_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("MARROW_X_FILE", str(tmp_path / "nowhere"))

    with pytest.raises(ImproperlyConfigured, match=r"MARROW_X_FILE is '.*nowhere', which cannot be read"):
        environment.read_text("MARROW_X", "")


def test_a_database_is_a_file_or_a_postgresql_address(monkeypatch, tmp_path):
    monkeypatch.setenv("MARROW_FILE_DATABASE", "data/study.sqlite3")
    monkeypatch.setenv(
        "MARROW_SERVER_DATABASE", "postgresql://a%40b:p%2Fw@db.example.org:5433/study?sslmode=verify-full"
    )

    file = environment.read_database("MARROW_FILE_DATABASE", tmp_path / "usual", base=tmp_path)
    server = environment.read_database("MARROW_SERVER_DATABASE", tmp_path / "usual", base=tmp_path)
    usual = environment.read_database("MARROW_NO_DATABASE", tmp_path / "usual", base=tmp_path)

    assert file == {"ENGINE": "trial.db.sqlite3", "NAME": tmp_path / "data/study.sqlite3", "OPTIONS": {}}
    assert usual["NAME"] == tmp_path / "usual"
    assert server == {
        "ENGINE": "trial.db.postgresql",
        "NAME": "study",
        "USER": "a@b",
        "PASSWORD": "p/w",
        "HOST": "db.example.org",
        "PORT": "5433",
        "OPTIONS": {"sslmode": "verify-full"},
    }


@pytest.mark.parametrize("address", ["mysql://u:secret@h/x", "postgresql://u:secret@h", "postgresql://u:secret@h:x/d"])
def test_a_database_address_that_cannot_be_used_is_refused_without_showing_its_password(monkeypatch, tmp_path, address):
    monkeypatch.setenv("MARROW_X", address)

    with pytest.raises(ImproperlyConfigured, match=r"Set it to the path of an SQLite file") as refusal:
        environment.read_database("MARROW_X", tmp_path, base=tmp_path)

    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    "rest",
    [
        "db.example.org/study",
        "db.example.org/study?sslmode=prefer",
        "192.0.2.7/study?sslmode=disable",
        "localhost,db.example.org/study",
        "/study?host=db.example.org",
        "localhost/study?hostaddr=192.0.2.7",
        "/study?service=elsewhere",
    ],
)
def test_a_connection_that_could_be_read_on_the_way_is_refused_without_showing_its_password(
    monkeypatch, tmp_path, rest
):
    monkeypatch.setenv("MARROW_X", f"postgresql://u:secret@{rest}")
    database = environment.read_database("MARROW_X", tmp_path, base=tmp_path)

    with pytest.raises(
        ImproperlyConfigured, match=r"^MARROW_X leads to another machine .*sslmode=verify-full"
    ) as refusal:
        environment.refuse_a_readable_connection("MARROW_X", database)

    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    "address",
    [
        "study.sqlite3",
        "postgresql:///study",
        "postgresql://u:p@localhost/study",
        "postgresql://u:p@127.0.0.2:5433/study",
        "postgresql://u:p@[::1]/study",
        "postgresql:///study?host=/var/run/postgresql",
        "postgresql://u:p@db.example.org/study?sslmode=require",
        "postgresql://u:p@db.example.org/study?sslmode=verify-ca",
        "postgresql://u:p@db.example.org/study?sslmode=verify-full",
    ],
)
def test_a_connection_that_stays_here_or_is_encrypted_is_taken(monkeypatch, tmp_path, address):
    monkeypatch.delenv("PGHOST", raising=False)
    monkeypatch.setenv("MARROW_X", address)

    environment.refuse_a_readable_connection("MARROW_X", environment.read_database("MARROW_X", tmp_path, base=tmp_path))


@pytest.mark.parametrize("length", [25, 32, 48])
def test_a_random_key_is_not_weak_in_hexadecimal_or_in_base64(length):
    keys = [
        make() for _ in range(200) for make in (lambda: secrets.token_hex(length), lambda: secrets.token_urlsafe(48))
    ]

    assert [key for key in keys if environment.is_weak(key)] == []


def test_the_key_of_an_install_is_made_once_and_read_by_its_owner_alone(tmp_path):
    file = tmp_path / "var" / "secret-key"

    key = environment.secret_key_of_this_install(file)

    assert len(key) >= 50
    assert file.stat().st_mode & 0o777 == 0o600
    assert environment.secret_key_of_this_install(file) == key


def test_an_unknown_mode_is_refused(tmp_path):
    started = start(tmp_path, MARROW_MODE="live")

    assert started.returncode != 0
    assert "MARROW_MODE is 'live'. Set it to 'demo', 'development' or 'production'." in started.stderr


@pytest.mark.parametrize("minutes", ["4", "31"])
def test_a_session_may_be_idle_for_five_to_thirty_minutes(tmp_path, minutes):
    started = start(tmp_path, MARROW_MODE="development", MARROW_IDLE_MINUTES=minutes)

    assert started.returncode != 0
    assert f"MARROW_IDLE_MINUTES is '{minutes}'. Set it to a whole number from 5 to 30." in started.stderr


def test_a_named_database_needs_a_named_mode(tmp_path):
    # A real database must never be served as a demo because a variable was forgotten.
    started = start(tmp_path, MARROW_DATABASE=str(tmp_path / "real.sqlite3"))

    assert started.returncode != 0
    assert "MARROW_MODE is ''. Set it to 'demo', 'development' or 'production'." in started.stderr


def test_every_setting_is_documented():
    source = (ROOT / "trial" / "settings.py").read_text(encoding="utf-8")
    documented = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")

    names = set(re.findall(r'"(MARROW_[A-Z_]+)"', source)) - {"MARROW_DATABASE_FILE"}

    assert names
    assert [name for name in sorted(names) if f"`{name}`" not in documented] == []


# Documentation


def test_every_system_check_is_documented():
    documented = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "trial").rglob("*.py"))

    assert (
        sorted(set(re.findall(r"marrow\.[ADES]\d{3}", source)) - set(re.findall(r"marrow\.[ADES]\d{3}", documented)))
        == []
    )


def test_every_decision_is_in_the_index():
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")

    pages = sorted(page.name for page in folder.glob("[0-9]*.md"))

    assert pages
    assert [page for page in pages if f"({page})" not in index] == []


def test_every_link_between_pages_leads_somewhere():
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]

    broken = [
        (str(page.relative_to(ROOT)), target)
        for page in pages
        for target in re.findall(r"\]\(([^)#: ]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]

    assert broken == []


# System checks


@pytest.mark.parametrize(
    ("changed", "check"),
    [
        ({"MIDDLEWARE": []}, "marrow.S001"),
        ({"DATABASES": {"default": {"ATOMIC_REQUESTS": True}}}, "marrow.S002"),
        ({"CONTENT_SECURITY_POLICY": {"DIRECTIVES": {"default-src": ["'self'"]}}}, "marrow.S003"),
        (
            {"CONTENT_SECURITY_POLICY": {"DIRECTIVES": {"default-src": ["'none'"], "script-src": ["'unsafe-inline'"]}}},
            "marrow.S003",
        ),
        ({"SIMPLE_HISTORY_REVERT_DISABLED": False}, "marrow.S004"),
    ],
)
@pytest.mark.parametrize("is_production", [True, False])
@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")  # read by the check alone, connected to by nobody
def test_an_unsafe_setting_is_an_error_in_production_and_a_warning_elsewhere(settings, changed, check, is_production):
    settings.IS_PRODUCTION = is_production
    for name, value in changed.items():
        setattr(settings, name, value)

    found = system_checks.check_settings(None)

    assert [message.id for message in found] == [check]
    assert found[0].is_serious() is is_production


def test_our_own_settings_pass_the_checks():
    assert system_checks.check_settings(None) == []


@pytest.mark.django_db
def test_the_test_database_is_as_safe_as_a_real_one():
    found = {message.id for message in system_checks.check_databases(None, databases=["default"])}

    # A test server may lack checksums and its role creates databases; what a save rests on must be there.
    assert found <= ({"marrow.D003", "marrow.D004"} if connection.vendor == "postgresql" else set())


@pytest.mark.django_db(transaction=True)
@pytest.mark.sqlite
def test_a_careless_pragma_is_found(settings):
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous = OFF")

    found = durability.check_database(connection)

    assert [(message.id, message.msg) for message in found] == [("marrow.D001", "SQLite's synchronous is 0.")]


@pytest.mark.django_db
@pytest.mark.postgresql
def test_a_role_that_owns_a_table_is_found():
    role = f"marrow_test_{os.getpid()}"

    def said() -> list[str]:
        return [message.msg for message in durability.check_database(connection) if message.id == "marrow.D004"]

    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {role}")
        cursor.execute(f"SET LOCAL ROLE {role}")
        of_a_role_without_tables = said()
        cursor.execute("RESET ROLE")
        cursor.execute(f"ALTER TABLE trial_study OWNER TO {role}")
        cursor.execute(f"SET LOCAL ROLE {role}")
        of_an_owner = said()
        cursor.execute("RESET ROLE")

    assert of_a_role_without_tables == []
    assert of_an_owner == ["The database role owns 1 table, so it could switch the audit triggers off."]


# The launcher


def test_an_old_python_can_read_the_launcher():
    ast.parse((ROOT / "marrow").read_text(encoding="utf-8"), feature_version=(3, 7))


def test_an_old_python_is_told_that_it_is_too_old():
    launcher = str(ROOT / "marrow")
    as_old = f"import runpy, sys; sys.version_info = (3, 9, 2); runpy.run_path({launcher!r}, run_name='__main__')"

    started = subprocess.run([sys.executable, "-c", as_old], capture_output=True, text=True, check=False)

    assert started.returncode == 1
    assert started.stderr.startswith("Marrow needs Python 3.11 to 3.14, and this is 3.9.2 (")


def test_a_python_without_pip_is_told_what_to_install(tmp_path):
    for name in ("marrow", "requirements.txt", "requirements-dev.txt", "requirements-uv.txt"):
        shutil.copy(ROOT / name, tmp_path)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)

    started = subprocess.run(
        [str(tmp_path / "bare" / "bin" / "python"), str(tmp_path / "marrow"), "demo"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert started.returncode == 1
    assert "has none. On Debian: apt install python3-pip" in started.stderr


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    shutil.copy(ROOT / "marrow", tmp_path)
    (tmp_path / ".tools").write_text("a file where a folder should be", encoding="utf-8")

    started = subprocess.run(
        [sys.executable, str(tmp_path / "marrow"), "demo"], capture_output=True, text=True, check=False
    )

    assert started.returncode == 1
    assert started.stderr.startswith("Marrow installs what it needs into its own folder, and could not: ")


# Requirements


def pins(name: str) -> dict[str, str]:
    """The version of each distribution in a lock."""
    found = re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
    return dict(found)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "requirements-uv.txt"])
def test_a_lock_has_hashes_and_names_no_host(name):
    text = (ROOT / name).read_text(encoding="utf-8")

    assert "://" not in text
    for block in re.split(r"\n(?=[a-z0-9])", text):
        assert "--hash=sha256:" in block, block.splitlines()[0]


def test_the_development_lock_contains_the_runtime_lock():
    assert pins("requirements.txt").items() <= pins("requirements-dev.txt").items()


@pytest.mark.parametrize(
    ("lock", "declared"),
    [
        ("requirements.txt", PROJECT["project"]["dependencies"]),
        ("requirements-dev.txt", PROJECT["dependency-groups"]["dev"]),
    ],
)
def test_a_lock_is_what_the_project_declares(lock, declared):
    locked = pins(lock)

    for requirement in map(Requirement, declared):
        assert locked[requirement.name] in requirement.specifier, requirement


# Files of other projects


def test_vendored_files_are_the_ones_in_the_manifest():
    manifest = json.loads((VENDOR / "manifest.json").read_text(encoding="utf-8"))
    listed = {file["file"]: file["sha256"] for package in manifest["packages"] for file in package["files"]}

    present = {
        str(path.relative_to(VENDOR)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }

    assert present == listed


def test_every_vendored_package_has_its_licence():
    manifest = json.loads((VENDOR / "manifest.json").read_text(encoding="utf-8"))

    for package in manifest["packages"]:
        assert any(file["file"].endswith("/LICENSE") for file in package["files"]), package["name"]


def test_every_icon_that_a_template_uses_is_in_the_sprite():
    sprite = set(re.findall(r'<symbol id="([a-z0-9-]+)"', (ROOT / "static" / "icons.svg").read_text(encoding="utf-8")))
    templates = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "templates").rglob("*.html"))

    assert sprite
    assert set(re.findall(r"icons\.svg['\" %}]*#([a-z0-9-]+)", templates)) <= sprite


# The core


def pure_modules() -> list[Path]:
    contracts = {contract["id"]: contract for contract in PROJECT["tool"]["importlinter"]["contracts"]}
    files = []
    for module in contracts["pure-core"]["source_modules"]:
        path = ROOT / module.replace(".", "/")
        files += sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
    return files


@pytest.mark.parametrize("file", pure_modules(), ids=lambda file: str(file.relative_to(ROOT)))
def test_the_pure_core_asks_no_clock(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))

    asked = [
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"now", "today", "utcnow", "time_ns", "monotonic"}
    ]

    assert asked == []


# The test run itself


def test_a_test_cannot_reach_another_machine():
    with pytest.raises(ConnectionRefusedError, match=r"A test tried to reach example\.org\."):
        refuse_the_network("socket.getaddrinfo", ("example.org", 443))
    with pytest.raises(ConnectionRefusedError):
        refuse_the_network("socket.connect", (None, ("192.0.2.1", 443)))


@pytest.mark.parametrize(
    ("host", "answer"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), (b"localhost", True), (None, True), ("192.0.2.1", False)],
)
def test_this_machine_is_known(host, answer):
    assert is_this_machine(host) is answer


def test_a_misspelt_template_variable_fails():
    with pytest.raises(MisspeltVariable, match=r"'patient\.nmae'"):
        Template("{{ patient.nmae|default:'-' }}").render(Context({"patient": {"name": "SYN-001-001"}}))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", ["first", "second"])
def test_a_test_that_commits_leaves_nothing_behind(turn):
    assert not User.objects.exists()

    User.objects.create(username=turn)


def test_a_postgresql_that_does_not_answer_is_explained_without_its_password():
    clause = both_engines.why_not("postgresql://somebody:secret@127.0.0.1:1/postgres")

    assert clause is not None
    assert clause.startswith("nothing usable answers at 127.0.0.1:1/postgres (")
    assert "secret" not in clause


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        ([], ["-n", "auto", "--dist", "worksteal"]),
        (["-n", "2"], []),
        (["-n0"], []),
        (["--pdb"], []),
        (["-m", "benchmark"], []),
    ],
)
def test_the_tests_use_every_core_unless_told_otherwise(arguments, extra):
    assert both_engines.workers(arguments) == extra
