"""The kinds of answer of a case report form: one declaration gives column, database check, validator, label and unit.

The rule (DESIGN 2): what is impossible is refused by the database itself; so limits and code lists are column checks.
A blank answer is NULL, whatever its kind; why it is blank stands in the record's `missing`.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from trial import column_checks, partial_dates
from trial.code_lists import CodeList, codes_of


class Answer(models.Field):
    """What every answer of a form knows of itself.

    `oid` is the field's name in the CDISC world without its form (`HSDAT`), `unit` the unit of the number, `required`
    whether the form is incomplete without it. `asked_if` maps other answers of the same record to the values with which
    this one is asked at all; where there are several, each must hold. A number outside of `soft` (None: open) is saved and
    asked about. `hint` is one sentence on where the answer comes from. `since` and `until` are the first and the last
    version of the form that asks it. None of these changes the database, so migrations do not carry them.
    """

    def __init__(
        self,
        *args: Any,
        oid: str = "",
        unit: str = "",
        required: bool = False,
        asked_if: Mapping[str, tuple[Any, ...]] | None = None,
        soft: tuple[float | None, float | None] = (None, None),
        hint: str = "",
        since: int = 1,
        until: int | None = None,
        **kwargs: Any,
    ) -> None:
        self.oid = oid
        self.unit = unit
        self.required = required
        self.asked_if = asked_if or {}
        self.soft = soft
        self.hint = hint
        self.since = since
        self.until = until
        kwargs.setdefault("null", True)
        kwargs.setdefault("blank", True)
        super().__init__(*args, **kwargs)

    def is_asked(self, record: Any) -> bool:
        """Whether the other answers of a record are such that this one is asked."""
        return all(_is_one_of(getattr(record, name), values) for name, values in self.asked_if.items())

    def is_ruled_out(self, record: Any) -> bool:
        """Whether the other answers say that this one is not asked. A blank one leaves that open, unless it is ruled out itself."""
        for name, values in self.asked_if.items():
            answer, other = getattr(record, name), record._meta.get_field(name)
            is_blank = answer in (None, "", [])
            if other.is_ruled_out(record) if is_blank else not _is_one_of(answer, values):
                return True
        return False

    def is_of(self, version: int) -> bool:
        """Whether a version of the form asks this."""
        return self.since <= version and (self.until is None or version <= self.until)

    def check_sql(self, column: str) -> str | None:
        """The condition that every stored value meets, as SQL that both engines understand."""
        return None

    def db_check(self, connection: BaseDatabaseWrapper) -> str | None:
        assert self.column is not None  # a field on a model has a column
        own = self.check_sql(connection.ops.quote_name(self.column))
        inherited = super().db_check(connection)
        return " AND ".join(f"({check})" for check in (inherited, own) if check) or None


class TextField(Answer, models.CharField):
    """Free text of at most `max_length` characters."""


class CodedField(Answer, models.CharField):
    """One code of a code list. The code itself is stored, as the code list spells it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.codes: CodeList = list(kwargs.get("choices") or [])
        if self.codes:
            kwargs.setdefault("max_length", max(map(len, codes_of(self.codes))))
        super().__init__(*args, **kwargs)

    def check_sql(self, column: str) -> str | None:
        return column_checks.one_of(column, self.codes)


class CodesField(Answer, models.JSONField):
    """Any number of codes of a code list, stored as a sorted JSON list so that equal answers are equal text."""

    def __init__(self, *args: Any, codes: CodeList | None = None, **kwargs: Any) -> None:
        self.codes = codes or []
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, kwargs | {"codes": self.codes}

    def to_python(self, value: Any) -> Any:
        """Codes in their stored order, so that the same answer given in another order is no change."""
        return sorted(value, key=str) if isinstance(value, (list, tuple, set)) else value

    def get_prep_value(self, value: Any) -> Any:
        return super().get_prep_value(self.to_python(value))

    def check_sql(self, column: str) -> str | None:
        return column_checks.list_of(column, self.codes)

    def validate(self, value: Any, model_instance: Any) -> None:
        super().validate(value, model_instance)
        known = codes_of(self.codes)
        if unknown := sorted(set(value) - set(known)):
            raise ValidationError(f"{', '.join(unknown)}: not in the list. Choose from {', '.join(known)}.")


class YesNoField(Answer, models.BooleanField):
    """Yes or no."""


class LimitedAnswer(Answer):
    """A number inside hard limits, both included."""

    def __init__(self, *args: Any, limits: tuple[float | None, float | None] = (None, None), **kwargs: Any) -> None:
        self.limits = limits
        super().__init__(*args, validators=_validators(limits), **_without_validators(kwargs))

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, _without_validators(kwargs) | {"limits": self.limits}

    def check_sql(self, column: str) -> str | None:
        return column_checks.between(column, *self.limits)


