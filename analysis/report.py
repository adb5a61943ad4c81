"""The report: extract, derive, tables; as an object for the pages, as JSON for programs, as one HTML file for print."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from django.db import connection
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from analysis.catalogue import NotInCatalogue, choose, entries
from analysis.derive import Datasets, derive
from analysis.derive.rows import FORMS_READ
from analysis.extract import ALL_SITES, EVERYTHING, Extract, Operator, extract, instant_text
from analysis.results import Figure, Output, Result
from analysis.tables.groups import COHORTS, PRIOR, Analysis, Cohort
from trial.access import Permission, Viewer, studies_visible_to
from trial.days import NotADay
from trial.days import read_day as read_typed_day
from trial.models import Study
from trial.version import version

__all__ = ["EVERYTHING", "Basis", "NotInCatalogue", "Report", "prepare", "report", "report_html"]

SYNTHETIC = "SYNTHETIC DATA – reconstructed from published summary figures, not patient data"

# The analysis sets of STUDY A.3 as pages word them, by the code of the set.
SETS = {
    "SCR": "patients who signed consent",
    "FAS": "treated patients",
    "SAF": "treated patients",
    "PHSCT": "treated patients with a relapse after an earlier alloHSCT",
    "NAIVE": "treated patients without an earlier alloHSCT",
    "RESP": "treated patients with CR or CRh within two cycles",
}


@dataclass(frozen=True, eq=False)
class Basis:
    """What a report or an export is made from: the records that were read, the datasets derived from them, the cohort."""

    extract: Extract
    datasets: Datasets
    cohort: Cohort

    @property
    def header(self) -> dict[str, Any]:
        """What pages, JSON and manifests always carry, so that anything can be repeated (DESIGN 9)."""
        return {
            "study": self.extract.study.code,
            "cohort": self.cohort.key,
            "as_of": instant_text(self.extract.as_of),
            "cutoff": self.extract.cutoff.isoformat(),
            "synthetic": self.extract.study.is_synthetic,
            "marrow": version(),
            "scope": self.extract.scope,
        }


@dataclass(frozen=True, eq=False)
class Report:
    """Finished outputs and what they were made from."""

    basis: Basis
    outputs: tuple[Output, ...]

    @property
    def study(self) -> Study:
        """The study, as it was at the instant."""
        return self.basis.extract.study

    @property
    def cohort(self) -> Cohort:
        """The cohort of the first column."""
        return self.basis.cohort

    @property
    def as_of(self) -> datetime:
        """The settled instant (UTC) that the report holds whole."""
        return self.basis.extract.as_of

    @property
    def cutoff(self) -> date:
        """The clinical cut-off: nothing dated later counts."""
        return self.basis.extract.cutoff

    @property
    def is_synthetic(self) -> bool:
        """Whether the data are made up."""
        return self.study.is_synthetic

    @property
    def scope(self) -> str:
        """Whose patients these are, in words: all sites, or those of the viewer."""
        return self.basis.extract.scope

    def as_dict(self) -> dict[str, Any]:
        """The JSON of DESIGN 9: every unrounded result with its patients."""
        return self.basis.header | {"outputs": [_output_as_dict(output) for output in self.outputs]}

    def as_json(self) -> str:
        """`as_dict` as text, with non-ASCII characters as they are."""
        return json.dumps(self.as_dict(), ensure_ascii=False, allow_nan=False)


def report(
    viewer: Viewer | Operator,
    *,
    study: str | None = None,
    cohort: str = PRIOR.key,
    as_of: str | datetime | None = None,
    cutoff: str | date | None = None,
    outputs: Sequence[str] | None = None,
) -> Report:
    """Make the outputs of a study for a viewer. Without a study: the one that the viewer sees; without outputs: all.

    Raises `NotInCatalogue`, with one sentence that lists what would be right, before anything is read.
    """
    found = find_study(viewer, study)
    chosen = choose(found.code, outputs)
    basis = prepare(viewer, study=found, cohort=cohort, as_of=as_of, cutoff=cutoff)
    analysis = Analysis(
        basis.datasets, basis.extract.parameters, basis.cohort, is_synthetic=basis.extract.study.is_synthetic
    )
    if read_in_part(basis.extract):
        # Published figures are those of the whole study. Beside the numbers of one site every line would differ.
        if outputs and any(entry.base == "published" for entry in chosen):
            raise NotInCatalogue(
                f"The published figures are of the whole study, and you see {basis.extract.scope}. "
                f"Choose from {', '.join(entry.number for entry in entries(found.code) if entry.base != 'published')}."
            )
        chosen = tuple(entry for entry in chosen if entry.base != "published")
    return Report(basis, tuple(entry.output(analysis) for entry in chosen))


def read_in_part(read: Extract) -> bool:
    """Whether the viewer sees some of the patients only."""
    return read.scope != ALL_SITES


def prepare(
    viewer: Viewer | Operator,
    *,
    study: Study,
    cohort: str = PRIOR.key,
    as_of: str | datetime | None = None,
    cutoff: str | date | None = None,
    permission: Permission = Permission.REPORT_VIEW,
) -> Basis:
    """Read and derive what a report or an export needs, of whom the viewer's roles with that permission see.

    Raises `NotInCatalogue` as `report` does.
    """
    about = find_cohort(cohort)
    instant, last_day = read_instant(as_of), read_day(cutoff)
    read = extract(viewer, study, as_of=instant, cutoff=last_day, forms=FORMS_READ, permission=permission)
    return Basis(read, derive(read.frames, read.parameters, read.cutoff), about)


def find_study(viewer: Viewer | Operator, code: str | None) -> Study:
    """The study with this code among those the viewer sees; without a code the only one. Raises `NotInCatalogue`."""
    if isinstance(viewer, Operator) and Study._meta.db_table not in connection.introspection.table_names():
        raise NotInCatalogue("There is no study here yet. `./marrow demo` builds one.")
    visible = Study.objects.all() if isinstance(viewer, Operator) else studies_visible_to(viewer)
    studies = {study.code: study for study in visible.order_by("code")}
    if code is None and len(studies) == 1:
        return next(iter(studies.values()))
    if code in studies:
        return studies[code]
    if not studies:
        raise NotInCatalogue("There is no study here yet.")
    if code is None:
        raise NotInCatalogue(f"There are several studies. Choose one of {', '.join(studies)}.", status=400)
    raise NotInCatalogue(f"There is no study '{code}'. Choose from {', '.join(studies)}.")


def find_cohort(key: str) -> Cohort:
    """The cohort with this key. Raises `NotInCatalogue`."""
    if key not in COHORTS:
        raise NotInCatalogue(f"There is no cohort '{key}'. Choose from {', '.join(COHORTS)}.")
    return COHORTS[key]


def read_instant(text: str | datetime | None) -> datetime | None:
    """An instant in UTC. A day alone is the end of that day, a time without a zone is UTC. Raises `NotInCatalogue`.

    Empty text asks for nothing, like None.
    """
    if isinstance(text, datetime):
        return text
    if not text:
        return None
    try:
        with suppress(NotADay):
            return datetime.combine(read_typed_day(text), time.max, tzinfo=UTC)
        if text[4:5] != "-":  # eight digits are more likely a number of something else
            raise ValueError(text)
        instant = datetime.fromisoformat(text)
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:  # an overflow: the first or the last hours of the calendar elsewhere
        raise NotInCatalogue(
            f"'{text}' is not an instant. Write it as 2014-09-30 (the end of that day) or 2014-09-30T12:00:00Z.",
            status=400,
        ) from error


def read_day(text: str | date | None) -> date | None:
    """A clinical cut-off. Empty text asks for nothing, like None. Raises `NotInCatalogue`."""
    if isinstance(text, date):
        return text
    if not text:
        return None
    try:
        return read_typed_day(text)
    except NotADay as error:
        raise NotInCatalogue(f"'{text}' is not a date. Write the cut-off as 2014-09-30.", status=400) from error


def result_as_dict(result: Result) -> dict[str, Any]:
    """A result as DESIGN 9 writes it, and beside it what is its own (A-9.3: published, check, verdict, source, tag)."""
    return {
        "group": result.group,
        "variable": result.variable,
        "level": result.level,
        "statistic": result.statistic,
        "unit": result.unit,
        "value": result.value,
        "lower": result.lower,
        "upper": result.upper,
        "n": result.n,
        "N": result.N,
        "text": result.text,
        "patients": list(result.patients),
        **result.extra,
    }


def population_in_words(code: str) -> str:
    """An output's population for people, with its code: `treated patients (FAS)`. A code without words stands alone."""
    words = SETS.get(code.removeprefix("SAF ").removesuffix("-R"), "")
    if not words:
        return code
    responded = " and with CR or CRh within two cycles" if code.endswith("-R") else ""
    return f"{words}{responded} ({code})"


