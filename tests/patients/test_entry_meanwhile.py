"""Two people on one form: what the other one saved meanwhile is taken over or shown, and never lost unseen.

Each test opens a page twice, saves the second one, saves the first one (409), and sends back what that page then holds.
"""

from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from patients.models import ChemistryResult, ChemistrySample, VitalSigns
from safety.models import AdverseEvent, EventGrade
from tests import make
from tests.patients.test_entry_saving import HERE, text_of
from tests.patients.test_moving import asked_about
from trial.audit import recording
from trial.models import FormEntry, Patient, Query
from trial.records import PatientRecord

CREATININE = "LBC.RESULT.CREAT"
BILIRUBIN = "LBC.RESULT.BILI"
TWICE = {"AE.GRADE.rows": "2", "AE.GRADE.0-grade": "2", "AE.GRADE.1-grade": "3"}


class FormReader(HTMLParser):
    """Reads what a browser would send from the form of a page when nobody types anything more."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: dict[str, Any] = {}
        self._is_inside = False
        self._area = ""
        self._menu = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._is_inside = given.get("id") == "entry"
        name = given.get("name", "")
        if tag == "option" and self._menu and (self._menu not in self.sent or "selected" in given):
            self.sent[self._menu] = given.get("value", "")
        if not name or not (self._is_inside or given.get("form") == "entry"):
            return
        if tag == "input" and given.get("type") in ("radio", "checkbox"):
            if "checked" in given:
                self.sent[name] = given.get("value", "on")
        elif tag == "input":
            self.sent[name] = given.get("value", "")
        self._area = name if tag == "textarea" else ""
        self._menu = name if tag == "select" else self._menu

    def handle_data(self, data: str) -> None:
        if self._area:
            self.sent[self._area] = self.sent.get(self._area, "") + data.strip("\r\n")

    def handle_endtag(self, tag: str) -> None:
        self._area = ""
        self._menu = "" if tag == "select" else self._menu
        if tag == "form":
            self._is_inside = False


def sent_by(page: Any) -> dict[str, Any]:
    reader = FormReader()
    reader.feed(page.content.decode())
    return {name: text for name, text in reader.sent.items() if name != "csrfmiddlewaretoken"}


@pytest.fixture
def desk(coordinator: User) -> Client:
    return signed_in(coordinator)


@pytest.fixture
def other(investigator: User) -> Client:
    return signed_in(investigator)


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def overtaken(desk: Client, other: Client, address: str, mine: dict[str, str], theirs: dict[str, str]) -> Any:
    """The page of a save that somebody else was before: theirs is saved, mine is not."""
    page = sent_by(desk.get(address))
    assert other.post(address, sent_by(other.get(address)) | theirs | {"reason": "From the chart."}).status_code == 302
    answer = desk.post(address, page | mine | {"reason": "Misread."})
    assert answer.status_code == 409
    return answer


def saved_again(desk: Client, address: str, page: Any) -> None:
    """Save what a page of a conflict holds, with nothing more typed."""
    answer = desk.post(address, sent_by(page) | {"reason": "Misread."})
    assert answer.status_code == 302, text_of(answer.content.decode())


# An answer, and why there is none


def test_why_an_answer_is_blank_is_taken_over_from_somebody_else(desk: Client, other: Client, patient: Patient):
    record = make.record(VitalSigns, patient, "C1D1", temperature_c=None)
    address = f"{HERE}VS/{record.pk}/edit/"

    page = overtaken(desk, other, address, {"systolic_mmhg": "131"}, {"temperature_c.why": "ND"})
    saved_again(desk, address, page)

    record.refresh_from_db()
    assert "Investigator saved Not done at" in text_of(page.content.decode())
    assert (record.missing, record.systolic_mmhg) == ({"temperature_c": "ND"}, 131)


def test_an_answer_of_mine_takes_the_place_of_their_reason_for_none_and_both_are_seen(
    desk: Client, other: Client, patient: Patient
):
    record = make.record(VitalSigns, patient, "C1D1", temperature_c=None)
    address = f"{HERE}VS/{record.pk}/edit/"

    page = overtaken(desk, other, address, {"temperature_c": "37.2"}, {"temperature_c.why": "ND"})
    saved_again(desk, address, page)

    record.refresh_from_db()
    assert "Investigator saved Not done at" in text_of(page.content.decode())
    assert (record.missing, record.temperature_c) == ({}, Decimal("37.2"))


# The comment


def test_the_comment_of_somebody_else_stays(desk: Client, other: Client, patient: Patient):
    record = make.record(VitalSigns, patient, "C1D1")
    address = f"{HERE}VS/{record.pk}/edit/"

    page = overtaken(desk, other, address, {"systolic_mmhg": "131"}, {"comment": "Lying down.\r\nThe cuff was small."})
    saved_again(desk, address, page)

    assert "Investigator saved Lying down. The cuff was small. at" in text_of(page.content.decode())
    assert FormEntry.objects.get(pk=record.entry_id).comment == "Lying down.\nThe cuff was small."


def test_my_comment_is_kept_beside_theirs(desk: Client, other: Client, patient: Patient):
    record = make.record(VitalSigns, patient, "C1D1")
    address = f"{HERE}VS/{record.pk}/edit/"

    page = overtaken(desk, other, address, {"comment": "Sitting."}, {"comment": "Lying down."})

    assert sent_by(page)["comment"] == "Sitting."
    assert "Investigator saved Lying down. at" in text_of(page.content.decode())


# Laboratory results


@pytest.fixture
def chemistry(desk: Client, patient: Patient) -> str:
    """The address of a chemistry in which two of twenty tests have a result."""
    results = {f"{CREATININE}-value_text": "70", f"{CREATININE}-unit_text": "µmol/L", f"{BILIRUBIN}-value_text": "12"}
    desk.post(f"{HERE}LBC/at/C1D1/", {"taken_at": "4mar2013 09:30", "laboratory": "LAB-012"} | results)
    return f"{HERE}LBC/{ChemistrySample.objects.get().pk}/edit/"


def test_results_that_two_people_correct_are_both_kept_where_other_tests_have_none(
    desk: Client, other: Client, chemistry: str
):
    page = overtaken(desk, other, chemistry, {f"{BILIRUBIN}-value_text": "13"}, {f"{CREATININE}-value_text": "71"})
    saved_again(desk, chemistry, page)

    assert text_of(page.content.decode()).count("Investigator saved") == 1
    assert dict(ChemistryResult.objects.values_list("test", "value_text")) == {"CREAT": "71", "BILI": "13"}


def test_a_draft_on_results_that_somebody_corrected_meanwhile_is_shown(desk: Client, other: Client, chemistry: str):
    typed = sent_by(desk.get(chemistry)) | {f"{BILIRUBIN}-value_text": "13"}
    desk.post(f"{HERE}LBC/draft/", typed | {"page": chemistry})
    theirs = {"taken_at": "4mar2013 09:45", f"{CREATININE}-value_text": "71", "reason": "From the report."}
    other.post(chemistry, sent_by(other.get(chemistry)) | theirs)

    page = desk.get(chemistry)

    shown = sent_by(page)
    assert page.status_code == 200
    assert (shown[f"{BILIRUBIN}-value_text"], shown[f"{CREATININE}-value_text"]) == ("13", "71")


def test_results_that_two_people_enter_at_once_are_compared(desk: Client, other: Client, patient: Patient):
    address = f"{HERE}LBC/at/C1D1/"
    typed = {"taken_at": "4mar2013 09:30", f"{CREATININE}-value_text": "70", f"{CREATININE}-unit_text": "µmol/L"}

    page = overtaken(desk, other, address, typed | {f"{BILIRUBIN}-value_text": "12"}, typed)

    assert sent_by(page)[f"{BILIRUBIN}-value_text"] == "12"
    assert "Investigator saved 70 µmol/L at" in text_of(page.content.decode())


def test_a_number_of_mine_never_gets_the_unit_of_somebody_else(desk: Client, other: Client, chemistry: str):
    theirs = {f"{CREATININE}-value_text": "0.9", f"{CREATININE}-unit_text": "mg/dL"}

    page = overtaken(desk, other, chemistry, {f"{CREATININE}-value_text": "75"}, theirs)
    saved_again(desk, chemistry, page)

    result = ChemistryResult.objects.get(test="CREAT")
    assert "Investigator saved 0.9 mg/dL at" in text_of(page.content.decode())
    assert (result.value_text, result.unit_text, result.value) == ("75", "µmol/L", Decimal("75"))


def test_a_result_that_somebody_took_out_is_not_entered_again(desk: Client, other: Client, chemistry: str):
    page = overtaken(desk, other, chemistry, {f"{BILIRUBIN}-value_text": "13"}, {f"{CREATININE}-value_text": ""})
    saved_again(desk, chemistry, page)

    assert "Investigator saved no answer at" in text_of(page.content.decode())
    assert dict(ChemistryResult.objects.values_list("test", "value_text")) == {"BILI": "13"}


def test_a_result_that_somebody_took_out_and_entered_anew_is_another_one(desk: Client, other: Client, chemistry: str):
    mine = sent_by(desk.get(chemistry)) | {f"{BILIRUBIN}-value_text": "13", "reason": "Misread."}
    for typed in ("", "71"):
        sent = sent_by(other.get(chemistry))
        other.post(chemistry, sent | {f"{CREATININE}-value_text": typed, "reason": "Of another patient."})

    page = desk.post(chemistry, mine)
    saved_again(desk, chemistry, page)

    assert page.status_code == 409
    assert "Investigator saved 71 µmol/L at" in text_of(page.content.decode())
    assert dict(ChemistryResult.objects.values_list("test", "value_text")) == {"CREAT": "71", "BILI": "13"}


# Rows


@pytest.fixture
def event(desk: Client, patient: Patient) -> str:
    """The address of an adverse event whose grade rose from 2 to 3."""
    answer = desk.post(f"{HERE}AE/at/LOG/", {"number": "1", "term": "Fever", "grade": "3"} | TWICE)
    assert answer.status_code == 302
    return f"{HERE}AE/{AdverseEvent.objects.get().pk}/edit/"


def test_a_row_that_somebody_removed_is_marked_and_does_not_come_back(desk: Client, other: Client, event: str):
    page = overtaken(desk, other, event, {"term": "Pyrexia"}, {"AE.GRADE.1-remove": "on"})
    saved_again(desk, event, page)

    assert "Row 2: removed meanwhile" in text_of(page.content.decode())
    assert "To enter it again, take the mark at “Remove this row” away." in text_of(page.content.decode())
    assert list(EventGrade.objects.values_list("grade", flat=True)) == [2]


def test_a_removed_row_in_which_i_typed_is_marked_and_entered_anew(desk: Client, other: Client, event: str):
    page = overtaken(desk, other, event, {"AE.GRADE.1-grade": "4"}, {"AE.GRADE.1-remove": "on"})
    saved_again(desk, event, page)

    assert "What you typed in it enters it again." in text_of(page.content.decode())
    assert sorted(EventGrade.objects.values_list("grade", flat=True)) == [2, 4]


# Answers to queries


def answered(record: PatientRecord, answer: str, *, state: str) -> Query:
    """A query that was answered, and may have been opened again."""
    query = asked_about(record)
    with recording(by=make.author(), reason="It was answered."):
        query.answer, query.state = answer, state
        query.save()
    return query


def test_an_answer_that_i_left_as_it_stood_never_takes_the_place_of_a_newer_one(
    desk: Client, other: Client, patient: Patient
):
    record = make.record(VitalSigns, patient, "C1D1")
    address = f"{HERE}VS/{record.pk}/edit/"
    query = answered(record, "Old.", state="answered")
    page = sent_by(desk.get(address))
    other.post(address, sent_by(other.get(address)) | {f"answer.{query.pk}": "The better answer."})

    answer = desk.post(address, page | {"systolic_mmhg": "131", "reason": "Misread."})

    query.refresh_from_db()
    assert (answer.status_code, query.answer) == (302, "The better answer.")


def test_two_answers_to_one_query_are_both_seen_and_the_second_is_saved_knowingly(
    desk: Client, other: Client, patient: Patient
):
    record = make.record(VitalSigns, patient, "C1D1")
    address = f"{HERE}VS/{record.pk}/edit/"
    query = asked_about(record)
    mine, theirs = ({f"answer.{query.pk}": said} for said in ("Mine.", "Theirs."))

    page = overtaken(desk, other, address, mine, theirs)
    query.refresh_from_db()
    before = query.answer
    saved_again(desk, address, page)

    query.refresh_from_db()
    assert "Investigator answered Theirs. at" in text_of(page.content.decode())
    assert (before, query.answer) == ("Theirs.", "Mine.")


def test_a_query_is_not_answered_that_was_reworded_since(desk: Client, patient: Patient):
    record = make.record(VitalSigns, patient, "C1D1")
    address = f"{HERE}VS/{record.pk}/edit/"
    query = asked_about(record)
    page = sent_by(desk.get(address))
    with recording(by=make.author(), reason="A value was changed."):
        query.question = "Is 300 mmHg right?"
        query.save()

    answer = desk.post(address, page | {f"answer.{query.pk}": "Yes."})

    query.refresh_from_db()
    assert (answer.status_code, query.state) == (409, "open")
    assert "This query was changed since you opened the page." in text_of(answer.content.decode())
    assert sent_by(answer)[f"answer.{query.pk}"] == "Yes."


def test_a_query_that_is_asked_again_is_answered_with_the_same_words_and_not_by_pressing_save(
    desk: Client, patient: Patient
):
    record = make.record(VitalSigns, patient, "C1D1")
    address = f"{HERE}VS/{record.pk}/edit/"
    query = answered(record, "It is right.", state="open")
    page = desk.get(address)

    desk.post(address, sent_by(page) | {"comment": "Lying down."})
    query.refresh_from_db()
    after_a_save = query.state
    desk.post(address, sent_by(desk.get(address)) | {f"answer.{query.pk}": "It is right."})

    query.refresh_from_db()
    assert "It was answered before, and asked again since: It is right." in text_of(page.content.decode())
    assert (after_a_save, query.state) == ("open", "answered")


@pytest.mark.parametrize("sign", ["\u202e", "\u0007", "\0"])
def test_an_answer_to_a_query_has_no_character_that_no_person_types(desk: Client, patient: Patient, sign: str):
    record = make.record(VitalSigns, patient, "C1D1")
    address = f"{HERE}VS/{record.pk}/edit/"
    query = asked_about(record)

    answer = desk.post(address, sent_by(desk.get(address)) | {f"answer.{query.pk}": f"Right {sign} as it is."})

    query.refresh_from_db()
    assert (answer.status_code, query.state) == (400, "open")
    assert f"cannot be kept (U+{ord(sign):04X})" in text_of(answer.content.decode())


# A form that is gone


def test_a_form_that_somebody_removed_is_entered_anew_at_its_visit(desk: Client, other: Client, patient: Patient):
    make.entry_expected(patient, "DM")
    record = make.record(VitalSigns, patient, "C1D1")
    mine = sent_by(desk.get(f"{HERE}VS/{record.pk}/edit/")) | {"systolic_mmhg": "133", "reason": "Misread."}
    other.post(f"{HERE}VS/{record.pk}/remove/", {"version": "1", "reason": "Another patient."})

    page = desk.post(f"{HERE}VS/{record.pk}/edit/", mine)
    answer = desk.post(f"{HERE}VS/at/C1D1/", sent_by(page))

    assert f'action="{HERE}VS/at/C1D1/"' in page.content.decode()
    assert (page.status_code, answer.status_code) == (409, 302)
    saved = VitalSigns.objects.get()
    assert (saved.systolic_mmhg, saved.entry.visit) == (133, "C1D1")
