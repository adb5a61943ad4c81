"""Patients, their forms, the records of a form, and what became of each record."""

import hashlib
from datetime import date
from typing import Any
from urllib.parse import urlencode

import django_filters
import django_tables2 as tables
from django import forms
from django.core.paginator import Paginator
from django.db.models import BooleanField, Case, Exists, Min, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce
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
from patients.derived_values import STORED_WITH_RESULT, derived_of, graded_beside
from patients.models import (
    Death,
    Demographics,
    EarlierScreening,
    EndOfStudy,
    Enrolment,
    InfusionInterval,
    LaterConsent,
    Transplant,
    Withdrawal,
)
from patients.withdrawal import END_OF_STUDY, TREATMENT
from trial.access import Permission, StaffRequest, may, requires, sees_all_patients, sites_visible_to
from trial.access_record.keeping import shows, takes_away
from trial.changes import changes_of_record
from trial.models import FormEntry, Patient, Query, Site, Study, Transfer
from trial.records import PatientRecord, record_model, record_models
from trial.spreadsheets import CONTENT_TYPE, csv_lines
from trial.templatetags.marrow import icon
from trial.what_for import says_what_for
from trial.wording import COUNTRIES, word_answer, word_date, word_partial_date, word_record

PATIENTS_A_PAGE = 50
ROWS_A_PAGE = 50
YES_NO = {True: "Yes", False: "No", None: ""}
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
    prior_transplant = tables.Column("Prior alloHSCT", empty_values=())
    first_dose_at = tables.Column("First dose")
    died_on = tables.Column("Status", empty_values=())

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

    def value_number(self, value: str) -> str:
        return value

    def render_sex(self, value: str | None) -> str:
        return word_answer(Demographics._meta.get_field("sex"), value) or "–"

    def render_country(self, value: str) -> str:
        return COUNTRIES.get(value, value)

    def render_born_on(self, value: str) -> str:
        return word_partial_date(value)

    def render_prior_transplant(self, value: bool | None) -> str:
        return YES_NO[value] or "–"

    def render_consented_on(self, value: Any) -> str:
        return word_date(value)

    def render_first_dose_at(self, value: Any) -> str:
        return word_date(value.date())

    def render_died_on(self, record: Any) -> SafeString | str:
        words = status_of(record)
        if record.withdrawn_on or record.treatment_withdrawn_on:
            return format_html('<span class="withdrawn">{} {}</span>', icon("hand-stop"), words)
        return words or "–"

    def value_died_on(self, record: Any) -> str:
        return status_of(record)


def patients_with_facts(patients: QuerySet[Patient]) -> QuerySet[Patient]:
    """Patients with what the list shows of them, in one query."""

    def of_patient(model: type[PatientRecord], field: str) -> Subquery:
        return Subquery(model.objects.filter(patient=OuterRef("pk")).order_by("pk").values(field)[:1])

    first_dose = InfusionInterval.objects.filter(patient=OuterRef("pk"), dose_ug_per_day__gt=0).order_by()
    transplants = Transplant.objects.filter(patient=OuterRef("pk"))
    none = FormEntry.objects.filter(patient=OuterRef("pk"), form=Transplant.form.code, has_any=False)
    withdrawals = Withdrawal.objects.filter(patient=OuterRef("pk"), withdrawn_on__isnull=False)
    withdrawals = withdrawals.order_by("withdrawn_on")
    left = EndOfStudy.objects.filter(patient=OuterRef("pk"), reason=END_OF_STUDY).order_by("pk")
    return patients.select_related(
        "site"
    ).annotate(
        sex=of_patient(Demographics, "sex"),
        born_on=of_patient(Demographics, "born_on"),
        consented_on=of_patient(Enrolment, "consented_on"),
        is_enrolled=of_patient(Enrolment, "is_enrolled"),
        first_dose_at=Subquery(first_dose.values("patient").annotate(first=Min("started_at")).values("first")),
        prior_transplant=Case(
            When(Exists(transplants.filter(kind="ALLOGENEIC")), then=True),
            When(Exists(transplants) | Exists(none), then=False),
            output_field=BooleanField(null=True),  # nobody has said yet
        ),
        died_on=of_patient(Death, "died_on"),
        ended_on=of_patient(EndOfStudy, "ended_on"),
        withdrawn_on=Coalesce(
            Subquery(withdrawals.exclude(extent=TREATMENT).values("withdrawn_on")[:1]),
            Subquery(left.values("ended_on")[:1]),
        ),
        treatment_withdrawn_on=Subquery(withdrawals.values("withdrawn_on")[:1]),
    )


