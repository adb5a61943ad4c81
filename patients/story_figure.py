"""Where everything of a patient's story stands in its figure: lanes on one axis of time, in pixels. No database, no clock.

The rule: what overlaps within a lane goes one row down, so that every mark can be read and reached. What lies outside of the
time that is shown is counted, never dropped in silence.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import ceil, log10

from patients.story import LANES, Course, Mark, Point, Story

WIDTH, MARGIN = 1150, 14  # of the plot, and what is left free at either end of it
LABELS = 140  # the width of the names beside the plot
AXIS, ROW, PAD, COURSE, INFUSION = 40, 22, 5, 74, 62
BAR, LEAST_BAR, FULL_DOSE, LEAST_STEP = 18, 18, 26, 3
GAP = 6  # between the marks of a row
BASELINE = 13  # of a label, from the top of its mark
DOT, BESIDE_DOT = 5, 9  # the half width of a dot, and where the words behind it begin
A_LETTER = 7.0  # how wide a letter is at most, on average, at 12 px
DAYS_BEFORE, DAYS_AFTER, LEAST_DAYS = 42, 30, 28
WEEKS, A_TICK = (1, 2, 4, 8, 13, 26, 52, 104), 46
SPANS = ("grade-1", "grade-2", "grade-3", "grade-4", "grade-5")
# The least value that the logarithmic axis of a course shows, and the values at which it has a line.
SCALES: dict[str, tuple[float, tuple[float, ...]]] = {
    "PLAT": (1, (10, 100)),
    "NEUT": (0.01, (0.1, 1)),
    "BLAST": (0.01, (0.1, 1, 10)),
    "BILI": (1, (10, 100)),
    "CRP": (0.1, (1, 10, 100)),
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """A mark in the figure: its box, its label and where that stands, what is said of it, and its record."""

    x: float
    y: float
    width: float
    height: float
    label: str
    label_x: float
    label_y: float
    says: str
    form: str
    record: int
    tone: str
    is_open: bool = False
    is_left: bool = False  # the words end before the dot

    @property
    def dot_y(self) -> float:
        """The middle of its height."""
        return self.y + self.height / 2

    @property
    def dot_x(self) -> float:
        """The middle of the dot of a note."""
        return self.label_x + BESIDE_DOT if self.is_left else self.label_x - BESIDE_DOT


@dataclass(frozen=True, slots=True)
class Lane:
    """A stripe of the figure. `kind` is how its marks are drawn: infusion, span, note or course."""

    kind: str
    label: str
    below: str
    y: float
    height: float
    marks: tuple[Drawn, ...]
    line: str = ""
    levels: tuple[tuple[float, str], ...] = ()

    @property
    def bottom(self) -> float:
        """Where the lane ends."""
        return self.y + self.height


@dataclass(frozen=True, slots=True)
class Figure:
    """The figure: lanes, ticks of the axis, where day 1 is, and how many marks lie before and after its time."""

    first: date
    last: date
    height: float
    lanes: tuple[Lane, ...]
    ticks: tuple[tuple[float, str], ...]
    origin_x: float
    before: int
    after: int
    width: int = WIDTH
    labels: int = LABELS
    axis: int = AXIS


class Scale:
    """From days to pixels."""

    def __init__(self, first: date, last: date) -> None:
        self.first = first
        self.last = last
        self.a_day = (WIDTH - 2 * MARGIN) / max((last - first).days, 1)

    def x(self, day: date) -> float:
        """The middle of a day; what lies outside stands at the edge."""
        inside = min(max(day, self.first), self.last)
        return round(MARGIN + (inside - self.first).days * self.a_day, 1)


def draw(story: Story, *, whole: bool = False) -> Figure | None:
    """The figure of the treatment and 30 days after it, or of the whole study; None where there is nothing to draw."""
    if story.origin is None or story.is_empty:
        return None
    first, last = time_shown(story, whole=whole)
    scale = Scale(first, last)
    inside = [mark for mark in story.marks if mark.on <= last and (mark.ended or mark.began).latest >= first]
    lanes: list[Lane] = []
    y = float(AXIS)
    for name, label in LANES.items():
        marks = [mark for mark in inside if mark.lane == name]
        if marks:
            lanes.append(_lane(name, label, y, marks, story, scale))
            y = lanes[-1].bottom
    for course in story.courses:
        points = [point for point in course.points if first <= point.on <= last]
        if points:
            lanes.append(_course(course, points, y, story, scale))
            y = lanes[-1].bottom
    return Figure(
        first,
        last,
        y + PAD,
        tuple(lanes),
        tuple(_ticks(story.origin, scale)),
        scale.x(story.origin),
        before=sum((mark.ended or mark.began).latest < first for mark in story.marks),
        after=sum(mark.on > last for mark in story.marks),
    )


def time_shown(story: Story, *, whole: bool) -> tuple[date, date]:
    """The first and the last day of the figure. Screening is part of it, a transplantation years before is not."""
    assert story.origin is not None  # who calls has looked
    days = [mark.on for mark in story.marks] + [point.on for course in story.courses for point in course.points]
    earliest = story.origin - timedelta(days=DAYS_BEFORE)
    first = min([day for day in days if day >= earliest] + [story.origin])
    if whole or story.treated_until is None:
        last = max([*days, *(mark.ended.latest for mark in story.marks if mark.ended is not None)])
    else:
        last = story.treated_until + timedelta(days=DAYS_AFTER)
        last = min(last, max(story.died_on, story.treated_until)) if story.died_on is not None else last
    return first, max(last, first + timedelta(days=LEAST_DAYS))


def says(text: str, when: str, days: str) -> str:
    """What is said of a mark to who points at it or hears it."""
    return f"{text}, {when} ({days})"


def days_of(story: Story, began: date, ended: date | None = None) -> str:
    """The study day or days, in words."""
    first, last = story.day(began), story.day(ended) if ended is not None else None
    return f"day {first}" if last is None or last == first else f"day {first} to {last}"


def _lane(name: str, label: str, y: float, marks: Sequence[Mark], story: Story, scale: Scale) -> Lane:
    if name == "infusion":
        steps = readable([_infusion(mark, y, story, scale) for mark in marks])
        return Lane("infusion", label, "µg/day", y, INFUSION, tuple(steps))
    label, _, below = label.partition(", ")
    is_span = all(mark.tone in SPANS for mark in marks)
    drawn = [_span(mark, y, story, scale) if is_span else _note(mark, y, story, scale) for mark in marks]
    rows = pack((each.x, each.x + each.width) for each in drawn)
    placed = tuple(
        replace(each, y=each.y + row * ROW, label_y=each.label_y + row * ROW)
        for each, row in zip(drawn, rows, strict=True)
    )
    height = 2 * PAD + max(rows) * ROW + BAR
    return Lane("span" if is_span else "note", label, below, y, max(height, 2 * ROW if below else 0), placed)


def _span(mark: Mark, y: float, story: Story, scale: Scale) -> Drawn:
    """What lasts: from the first day to the last, at least as wide as its grade needs."""
    ended = story.died_on or scale.last if mark.is_open else (mark.ended or mark.began).latest
    x = min(scale.x(mark.on), WIDTH - LEAST_BAR)
    return _drawn(mark, (x, max(scale.x(ended), x + LEAST_BAR)), y + PAD, BAR, story, x + DOT)


def _note(mark: Mark, y: float, story: Story, scale: Scale) -> Drawn:
    """What has a day and words: the words stand behind the dot, before it where they would not fit."""
    x, words = scale.x(mark.on), len(mark.label) * A_LETTER + BESIDE_DOT
    is_left = x + words > WIDTH
    box = (x - words, x + DOT) if is_left else (x - DOT, x + words)
    return replace(
        _drawn(mark, box, y + PAD, BAR, story, x - BESIDE_DOT if is_left else x + BESIDE_DOT), is_left=is_left
    )


def _infusion(mark: Mark, y: float, story: Story, scale: Scale) -> Drawn:
    """A dose step: as high as its dose. An interruption is as high as the full dose, and drawn empty."""
    assert mark.ended is not None  # an interval has an end, or goes on until the day that was asked about
    x, height = scale.x(mark.on), round(FULL_DOSE * mark.size)
    top = y + INFUSION - PAD - height
    box = (x, max(scale.x(mark.ended.latest), x + LEAST_STEP))
    return replace(_drawn(mark, box, top, height, story, x), label_y=y + BASELINE)


def _drawn(mark: Mark, box: tuple[float, float], y: float, height: float, story: Story, label_x: float) -> Drawn:
    days = days_of(story, mark.on, mark.ended.latest if mark.ended is not None else None)
    if not mark.began.is_complete:
        days += " at the earliest"
    return Drawn(
        x=round(box[0], 1),
        y=y,
        width=round(box[1] - box[0], 1),
        height=height,
        label=mark.label,
        label_x=round(label_x, 1),
        label_y=y + BASELINE,
        says=says(mark.text, mark.when, days),
        form=mark.form,
        record=mark.record,
        tone=mark.tone,
        is_open=mark.is_open,
    )


def readable(steps: Sequence[Drawn]) -> list[Drawn]:
    """The steps with labels that do not touch: where there is no room for all of it the last word, else none."""
    found = []
    for step in steps:
        words = (step.label, step.label.rpartition(" ")[2], "")
        label = next(each for each in words if not each or _fits(each, step, steps))
        found.append(replace(step, label=label))
    return found


def _fits(label: str, step: Drawn, steps: Sequence[Drawn]) -> bool:
    """Whether a label ends before the next step that has one."""
    following = min((each.label_x for each in steps if each.label and each.label_x > step.label_x), default=WIDTH)
    return step.label_x + len(label) * A_LETTER + GAP <= following


def pack(boxes: Iterable[tuple[float, float]]) -> list[int]:
    """The row of each box: the first in which it overlaps none that was placed before it."""
    ends: list[list[tuple[float, float]]] = []
    rows = []
    for start, end in boxes:
        free = (
            n for n, row in enumerate(ends) if all(end + GAP <= left or start >= right + GAP for left, right in row)
        )
        row = next(free, len(ends))
        if row == len(ends):
            ends.append([])
        ends[row].append((start, end))
        rows.append(row)
    return rows


def _course(course: Course, points: Sequence[Point], y: float, story: Story, scale: Scale) -> Lane:
    least, lines = SCALES[course.test]
    top = max([float(point.value) for point in points] + [lines[-1]]) * 1.1

    def height_of(value: float) -> float:
        share = (log10(max(value, least)) - log10(least)) / (log10(top) - log10(least))
        return round(y + COURSE - PAD - 4 - share * (COURSE - 2 * PAD - 8), 1)

    drawn = tuple(_point(course, point, height_of(float(point.value)), story, scale) for point in points)
    line = " ".join(f"{each.x},{each.y}" for each in drawn)
    levels = tuple((height_of(value), f"{value:g}") for value in lines)
    return Lane("course", course.label, course.unit, y, COURSE, drawn, line, levels)


def _point(course: Course, point: Point, y: float, story: Story, scale: Scale) -> Drawn:
    grade = f", grade {point.grade}" if point.grade else ""
    text = f"{course.label} {point.text} {course.unit}{grade}"
    said = says(text, f"{point.on:%d-%b-%Y}", days_of(story, point.on))
    tone = f"grade-{point.grade}" if point.grade else ""
    return Drawn(scale.x(point.on), y, 0, 0, "", 0, 0, said, point.form, point.record, tone)


def _ticks(origin: date, scale: Scale) -> Iterable[tuple[float, str]]:
    """The weeks from the origin, so many apart that their numbers do not touch."""
    step = next((weeks for weeks in WEEKS if weeks * 7 * scale.a_day >= A_TICK), WEEKS[-1])
    days = 7 * step
    for n in range(ceil((scale.first - origin).days / days), (scale.last - origin).days // days + 1):
        weeks = f"{n * step}" if n >= 0 else f"−{-n * step}"
        yield scale.x(origin + timedelta(days=n * days)), weeks
