"""The report: what it says, the figures, the patients behind each number, and the search from anywhere."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from analysis.catalogue import NotInCatalogue, entries
from analysis.disclosure import CannotExport, Disclosure, patients_named
from analysis.export import FORMATS, export_zip
from analysis.forms import ExportForm
from analysis.live import live_report
from analysis.report import Report, population_in_words, svg_of
from analysis.results import Figure, Output, Result, Row, Table
from analysis.tables.groups import ALL, COHORTS, PRIOR
from trial.access import Permission, StaffRequest, may, requires
from trial.access_record.keeping import shows, takes_away
from trial.models import Patient, Study
from trial.records import record_model, record_models

CHAPTERS = {
    "1": "Patients",
    "2": "Baseline",
    "3": "Treatment",
    "4": "Response",
    "5": "Survival",
    "6": "Safety",
    "9": "Published figures",
}

# Which forms a number is made from, by the beginning of the output's number: where to go from a patient behind it.
SOURCES = {
    "F-1.2": ("ENR", "EOT", "NSCT"),
    "T-2.1": ("DM", "PS", "ALLH", "BDIS"),
    "T-2.3": ("HSCT",),
    "T-2.4": ("HSCT", "EX"),
    "T-3.1": ("EX", "CYC"),
    "T-4.1": ("BM", "LBH", "EMD"),
    "T-4.2": ("BM", "LBH", "EMD"),
    "T-4.3": ("BM", "MRD"),
    "T-5.1": ("BM", "REL", "SFU", "DTH"),
    "F-5.2": ("BM", "REL", "SFU", "DTH"),
    "T-5.3": ("DTH", "SFU"),
    "F-5.4": ("DTH", "SFU"),
    "T-5.10": ("SFU", "DTH", "EOS"),
    "T-6.1": ("AE",),
    "T-6.3": ("AE",),
    "T-6.4": ("AE", "NEU"),
    "T-6.5": ("AE", "CRS"),
    "T-6.6": ("AE", "GVA", "GVC", "HO"),
    "L-6.8": ("AE", "DTH"),
    "A-9.3": ("BM", "AE", "DTH"),
}

# The first numbers of the report's own page: the output, what is measured, the kind of number, the words above it.
HEADLINES = (
    ("T-4.1", "CR/CRh", "count", "CR or CRh within two cycles"),
    ("T-4.3", "MRD response", "count", "MRD response among them"),
    ("T-5.1", "RFS", "median", "Median relapse-free survival, months"),
    ("T-5.3", "OS", "median", "Median overall survival, months"),
)
FRONT_FIGURES = ("F-5.4", "F-5.2")


@dataclass(frozen=True, slots=True)
class Asked:
    """The state of a report's page, as its address has it."""

    cohort: str
    cutoff: str
    as_of: str

    @property
    def query(self) -> str:
        """What an address adds to keep the state; nothing for the report as it is now."""
        state = {"cohort": self.cohort if self.cohort != PRIOR.key else "", "cutoff": self.cutoff, "as_of": self.as_of}
        chosen = {name: value for name, value in state.items() if value}
        return f"?{urlencode(chosen)}" if chosen else ""


def _asked(request: StaffRequest) -> Asked:
    given = {name: request.GET.get(name, "").strip() for name in ("cohort", "cutoff", "as_of")}
    return Asked(given["cohort"] or PRIOR.key, given["cutoff"], given["as_of"])


def _report(request: StaffRequest, study: Study) -> tuple[Report, dict[str, Any]]:
    """The report that was asked for, and what every page of it shows. An unknown cohort or instant is 404 or 400."""
    asked = _asked(request)
    try:
        report = live_report(request.user, study, cohort=asked.cohort, as_of=asked.as_of, cutoff=asked.cutoff)
    except NotInCatalogue as error:
        if error.status == 400:
            raise BadRequest(str(error)) from error
        raise Http404(str(error)) from error
    chapters: dict[str, list[Output]] = {}
    for output in report.outputs:
        chapters.setdefault(CHAPTERS[output.number[2]], []).append(output)
    context = {
        "study": study,
        "report": report,
        "asked": asked,
        "cohorts": COHORTS.values(),
        "chapters": list(chapters.items()),
        "may_export": may(request.user, Permission.DATA_EXPORT, study),
        "formats": list(FORMATS),
    }
    return report, context


