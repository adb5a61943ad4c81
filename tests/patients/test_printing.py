"""The casebook on paper: what is there, that nothing typed is read as markup, and that the same values give the same bytes."""

import io
import re
from datetime import UTC, datetime

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from patients.models import (
    Demographics,
    Enrolment,
    HaematologyResult,
    HaematologySample,
    MedicalHistory,
    Procedure,
    VitalSigns,
)
from patients.printing.blank import blank_casebook, blank_casebook_pdf
from patients.printing.characters import printable
from patients.printing.document import Answered, Document, FilledForm, FilledRecord, Part
from patients.printing.filled import filled_casebook, word_instant_at
from patients.printing.typesetting import typeset
from tests import make
from trial.audit import recording
from trial.models import AccessEvent, FormEntry, Query
from trial.records import record_models

AT = datetime(2014, 10, 1, 8, 30, tzinfo=UTC)


def text_of(pdf: bytes) -> str:
    """All text of a PDF on one line, without the places at which a line may break."""
    pages = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    return re.sub(r"\s+", " ", pages.replace("\u200b", ""))


def paper(*answers: str, name: str = "") -> Document:
    """A casebook with one form whose answers are these."""
    record = FilledRecord(name, tuple(Answered("Question", answer) for answer in answers), (), (), (), ())
    form = FilledForm("XX", "A form", "Complete", (), (record,), ())
    return Document(
        "A casebook", "S-1", "A study", "012 A site", "P-1", False, "today", (), (), (Part("A", "", (form,)),)
    )


def printed(patient) -> str:
    return text_of(typeset(filled_casebook(patient, AT), AT))


# Text as it can be printed


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("plain", "plain"),
        ("10 µL, ≥ 5 %, −3 °C, Łódź, Ελλάδα, Привет, שלום", "10 µL, ≥ 5 %, −3 °C, Łódź, Ελλάδα, Привет, שלום"),
        ("fever 😀", "fever ⟦U+1F600⟧"),
        ("日本", "⟦U+65E5⟧⟦U+672C⟧"),
        ("bell\x07", "bell⟦U+0007⟧"),
        ("turned\u202eround", "turned⟦U+202E⟧round"),
        ("e\u0301 and e\u20dd", "e\u0301 and e\u20dd"),
        ("two\r\nlines\rmore", "two\nlines\nmore"),
        ("a\tb", "a\tb"),
    ],
)
def test_what_the_fonts_lack_and_what_would_not_be_seen_is_printed_as_its_number(typed, expected):
    assert printable(typed) == expected


def test_a_run_of_too_many_different_signs_is_printed_as_their_numbers():
    assert printable("".join(chr(0x4E00 + n) for n in range(300))).replace("\u200b", "").count("⟦U+") == 300


def test_a_letter_that_no_font_has_is_printed_as_its_number_also_under_an_accent():
    assert printable("日\u0301") == "⟦U+65E5⟧\u0301"


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_whatever_was_typed_can_be_printed(typed):
    typeset(paper(printable(typed)), AT)


def test_a_very_long_word_may_break_and_loses_nothing():
    shown = printable("x" * 10_000)

    assert "\u200b" in shown
    assert shown.replace("\u200b", "") == "x" * 10_000


# Text is data


@pytest.mark.parametrize(
    "hostile",
    [
        "#panic()",
        "$x^2$ and $",
        "[content] *bold* _emphasis_ `raw` = Heading",
        '#eval("1+1") \\ // comment /* */ <label> @reference',
        '"; #let d = 1; "',
        "<script>alert(1)</script>",
        '{"a": "b"}',
    ],
)
def test_markup_is_printed_as_it_was_typed(hostile):
    assert hostile in text_of(typeset(paper(hostile, name=hostile), AT))


def test_ten_thousand_characters_are_all_on_paper():
    shown = text_of(typeset(paper("Z" * 10_000), AT))

    assert shown.count("Z") == 10_000


def test_the_same_values_at_the_same_instant_are_the_same_bytes():
    assert typeset(paper("one", "😀"), AT) == typeset(paper("one", "😀"), AT)


def test_the_pdf_is_tagged_has_a_title_a_language_and_bookmarks():
    reader = PdfReader(io.BytesIO(typeset(paper("one"), AT)))
    root = reader.trailer["/Root"]

    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert reader.metadata.title == "A casebook · S-1"
    assert "A" in [mark.title for mark in reader.outline if not isinstance(mark, list)]
    assert b"pdfuaid:part" in root["/Metadata"].get_data()
    assert b"pdfaid:part" in root["/Metadata"].get_data()


