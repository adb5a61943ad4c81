"""A recorded act while it is open: what the triggers need to know of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Act:
    """The number that its recording has or will have, and its details as JSON: the columns of the recording by name."""

    number: int
    details: str