def _output(report: Report, number: str) -> Output:
    found = next((output for output in report.outputs if output.number == number.upper()), None)
    if found is None:
        known = ", ".join(output.number for output in report.outputs)
        raise Http404(f"There is no output {number}. Choose from {known}.")
    return found


def address_of(result: Result) -> str:
    """What names a cell in an address: the same number of the same output, wherever its row stands today."""
    named = (result.group, result.variable, result.level, result.statistic)
    return hashlib.blake2s(repr(named).encode(), digest_size=5).hexdigest()


@requires(Permission.REPORT_VIEW, on=Study, reveals=False)
def report_page(request: StaffRequest, study: Study) -> HttpResponse:
    """The first numbers and curves, and the outputs in order."""
    report, context = _report(request, study)
    figures = [output for output in report.outputs if output.number in FRONT_FIGURES and output.figures]
    figures.sort(key=lambda output: FRONT_FIGURES.index(output.number))
    return render(request, "analysis/report.html", context | {"headlines": list(_headlines(report)), "fronts": figures})


def _headlines(report: Report) -> Iterator[tuple[str, Output, Result, str]]:
    by_number = {output.number: output for output in report.outputs}
    for number, variable, statistic, words in HEADLINES:
        output = by_number.get(number)
        for result in output.results if output else ():
            if (result.group, result.variable, result.statistic) == (report.cohort.name, variable, statistic):
                assert output is not None
                yield words, output, result, address_of(result)
                break


@requires(Permission.REPORT_VIEW, on=Study)
def output_page(request: StaffRequest, study: Study, output: str) -> HttpResponse:
    """One output: its figures, its tables with a link in each cell to the patients behind it, its footnotes."""
    report, context = _report(request, study)
    found = _output(report, output)
    here = report.outputs.index(found)
    listed = {number for table in found.tables if is_listing(table) for number in patients_of(table)}
    shows(request, patients_named(report.basis, listed))
    context |= {
        "output": found,
        "population": population_in_words(found.population),
        "before": report.outputs[here - 1] if here else None,
        "after": report.outputs[here + 1] if here + 1 < len(report.outputs) else None,
        "tables": [(table, is_listing(table), list(_rows(table))) for table in found.tables],
    }
    return render(request, "analysis/output.html", context)


def is_listing(table: Table) -> bool:
    """Whether the table holds words, which are set to the left, and not numbers alone."""
    return any(cell is not None and cell.statistic == "listed" for row in table.rows for cell in row.cells)


def patients_of(table: Table) -> set[str]:
    """The numbers of all patients behind the cells of a table."""
    return {number for row in table.rows for cell in row.cells if cell for number in cell.patients}


def _rows(table: Table) -> Iterator[tuple[Row, list[tuple[Result | None, str]]]]:
    """Each row with its cells, and beside each cell what names it in an address."""
    for row in table.rows:
        yield row, [(cell, address_of(cell) if cell else "") for cell in row.cells]


@requires(Permission.REPORT_VIEW, on=Study)
def patients_behind(request: StaffRequest, study: Study, output: str, cell: str) -> HttpResponse:
    """The patients behind one number, each with the way to the forms that it was made from."""
    report, context = _report(request, study)
    found = _output(report, output)
    for table in found.tables:
        for row in table.rows:
            for result in row.cells:
                if result and address_of(result) == cell:
                    return _behind(request, report, context, found, row.label, result)
    raise Http404(f"That number is not in {found.number} any more. Look at the output as it is now.")


def _behind(
    request: StaffRequest, report: Report, context: dict[str, Any], output: Output, label: str, result: Result
) -> HttpResponse:
    keys = patients_named(report.basis, result.patients)  # a number may be another patient's today
    visible = Patient.objects.visible_to(request.user).filter(study=context["study"])
    patients = visible.filter(pk__in=keys).select_related("site").order_by("number")
    shows(request, keys)
    sources = [record_model(code).form for code in SOURCES.get(output.number, ())]
    context |= {"output": output, "label": label, "result": result, "patients": patients, "sources": sources}
    return render(request, "analysis/patients.html", context)


def _figure(request: StaffRequest, study: Study, output: str, number: int) -> Figure:
    report, _ = _report(request, study)
    figures = _output(report, output).figures
    if number >= len(figures):
        raise Http404(f"{output} has {len(figures)} figures, counted from 0.")
    return figures[number]