class WholeNumberField(LimitedAnswer, models.IntegerField):
    """A whole number inside hard limits."""


class NumberField(LimitedAnswer, models.DecimalField):
    """A decimal number inside hard limits. Doses, counts and concentrations are never floats."""

    def __init__(self, *args: Any, places: int = 0, **kwargs: Any) -> None:
        self.places = places
        super().__init__(*args, **kwargs | {"max_digits": 10 + places, "decimal_places": places})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        for given in ("max_digits", "decimal_places"):
            del kwargs[given]
        return name, path, args, kwargs | {"places": self.places}


class RatioField(LimitedAnswer, models.FloatField):
    """A ratio that spans powers of ten, such as an MRD level or an assay's sensitivity."""


class FullDateField(Answer, models.DateField):
    """A date of which every part is known (class P0 of STUDY B.2)."""

    def check_sql(self, column: str) -> str | None:
        return column_checks.day_in_range(column)

    def validate(self, value: Any, model_instance: Any) -> None:
        super().validate(value, model_instance)
        _check_year(value)


class MomentField(Answer, models.DateTimeField):
    """An instant in UTC. The site's offset stands beside it in an `OffsetField`: the local clock can be shown."""

    def check_sql(self, column: str) -> str | None:
        return column_checks.day_in_range(column)

    def validate(self, value: Any, model_instance: Any) -> None:
        super().validate(value, model_instance)
        _check_year(value)


class OffsetField(Answer, models.SmallIntegerField):
    """Minutes that the site's clock was ahead of UTC at the moment beside it."""

    def check_sql(self, column: str) -> str | None:
        return column_checks.between(column, -14 * 60, 14 * 60)


class PartialDateField(Answer, models.CharField):
    """ISO 8601 text truncated to what is known. `least` must be known; `with_time` admits a local time."""

    LENGTHS: ClassVar = {"year": 4, "month": 7, "day": 10, "minute": 16}

    def __init__(
        self, *args: Any, least: partial_dates.Precision = "month", with_time: bool = False, **kwargs: Any
    ) -> None:
        self.least = least
        self.with_time = with_time
        kwargs["max_length"] = self.LENGTHS["minute" if with_time else "day"]
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_length"]
        return name, path, args, kwargs | {"least": self.least, "with_time": self.with_time}

    def check_sql(self, column: str) -> str | None:
        allowed = [n for n in self.LENGTHS.values() if self.LENGTHS[self.least] <= n <= (self.max_length or 0)]
        return column_checks.partial_date(column, allowed)

    def validate(self, value: Any, model_instance: Any) -> None:
        super().validate(value, model_instance)
        try:
            parsed = partial_dates.parse(value)
        except partial_dates.NotADate as error:
            raise ValidationError(str(error)) from error
        if not partial_dates.is_at_least(parsed, self.least):
            raise ValidationError(f"{parsed} is not enough: at least the {self.least} must be known.")
        _check_year(parsed.earliest)


class MissingCodesField(models.JSONField):
    """Why fields of a record are blank: a JSON object from the name of a field to a missing code (STUDY B.1, rule 3)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"default": dict, "blank": True})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {key: value for key, value in kwargs.items() if key not in ("default", "blank")}

    def db_check(self, connection: BaseDatabaseWrapper) -> str | None:
        assert self.column is not None  # a field on a model has a column
        own = column_checks.object_of_text(connection.ops.quote_name(self.column))
        inherited = super().db_check(connection)
        return " AND ".join(f"({check})" for check in (inherited, own) if check)


def _is_one_of(answer: Any, values: tuple[Any, ...]) -> bool:
    """Whether an answer is one of the values; a list of codes, whether it has one of them."""
    return any(code in values for code in answer) if isinstance(answer, list) else answer in values


def _check_year(value: date) -> None:
    """Raise `ValidationError` for a year that no trial can touch."""
    if not column_checks.FIRST_YEAR <= value.year <= column_checks.LAST_YEAR:
        raise ValidationError(
            f"{value.year} is not a year from {column_checks.FIRST_YEAR} to {column_checks.LAST_YEAR}. Check the date."
        )


def _validators(limits: tuple[float | None, float | None]) -> list[MinValueValidator | MaxValueValidator]:
    low, high = limits
    checks: list[MinValueValidator | MaxValueValidator] = []
    if low is not None:
        checks.append(MinValueValidator(Decimal(str(low))))
    if high is not None:
        checks.append(MaxValueValidator(Decimal(str(high))))
    return checks


def _without_validators(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in kwargs.items() if name != "validators"}
