"""Patients, their forms, the records of a form, and what became of each record."""

from typing import Any

import django_filters
import django_tables2 as tables
from django import forms
from django.core.exceptions import BadRequest
from django.db.models import Exists, Min, OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from patients.casebook import (
    Shown,
    casebook_of,
    children_of,
    columns_with_answers,
    kept_columns,
    records_of,
    show_record,
    wide_column,
)
from patients.models import Death, Demographics, EndOfStudy, Enrolment, InfusionInterval, Transplant
from trial.access import Permission, StaffRequest, requires, sees_all_patients, sites_visible_to
from trial.changes import changes_of_record
from trial.models import FormEntry, Patient, Site, Study
from trial.records import PatientRecord, record_model, record_models
from trial.wording import COUNTRIES, word_answer, word_date, word_partial_date, word_record

PATIENTS_A_PAGE = 50
SELECT = {"class": "form-select form-select-sm"}
SIDE_BY_SIDE = 3  # up to so many records of a form stand beside each other, question by question; more make a table


class PatientFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """The search above the list of patients."""

    q = django_filters.CharFilter(
        label="Patient number",
        field_name="number",
        lookup_expr="icontains",
        max_length=60,
        widget=forms.TextInput(attrs={"class": "form-control form-control-sm"}),
    )
    site = django_filters.ModelChoiceFilter(
        label="Site", queryset=Site.objects.none(), empty_label="All sites", widget=forms.Select(attrs=SELECT)
    )
    status = django_filters.ChoiceFilter(
        label="Status",
        empty_label="All patients",
        method="of_status",
        choices=[("died", "Died"), ("alive", "No death recorded")],
        widget=forms.Select(attrs=SELECT),
    )

    class Meta:
        model = Patient
        fields: tuple[str, ...] = ()

    def of_status(self, patients: QuerySet[Patient], name: str, value: str) -> QuerySet[Patient]:
        """The patients whose death is recorded, or is not."""
        recorded = Exists(Death.objects.filter(patient=OuterRef("pk")))
        return patients.filter(recorded if value == "died" else ~recorded)