@requires(Permission.REPORT_VIEW, on=Study, is_part=True)
def figure_json(request: StaffRequest, study: Study, output: str, number: int) -> JsonResponse:
    """A figure's Vega-Lite specification, with its data inside."""
    return JsonResponse(_figure(request, study, output, number).spec)


@requires(Permission.REPORT_VIEW, on=Study, is_part=True)
def figure_svg(request: StaffRequest, study: Study, output: str, number: int) -> HttpResponse:
    """A figure as a picture, for a browser that runs no script and for print."""
    drawn = svg_of(_figure(request, study, output, number))
    return HttpResponse(drawn, content_type="image/svg+xml")


@requires(Permission.DATA_EXPORT, on=Study, again=True)
@require_http_methods(["GET", "HEAD", "POST"])
def export_datasets(request: StaffRequest, study: Study) -> HttpResponse:
    """The ADaM datasets of the report's state as one zip file, with the manifest that repeats them. Asks what for, and for whom."""
    if request.method != "POST":
        shows(request, ())
        asked = {name: request.GET[name] for name in ("cohort", "cutoff", "as_of") if name in request.GET}
        initial = {"cohort": ALL.key, "format": list(FORMATS)} | asked
        return render(
            request, "analysis/export_page.html", {"study": study, "form": ExportForm(initial=initial, study=study)}
        )
    form = ExportForm(request.POST, study=study)
    packed = _pack(request, study, form) if form.is_valid() else None
    if packed is None:
        return render(request, "analysis/export_page.html", {"study": study, "form": form}, status=400)
    name, content = packed
    response = HttpResponse(content, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _pack(request: StaffRequest, study: Study, form: ExportForm) -> tuple[str, bytes] | None:
    """The zip file that a valid form asks for; none where it cannot be made, and then the form says why."""

    def keep(left: Disclosure) -> None:
        shows(request, left.patients)
        takes_away(
            request,
            what=left.name,
            purpose=left.purpose,
            recipient=left.recipient,
            content_hash=left.content_hash,
        )

    asked = form.cleaned_data
    try:
        return export_zip(
            request.user,
            study=study.code,
            cohort=asked["cohort"],
            as_of=asked["as_of"] or None,
            cutoff=asked["cutoff"] or None,
            formats=asked["format"],
            purpose=asked["purpose"],
            recipient=asked["recipient"],
            keep=keep,
        )
    except (NotInCatalogue, CannotExport) as error:
        form.add_error(None, str(error))
        return None


@requires(Permission.HOME_VIEW, on=Study)
def search(request: StaffRequest, study: Study) -> HttpResponse:
    """What a few typed letters mean: a patient's number, a form, an output. A single exact answer is opened at once."""
    asked = request.GET.get("q", "").strip()[:60]
    patients: list[Patient] = []
    outputs: list[Any] = []
    forms: list[Any] = []
    if asked:
        words = asked.split()
        visible = Patient.objects.visible_to(request.user).filter(study=study).select_related("site")
        patients = list(visible.filter(number__icontains=words[0]).order_by("number")[:26])
        if may(request.user, Permission.REPORT_VIEW, study):
            outputs = [
                entry for entry in entries(study.code) if asked.lower() in f"{entry.number} {entry.title}".lower()
            ]
        if may(request.user, Permission.PATIENTS_VIEW, study):
            wanted = words[-1].lower()
            every = [model.form for model in record_models() if not model.form.part_of]
            forms = [form for form in every if wanted == form.code.lower() or asked.lower() in form.title.lower()]
        exact = [entry for entry in outputs if entry.number.lower() == asked.lower()]
        if exact:
            return redirect("report-output", study=study.code, output=exact[0].number)
        if len(patients) == 1 and len(words) == 2 and len(forms) == 1:
            return redirect("form", study=study.code, patient=patients[0].number, form=forms[0].code)
        if len(patients) == 1 and len(words) == 1 and not outputs:
            return redirect("patient", study=study.code, patient=patients[0].number)
    shows(request, patients[:25])
    context = {
        "study": study,
        "asked": asked,
        "patients": patients[:25],
        "more": len(patients) > 25,
        "outputs": outputs,
        "forms": forms,
    }
    return render(request, "analysis/search.html", context)
