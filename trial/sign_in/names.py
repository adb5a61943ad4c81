"""User names: one spelling each, plain letters only, and never given twice."""

import re

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

LEAST, MOST = 3, 60
SHAPE = re.compile(rf"[a-z0-9._-]{{{LEAST},{MOST}}}")


def folded(text: str) -> str:
    """The name as it is stored and compared: without blanks around it, in small letters."""
    stripped = text.strip()
    # Only ASCII is folded: the sign for kelvin would become a plain k.
    return stripped.lower() if stripped.isascii() else stripped


def is_shaped_like_a_name(text: str) -> bool:
    """Whether a user could be called so."""
    return SHAPE.fullmatch(folded(text)) is not None


def checked_user_name(text: str) -> str:
    """The user name, folded. Raise `ValidationError` where it cannot be one, or is or ever was somebody's."""
    name = folded(text)
    strange = next((sign for sign in name if not re.fullmatch(r"[a-z0-9._-]", sign)), None)
    if strange is not None:
        what = f"'{strange}'" if strange.isprintable() and not strange.isspace() else "a blank or an invisible sign"
        looks = "" if strange.isascii() else ", even where it looks like a plain letter"
        raise ValidationError(
            f"A user name has the letters a to z, digits, '.', '-' and '_'. Take out {what}{looks}.", code="strange"
        )
    if not LEAST <= len(name) <= MOST:
        raise ValidationError(
            f"A user name has {LEAST} to {MOST} signs, and '{name}' has {len(name)}. Choose another.", code="length"
        )
    if User.objects.filter(username__iexact=name).exists():
        # Also that of a disabled account: the trail must not name two people alike.
        raise ValidationError(
            f"The user name '{name}' is taken. Choose another; names are not used again.", code="taken"
        )
    return name