@requires(Permission.PATIENTS_VIEW, on=Study)
def patient_list(request: StaffRequest, study: Study) -> HttpResponse:
    """The patients whom the person may see, searched, narrowed and sorted."""
    found, table = _asked(request, study)
    return _list(request, study, found, table)


@requires(Permission.PATIENTS_VIEW, on=Study)
@says_what_for("patient-list")
def patient_list_csv(request: StaffRequest, study: Study) -> HttpResponse:
    """The list as it is narrowed and sorted, all pages of it, as CSV."""
    found, table = _asked(request, study)
    if table is None:
        return _list(request, study, found, table)
    heads, *rows = table.as_values()
    content = "".join(csv_lines(heads, rows)).encode()
    shows(request, list(found.qs.values_list("pk", flat=True)))
    takes_away(request, content_hash=hashlib.sha256(content).hexdigest())
    label = "synthetic-" if study.is_synthetic else ""
    response = HttpResponse(content, content_type=CONTENT_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{label}{study.code}-patients.csv"'
    return response


def _asked(request: StaffRequest, study: Study) -> tuple[PatientFilter, PatientTable | None]:
    """The narrowing that was asked for, and the sorted table of what it lets through; none where it cannot be read."""
    visible = patients_with_facts(Patient.objects.visible_to(request.user).filter(study=study))
    found = PatientFilter(request.GET, queryset=visible)
    found.filters["site"].queryset = sites_visible_to(request.user, study)
    if not found.form.is_valid():
        return found, None
    table = PatientTable(found.qs, study=study)
    tables.RequestConfig(request, paginate=False).configure(table)
    return found, table


def _list(request: StaffRequest, study: Study, found: PatientFilter, table: PatientTable | None) -> HttpResponse:
    """The page of the list: 400, with the form as it was typed, where the narrowing cannot be read."""
    context = {
        "study": study,
        "sites": sites_visible_to(request.user, study),
        "form": found.form,
        "table": table,
        "sees_all": sees_all_patients(request.user, study),
        "may_enrol": may(request.user, Permission.CASEBOOK_EDIT, study),
    }
    if table is None:
        return render(request, "patients/list.html", context, status=400)
    table.paginate(per_page=PATIENTS_A_PAGE)  # not from the address: it would lift the limit
    table.page = table.paginator.get_page(request.GET.get("page"))
    shows(request, [row.record for row in table.page.object_list])
    return render(request, "patients/list.html", context)


@requires(Permission.PATIENTS_VIEW, on=Patient)
def patient_page(request: StaffRequest, patient: Patient) -> HttpResponse:
    """The casebook of one patient: every form, how far it is, and when it last changed."""
    with_facts = patients_with_facts(Patient.objects.filter(pk=patient.pk)).get()
    casebook = casebook_of(patient)
    context = {
        "patient": patient,
        "facts": [*facts_of(with_facts), *happened_again(patient)],
        "casebook": casebook,
        "may_ask": may(request.user, Permission.QUERY_RAISE, patient),
        "queries": Query.objects.filter(patient=patient, entry=None).order_by("pk"),
        "may_see_access": may(request.user, Permission.ACCESS_VIEW, patient),
        "may_transfer": may(request.user, Permission.PATIENTS_TRANSFER, patient),
    }
    return render(request, "patients/patient.html", context)


def facts_of(patient: Any) -> list[tuple[str, str]]:
    """What the head of a patient's pages says: a label, and words."""
    facts = [
        ("Sex", word_answer(Demographics._meta.get_field("sex"), patient.sex)),
        ("Born", word_partial_date(patient.born_on) if patient.born_on else ""),
        ("Consent", word_date(patient.consented_on) if patient.consented_on else ""),
        ("Enrolled", YES_NO[patient.is_enrolled]),
        ("Prior alloHSCT", YES_NO[patient.prior_transplant]),
        ("First dose", word_date(patient.first_dose_at.date()) if patient.first_dose_at else "None"),
        ("Status", status_of(patient) or "No death recorded"),
        ("End of study", word_date(patient.ended_on) if patient.ended_on else ""),
    ]
    return [(label, words) for label, words in facts if words]


def status_of(patient: Any) -> str:
    """That a patient died, withdrew consent or failed screening; empty text where nothing of this is recorded."""
    said = [f"Died {word_partial_date(patient.died_on)}"] if patient.died_on else []
    if patient.withdrawn_on:
        said.append(f"Consent withdrawn {word_date(patient.withdrawn_on)}")
    elif patient.treatment_withdrawn_on:
        said.append(f"Treatment withdrawn {word_date(patient.treatment_withdrawn_on)}")
    if patient.is_enrolled is False:
        said.append("Failed screening")
    return ", ".join(said)


def happened_again(patient: Patient) -> list[tuple[str, str]]:
    """What a patient's pages say of what usually happens once: earlier screenings, later consents, other sites."""
    screenings = EarlierScreening.objects.filter(patient=patient).order_by("screened_on", "pk")
    consents = LaterConsent.objects.filter(patient=patient).order_by("consented_on", "pk")
    moves = Transfer.objects.filter(patient=patient).select_related("from_site", "to_site")
    facts = [
        *(("Failed screening", show_when(screening.screened_on)) for screening in screenings),
        *(("Consent again", f"{one.consent_version or ''} {show_when(one.consented_on)}".strip()) for one in consents),
        *(("Transferred", f"{move.from_site} to {move.to_site}, {word_date(move.transferred_on)}") for move in moves),
    ]
    return [(label, words) for label, words in facts if words]


def show_when(day: date | None) -> str:
    """A day in words; empty text where it is not known."""
    return word_date(day) if day else ""


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
    every = records_of(patient, model)
    page = Paginator(every, ROWS_A_PAGE).get_page(request.GET.get("page"))
    records = list(page.object_list)
    rows = [[*show_record(record), *block] for record, block in zip(records, _blocks(model, records), strict=True)]
    derived = derived_of(patient, model, records)
    codes = [(other.form.code, other.form.title) for other in record_models() if not other.form.part_of]
    here = [code for code, _ in codes].index(form)
    context = {
        "patient": patient,
        "form": model.form,
        "entries": entries,
        "notes": _notes(entries, every, records),
        "page": page,
        "before": codes[here - 1] if here else None,
        "after": codes[here + 1] if here + 1 < len(codes) else None,
        "may_ask": may(request.user, Permission.QUERY_RAISE, patient),
        "ask": _address_to_ask(patient, form=form),
        "queries": Query.objects.filter(patient=patient, form=form, record=None).order_by("pk"),
        "may_add": not model.form.at_visits
        and (model.form.repeats or not every or _waits(entries, every))
        and may(request.user, Permission.CASEBOOK_EDIT, patient),
    }
    if not every:
        return render(request, "patients/form.html", context | {"layout": "empty"})
    if len(every) <= SIDE_BY_SIDE:
        lines = zip(*rows, strict=True)
        questions = [(line[0], line) for line in lines if any(answer.on_form for answer in line)]
        named = [(record, word_record(record)) for record in records]
        in_sheet = {"layout": "sheet", "rows": questions, "named": named, "derived": list(zip(*derived, strict=True))}
        return render(request, "patients/form.html", context | in_sheet)
    columns = columns_with_answers(rows)
    told = [n for n, line in enumerate(zip(*derived, strict=True)) if any(each.text for each in line)]
    derived = [[line[n] for n in told] for line in derived]
    names = [word_record(record) for record in records]
    table = list(zip(records, names, kept_columns(rows, columns), derived, strict=True))
    heads = [rows[0][n] for n in columns]
    in_table: dict[str, Any] = {"layout": "table", "rows": table, "heads": heads, "derived_heads": derived[0]}
    in_table["has_grades"] = any(answer.derived for row in rows for answer in row)
    return render(request, "patients/form.html", context | in_table)


def _notes(entries: list[FormEntry], every: list[Any], on_page: list[Any]) -> list[FormEntry]:
    """The entries of a form of which a page says something above its rows: those of other pages say it there."""
    elsewhere = {record.entry_id for record in every} - {record.entry_id for record in on_page}
    said = (entry for entry in entries if entry.is_not_done or entry.has_any is False or entry.comment)
    return [entry for entry in said if entry.pk not in elsewhere]


def _waits(entries: list[FormEntry], records: list[Any]) -> bool:
    """Whether an entry of the form waits for its record."""
    filled = {record.entry_id for record in records}
    return any(e.pk not in filled and not e.is_not_done and e.has_any is None for e in entries)


def _blocks(model: type[PatientRecord], records: list[Any]) -> list[list[Shown]]:
    """For each record, the rows of its repeating block as columns: one a test or a criterion."""
    blocks: list[list[Shown]] = [[] for _ in records]
    for child, parent in children_of(model):
        column = wide_column(child, parent)
        if column is None:
            continue
        rows = list(child.objects.filter(**{f"{parent}__in": records}).order_by("pk"))
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
        unit, text = row.unit_text or "", row.value_text or ""
        return Shown(label, label, unit, text, link=row, is_number=True, derived=graded_beside(row))
    (answer,) = [shown for shown in show_record(row) if shown.name != key]
    return Shown(label, label, "", answer.text, answer.why_blank, link=row)


@requires(Permission.PATIENTS_VIEW, on=Patient)
def record_page(request: StaffRequest, patient: Patient, form: str, record: int) -> HttpResponse:
    """One record: its answers, what was last corrected by whom, and the rows of its repeating blocks."""
    model = _model(form)
    found = next((row for row in records_of_pk(patient, model, record)), None)
    if found is None:
        return redirect("record-history", study=patient.study.code, patient=patient.number, form=form, record=record)
    history = changes_of_record(model, patient.pk, record)
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
        stored = STORED_WITH_RESULT if hasattr(child, "value_text") else frozenset()
        heads = [(answer.label, answer.is_number, answer.name in stored) for answer in kept[0]] if kept else []
        blocks.append((child.form, heads, list(zip(rows, kept, strict=True))))
    queries = list(Query.objects.about(found).order_by("pk"))
    named = {answer.name for answer in model._meta.concrete_fields}
    of_field = {query.field: [each for each in queries if each.field == query.field] for query in queries}
    of_field = {name: asked for name, asked in of_field.items() if name in named}
    context = {
        "patient": patient,
        "form": model.form,
        "page_form": _parent(model).form,
        "record": found,
        "name": word_record(found),
        "answers": [
            (answer, corrected.get(answer.name), of_field.get(answer.name, ()))
            for answer in show_record(found)
            if answer.on_form
        ],
        "queries": [query for query in queries if query.field not in of_field],
        "may_ask": may(request.user, Permission.QUERY_RAISE, patient),
        "ask": _address_to_ask(patient, form=form, record=record),
        "derived": derived_of(patient, model, [found])[0],
        "entered": history[-1],
        "latest": history[0],
        "blocks": blocks,
        "may_edit": not model.form.part_of and may(request.user, Permission.CASEBOOK_EDIT, patient),
    }
    return render(request, "patients/record.html", context)


def _address_to_ask(patient: Patient, **place: Any) -> str:
    """Where a question about a place of the casebook is asked."""
    names = {"study": patient.study.code, "patient": patient.number}
    return f"{reverse('query-ask', kwargs=names)}?{urlencode(place)}"


def records_of_pk(patient: Patient, model: type[PatientRecord], record: int) -> QuerySet[Any]:
    """The record of that number if it is this patient's."""
    return model.objects.filter(Q(patient=patient), pk=record).select_related("entry")


@requires(Permission.HISTORY_VIEW, on=Patient)
def record_history(request: StaffRequest, patient: Patient, form: str, record: int) -> HttpResponse:
    """Every version of one record: what changed, from what to what, who, when and why. Newest first."""
    model = _model(form)
    history = changes_of_record(model, patient.pk, record)
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
