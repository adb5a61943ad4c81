"""The columns of a table: a cohort, the patients in it, and what the analysis knows of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from analysis.derive import Datasets
from trial.parameters import Parameters


@dataclass(frozen=True, slots=True)
class Cohort:
    """Patients that a report can be about: its key on the command line, its name in a column, its set of STUDY A.3."""

    key: str
    name: str
    code: str
    flag: str


PRIOR = Cohort("prior-allohsct", "Prior alloHSCT", "PHSCT", "PHSCTFL")
NAIVE = Cohort("no-prior-allohsct", "No prior alloHSCT", "NAIVE", "NAIVEFL")
ALL = Cohort("all", "All treated", "FAS", "FASFL")
COHORTS = {cohort.key: cohort for cohort in (PRIOR, NAIVE, ALL)}


@dataclass(frozen=True, eq=False)
class Group:
    """One column: the treated patients of a cohort, or those of them who responded. `adsl` has the patient as its index."""

    cohort: Cohort
    adsl: pd.DataFrame
    members_are: str = ""  # what the patients of the column have in common beside the cohort
    _values: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The cohort's name; with the number of patients it is the head of the column."""
        return self.cohort.name

    @property
    def heading(self) -> str:
        """The head of the column: `Prior alloHSCT (N=64)`."""
        who = f"{self.name}, {self.members_are}" if self.members_are else self.name
        return f"{who} (N={len(self.adsl)})"

    @cached_property
    def patients(self) -> tuple[str, ...]:
        """The patients of the column, sorted."""
        return tuple(self.adsl.index)

    @cached_property
    def members(self) -> frozenset[str]:
        """The patients of the column, as a set."""
        return frozenset(self.patients)

    def flagged(self, *flags: str) -> tuple[str, ...]:
        """The patients of the column with every one of these flags set."""
        set_flags = zip(*(self.values(flag) for flag in flags), strict=True)
        return tuple(patient for patient, row in zip(self.patients, set_flags, strict=True) if set(row) == {"Y"})

    def values(self, column: str) -> list[Any]:
        """The values of a column of ADSL, in the order of the patients. A table asks some thousand times, so they are kept."""
        if column not in self._values:
            self._values[column] = self.adsl[column].tolist()
        return self._values[column]

    def only(self, patients: Iterable[str], *, are: str = "") -> "Group":
        """The same column, with these of its patients alone. `are` says in its head what they have in common."""
        return Group(self.cohort, self.adsl[self.adsl.index.isin(list(patients))], are)

    def rows_of(self, dataset: pd.DataFrame) -> pd.DataFrame:
        """The rows of a dataset that belong to the patients of this column."""
        return dataset[dataset["USUBJID"].isin(self.patients)]


@dataclass(frozen=True, eq=False)
class Analysis:
    """What every output is made from: the datasets, the parameters of the study, and the cohort that comes first."""

    datasets: Datasets
    parameters: Parameters
    cohort: Cohort = PRIOR
    is_synthetic: bool = False

    @cached_property
    def adsl(self) -> pd.DataFrame:
        """ADSL with the patient as its index, sorted."""
        return self.datasets.adsl.set_index("USUBJID", drop=False).sort_index()

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The three standard columns, the chosen cohort first."""
        order = [self.cohort, *(cohort for cohort in COHORTS.values() if cohort != self.cohort)]
        return tuple(self.group(cohort) for cohort in order)

    @cached_property
    def responders(self) -> tuple[Group, ...]:
        """The three standard columns, with CR or CRh within two cycles (RESP)."""
        return tuple(group.only(group.flagged("RESPFL"), are="responders") for group in self.groups)

    def group(self, cohort: Cohort) -> Group:
        """One cohort as a column, whichever the report is about."""
        treated = self.adsl[(self.adsl["FASFL"] == "Y") & (self.adsl[cohort.flag] == "Y")]
        return Group(cohort, treated)


Choose = Callable[[Group], Iterable[str]]


def having(column: str, *levels: object) -> Choose:
    """Choose the patients whose value in a column of ADSL is one of these."""

    def choose(group: Group) -> tuple[str, ...]:
        values = zip(group.patients, group.values(column), strict=True)
        return tuple(patient for patient, value in values if value in levels)

    return choose


def from_to(column: str, least: float, below: float = float("inf")) -> Choose:
    """Choose the patients whose number in a column of ADSL is at least `least` and under `below`."""

    def choose(group: Group) -> tuple[str, ...]:
        values = zip(group.patients, group.values(column), strict=True)
        return tuple(patient for patient, value in values if least <= value < below)  # NaN is in no range

    return choose


def known(column: str) -> Choose:
    """Choose the patients who have a value in a column of ADSL."""

    def choose(group: Group) -> tuple[str, ...]:
        values = zip(group.patients, group.values(column), strict=True)
        return tuple(patient for patient, value in values if pd.notna(value))

    return choose


def flagged(*flags: str) -> Choose:
    """Choose the patients who have every one of these flags of ADSL."""
    return lambda group: group.flagged(*flags)


def those(patients: Iterable[str]) -> Choose:
    """Choose these patients, whichever the column."""
    chosen = frozenset(patients)

    def choose(group: Group) -> tuple[str, ...]:
        return tuple(patient for patient in group.patients if patient in chosen)

    return choose
