"""Passwords: what is refused and with which sentence, what is accepted whole, and how they are kept."""

import gzip
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth import authenticate, password_validation
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client, override_settings
from hypothesis import example, given
from hypothesis import strategies as st

from tests.cast import Cast
from trial import settings as shipped
from trial.sign_in.links import password_link
from trial.sign_in.passwords import LEAST

LIST = Path(password_validation.__file__).parent / "common-passwords.txt.gz"
COMMON = gzip.decompress(LIST.read_bytes()).decode().splitlines()
LONG_ENOUGH = [word for word in COMMON if len(word) >= 4][:3000]
SWAPPED = str.maketrans("aeios", "@3!0$")


def refusal(password: str, user: User | None = None) -> str:
    """The sentences with which a password is refused; empty when it is accepted."""
    try:
        password_validation.validate_password(password, user)
    except ValidationError as error:
        return " ".join(error.messages)
    return ""


def seconds(work: Callable[[], object]) -> float:
    """How long this process works on it, whatever else the machine does."""
    began = time.process_time()
    work()
    return time.process_time() - began


def padded(word: str, filling: str) -> str:
    return word + (filling * LEAST)[: max(0, LEAST - len(word))]


def test_the_list_of_common_passwords_is_the_one_that_was_meant():
    assert {"123456", "password", "qwerty"} <= set(COMMON[:20])
    assert len(LONG_ENOUGH) == 3000


def test_three_thousand_common_passwords_are_refused_with_signs_added():
    accepted = [word for word in LONG_ENOUGH if not refusal(padded(word, "!?"))]

    assert accepted == []


def test_three_thousand_common_passwords_are_refused_with_digits_added():
    with_a_letter = [word for word in LONG_ENOUGH if any(sign.isalpha() for sign in word)]

    accepted = [word for word in with_a_letter if not refusal(padded(word, "2019"))]

    assert len(with_a_letter) > 2500
    assert accepted == []


def test_three_thousand_common_passwords_are_refused_with_letters_swapped():
    accepted = [word for word in LONG_ENOUGH if not refusal(padded(word.capitalize().translate(SWAPPED), "#"))]

    assert accepted == []


