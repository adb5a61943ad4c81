"""Text as it can be printed: what the fonts lack, and what would not be seen, is printed as its Unicode number.

The rule: nothing that was typed is lost on paper or stands for something else. The fonts are those that come with the
typesetter; it is asked what they have, so that no table of it can be wrong.
"""

import re
import unicodedata
from functools import cache, lru_cache

import typst

# What an archive takes, and what a screen reader can read.
STANDARDS: "list[typst.PDFStandard]" = ["a-2a", "ua-1"]
FONTS = ("Libertinus Serif", "DejaVu Sans Mono", "New Computer Modern Math")

LONGEST_WORD = 40  # signs without a place to break the line
A_PLACE_TO_BREAK = "\u200b"
MOST_TRIED = 200  # different signs of one word; more are no writing

_ODD_RUN = re.compile(r"[ -~]?[^\x00-\x7f]+")  # with the sign before it, which an accent may stand on
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_LONG_WORD = re.compile(rf"\S{{{LONGEST_WORD},}}")
_PIECE = re.compile(r".{1,20}", re.DOTALL)
_JOINERS = "\u200c\u200d"  # they are part of how Persian and Hindi are written

_TRIAL = f"""
#set document(title: "t", date: datetime(year: 2000, month: 1, day: 1))
#set text(lang: "en", font: ({", ".join(f'"{font}"' for font in FONTS)}))
#sys.inputs.text #strong(sys.inputs.text)
""".encode()


@cache
def fonts() -> typst.Fonts:
    """The fonts that come with the typesetter, and no other: the same bytes on every machine."""
    return typst.Fonts(include_system_fonts=False)


def printable(text: str) -> str:
    """The text with line ends as one sign, unprintable signs as `⟦U+1F600⟧`, and places to break in very long words."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _UNSEEN.sub(lambda found: _number(found[0]), text)
    text = _ODD_RUN.sub(lambda found: _printable_run(found[0]), text)
    return _LONG_WORD.sub(lambda found: A_PLACE_TO_BREAK.join(_PIECE.findall(found[0])), text)


@lru_cache(maxsize=4096)
def _printable_run(run: str) -> str:
    numbers = "".join(sign if sign.isascii() else _number(sign) for sign in run)
    if len(set(run)) > MOST_TRIED:
        return numbers
    # Sign by sign first: where an accent stands on a letter that no font has, the typesetter does not complain.
    known = "".join(sign if not _is_unseen(sign) and _can_be_set_alone(sign) else _number(sign) for sign in run)
    return known if _can_be_set(known) else numbers


def _is_unseen(sign: str) -> bool:
    """Whether a sign prints nothing of its own, or turns the order of others around."""
    return unicodedata.category(sign) in ("Cc", "Cf", "Cn", "Co", "Cs") and sign not in _JOINERS


@lru_cache(maxsize=4096)
def _can_be_set_alone(sign: str) -> bool:
    return _can_be_set(sign)


def _can_be_set(text: str) -> bool:
    """Whether the fonts have every sign of it."""
    try:
        typst.compile(_TRIAL, sys_inputs={"text": text}, font_paths=fonts(), pdf_standards=STANDARDS, timestamp=0)
    except typst.TypstError:
        return False
    return True


def _number(sign: str) -> str:
    return f"⟦U+{ord(sign):04X}⟧"
