"""Casebooks for worked examples: short ways to write the rows of one patient's forms. Days are ISO text, blanks are left out."""

from datetime import date, datetime, timedelta
from itertools import count
from typing import Any, TypeVar, get_type_hints

from analysis.derive.patient import Patient, derive_patient
from analysis.derive.rows import (
    FORMS,
    BloodCount,
    Casebook,
    Demographics,
    Enrolment,
    Marrow,
    SurvivalContact,
)
from patients.exposure import Interval
from trial.parameters import Parameters
from trial.partial_dates import PartialDate, parse

FAR = date(2016, 12, 31)
FIRST_DOSE = date(2012, 3, 1)
R = TypeVar("R")

_records = count(1)


def row(row_type: type[R], **answers: Any) -> R:
    """A row of a form. What is not said is blank; the record number is a new one unless it is said."""
    answers.setdefault("record", next(_records))
    hints = get_type_hints(row_type)
    assert answers.keys() <= hints.keys(), f"{row_type.__name__} has no {answers.keys() - hints.keys()}"
    return row_type(**{name: _value(hint, answers.get(name)) for name, hint in hints.items()})


def _value(hint: Any, value: Any) -> Any:
    if hint == tuple[str, ...]:
        return tuple(value or ())
    if isinstance(value, str) and hint == PartialDate | None:
        return parse(value)
    if isinstance(value, str) and hint in (date, date | None):
        return date.fromisoformat(value)
    if isinstance(value, str) and hint in (datetime, datetime | None):
        return datetime.fromisoformat(value)
    return value


def infusion(start: str, days: float, dose: float = 28, *, cycle: int = 1, record: int | None = None) -> Interval:
    """An infusion that starts at 9 on a day and runs so many days, at a site whose clock is UTC."""
    began = datetime.fromisoformat(f"{start}T09:00")
    ended = began + timedelta(days=days)
    return Interval(next(_records) if record is None else record, cycle, began, 0, ended, 0, dose)


CYCLE_1 = (infusion("2012-03-01", 7, 9), infusion("2012-03-08", 21))
CYCLE_2 = (infusion("2012-04-12", 28, cycle=2),)
CYCLE_3 = (infusion("2012-05-24", 28, cycle=3),)


def blood(day: str, neutrophils: float | None = 1.2, platelets: float | None = 120, **values: Any) -> BloodCount:
    """A blood count at noon, by default one that shows recovery and no blasts."""
    answers = {"neutrophils": neutrophils, "platelets": platelets, "blasts": 0, "blasts_percent": 0} | values
    answers.setdefault("taken_at", f"{day}T12:00")
    return row(BloodCount, taken_on=day, **answers)


def marrow(day: str, blasts: float | None, reader: str = "CENTRAL", **answers: Any) -> Marrow:
    """A marrow reading, adequate unless said otherwise."""
    answers.setdefault("is_adequate", True)
    return row(Marrow, sampled_on=day, blasts_percent=blasts, reader=reader, **answers)


def contact(day: str, status: str = "ALIVE IN REMISSION", **answers: Any) -> SurvivalContact:
    """A contact of the survival follow-up."""
    return row(SurvivalContact, contacted_on=day, status=status, **answers)


def casebook(number: str = "SYN-001-001", **forms: Any) -> Casebook:
    """The casebook of a patient who consented on 20 February 2012. What is said of a form takes the place of its default."""
    defaults = {
        "enrolments": [row(Enrolment, consented_on="2012-02-20", is_enrolled=True, cohort="MAIN")],
        "demographics": [row(Demographics, born_on="1980-05-17", sex="F", races=["WHITE"])],
    }
    lists = {name: list(rows) for name, rows in (defaults | forms).items()}
    assert lists.keys() <= {name for name, _ in FORMS.values()} | {"counts"}
    return Casebook(number, "001", "DEU", "EUROPE", **lists)


def treated(number: str = "SYN-001-001", **forms: Any) -> Casebook:
    """The casebook of a patient who was given cycle 1 and cycle 2, unless the infusions are said."""
    return casebook(number, **({"intervals": [*CYCLE_1, *CYCLE_2]} | forms))


def derived(book: Casebook, cutoff: date = FAR, **parameters: Any) -> Patient:
    """The patient derived from a casebook."""
    return derive_patient(book, Parameters(**parameters), cutoff)


def responder(*, blasts: float = 2, **forms: Any) -> Casebook:
    """The casebook of a patient with a CR on 29 March 2012, four weeks after the first dose."""
    first = {
        "marrows": [marrow("2012-02-25", 80), marrow("2012-03-29", blasts), *forms.pop("marrows", [])],
        "counts": [blood("2012-03-29"), *forms.pop("counts", [])],
    }
    return treated(**(first | forms))
