"""What cannot be a password. Length and what others try first decide; nobody has to put in a digit or a capital.

After NIST SP 800-63B and OWASP ASVS 6.2: at least 12 characters, long ones whole, any sign, no rule of composition, no word
that stands for the study, the hospital, the product or the person.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Any

from django.contrib.auth.password_validation import CommonPasswordValidator, UserAttributeSimilarityValidator
from django.core.exceptions import ValidationError

from trial.models import Membership, Person

LEAST, MOST = 12, 256  # characters; more than anybody types, and few enough to look through
OWN_LETTERS = 8  # how many letters must be left when the words that everybody here knows are taken away
SHORTEST_COMMON = 4  # of a common password that counts inside a longer one
KNOWN_HERE = frozenset(
    {"marrow", "study", "trial", "clinical", "hospital", "clinic", "patient", "research", "password"}
)
RUNS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
)

# What people put in the place of a letter, or a letter in the place of another: each sign, and the one it is read as.
LOOK_ALIKES = str.maketrans("@48€390|1!l$57+2", "aabeegoiiiissttz")

WANTED = (
    f"At least {LEAST} characters; a few words that only you put together are good. Every sign counts, blanks too. "
    "No common password, and nothing that is mostly your name, the study or your hospital."
)


def flat(text: str) -> str:
    """The text in small letters, with each sign in its plainest form. It may be longer than the text: one sign can be 18."""
    return unicodedata.normalize("NFKC", text).lower()


def read(text: str) -> str:
    """The text with everything that looks alike made one, so that `P@ssw0rd` and `password` are the same."""
    return flat(text).translate(LOOK_ALIKES)


def is_too_long(password: str) -> bool:
    """Whether the password is longer than anybody types, as it was typed or once each sign is in its plainest form."""
    return len(password) > MOST or len(flat(password)) > MOST


@cache
def common_passwords() -> frozenset[str]:
    """The 20 000 passwords that Django brings with it, as they are read."""
    return frozenset(map(read, CommonPasswordValidator().passwords))


@cache
def longest_known() -> int:
    """How long the longest common password or row is: nothing longer is one."""
    return max(map(len, (*common_passwords(), *RUNS)))


class LengthValidator:
    """At least 12 characters. No blank is cut off and nothing is shortened."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise `ValidationError` for a password that is too short, or longer than anybody types."""
        if len(password) < LEAST:
            raise ValidationError(
                f"This password has {len(password)} characters. Choose one of at least {LEAST}.", code="too short"
            )
        if is_too_long(password):
            raise ValidationError(
                f"This password has more than {MOST} characters. Choose a shorter one.", code="too long"
            )

    def get_help_text(self) -> str:
        """What to know before choosing; the other validators add nothing to it."""
        return WANTED


class CommonValidator:
    """No common password, also when only digits and signs were added or letters swapped for look-alikes."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise `ValidationError` for what is on every list of guesses."""
        if is_too_long(password):
            return
        if any(is_common(found) or is_repeated(found) or is_a_run(found) for found in cores(password)):
            raise ValidationError(
                "Everybody who guesses passwords would try this one: a common word or row of keys is most of it. "
                "Choose words that only you put together.",
                code="common",
            )

    def get_help_text(self) -> str:
        """Said by the first validator."""
        return ""


def cores(password: str) -> Iterator[str]:
    """What the password is, as it is read, apart from digits and signs around it.

    Where it has no letters, whatever is at least half of it.
    """
    plain = flat(password)
    signs = plain.translate(LOOK_ALIKES)  # sign for sign, so that the places are the same
    letters = [place for place, sign in enumerate(plain) if sign.isalpha()]
    if letters:
        first, last = letters[0], letters[-1] + 1
        # Further out nothing is found that is not found here: a repetition shows when its piece is there twice.
        around = 2 * longest_known()
        begins = range(max(0, first - around), first + 1)
        spans = [(begin, end) for begin in begins for end in range(last, min(len(plain), last + around) + 1)]
    else:
        half = (len(plain) + 1) // 2
        spans = [(begin, end) for begin in range(half + 1) for end in range(begin + half, len(plain) + 1)]
    for begin, end in spans:
        yield signs[begin:end]
    yield read(re.sub(r"[\W_]", "", plain))


def is_common(text: str) -> bool:
    """Whether the text is a common password of more than a few signs."""
    return len(text) >= SHORTEST_COMMON and text in common_passwords()


def is_repeated(text: str) -> bool:
    """Whether the text is a short or a common piece over and over, or is made of three signs: `abcabcabcabc`, `12341234`."""
    sizes = range(1, min(len(text) // 2, longest_known()) + 1)  # a longer piece is neither short nor common
    pieces = (text[:size] for size in sizes if text[size:] == text[:-size])
    return len(text) >= LEAST // 2 and (
        len(set(text)) < SHORTEST_COMMON or any(len(piece) < SHORTEST_COMMON or is_common(piece) for piece in pieces)
    )


def is_a_run(text: str) -> bool:
    """Whether the text is a row of the alphabet, of the digits or of the keyboard, in one direction or the other."""
    return len(text) >= LEAST // 2 and any(text in run or text[::-1] in run for run in map(read, RUNS))


class ContextValidator:
    """Not mostly words that everybody here knows: the product, the study, the hospital, the person."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise `ValidationError` when too little is left without those words."""
        if is_too_long(password):
            return
        plain = flat(password)
        covered: set[int] = set()
        found = ""
        for word in sorted(known_words(user), key=len, reverse=True):
            for match in re.finditer(re.escape(read(word)), read(plain)):
                covered.update(range(*match.span()))
                found = found or word
        own = [place for place, sign in enumerate(plain) if sign.isalpha() and place not in covered]
        if found and len(own) < OWN_LETTERS:
            raise ValidationError(
                f"'{found}' is among the first words that somebody would try here, and there is little besides. "
                "Choose words that have nothing to do with you or the study.",
                code="context",
            )

    def get_help_text(self) -> str:
        """Said by the first validator."""
        return ""


def known_words(user: Any) -> set[str]:
    """What others know of this person: their names, organisation, studies and sites; and the words of this trade."""
    texts: list[str] = []
    if user is not None:
        texts += [user.username, user.first_name, user.last_name, user.email.partition("@")[0]]
    person = Person.objects.filter(user_id=user.pk).first() if user is not None and user.pk else None
    if person is not None:
        texts += [person.name, person.organisation]
        for membership in Membership.objects.filter(person=person).select_related("study", "site"):
            texts += [membership.study.code, membership.study.title, membership.site.name if membership.site else ""]
    words = {word.lower() for text in texts for word in re.findall(r"[^\W\d_]{3,}", text)}
    return words | KNOWN_HERE


class SimilarityValidator(UserAttributeSimilarityValidator):
    """Django's measure of likeness to what the account holds, in Marrow's words."""

    def get_error_message(self) -> str:
        """What is wrong, and what to do. Django puts the name of the attribute in."""
        return "This password is too much like your %(verbose_name)s. Choose one that has nothing to do with it."

    def get_help_text(self) -> str:
        """Said by the first validator."""
        return ""
