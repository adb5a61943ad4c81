"""The control of each kind of answer: reads what was typed into what is stored, or says what is wrong with it.

The rule: one reading or none. A control never rounds, never guesses, and shows a stored value so that it reads the same again.
"""

import itertools
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import cached_property, partial
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.forms.utils import flatatt
from django.utils import timezone as clock
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from patients.entry.whereabouts import Whereabouts
from trial import column_checks, partial_dates
from trial.fields import (
    Answer,
    CodedField,
    CodesField,
    FullDateField,
    LimitedAnswer,
    MomentField,
    NumberField,
    PartialDateField,
    RatioField,
    YesNoField,
)
from trial.models import Patient
from trial.partial_dates import NotADate, PartialDate
from trial.records import PatientRecord
from trial.typed_dates import DaysAllowed, read_typed_date
from trial.wording import WHY_BLANK, label_of_field, word_date, word_number, word_partial_date, word_record

MOST_RADIOS = 7  # longer lists are a select
LONG_TEXT = 200  # characters from which a text gets several lines
MOST_WHOLE_DIGITS = 9  # what an integer column holds on both engines
NO_ANSWER = "No answer"

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)
_RATIO = re.compile(r"-?\d+(?:\.\d+)?(?:[eE]-?\d{1,2})?", re.ASCII)
_OFFSET = re.compile(r"\s*\(?(?:utc)?([+−-])(\d{2}):?(\d{2})\)?$", re.ASCII | re.IGNORECASE)
MOST_MARKS_ON_A_LETTER = 8  # more is no writing, and covers the lines around it

# What no person types: control characters, marks that turn the direction of what stands beside the text, halves of a
# surrogate pair, and the mark of bytes that could not be read.
UNTYPABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffd]")


@dataclass(frozen=True)
class Ground:
    """What the controls of one patient need to know: the days that a date can take, and the clock of the site."""

    patient: Patient

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone of the site where the patient is now."""
        return ZoneInfo(self.patient.site.time_zone)

    @cached_property
    def whereabouts(self) -> Whereabouts:
        """The sites of the patient until now."""
        return Whereabouts(self.patient)

    def zone_on(self, day: date) -> ZoneInfo:
        """The time zone of the site where the patient was on a day."""
        return ZoneInfo(self.whereabouts.site_on(day).time_zone)

    @cached_property
    def today(self) -> date:
        """The day at the site; the demo's own where it has one."""
        return self.patient.study.today or clock.now().astimezone(self.zone).date()

    @property
    def limits(self) -> DaysAllowed:
        """The days that an answer can name: they decide what a year of two digits means."""
        return Days(self)


@dataclass(frozen=True)
class Days:
    """The days from a patient's birth until today. When the patient was born is read where a date has two readings."""

    ground: Ground

    @cached_property
    def earliest(self) -> date:
        """The first day on which the patient can have been born."""
        from patients.models import Demographics

        born = Demographics.objects.filter(patient=self.ground.patient).values_list("born_on", flat=True).first()
        return partial_dates.parse(born).earliest if born else date(column_checks.FIRST_YEAR, 1, 1)

    @property
    def latest(self) -> date:
        """The day at the site."""
        return self.ground.today


def check_text(text: str) -> str:
    """The text, with the line ends of every browser and the forms of one letter made one.

    Raise `ValidationError` for what no person types.
    """
    if odd := UNTYPABLE.search(text):
        code = f"U+{ord(odd[0]):04X}"
        raise ValidationError(f"There is a character in the text that cannot be kept ({code}). Type the text anew.")
    plain = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").strip())
    if (most := _most_marks_on_a_letter(plain)) > MOST_MARKS_ON_A_LETTER:
        raise ValidationError(
            f"There are {most} marks on one letter. Type the text with at most {MOST_MARKS_ON_A_LETTER}."
        )
    return plain


def _most_marks_on_a_letter(text: str) -> int:
    runs = itertools.groupby(text, key=lambda sign: unicodedata.combining(sign) > 0)
    return max((len(list(run)) for are_marks, run in runs if are_marks), default=0)


class Control(forms.Field):
    """The control of one answer. `read` makes of a text what is stored, `show` the text of what is stored."""

    def __init__(self, answer: "models.Field[Any, Any]", ground: Ground, widget: forms.Widget) -> None:
        hint = answer.hint if isinstance(answer, Answer) else ""
        super().__init__(required=False, label=label_of_field(answer), help_text=hint, widget=widget)
        self.answer = answer
        self.ground = ground

    def show(self, value: Any, record: PatientRecord) -> Any:
        """What the control shows for a stored value."""
        return str(value)

    def read(self, text: str) -> Any:
        """The value of a text that is not blank. Raise `ValidationError` with what is wrong and what to do."""
        return text

    def to_python(self, value: Any) -> Any:
        text = check_text(str(value)) if value is not None else ""
        return self.read(text) if text else None