def test_three_thousand_common_passwords_are_refused_when_typed_over_and_over():
    accepted = [word for word in LONG_ENOUGH if not refusal(word * (2 + LEAST // len(word)))]

    assert accepted == []


@pytest.mark.parametrize(
    "password",
    [
        "abcdefghijkl",
        "qwertyuiopas",
        "lkjhgfdsapoi",
        "aaaaaaaaaaaa",
        "abcabcabcabc",
        "987654321098",
        "1111-2222-1111",
        "PaSsWoRd-2026",
        "2026#p@55w0rd#",
    ],
)
def test_rows_and_repetitions_are_refused(password: str):
    assert "Everybody who guesses passwords would try this one" in refusal(password)


@pytest.mark.parametrize(
    "password",
    [
        "a pelican beside four lanterns",
        "correcthorsebatterystaple",
        "дванадцать зелёных зонтов",
        "盐と雨の朝に三人の漁師が歌う",
        "🦩🪁🧭🪴🎐🛶🧶🪕🏮🧂🪺🫧",
        "        x q        v",
        "7391-0264-8815-3370",
        "hvtqzmrkwbjn",
        "tall pelican under a lantern " * 2 + "again!",  # 64 characters
        "tall pelican under a lantern " * 4 + "and again...",  # 128 characters
    ],
)
def test_any_sign_is_welcome_and_none_is_asked_for(password: str):
    assert refusal(password) == ""


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("", "This password has 0 characters. Choose one of at least 12."),
        ("hvtqzmrkwbj", "This password has 11 characters. Choose one of at least 12."),
        ("hvtqzmrkwbjn" * 22, "This password has more than 256 characters. Choose a shorter one."),
    ],
)
def test_the_length_decides_first(password: str, sentence: str):
    assert sentence in refusal(password)


@pytest.mark.parametrize(
    ("password", "word"),
    [
        ("Marrow-2026-!!", "marrow"),
        ("M@rr0w#M@rr0w#", "marrow"),
        ("Ulm Ulm Ulm 2026", "ulm"),
        ("blinatumomab!1", "blinatumomab"),
        ("relapsed-or-refractory", "refractory"),
        ("coordinator+++1", "coordinator"),
        ("lee.annabel.77", "annabel"),
        ("hospital study 1", "hospital"),
    ],
)
def test_what_everybody_here_knows_is_no_password(cast: Cast, password: str, word: str):
    user = cast["coordinator"]
    user.first_name, user.last_name = "Annabel", "Lee"
    user.save()

    assert f"'{word}' is among the first words that somebody would try here" in refusal(password, user)


def test_such_a_word_among_enough_others_is_no_harm(cast: Cast):
    assert refusal("marrow pelican lantern", cast["coordinator"]) == ""


def test_a_password_like_the_name_of_the_account_is_refused_in_words(cast: Cast):
    user = User(username="wbjn.hvtqzmrk")

    assert "This password is too much like your username." in refusal("wbjn-hvtqzmrk", user)


@given(st.text(max_size=300))
@example("\ud7ff" * 128)
@example("ﬁ" * 40)  # one sign that is two letters
@example("İ" * 40)  # one sign whose small letter is two
def test_every_text_is_judged_without_failing(password: str):
    assert isinstance(refusal(password), str)


@pytest.mark.parametrize(
    "password",
    [
        "7391026488" * 12 + "1234567" + "a" + "9173502846" * 12 + "12345678",  # 256 signs, one letter in the middle
        "7391026488" * 25 + "123456",  # no letter at all
        "1" * 127 + "a" + "1" * 128,
        "\N{MATHEMATICAL DOUBLE-STRUCK DIGIT SEVEN}" * 80 + "a" + "\N{MATHEMATICAL DOUBLE-STRUCK DIGIT TWO}" * 80,
        "\N{PARENTHESIZED NUMBER TWENTY}" * 80 + "a" + "\N{PARENTHESIZED NUMBER TWENTY}" * 80,  # four signs each
        "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 256,  # eighteen each
    ],
)
def test_no_password_keeps_the_server_busy(password: str):
    refusal("hvtqzmrkwbjn")  # the list of common ones is read once
    with override_settings(PASSWORD_HASHERS=shipped.PASSWORD_HASHERS):
        to_keep = seconds(lambda: make_password("a pelican beside four lanterns"))

    to_judge = seconds(lambda: refusal(password))

    assert to_judge < 3 * to_keep


def test_a_password_is_as_long_as_its_signs_spelt_out():
    spelt_out = "\N{PARENTHESIZED NUMBER TWENTY}" * 63 + "pelic"  # 68 signs, and 257 spelt out

    assert "This password has more than 256 characters." in refusal(spelt_out)
    assert refusal("\N{PARENTHESIZED NUMBER TWENTY}" * 3 + "pelican beside lanterns") == ""


def test_a_common_password_is_found_between_many_digits():
    assert "Everybody who guesses passwords would try this one" in refusal("7" * 100 + "password" + "3" * 100)


def test_nothing_of_a_long_password_is_cut_off(client: Client, cast: Cast):
    password = "tall pelican under a lantern " * 4 + "and again..."
    form = client.get(password_link(cast["monitor"]))["Location"]

    client.post(form, {"password1": password, "password2": password})

    assert len(password) == 128
    assert authenticate(username="monitor", password=password) == cast["monitor"]
    assert authenticate(username="monitor", password=password[:-1]) is None


def test_blanks_around_a_password_are_part_of_it(client: Client, cast: Cast):
    password = "  a pelican beside lanterns  "
    form = client.get(password_link(cast["monitor"]))["Location"]

    client.post(form, {"password1": password, "password2": password})

    assert authenticate(username="monitor", password=password) == cast["monitor"]
    assert authenticate(username="monitor", password=password.strip()) is None


def test_the_form_says_what_is_wrong_and_what_is_wanted(client: Client, cast: Cast):
    form = client.get(password_link(cast["monitor"]))["Location"]

    page = client.post(form, {"password1": "Password1234", "password2": "Password1234"}).content.decode()

    assert "Everybody who guesses passwords would try this one" in page
    assert "At least 12 characters; a few words that only you put together are good." in page
    assert "Password1234" not in page


def test_passwords_are_kept_with_argon2id(db):
    with override_settings(PASSWORD_HASHERS=shipped.PASSWORD_HASHERS):
        kept = make_password("a pelican beside four lanterns")

    assert kept.startswith("argon2$argon2id$")


@pytest.mark.parametrize("earlier", ["pbkdf2_sha256", "scrypt"])
def test_what_was_kept_otherwise_is_kept_with_argon2id_after_a_sign_in(client: Client, cast: Cast, earlier: str):
    with override_settings(PASSWORD_HASHERS=shipped.PASSWORD_HASHERS):
        cast["monitor"].password = make_password("as long as it needs to be", hasher=earlier)
        cast["monitor"].save()

        client.post("/sign-in/", {"login": "monitor", "password": "as long as it needs to be"})

        cast["monitor"].refresh_from_db()
        assert cast["monitor"].password.startswith("argon2$argon2id$")
        assert client.get("/account/").status_code == 200