class PatientTable(tables.Table):  # type: ignore[misc]  # django-tables2 has no types
    """One row a patient."""

    number = tables.Column("Patient")
    site = tables.Column("Site", order_by=("site__number", "number"))
    country = tables.Column("Country", accessor="site__country")
    sex = tables.Column("Sex", empty_values=())
    born_on = tables.Column("Born")
    consented_on = tables.Column("Consent")
    prior_transplant = tables.BooleanColumn(verbose_name="Prior alloHSCT", yesno="Yes,No")
    first_dose_at = tables.Column("First dose")
    died_on = tables.Column("Status")

    class Meta:
        attrs: dict[str, str] = {"class": "table table-sm ledger"}
        order_by = "number"
        template_name = "components/table.html"

    def __init__(self, *args: Any, study: Study, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.study = study

    def render_number(self, value: str) -> SafeString:
        address = reverse("patient", args=[self.study.code, value])
        return format_html('<a href="{}">{}</a>', address, value)

    def render_sex(self, value: str | None) -> str:
        return word_answer(Demographics._meta.get_field("sex"), value) or "–"

    def render_country(self, value: str) -> str:
        return COUNTRIES.get(value, value)

    def render_born_on(self, value: str) -> str:
        return word_partial_date(value)

    def render_prior_transplant(self, value: bool) -> str:
        return "Yes" if value else "No"

    def render_consented_on(self, value: Any) -> str:
        return word_date(value)

    def render_first_dose_at(self, value: Any) -> str:
        return word_date(value.date())

    def render_died_on(self, value: str) -> str:
        return f"Died {word_partial_date(value)}"


def patients_with_facts(patients: QuerySet[Patient]) -> QuerySet[Patient]:
    """Patients with what the list shows of them, in one query."""

    def of_patient(model: type[PatientRecord], field: str) -> Subquery:
        return Subquery(model.objects.filter(patient=OuterRef("pk")).order_by("pk").values(field)[:1])

    first_dose = InfusionInterval.objects.filter(patient=OuterRef("pk"), dose_ug_per_day__gt=0).order_by()
    transplants = Transplant.objects.filter(patient=OuterRef("pk"), kind="ALLOGENEIC")
    return patients.select_related("site").annotate(
        sex=of_patient(Demographics, "sex"),
        born_on=of_patient(Demographics, "born_on"),
        consented_on=of_patient(Enrolment, "consented_on"),
        is_enrolled=of_patient(Enrolment, "is_enrolled"),
        first_dose_at=Subquery(first_dose.values("patient").annotate(first=Min("started_at")).values("first")),
        prior_transplant=Exists(transplants),
        died_on=of_patient(Death, "died_on"),
        ended_on=of_patient(EndOfStudy, "ended_on"),
    )


@requires(Permission.PATIENTS_VIEW, on=Study)
def patient_list(request: StaffRequest, study: Study) -> HttpResponse:
    """The patients whom the person may see, searched, narrowed and sorted."""
    visible = patients_with_facts(Patient.objects.visible_to(request.user).filter(study=study))
    sites = sites_visible_to(request.user, study)
    found = PatientFilter(request.GET, queryset=visible)
    found.filters["site"].queryset = sites
    if not found.form.is_valid():
        wrong = "; ".join(f"{found.form[name].label}: {' '.join(said)}" for name, said in found.form.errors.items())
        raise BadRequest(f"The list cannot be narrowed like that. {wrong}")
    table = PatientTable(found.qs, study=study)
    tables.RequestConfig(request, paginate=False).configure(table)
    table.paginate(per_page=PATIENTS_A_PAGE)  # not from the address: it would lift the limit
    table.page = table.paginator.get_page(request.GET.get("page"))
    context = {
        "study": study,
        "sites": sites,
        "filter": found,
        "table": table,
        "sees_all": sees_all_patients(request.user, study),
    }
    return render(request, "patients/list.html", context)


@requires(Permission.PATIENTS_VIEW, on=Patient)
def patient_page(request: StaffRequest, patient: Patient) -> HttpResponse:
    """The casebook of one patient: every form, how far it is, and when it last changed."""
    with_facts = patients_with_facts(Patient.objects.filter(pk=patient.pk)).get()
    casebook = casebook_of(patient)
    context = {"patient": patient, "facts": facts_of(with_facts), "casebook": casebook}
    return render(request, "patients/patient.html", context)


def facts_of(patient: Any) -> list[tuple[str, str]]:
    """What the head of a patient's pages says: a label, and words."""
    facts = [
        ("Sex", word_answer(Demographics._meta.get_field("sex"), patient.sex)),
        ("Born", word_partial_date(patient.born_on) if patient.born_on else ""),
        ("Consent", word_date(patient.consented_on) if patient.consented_on else ""),
        ("Enrolled", {True: "Yes", False: "No", None: ""}[patient.is_enrolled]),
        ("Prior alloHSCT", "Yes" if patient.prior_transplant else "No"),
        ("First dose", word_date(patient.first_dose_at.date()) if patient.first_dose_at else "None"),
        ("Status", f"Died {word_partial_date(patient.died_on)}" if patient.died_on else "No death recorded"),
        ("End of study", word_date(patient.ended_on) if patient.ended_on else ""),
    ]
    return [(label, words) for label, words in facts if words]


def _model(form: str) -> type[PatientRecord]:
    try:
        return record_model(form)
    except LookupError as error:
        raise Http404(str(error)) from error


def _parent(model: type[PatientRecord]) -> type[PatientRecord]:
    """The form on whose page a record of this model is shown."""
    return record_model(model.form.page)


@requires(Permission.PATIENTS_VIEW, on=Patient)
def form_page(request: StaffRequest, patient: Patient, form: str) -> HttpResponse:
    """All that one form says of one patient: the answers beside their questions, or a table when there are many rows."""
    model = _model(form)
    if model.form.part_of:
        return redirect("form", study=patient.study.code, patient=patient.number, form=model.form.part_of)
    entries = list(FormEntry.objects.filter(patient=patient, form=form).order_by("collected_on", "pk"))
    records = records_of(patient, model)
    rows = [
        [*show_record(record), *block] for record, block in zip(records, _blocks(patient, model, records), strict=True)
    ]
    codes = [(other.form.code, other.form.title) for other in record_models() if not other.form.part_of]
    here = [code for code, _ in codes].index(form)
    context = {
        "patient": patient,
        "form": model.form,
        "entries": entries,
        "notes": [entry for entry in entries if entry.is_not_done or entry.has_any is False or entry.comment],
        "records": records,
        "before": codes[here - 1] if here else None,
        "after": codes[here + 1] if here + 1 < len(codes) else None,
    }
    if not records:
        return render(request, "patients/form.html", context | {"layout": "empty"})
    if len(records) <= SIDE_BY_SIDE:
        questions = [(answers[0], answers) for answers in zip(*rows, strict=True)]
        named = [(record, word_record(record)) for record in records]
        return render(request, "patients/form.html", context | {"layout": "sheet", "rows": questions, "named": named})
    columns = columns_with_answers(rows)
    table = list(zip(records, [word_record(record) for record in records], kept_columns(rows, columns), strict=True))
    heads = [rows[0][n] for n in columns]
    return render(request, "patients/form.html", context | {"layout": "table", "rows": table, "heads": heads})


def _blocks(patient: Patient, model: type[PatientRecord], records: list[Any]) -> list[list[Shown]]:
    """For each record, the rows of its repeating block as columns: one a test or a criterion."""
    blocks: list[list[Shown]] = [[] for _ in records]
    for child, parent in children_of(model):
        column = wide_column(child, parent)
        if column is None:
            continue
        rows = list(child.objects.filter(patient=patient).order_by("pk"))
        by_key = {(getattr(row, f"{parent}_id"), getattr(row, column.name)): row for row in rows}
        present = {code for _, code in by_key}
        for code, label in column.flatchoices:
            if code in present:
                for record, block in zip(records, blocks, strict=True):
                    block.append(_in_one_cell(by_key.get((record.pk, code)), column.name, str(label)))
    return blocks


def _in_one_cell(row: Any, key: str, label: str) -> Shown:
    """A row of a block as one answer: the value as typed with its unit, else the only answer beside its key."""
    if row is None:
        return Shown(label, label, "", "")
    if hasattr(row, "value_text"):
        return Shown(label, label, row.unit_text or "", row.value_text or "", link=row, is_number=True)
    (answer,) = [shown for shown in show_record(row) if shown.name != key]
    return Shown(label, label, "", answer.text, answer.why_blank, link=row)


@requires(Permission.PATIENTS_VIEW, on=Patient)
def record_page(request: StaffRequest, patient: Patient, form: str, record: int) -> HttpResponse:
    """One record: its answers, what was last corrected by whom, and the rows of its repeating blocks."""
    model = _model(form)
    found = next((row for row in records_of_pk(patient, model, record)), None)
    if found is None:
        return redirect("record-history", study=patient.study.code, patient=patient.number, form=form, record=record)
    history = changes_of_record(model, record)
    corrected = {
        field.name: (change, field)
        for change in reversed(history)
        if change.kind == "changed"
        for field in change.fields
    }
    blocks = []
    for child, parent in children_of(model):
        rows = list(child.objects.filter(**{parent: record}).order_by("pk"))
        shown = [show_record(row) for row in rows]
        columns = columns_with_answers(shown)
        kept = kept_columns(shown, columns)
        heads = [(answer.label, answer.is_number) for answer in kept[0]] if kept else []
        blocks.append((child.form, heads, list(zip(rows, kept, strict=True))))
    context = {
        "patient": patient,
        "form": model.form,
        "page_form": _parent(model).form,
        "record": found,
        "name": word_record(found),
        "answers": [(answer, corrected.get(answer.name)) for answer in show_record(found)],
        "entered": history[-1],
        "latest": history[0],
        "blocks": blocks,
    }
    return render(request, "patients/record.html", context)


def records_of_pk(patient: Patient, model: type[PatientRecord], record: int) -> QuerySet[Any]:
    """The record of that number if it is this patient's."""
    return model.objects.filter(Q(patient=patient), pk=record).select_related("entry")


@requires(Permission.HISTORY_VIEW, on=Patient)
def record_history(request: StaffRequest, patient: Patient, form: str, record: int) -> HttpResponse:
    """Every version of one record: what changed, from what to what, who, when and why. Newest first."""
    model = _model(form)
    history = [change for change in changes_of_record(model, record) if change.patient == patient.pk]
    if not history:
        raise Http404(f"Patient {patient} never had a record {record} of the form {form}.")
    context = {
        "patient": patient,
        "form": model.form,
        "page_form": _parent(model).form,
        "record": record,
        "name": history[0].name,
        "history": history,
        "is_deleted": history[0].kind == "deleted",
        "asked_field": request.GET.get("field", ""),
    }
    return render(request, "patients/history.html", context)