# A patient's casebook


def test_an_instant_is_told_by_the_clock_of_the_site_and_in_utc():
    from zoneinfo import ZoneInfo

    assert word_instant_at(AT, ZoneInfo("Europe/Madrid")) == "01-Oct-2014 10:30 Europe/Madrid (08:30 UTC)"
    late = datetime(2014, 10, 1, 23, 30, tzinfo=UTC)
    assert word_instant_at(late, ZoneInfo("Europe/Madrid")) == (
        "02-Oct-2014 01:30 Europe/Madrid (01-Oct-2014 23:30 UTC)"
    )


def test_every_form_of_a_patient_is_on_paper_with_who_entered_it(patient):
    for model in record_models():
        if not model.form.part_of:
            make.record(model, patient)

    shown = printed(patient)

    for model in record_models():
        if not model.form.part_of:
            assert f"{model.form.title} {model.form.code}" in shown, model.form.code
    assert "Entered" in shown
    assert "Page 1 of" in shown
    assert f"{patient.study.code} · Site {patient.site} · {patient.number}" in shown
    assert "01-Oct-2014" in shown


def test_answers_are_in_words_with_their_units_and_why_they_are_missing(patient):
    make.record(VitalSigns, patient, temperature_c=None, missing={"temperature_c": "ND"}, systolic_mmhg=None)
    make.record(Procedure, patient, done_on="2013-03")

    shown = printed(patient)

    assert "Diastolic 78 mmHg" in shown
    assert "Temperature Not done" in shown
    assert "Systolic No answer yet" in shown
    assert "UN-Mar-2013" in shown


def test_a_derived_answer_stands_under_its_record_with_its_rule(patient):
    make.record(Enrolment, patient)  # consent on 2013-03-04
    make.record(Demographics, patient, born_on="1980-05-17")

    assert "Age at consent: 32 years Whole years from birth to consent." in printed(patient)


def test_the_results_of_a_sample_are_a_table(patient):
    sample = make.record(HaematologySample, patient)
    make.record(HaematologyResult, patient, sample=sample)

    shown = printed(patient)

    assert "Test Result As typed Unit" in shown
    assert "Platelets 120 120 10^9/L" in shown


def test_a_changed_answer_is_marked_with_who_changed_it_and_why(patient, coordinator):
    history = make.record(MedicalHistory, patient, term="Hypertension")
    history.term = "Hypotension"
    with recording(by=coordinator, reason="Misread the letter."):
        history.save()

    shown = printed(patient)

    assert "Hypotension †" in shown
    assert re.search(r"Last changed \d\d-\w{3}-\d{4} [^†]*: Misread the letter\.", shown)


def test_a_changed_result_is_marked_in_its_table_and_said_with_its_form(patient, coordinator):
    result = make.record(HaematologyResult, patient)
    result.grade = 1
    with recording(by=coordinator, reason="Graded again."):
        result.save()

    shown = printed(patient)

    assert "1 †" in shown
    assert re.search(r"Last changed [^†]*: Graded again\.", shown)


def test_an_expected_form_a_form_not_done_and_a_form_with_nothing_to_report_say_so(patient, coordinator):
    with recording(by=coordinator, reason="First entry."):
        FormEntry.objects.create(patient=patient, form="VS", visit="C1D8")
        FormEntry.objects.create(
            patient=patient, form="PS", visit="C1D8", is_not_done=True, not_done_reason="Patient at home"
        )
        FormEntry.objects.create(patient=patient, form="AE", has_any=False, comment="Asked twice")

    shown = printed(patient)

    assert "Expected. Nothing is entered yet." in shown
    assert "Not done: Patient at home" in shown
    assert "Nothing to report." in shown
    assert "Comment: Asked twice" in shown


def test_a_query_stands_under_its_form_with_its_answer_and_its_days(patient, coordinator):
    person = make.record(Demographics, patient)
    with recording(by=coordinator, reason="Asked."):
        query = Query.objects.create(
            patient=patient,
            entry=person.entry,
            form="DM",
            record=person.pk,
            field="sex",
            check_code="EC-010",
            severity="W",
            question="Is #sex right?",
        )
    query.state, query.answer = "answered", "Yes, [checked]."
    with recording(by=coordinator, reason="Answered."):
        query.save()

    shown = printed(patient)

    assert "Query, answered: Sex · EC-010 Is #sex right? Asked" in shown
    assert "Answer: Yes, [checked]. Answered" in shown
    query.state = "closed"
    with recording(by=coordinator, reason="Closed."):
        query.save()
    assert re.search(r"Query, closed \d\d-", printed(patient))