def _text_box(**attributes: Any) -> forms.TextInput:
    return forms.TextInput(attrs={"autocomplete": "off", **attributes})


class TextControl(Control):
    """Free text."""

    def __init__(self, answer: "models.Field[Any, Any]", ground: Ground) -> None:
        most = answer.max_length or 0
        is_long = most > LONG_TEXT
        super().__init__(answer, ground, forms.Textarea(attrs={"rows": 4}) if is_long else _text_box())

    def read(self, text: str) -> str:
        most = self.answer.max_length or 0
        if len(text) > most:
            raise ValidationError(f"{len(text)} characters are too many. Say it in {most}.")
        if "\n" in text and not isinstance(self.widget, forms.Textarea):
            raise ValidationError("There is a line break in the text. Type it in one line.")
        return text


class OfferingBox(forms.TextInput):
    """A box for text that offers some; any other can be typed. What is offered is read when the box is shown."""

    def __init__(self, offered: Callable[[], Sequence[str]], attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.offered = offered

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        """The box, and the list that it offers where there is one."""
        offered = self.offered()
        if not offered:
            return super().render(name, value, attrs, renderer)
        number = f"{name}_offered"
        box = super().render(name, value, {**(attrs or {}), "list": number}, renderer)
        options = format_html_join("", '<option value="{}"></option>', ((text,) for text in offered))
        return format_html('{}<datalist id="{}">{}</datalist>', box, number, options)


class LaboratoryControl(TextControl):
    """The name of a laboratory. Those that told their normal ranges to the site are offered."""

    def __init__(self, answer: "models.Field[Any, Any]", ground: Ground) -> None:
        from patients.laboratories import laboratories_for

        super().__init__(answer, ground)
        self.widget = OfferingBox(partial(laboratories_for, ground.patient))


class NumberControl(Control):
    """A number with a decimal point, inside its hard limits and with no more places than are kept."""

    def __init__(self, answer: LimitedAnswer, ground: Ground) -> None:
        super().__init__(answer, ground, _text_box(inputmode="decimal", size=12))

    def show(self, value: Any, record: PatientRecord) -> str:
        if isinstance(value, Decimal):
            return word_number(value)
        return repr(value)  # not `:g`: it would round a ratio

    def read(self, text: str) -> Any:
        assert isinstance(self.answer, LimitedAnswer)
        is_ratio = isinstance(self.answer, RatioField)
        pattern = _RATIO if is_ratio else _NUMBER
        plain = text.replace("−", "-")
        if not pattern.fullmatch(plain):
            raise ValidationError(self._not_a_number(text))
        if len(plain.lstrip("-").partition(".")[0]) > MOST_WHOLE_DIGITS:
            raise ValidationError(f"{text} is too large. Check the number and its unit.")
        self._check_limits(text, Decimal(plain))
        if is_ratio:
            return float(plain)
        places = len(plain.partition(".")[2])
        most = self.answer.places if isinstance(self.answer, NumberField) else 0
        if places > most:
            kept = f"at most {most} decimal place{'s' if most > 1 else ''}" if most else "a whole number"
            raise ValidationError(f"'{text}' has {places} decimal place{'s' if places > 1 else ''}. Type {kept}.")
        return Decimal(plain) if isinstance(self.answer, NumberField) else int(plain)

    def _not_a_number(self, text: str) -> str:
        dotted = text.replace(",", ".")
        if "," in text and _NUMBER.fullmatch(dotted):
            return (
                f"'{text}' has a comma. Type {dotted} if it stands before the decimals, {text.replace(',', '')} if not."
            )
        assert isinstance(self.answer, Answer)
        behind = f", without its unit: that is {self.answer.unit}" if self.answer.unit else " in digits"
        return f"'{text}' is not a number. Type the number alone{behind}."

    def _check_limits(self, text: str, number: Decimal) -> None:
        assert isinstance(self.answer, LimitedAnswer)
        low, high = self.answer.limits
        unit = f" {self.answer.unit}" if self.answer.unit else ""
        if low is not None and number < Decimal(str(low)):
            raise ValidationError(f"{text}{unit} is not possible: the least is {low}. Check the number and its unit.")
        if high is not None and number > Decimal(str(high)):
            raise ValidationError(f"{text}{unit} is not possible: the most is {high}. Check the number and its unit.")


class DateControl(Control):
    """A date as people type it, whole or in part; shown as `12-Mar-2024`."""

    def __init__(self, answer: FullDateField | PartialDateField, ground: Ground) -> None:
        self.least: partial_dates.Precision = answer.least if isinstance(answer, PartialDateField) else "day"
        self.with_time = isinstance(answer, PartialDateField) and answer.with_time
        example = example_of("minute" if self.with_time else self.least)
        super().__init__(answer, ground, _text_box(size=18 if self.with_time else 12, placeholder=example))

    def show(self, value: Any, record: PatientRecord) -> str:
        return word_date(value) if isinstance(value, date) else word_partial_date(value)

    def read(self, text: str) -> Any:
        read = read_date(text, self.ground, least=self.least, with_time=self.with_time)
        return read.text if isinstance(self.answer, PartialDateField) else read.earliest


def example_of(least: partial_dates.Precision) -> str:
    """How a date of which at least this must be known can be typed."""
    return {"year": "2014", "month": "mar2014", "day": "12mar2014", "minute": "12mar2014 0930"}[least]


def read_date(text: str, ground: Ground, *, least: partial_dates.Precision, with_time: bool) -> PartialDate:
    """The date of a text. Raise `ValidationError` where it has no reading, is not known enough, or has not come yet."""
    try:
        read = read_typed_date(text, ground.limits)
    except NotADate as error:
        raise ValidationError(str(error)) from error
    if read.at is not None and not with_time:
        raise ValidationError(f"'{text}' has a time. Type the date alone.")
    if not partial_dates.is_at_least(read, least):
        wanted = "day and time" if least == "minute" else least
        raise ValidationError(
            f"{read} is not enough: at least the {wanted} must be known. Write it as {example_of(least)}."
        )
    if not column_checks.FIRST_YEAR <= read.earliest.year <= column_checks.LAST_YEAR:
        raise ValidationError(f"{read} is too long ago. Check the year.")
    if read.earliest > ground.today:
        raise ValidationError(f"{read} has not come yet: today is {word_date(ground.today)}. Check the date.")
    return read


class MomentControl(Control):
    """A moment by the clock of the site where the patient was then, `12mar2024 0930`: kept as the instant and its offset."""

    def __init__(self, answer: MomentField, ground: Ground) -> None:
        super().__init__(answer, ground, _text_box(size=20, placeholder=example_of("minute")))

    def show(self, value: datetime, record: PatientRecord) -> str:
        offset = getattr(record, f"{self.answer.name}_offset")
        if offset is None:
            by_todays_clock = value.astimezone(self.ground.zone)
            offset = _minutes(value.astimezone(self.ground.zone_on(by_todays_clock.date())))
        local = value.astimezone(timezone(timedelta(minutes=offset)))
        text = f"{local:%d-%b-%Y %H:%M}"
        is_plain = _offsets_of(local.replace(tzinfo=None), self.ground.zone_on(local.date())) == [offset]
        return text if is_plain else f"{text} {_word_offset(offset)}"

    def read(self, text: str) -> tuple[datetime, int]:
        written = _OFFSET.search(text) if ":" in text or " " in text else None
        plain = text[: written.start()] if written else text
        read = read_date(plain, self.ground, least="minute", with_time=True)
        local = datetime.combine(read.earliest, read.at or time())
        if written:
            offset = (int(written[2]) * 60 + int(written[3])) * (1 if written[1] == "+" else -1)
            if abs(offset) > 14 * 60 or int(written[3]) > 59:
                raise ValidationError(f"'{text}' has an offset that no clock has. Write it as +01:00.")
        else:
            offset = self._offset_at(local)
        instant = (local - timedelta(minutes=offset)).replace(tzinfo=UTC)
        if instant > clock.now() and self.ground.patient.study.today is None:
            raise ValidationError(f"{word_date(local)} {local:%H:%M} has not come yet at the site. Check the time.")
        return instant, offset

    def _offset_at(self, local: datetime) -> int:
        """The offset of the site's clock when it showed this. Raise `ValidationError` where it never did, or did twice."""
        zone = self.ground.zone_on(local.date())
        offsets = _offsets_of(local, zone)
        if len(offsets) == 1:
            return offsets[0]
        shown = f"{word_date(local)} {local:%H:%M}"
        if offsets:
            readings = " or ".join(f"{shown} {_word_offset(offset)}" for offset in offsets)
            raise ValidationError(f"The site's clock showed {shown} twice that night. Write {readings}.")
        before, after = (local.replace(fold=fold, tzinfo=zone) for fold in (0, 1))
        readings = " or ".join(f"{moment.astimezone(UTC).astimezone(zone):%H:%M}" for moment in (after, before))
        raise ValidationError(f"The site's clock skipped {shown}: it was put forward. Write {readings}.")


def _offsets_of(local: datetime, zone: ZoneInfo) -> list[int]:
    """The offsets in minutes with which a clock of the zone showed this time: none where it skipped it, two where twice."""
    found = []
    for fold in (0, 1):
        moment = local.replace(tzinfo=zone, fold=fold)
        if moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == local and _minutes(moment) not in found:
            found.append(_minutes(moment))
    return found


def _minutes(moment: datetime) -> int:
    return int((moment.utcoffset() or timedelta()).total_seconds() // 60)


def _word_offset(minutes: int) -> str:
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"


class ChoiceControl(Control):
    """One of a list: radios, or a select where there are many. The first one takes the answer back."""

    def __init__(self, answer: "models.Field[Any, Any]", ground: Ground, choices: Sequence[tuple[str, str]]) -> None:
        self.choices = list(choices)
        shown = [("", NO_ANSWER), *self.choices]
        widget = forms.RadioSelect if len(self.choices) <= MOST_RADIOS else forms.Select
        super().__init__(answer, ground, widget(choices=shown))

    def read(self, text: str) -> Any:
        if text not in dict(self.choices):
            words = ", ".join(label for _, label in self.choices) or "nothing yet"
            raise ValidationError(f"'{text[:60]}' is not one of the answers. Choose from {words}.")
        return text


class YesNoControl(ChoiceControl):
    """Yes or no."""

    def __init__(self, answer: YesNoField, ground: Ground) -> None:
        super().__init__(answer, ground, [("yes", "Yes"), ("no", "No")])

    def show(self, value: Any, record: PatientRecord) -> str:
        return "yes" if value else "no"

    def read(self, text: str) -> bool:
        return bool(super().read(text) == "yes")


class LinkControl(ChoiceControl):
    """Another record of the same patient."""

    def __init__(self, answer: "models.ForeignKey[Any, Any]", ground: Ground) -> None:
        records = answer.related_model._default_manager.filter(patient=ground.patient).order_by("pk")
        super().__init__(answer, ground, [(str(record.pk), word_record(record)) for record in records])
        if isinstance(self.widget, forms.RadioSelect):
            self.widget = forms.Select(choices=self.widget.choices)

    def read(self, text: str) -> int:
        return int(super().read(text))


class CodesControl(Control):
    """Any number of codes of a list, as check boxes."""

    def __init__(self, answer: CodesField, ground: Ground) -> None:
        super().__init__(answer, ground, forms.CheckboxSelectMultiple(choices=answer.codes))

    def show(self, value: Any, record: PatientRecord) -> list[str]:
        return [str(code) for code in value]

    def to_python(self, value: Any) -> list[str] | None:
        assert isinstance(self.answer, CodesField)
        known = dict(self.answer.codes)
        chosen = sorted({check_text(str(code)) for code in value or ()} - {""})
        if unknown := [code for code in chosen if code not in known]:
            raise ValidationError(
                f"'{unknown[0][:60]}' is not one of the answers. Choose from {', '.join(known.values())}."
            )
        return chosen or None


def control_of(answer: "models.Field[Any, Any]", ground: Ground) -> Control:
    """The control of an answer, or of a link to another record."""
    if isinstance(answer, models.ForeignKey):
        return LinkControl(answer, ground)
    if isinstance(answer, CodedField) and answer.codes:
        return ChoiceControl(answer, ground, answer.codes)
    for kind, control in CONTROLS:
        if isinstance(answer, kind):
            return control(answer, ground)
    if answer.name == "laboratory":
        return LaboratoryControl(answer, ground)
    return TextControl(answer, ground)


CONTROLS: tuple[tuple[type[Answer], Callable[..., Control]], ...] = (
    (YesNoField, YesNoControl),
    (CodesField, CodesControl),
    (LimitedAnswer, NumberControl),
    (FullDateField, DateControl),
    (PartialDateField, DateControl),
    (MomentField, MomentControl),
)


class ReasonSelect(forms.Select):
    """A list of a few reasons in one line: a page has one for each of its questions, and is to stay light."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        """The list, without the blanks and line ends of the usual template."""
        options = format_html_join(
            "",
            '<option value="{}"{}>{}',  # HTML ends an option where the next one begins
            ((code, SELECTED if code == (value or "") else "", text) for code, text in self.choices),
        )
        return format_html(
            "<select{}>{}</select>", flatatt(self.build_attrs(self.attrs, {"name": name, **(attrs or {})})), options
        )


SELECTED = SafeString(" selected")


class WhyBlank(forms.ChoiceField):
    """Why an answer is blank: one of the missing codes (STUDY B.1, rule 3)."""

    def __init__(self, label: str) -> None:
        choices = [("", "Why blank"), *WHY_BLANK.items()]
        said = f"Why there is no answer: {label}"
        super().__init__(required=False, choices=choices, label=said, widget=ReasonSelect(attrs={"aria-label": said}))

    def validate(self, value: Any) -> None:
        if value and value not in WHY_BLANK:
            words = ", ".join(WHY_BLANK.values())
            raise ValidationError(f"'{check_text(value)[:20]}' is no reason for a blank answer. Choose from {words}.")
