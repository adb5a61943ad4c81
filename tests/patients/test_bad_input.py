"""The catalogue of bad input to a form (RELIABILITY 3.4): what each gets as an answer, and that nothing is half written.

Files (U1 to U4) come with the pages that take them. Accounts (W3, W9) are in the tests of people and sign-in; two people, two
tabs, double clicks and drafts (W18, W19) in those of saving; the other version of a form (W16) in those of amendments.
"""

from dataclasses import dataclass, field
from html import escape, unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from patients.models import InfusionBag, MedicalHistory
from tests.cast import Cast
from trial.models import FormEntry, Patient

HERE = "/MT103-211/patients/SYN-012-001/"
RIGHT = {"term": "Asthma", "started": "mar2010", "is_ongoing": "yes", "grade": "1", "category": "GENERAL"}


@dataclass(frozen=True)
class Case:
    """What is typed beside what is right; the sentence of the refusal, or what is stored."""

    typed: dict[str, str]
    says: str = ""
    stored: dict[str, object] = field(default_factory=dict)


CASES = {
    "W1 spaces outside": Case({"term": " \u00a0 Asthma, \t mild  "}, stored={"term": "Asthma, \t mild"}),
    "W1 a code": Case({"category": " GENERAL "}, stored={"category": "GENERAL"}),
    "W2 letters in parts": Case({"term": "Me\u0301nie\u0300re"}, stored={"term": "Ménière"}),
    "W4 a direction": Case(
        {"term": "abc\u202egpj.exe"}, "There is a character in the text that cannot be kept (U+202E)."
    ),
    "W4 an isolate": Case(
        {"term": "\u2066abc\u2069"}, "There is a character in the text that cannot be kept (U+2066)."
    ),
    "W4 a language from right to left": Case({"term": "אסתמה قلب"}, stored={"term": "אסתמה قلب"}),
    "W5 emoji": Case({"term": "Fall 👩🏽‍⚕️🤕"}, stored={"term": "Fall 👩🏽‍⚕️🤕"}),
    "W5 a flood of marks": Case({"term": "A" + "\u0336" * 30}, "There are 30 marks on one letter."),
    "W5 marks of a language": Case({"term": "ṩ̂́"}, stored={"term": "ṩ̂́"}),
    "W6 four bytes": Case({"term": "𝒜sthma 𠮷"}, stored={"term": "𝒜sthma 𠮷"}),
    "W7 markup": Case({"term": "<script>alert(1)</script>"}, stored={"term": "<script>alert(1)</script>"}),
    "W7 a template": Case({"term": "{{7*7}} ${7*7} {% x %}"}, stored={"term": "{{7*7}} ${7*7} {% x %}"}),
    "W8 SQL": Case(
        {"term": "O'Brien'; DROP TABLE trial_patient;--"}, stored={"term": "O'Brien'; DROP TABLE trial_patient;--"}
    ),
    "W9 a line break": Case({"term": "Asthma\nBcc: a@b.c"}, "There is a line break in the text. Type it in one line."),
    "W9 a control character": Case({"term": "Asthma\x1b[2J"}, "There is a character in the text that cannot be kept"),
    "W10 a year": Case({"started": "2010"}, stored={"started": "2010"}),
    "W10 an unknown day": Case({"started": "UN-MAR-2010"}, stored={"started": "2010-03"}),
    "W10 an unknown month": Case({"started": "un-unk-2010"}, stored={"started": "2010"}),
    "W10 ISO 8601": Case({"started": "2010-03-04"}, stored={"started": "2010-03-04"}),
    "W10 a time without a date": Case({"started": "09:30"}, "'09:30' is not a date."),
    "W10 two readings": Case({"started": "03/04/13"}, "'03/04/13' could be"),
    "W11 the future": Case({"started": "mar2089"}, "UN-Mar-2089 has not come yet"),
    "W12 29 February of a year without": Case({"started": "29feb2010"}, "'29feb2010' is not in the calendar."),
    "W12 29 February": Case({"started": "29feb2012"}, stored={"started": "2012-02-29"}),
    "W14 a code of no list": Case({"category": "OTHERS"}, "'OTHERS' is not one of the answers. Choose from "),
    "W14 a forged yes": Case({"is_ongoing": "maybe"}, "'maybe' is not one of the answers. Choose from Yes, No."),
    "W14 a number that is none": Case({"grade": "1e0"}, "'1e0' is not a number."),
    "W15 an answer that is not asked": Case({"is_ongoing": "no", "ended": "2011", "grade": "2"}, "CTCAE grade"),
}