def test_a_query_about_the_whole_form_stands_under_it(patient, coordinator):
    entry = make.entry_expected(patient, "VS", "C1D1")
    with recording(by=coordinator, reason="Asked."):
        Query.objects.create(patient=patient, entry=entry, form="VS", severity="E", question="Where is this form?")

    assert "Query, open Where is this form? Asked" in printed(patient)


def test_the_number_of_queries_to_the_database_does_not_grow_with_the_forms(patient, django_assert_max_num_queries):
    for visit in ("C1D1", "C1D2", "C1D8"):
        make.record(HaematologyResult, patient, visit=visit)
        make.record(VitalSigns, patient, visit=visit)

    with django_assert_max_num_queries(4 * len(record_models())):
        filled_casebook(patient, AT)


def test_visits_stand_between_the_baseline_and_the_rest_in_the_order_of_their_days(patient):
    make.record(Enrolment, patient)
    make.record(VitalSigns, patient, visit="C1D8")
    make.record(VitalSigns, patient, visit="C1D1")

    titles = [part.title for part in filled_casebook(patient, AT).parts]

    assert titles[0] == "Enrolment"
    assert {"Visit C1D1", "Visit C1D8"} <= set(titles)


# Empty forms


def test_the_blank_casebook_asks_every_question_with_its_name_and_its_options(study):
    shown = text_of(blank_casebook_pdf(study, AT.date()))

    for model in record_models():
        if not model.form.part_of:
            assert model.form.title in shown
    assert "HSCT.HSDAT" in shown
    assert "☐Matched sibling MATCHED SIBLING" in shown.replace("☐ ", "☐")
    assert "Platelets (PLAT) *" in shown
    assert "mmHg" in shown


def test_every_answer_of_every_form_is_on_the_blank_casebook(study):
    parts = blank_casebook(study, AT.date()).parts
    asked = {
        oid
        for part in parts
        for form in part.blank
        for oid in (*(q.oid for q in form.questions), *(oid for t in form.tables for oid in t.oids))
    }
    derived = {"value", "low", "high", "grade"}  # of a laboratory result: nobody types them
    wanted = {
        f"{model.form.page}.{field.oid}"
        for model in record_models()
        for field in model.answers()
        if field.editable and field.oid and not field.oid.endswith("OFF")
        if not (model.form.code.endswith(".RESULT") and field.name in derived)
    }

    assert wanted <= asked


def test_a_blank_casebook_of_a_patient_has_the_number_on_each_page(patient):
    reader = PdfReader(io.BytesIO(blank_casebook_pdf(patient.study, AT.date(), patient)))

    assert all(patient.number in reader.pages[number].extract_text() for number in (0, 1, -1))


# The pages


def test_the_casebook_leaves_as_a_file_and_is_on_the_access_record(client: Client, patient, coordinator):
    make.record(Enrolment, patient)
    client.force_login(coordinator)

    answer = client.get(f"/{patient.study.code}/patients/{patient}/casebook.pdf")

    assert answer["Content-Type"] == "application/pdf"
    assert "casebook.pdf" in answer["Content-Disposition"]
    assert answer.content.startswith(b"%PDF-")
    event = AccessEvent.objects.get(page="casebook-pdf")
    assert event.kind == "exported"
    assert event.content_hash
    assert [row.patient_id for row in event.patients.all()] == [patient.pk]


def test_of_a_real_patient_it_is_said_what_for_and_for_whom_before_the_casebook_leaves(
    client: Client, patient, coordinator
):
    patient.study.is_synthetic = False
    with recording(by=coordinator, reason="A real study."):
        patient.study.save()
    client.force_login(coordinator)
    address = f"/{patient.study.code}/patients/{patient}/casebook.pdf"

    asked = client.get(address)
    given = client.get(address, {"purpose": "Monitoring visit", "recipient": "The monitor"})

    assert (asked.status_code, given.status_code) == (400, 200)
    event = AccessEvent.objects.get(page="casebook-pdf", kind="exported")
    assert (event.purpose, event.recipient) == ("Monitoring visit", "The monitor")


def test_empty_forms_for_nobody_name_nobody(client: Client, study, coordinator):
    client.force_login(coordinator)

    answer = client.get(f"/{study.code}/blank-casebook.pdf")

    assert answer["Content-Disposition"].endswith('-blank-casebook.pdf"')
    assert not AccessEvent.objects.get(page="study-blank-casebook").patients.exists()