def svg_of(figure: Figure) -> SafeString:
    """A figure as SVG without scripts or outside references, made here and not by a browser."""
    import vl_convert  # here and not above: it is large, and only print needs it

    return mark_safe(vl_convert.vegalite_to_svg(dict(figure.spec)))  # noqa: S308 - made from our own specification


def report_html(made: Report) -> str:
    """The report as one HTML file that needs nothing beside it: tables, figures as SVG, footnotes, how to repeat it."""
    sections = [
        {
            "output": output,
            "population": population_in_words(output.population),
            "pictures": [(svg_of(figure), figure.description) for figure in output.figures],
        }
        for output in made.outputs
    ]
    header = made.basis.header
    context = {"report": made, "header": header, "sections": sections, "synthetic": SYNTHETIC, "repeat": repeat(header)}
    return render_to_string("analysis/report_print.html", context)


def repeat(header: dict[str, Any], command: str = "report", *more: str) -> str:
    """The command that gives the same numbers again."""
    parts = [f"--study {header['study']}", f"--cohort {header['cohort']}"]
    parts += [f"--as-of {header['as_of']}", f"--cutoff {header['cutoff']}", *more]
    return f"./marrow {command} {' '.join(parts)}"


def _output_as_dict(output: Output) -> dict[str, Any]:
    # Words beside numbers are for the reader; a listing has nothing but words.
    numbers = [result for result in output.results if result.statistic != "listed"]
    return {
        "number": output.number,
        "title": output.title,
        "population": output.population,
        "footnotes": list(output.footnotes),
        "results": [result_as_dict(result) for result in numbers or output.results],
    }