@pytest.fixture
def desk(coordinator: User) -> Client:
    client = Client()
    client.force_login(coordinator)
    return client


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_typed_is_stored_as_it_should_be_or_refused_with_a_sentence(desk: Client, patient: Patient, case: Case):
    answer = desk.post(HERE + "MH/at/LOG/", RIGHT | case.typed)

    if case.says:
        page = answer.content.decode()
        assert answer.status_code == 400
        assert escape(case.says) in page
        assert not MedicalHistory.objects.exists()
        assert not FormEntry.objects.exists()
        boxes = {name: text for name, text in case.typed.items() if name in ("term", "started", "ended")}
        assert all(f'value="{escape(text)}"' in page for text in boxes.values())
    else:
        assert answer.status_code == 302
        saved = MedicalHistory.objects.get()
        assert {name: getattr(saved, name) for name in case.stored} == case.stored
        assert saved.history.get().term == saved.term


@pytest.mark.parametrize("offered", ["999999", "-1", "x", "1" * 5000, "१"])
def test_w17_a_number_of_rows_that_no_form_has_is_refused(desk: Client, patient: Patient, offered: str):
    typed = {"cycle": "1", "number": "1", "started_at": "4mar2013 0930", "dose_ug_per_day": "9", "change": "START"}

    answer = desk.post(HERE + "EX/at/LOG/", typed | {"EX.BAG.rows": offered, "EX.BAG.0-bag": "LOT-1"})

    assert answer.status_code == 400
    assert f"'{offered[:20]}' rows were sent" in unescape(answer.content.decode())
    assert not FormEntry.objects.exists()


def test_w17_rows_with_gaps_between_them_are_all_kept(desk: Client, patient: Patient):
    typed = {"cycle": "1", "number": "1", "started_at": "4mar2013 0930", "dose_ug_per_day": "9", "change": "START"}
    rows = {"EX.BAG.rows": "9", "EX.BAG.0-bag": "LOT-1", "EX.BAG.7-bag": "LOT-2"}

    answer = desk.post(HERE + "EX/at/LOG/", typed | rows)

    assert answer.status_code == 302
    assert sorted(InfusionBag.objects.values_list("bag", flat=True)) == ["LOT-1", "LOT-2"]


def test_w17_more_rows_than_a_form_has_are_refused_and_none_is_lost(desk: Client, patient: Patient):
    typed = {"cycle": "1", "number": "1", "started_at": "4mar2013 0930", "dose_ug_per_day": "9", "change": "START"}
    rows = {"EX.BAG.rows": "201"} | {f"EX.BAG.{number}-bag": f"LOT-{number}" for number in range(201)}

    answer = desk.post(HERE + "EX/at/LOG/", typed | rows)

    assert answer.status_code == 400
    assert "200 rows" in answer.content.decode()
    assert not InfusionBag.objects.exists()


@pytest.mark.parametrize(
    "name", ["patient", "entry", "id", "pk", "site", "study", "version_of_nothing", "missing", "recording"]
)
def test_w15_what_the_form_does_not_ask_is_not_taken(desk: Client, patient: Patient, cast: Cast, name: str):
    desk.post(HERE + "MH/at/LOG/", RIGHT | {name: "987654321"})

    saved = MedicalHistory.objects.get()
    assert saved.patient == patient
    assert saved.pk != 987654321
    assert saved.missing == {}


ANYTHING = st.text(st.characters(exclude_categories=()), max_size=300)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(typed=st.fixed_dictionaries({name: ANYTHING | st.just(right) for name, right in RIGHT.items()}))
def test_whatever_is_typed_is_saved_whole_or_refused_with_a_sentence(
    desk: Client, patient: Patient, typed: dict[str, str]
):
    before = (MedicalHistory.objects.count(), FormEntry.objects.count())
    # A browser sends UTF-8: half of a surrogate pair arrives as three bytes that are no text.
    sent = {name: text.encode("utf-8", "surrogatepass").decode("utf-8", "replace") for name, text in typed.items()}

    answer = desk.post(HERE + "MH/at/LOG/", sent)

    after = (MedicalHistory.objects.count(), FormEntry.objects.count())
    assert answer.status_code in (302, 400)
    assert (after == before) == (answer.status_code == 400)
