"""Saving a form: reasons, conditions, rows, queries, what somebody else saved meanwhile, and what is never lost."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from html import escape, unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client

from patients.casebook import Status
from patients.grid.cells import progress_of
from patients.models import (
    Criterion,
    Demographics,
    Eligibility,
    Enrolment,
    HaematologyResult,
    HaematologySample,
    InfusionBag,
    InfusionInterval,
    MedicalHistory,
    Medication,
    NormalRange,
    PerformanceStatus,
    VitalSigns,
)
from safety.models import AdverseEvent, CytokineRelease, EventGrade
from tests import make
from tests.cast import Cast
from trial.audit import recording
from trial.drafts import find_draft
from trial.models import AccessEvent, FormEntry, Patient, Query
from trial.records import PatientRecord

HERE = "/MT103-211/patients/SYN-012-001/"
WEIGHT = {"assessed_on": "4mar2013", "ecog": "1", "weight_kg": "71.5", "did_writing_test": "no"}


@pytest.fixture
def desk(coordinator: User) -> Client:
    client = Client()
    client.force_login(coordinator)
    return client


def fields_of(page: str) -> dict[str, str]:
    """The hidden fields that a page sends with what is typed."""
    hidden = re.findall(r'<input type="hidden" name="([^"]+)"(?: value="([^"]*)")?', page)
    return {name: value for name, value in hidden if name != "csrfmiddlewaretoken"}


def problems_in(page: str) -> list[str]:
    """The sentences at the fields of a page."""
    found = re.findall(r'class="field-problem"[^>]*>([^<]*)<', page)
    return [unescape(said) for said in found]


def text_of(page: str) -> str:
    """The words of a page."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def open_page(desk: Client, address: str) -> dict[str, str]:
    return fields_of(desk.get(HERE + address).content.decode())


def entered(model: type[PatientRecord], patient: Patient, visit: str = "LOG", **answers: object) -> PatientRecord:
    """A record that the author of the tests entered."""
    return make.record(model, patient, visit, **answers)


# Reasons


def test_a_first_entry_needs_no_reason_and_says_when_it_was_saved(desk: Client, patient: Patient):
    answer = desk.post(HERE + "PS/at/C1D1/", WEIGHT, follow=True)

    saved = PerformanceStatus.objects.get()
    page = text_of(answer.content.decode())
    assert (saved.assessed_on, saved.ecog, saved.weight_kg) == (date(2013, 3, 4), 1, Decimal("71.5"))
    assert saved.entry.collected_on == date(2013, 3, 4)
    assert re.search(r"Performance status: Saved at \d\d:\d\d [A-Z]+\.", page)
    assert saved.history.get().recording.reason == "First entry of the form."
    assert saved.history.get().recording.role == "coordinator"


def test_a_refused_and_an_overtaken_form_are_on_record_with_the_patient(
    desk: Client, patient: Patient, investigator: User
):
    record = entered(PerformanceStatus, patient, "C1D1")
    address = f"PS/{record.pk}/edit/"
    mine = open_page(desk, address) | WEIGHT | {"weight_kg": "72.5", "reason": "Misread the scale."}
    other = Client()
    other.force_login(investigator)
    other.post(HERE + address, open_page(other, address) | WEIGHT | {"weight_kg": "73", "reason": "From the chart."})
    before = AccessEvent.objects.latest("pk").pk

    refused = desk.post(HERE + address, mine | {"weight_kg": "heavy"})
    overtaken = desk.post(HERE + address, mine)
    desk.post(HERE + "PS/draft/", WEIGHT | {"page": HERE + "PS/at/C1D1/"})

    assert (refused.status_code, overtaken.status_code) == (400, 409)
    events = AccessEvent.objects.filter(pk__gt=before)
    assert [(event.kind, event.page, [one.patient_id for one in event.patients.all()]) for event in events] == [
        ("read", "entry", [patient.pk]),
        ("read", "entry", [patient.pk]),
    ]


def test_a_saved_and_a_missing_form_show_nothing_and_are_no_reading(desk: Client, patient: Patient):
    saved = desk.post(HERE + "PS/at/C1D1/", WEIGHT)
    missing = desk.get(HERE + "PS/999999/edit/")

    assert (saved.status_code, missing.status_code) == (302, 404)
    assert not AccessEvent.objects.filter(kind="read").exists()


def test_a_reason_of_an_answer_has_no_character_that_no_person_types_and_stays_on_the_page(
    desk: Client, patient: Patient
):
    record = entered(PerformanceStatus, patient, "C1D1")
    sent = (
        open_page(desk, f"PS/{record.pk}/edit/") | WEIGHT | {"weight_kg": "72.5", "because.weight_kg": "Mis\u202eread."}
    )

    answer = desk.post(f"{HERE}PS/{record.pk}/edit/", sent)

    assert answer.status_code == 400
    assert (
        "Weight, why it is changed: There is a character in the text that cannot be kept (U+202E)."
        in problems_in(answer.content.decode())[0]
    )
    assert 'value="Mis\u202eread."' in answer.content.decode()


def test_a_changed_answer_needs_a_reason_and_nothing_typed_is_lost(desk: Client, patient: Patient):
    record = entered(PerformanceStatus, patient, "C1D1")
    sent = open_page(desk, f"PS/{record.pk}/edit/") | WEIGHT | {"weight_kg": "72.5"}

    refused = desk.post(f"{HERE}PS/{record.pk}/edit/", sent)
    accepted = desk.post(f"{HERE}PS/{record.pk}/edit/", sent | {"reason": "Misread the scale."})

    page = refused.content.decode()
    assert refused.status_code == 400
    assert problems_in(page) == [
        "Say why this entry is being changed. The reason is kept in the audit trail. Changed: Weight."
    ]
    assert "Nothing was saved: a reason is missing. Changed: Weight. Say why" in text_of(page)
    assert "cannot be taken" not in page
    assert '<a href="#id_reason">Say why</a>' in page
    assert re.search(r'<input[^>]* id="id_reason"', page)
    assert 'value="72.5"' in page
    assert accepted.status_code == 302
    record.refresh_from_db()
    assert (record.weight_kg, record.version) == (Decimal("72.5"), 2)
    assert record.history.first().recording.reason == "Misread the scale."


def test_each_changed_answer_can_have_a_reason_of_its_own(desk: Client, patient: Patient):
    record = entered(PerformanceStatus, patient, "C1D1")
    address = f"{HERE}PS/{record.pk}/edit/"
    sent = open_page(desk, f"PS/{record.pk}/edit/") | WEIGHT | {"weight_kg": "72.5", "ecog": "2"}

    one_missing = desk.post(address, sent | {"because.weight_kg": "Misread the scale."})
    both = desk.post(address, sent | {"because.weight_kg": "Misread the scale.", "because.ecog": "As in the chart."})

    page = one_missing.content.decode()
    assert problems_in(page)[0].endswith("Changed: ECOG.")
    assert 'name="because.weight_kg" value="Misread the scale."' in page
    assert both.status_code == 302
    act = record.history.first().recording
    assert act.reason == "A reason is given for each answer."
    assert act.field_reasons == {"weight_kg": "Misread the scale.", "ecog": "As in the chart."}


def test_filling_a_blank_needs_no_reason(desk: Client, patient: Patient):
    record = entered(PerformanceStatus, patient, "C1D1")
    sent = open_page(desk, f"PS/{record.pk}/edit/") | WEIGHT

    answer = desk.post(f"{HERE}PS/{record.pk}/edit/", sent | {"ice_orientation": "4"})

    assert answer.status_code == 302
    record.refresh_from_db()
    assert record.ice_orientation == 4
    assert record.history.first().recording.reason == "Answers were added that had been blank."


def test_taking_an_answer_back_needs_a_reason(desk: Client, patient: Patient):
    record = entered(PerformanceStatus, patient, "C1D1")
    sent = open_page(desk, f"PS/{record.pk}/edit/") | WEIGHT | {"weight_kg": ""}

    refused = desk.post(f"{HERE}PS/{record.pk}/edit/", sent)

    assert refused.status_code == 400
    assert "Changed: Weight." in problems_in(refused.content.decode())[0]


def test_a_save_that_changes_nothing_leaves_no_version(desk: Client, patient: Patient):
    record = entered(PerformanceStatus, patient, "C1D1")
    desk.post(f"{HERE}PS/{record.pk}/edit/", open_page(desk, f"PS/{record.pk}/edit/") | WEIGHT)

    record.refresh_from_db()
    assert record.version == 1


def test_an_empty_form_is_not_saved(desk: Client, patient: Patient):
    answer = desk.post(HERE + "PS/at/C1D1/", {"ecog": ""})

    assert answer.status_code == 400
    assert "Nothing is answered yet. Answer a question, or say why there is no answer." in text_of(
        answer.content.decode()
    )
    assert not FormEntry.objects.exists()


# Blank answers


def test_a_blank_answer_can_say_why(desk: Client, patient: Patient):
    desk.post(HERE + "PS/at/C1D1/", WEIGHT | {"weight_kg": "", "weight_kg.why": "ND"})

    assert PerformanceStatus.objects.get().missing == {"weight_kg": "ND"}


def test_an_answer_and_a_reason_for_none_do_not_go_together(desk: Client, patient: Patient):
    answer = desk.post(HERE + "PS/at/C1D1/", WEIGHT | {"weight_kg.why": "ND"})

    assert problems_in(answer.content.decode()) == [
        "Weight: There is an answer, and a reason why there is none. Keep one of the two."
    ]


# Conditions


def test_an_answer_that_does_not_belong_is_refused_at_its_field(desk: Client, patient: Patient):
    answer = desk.post(HERE + "PS/at/C1D1/", WEIGHT | {"writing": "UNCHANGED"})

    assert problems_in(answer.content.decode()) == [
        "Change of writing: This is only asked where Writing test done is Yes. "
        "Take this answer out, or correct the other."
    ]


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ({"sex": "M", "may_become_pregnant.why": "UNK"}, ["Woman of childbearing potential"]),
        ({"sex": "M", "pregnancy_test.why": "ND"}, ["Pregnancy test"]),
        ({"sex": "F", "may_become_pregnant": "no", "pregnancy_test.why": "ND"}, ["Pregnancy test"]),
        ({"sex": "F", "may_become_pregnant": "yes", "pregnancy_test.why": "ND"}, []),
        ({"sex": "F", "may_become_pregnant.why": "UNK", "pregnancy_test.why": "ND"}, []),
        ({"sex.why": "ND", "may_become_pregnant.why": "ND", "pregnancy_test.why": "ND"}, []),
    ],
)
def test_why_there_is_no_answer_is_not_said_of_what_is_not_asked(
    desk: Client, patient: Patient, typed: dict[str, str], names: list[str]
):
    answer = desk.post(HERE + "DM/at/LOG/", typed)

    problems = problems_in(answer.content.decode())
    assert [said.partition(":")[0] for said in problems] == names
    assert all("Take out why there is no answer" in said for said in problems)
    assert answer.status_code == (400 if names else 302)


def test_an_answer_that_was_stored_where_it_is_not_asked_stands_until_somebody_touches_it(
    desk: Client, patient: Patient
):
    record = entered(PerformanceStatus, patient, "C1D1", writing="UNCHANGED")  # without a writing test
    sent = open_page(desk, f"PS/{record.pk}/edit/") | WEIGHT | {"writing": "UNCHANGED", "height_cm": "180"}

    kept = desk.post(f"{HERE}PS/{record.pk}/edit/", sent)
    refused = desk.post(
        f"{HERE}PS/{record.pk}/edit/", open_page(desk, f"PS/{record.pk}/edit/") | WEIGHT | {"writing": "MILD CHANGE"}
    )

    assert kept.status_code == 302
    assert "This is only asked where Writing test done is Yes." in problems_in(refused.content.decode())[0]


def test_the_page_says_to_its_script_when_a_question_is_asked(desk: Client, patient: Patient):
    page = unescape(desk.get(HERE + "PS/at/C1D1/").content.decode())

    assert """data-asked-if="{"did_writing_test": ["yes"]}""" in page


# What cannot be true


def test_the_sentence_of_a_constraint_stands_at_its_field(desk: Client, patient: Patient):
    typed = {
        "measured_at": "4mar2013 0930",
        "time_point": "PRE-DOSE",
        "systolic_mmhg": "80",
        "diastolic_mmhg": "90",
    }

    answer = desk.post(HERE + "VS/at/C1D1/", typed)

    assert problems_in(answer.content.decode()) == [
        "The diastolic pressure is not below the systolic one. Check both readings. (EC-077)"
    ]
    assert not VitalSigns.objects.exists()


def test_a_number_that_is_taken_is_refused_at_its_field(desk: Client, patient: Patient):
    entered(AdverseEvent, patient, number=1)

    answer = desk.post(HERE + "AE/at/LOG/", {"number": "1", "term": "Cough"})

    assert problems_in(answer.content.decode()) == ["This patient already has an event with that number."]


def test_what_contradicts_another_record_is_refused_with_its_sentence(desk: Client, patient: Patient):
    entered(InfusionInterval, patient, ended_at=datetime(2013, 3, 11, 9, 30, tzinfo=UTC), ended_at_offset=60)
    typed = {"cycle": "1", "number": "2", "started_at": "5mar2013 0930", "dose_ug_per_day": "28", "change": "STEP-UP"}

    answer = desk.post(HERE + "EX/at/LOG/", typed)

    assert answer.status_code == 400
    assert "overlap" in text_of(answer.content.decode())
    assert InfusionInterval.objects.count() == 1


# The pages that are read lead to those on which one writes


def test_who_may_enter_is_led_from_the_reading_pages_to_entry_and_nobody_else(
    desk: Client, patient: Patient, monitor: User
):
    record = entered(Medication, patient)
    reader = Client()
    reader.force_login(monitor)

    log, page = (desk.get(f"{HERE}CM/{rest}").content.decode() for rest in ("", f"{record.pk}/"))
    read = reader.get(f"{HERE}CM/").content.decode() + reader.get(f"{HERE}CM/{record.pk}/").content.decode()

    assert f'href="{HERE}CM/at/LOG/"' in log
    assert f'href="{HERE}CM/{record.pk}/edit/"' in page
    assert "/at/LOG/" not in read
    assert "/edit/" not in read


# The clock of the site


def test_a_moment_is_kept_as_an_instant_with_the_offset_of_the_site(desk: Client, patient: Patient):
    desk.post(HERE + "VS/at/C1D1/", {"measured_at": "4mar2013 0930"})

    saved = VitalSigns.objects.get()
    assert (saved.measured_at, saved.measured_at_offset) == (datetime(2013, 3, 4, 8, 30, tzinfo=UTC), 60)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        # Germany put its clocks forward on 31-Mar-2013 at 02:00 and back on 27-Oct-2013 at 03:00 (tz database)
        (
            "31mar2013 0230",
            "Measured: The site's clock skipped 31-Mar-2013 02:30: it was put forward. Write 01:30 or 03:30.",
        ),
        (
            "27oct2013 0230",
            "Measured: The site's clock showed 27-Oct-2013 02:30 twice that night. "
            "Write 27-Oct-2013 02:30 +02:00 or 27-Oct-2013 02:30 +01:00.",
        ),
        (
            "4mar2013",
            "Measured: 04-Mar-2013 is not enough: at least the day and time must be known. Write it as 12mar2014 0930.",
        ),
        (
            "4mar2013 2560",
            "Measured: '4mar2013 2560' has a time that no clock shows. Write the time from 00:00 to 23:59.",
        ),
    ],
)
def test_a_time_that_the_clock_never_showed_or_showed_twice_is_refused(
    desk: Client, patient: Patient, typed: str, said: str
):
    answer = desk.post(HERE + "VS/at/C1D1/", {"measured_at": typed})

    assert problems_in(answer.content.decode()) == [said]


def test_an_hour_that_came_twice_is_told_by_its_offset_and_reads_the_same_again(desk: Client, patient: Patient):
    desk.post(HERE + "VS/at/C1D1/", {"measured_at": "27oct2013 0230 +01:00"})
    saved = VitalSigns.objects.get()
    page = desk.get(f"{HERE}VS/{saved.pk}/edit/").content.decode()

    assert (saved.measured_at, saved.measured_at_offset) == (datetime(2013, 10, 27, 1, 30, tzinfo=UTC), 60)
    assert 'value="27-Oct-2013 02:30 +01:00"' in page


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("4mar2013 0030", date(2013, 3, 4)),  # still 3-Mar-2013 in UTC
        ("4mar2013 2330", date(2013, 3, 4)),
    ],
)
def test_the_day_of_a_form_is_that_of_the_sites_clock(desk: Client, patient: Patient, typed: str, day: date):
    desk.post(HERE + "VS/at/C1D1/", {"measured_at": typed})

    assert FormEntry.objects.get().collected_on == day


def test_the_day_of_a_form_goes_with_its_date_and_with_nothing_else(desk: Client, patient: Patient):
    desk.post(HERE + "VS/at/C1D1/", {"measured_at": "4mar2013 0930", "heart_rate": "80"})
    address = f"VS/{VitalSigns.objects.get().pk}/edit/"

    def correct(measured_at: str, heart_rate: str) -> date | None:
        typed = {"measured_at": measured_at, "heart_rate": heart_rate, "reason": "Of another patient."}
        desk.post(HERE + address, open_page(desk, address) | typed)
        return FormEntry.objects.get().collected_on

    assert correct("5mar2013 0930", "80") == date(2013, 3, 5)
    assert correct("5mar2013 0930", "88") == date(2013, 3, 5)
    assert correct("", "88") is None
    assert VitalSigns.objects.get().version == 4  # each of the three was saved


# Rows of a block


def test_rows_are_added_without_a_script_and_saved_with_their_record(desk: Client, patient: Patient):
    typed = {"cycle": "1", "number": "1", "started_at": "4mar2013 0930", "dose_ug_per_day": "9", "change": "START"}
    row = {"EX.BAG.rows": "1", "EX.BAG.0-bag": "LOT-1"}

    added = desk.post(HERE + "EX/at/LOG/", typed | row | {"add": "EX.BAG"})
    nothing = InfusionInterval.objects.exists()
    desk.post(HERE + "EX/at/LOG/", typed | row | {"EX.BAG.rows": "2", "EX.BAG.1-bag": "LOT-2"})

    page = added.content.decode()
    assert not nothing
    assert 'value="LOT-1"' in page
    assert 'name="EX.BAG.1-bag"' in page
    interval = InfusionInterval.objects.get()
    assert [(bag.bag, bag.interval, bag.entry) for bag in InfusionBag.objects.order_by("pk")] == [
        ("LOT-1", interval, interval.entry),
        ("LOT-2", interval, interval.entry),
    ]


def test_a_row_is_removed_with_a_reason(desk: Client, patient: Patient):
    step = entered(EventGrade, patient)
    address = f"AE/{step.event.pk}/edit/"
    sent = event_texts(desk, address) | {"AE.GRADE.rows": "1", "AE.GRADE.0-remove": "on"}

    refused = desk.post(HERE + address, sent)
    accepted = desk.post(HERE + address, sent | {"reason": "Entered for another event."})

    assert "Changed: Grade history, a row that is removed." in problems_in(refused.content.decode())[0]
    assert accepted.status_code == 302
    assert not EventGrade.objects.exists()
    assert EventGrade.history.first().history_type == "-"


def event_texts(desk: Client, address: str) -> dict[str, str]:
    """What the page of the usual event sends when nobody touched it."""
    return open_page(desk, address) | {
        "number": "1",
        "term": "Fever",
        "coded_term": "Pyrexia",
        "started": "04-Mar-2013",
        "is_ongoing": "yes",
        "grade": "2",
        "is_serious": "no",
        "relation": "NOT RELATED",
        "action": "DOSE NOT CHANGED",
        "outcome": "NOT RECOVERED/NOT RESOLVED",
        "AE.GRADE.0-began": "04-Mar-2013",
        "AE.GRADE.0-grade": "2",
    }


def test_each_criterion_has_its_row(desk: Client, patient: Patient):
    typed = {"protocol_version": "2.0", "IE.CRITERION.IN01-is_met": "yes", "IE.CRITERION.EX03-is_met": "no"}

    desk.post(HERE + "IE/at/LOG/", typed)

    assert dict(Criterion.objects.values_list("criterion", "is_met")) == {"IN01": True, "EX03": False}
    assert Eligibility.objects.get().protocol_version == "2.0"


# Laboratory


@pytest.fixture
def blood_count(cast: Cast, patient: Patient) -> dict[str, str]:
    """A blood count as typed; the laboratory's range for platelets is there, and women have one of their own."""
    entered(Demographics, patient)
    with recording(by=make.author(), reason="The laboratory sent its ranges."):
        for sex, low, high in (("", 150, 400), ("F", 160, 390)):
            NormalRange.objects.create(
                site=cast.here,
                laboratory="LAB-012",
                test="PLAT",
                unit="10^9/L",
                sex=sex,
                low=low,
                high=high,
                valid_from=date(2012, 1, 1),
            )
    return {
        "taken_at": "4mar2013 0800",
        "laboratory": "LAB-012",
        "LBH.RESULT.PLAT-value_text": "40",
        "LBH.RESULT.PLAT-unit_text": "10^9/L",
        "LBH.RESULT.HGB-value_text": "9.5",
        "LBH.RESULT.HGB-unit_text": "g/dL",
        "LBH.RESULT.WBC-unit_text": "10^9/L",
        "LBH.RESULT.BLAST-value_text.why": "ND",
    }


def test_results_are_kept_as_typed_beside_the_standard_unit_with_range_and_grade(
    desk: Client, patient: Patient, blood_count: dict[str, str]
):
    answer = desk.post(HERE + "LBH/at/C1D1/", blood_count)

    assert answer.status_code == 302, problems_in(answer.content.decode())
    found = {one.test: one for one in HaematologyResult.objects.all()}
    assert sorted(found) == ["BLAST", "HGB", "PLAT"]  # a unit alone is no result
    platelets, haemoglobin, blasts = found["PLAT"], found["HGB"], found["BLAST"]
    assert (platelets.value, platelets.low, platelets.high) == (40, 160, 390)  # the range for women
    assert platelets.grade == 3  # below 50, not below 25 (CTCAE v4.03)
    assert (haemoglobin.value_text, haemoglobin.unit_text, haemoglobin.value) == ("9.5", "g/dL", 95)
    assert (haemoglobin.low, haemoglobin.grade) == (None, 2)  # no range; below 10.0 g/dL
    assert (blasts.value, blasts.missing["value"]) == (None, "ND")
    shown = text_of(desk.get(answer["Location"]).content.decode())
    assert "Normal: 160 to 390 10^9/L · CTCAE v4.03 grade: 3 Platelets 40 10^9/L is below 50. C.7.2" in shown
    assert "In the standard unit: 95 g/L · CTCAE v4.03 grade: 2 Haemoglobin 9.5 g/dL is below 10.0. C.7.2" in shown


def test_the_laboratories_of_the_site_are_offered_and_named_where_there_is_no_range(
    desk: Client, patient: Patient, cast: Cast, blood_count: dict[str, str]
):
    with recording(by=make.author(), reason="Another laboratory sent its ranges."):
        for site, name in ((cast.here, 'LAB "A"'), (cast.elsewhere, "LAB-034")):
            NormalRange.objects.create(
                site=site, laboratory=name, test="PLAT", unit="10^9/L", low=150, high=400, valid_from=date(2012, 1, 1)
            )

    page = desk.get(HERE + "LBH/at/C1D1/").content.decode()
    desk.post(HERE + "LBH/at/C1D1/", blood_count | {"laboratory": "Lab 12"})

    shown = r'<input([^>]* name="laboratory"[^>]*)><datalist id="laboratory_offered">(.*?)</datalist>'
    [(box, offered)] = re.findall(shown, page)
    assert 'list="laboratory_offered"' in box
    assert re.findall(r'value="([^"]*)"', offered) == ["LAB &quot;A&quot;", "LAB-012"]
    asked = Query.objects.get(check_code="EC-076").question
    assert asked.endswith('so not every grade can be given. The site has ranges of LAB "A", LAB-012.')


def test_a_range_in_another_unit_is_told_in_that_of_the_result(
    desk: Client, patient: Patient, cast: Cast, blood_count: dict[str, str]
):
    with recording(by=make.author(), reason="The laboratory sent its ranges."):
        for sex, low, high in (("M", 135, 175), ("F", 120, 155)):
            NormalRange.objects.create(
                site=cast.here,
                laboratory="LAB-012",
                test="HGB",
                unit="g/L",
                sex=sex,
                low=low,
                high=high,
                valid_from=date(2012, 1, 1),
            )

    answer = desk.post(HERE + "LBH/at/C1D1/", blood_count | {"LBH.RESULT.HGB-value_text": "11.5"})

    haemoglobin = HaematologyResult.objects.get(test="HGB")
    assert (haemoglobin.low, haemoglobin.high) == (Decimal(12), Decimal("15.5"))
    assert haemoglobin.grade == 1  # below the lower limit of normal, not below 10.0 g/dL
    assert "Normal: 12 to 15.5 g/dL" in text_of(desk.get(answer["Location"]).content.decode())
    assert not Query.objects.filter(check_code="EC-076").exists()


def test_a_result_that_cannot_be_is_refused_in_the_words_of_its_test(
    desk: Client, patient: Patient, blood_count: dict[str, str]
):
    answer = desk.post(HERE + "LBH/at/C1D1/", blood_count | {"LBH.RESULT.HGB-value_text": "95"})

    assert problems_in(answer.content.decode()) == [
        "Haemoglobin: 95 g/dL (that is 950.000 g/L) is not possible: it can be 5 to 250 g/L. Check the number and its unit."
    ]
    assert not HaematologySample.objects.exists()


@pytest.mark.parametrize(
    ("test", "typed", "unit", "value", "grade"),
    [
        ("PLAT", "<10", "10^9/L", Decimal(10), 4),
        ("PLAT", "> 1000", "10^9/L", Decimal(1000), 0),
        ("PLAT", "≤60", "10^9/L", Decimal(60), None),
        ("HGB", "<3.0", "g/dL", Decimal(30), 3),
    ],
)
def test_a_result_beyond_what_can_be_measured_is_kept_as_typed(
    desk: Client, patient: Patient, blood_count: dict[str, str], test, typed, unit, value, grade
):
    names = {f"LBH.RESULT.{test}-value_text": typed, f"LBH.RESULT.{test}-unit_text": unit}

    answer = desk.post(HERE + "LBH/at/C1D1/", blood_count | names)

    assert answer.status_code == 302, problems_in(answer.content.decode())
    result = HaematologyResult.objects.get(test=test)
    assert (result.value_text, result.value, result.grade) == (typed, value, grade)
    assert f"{typed} {unit}" in text_of(desk.get(f"/MT103-211/patients/{patient.number}/LBH/").content.decode())
    address = f"LBH/{result.sample_id}/edit/"
    assert f'value="{escape(typed)}"' in desk.get(HERE + address).content.decode()
    again = desk.post(HERE + address, open_page(desk, address) | blood_count | names)
    assert again.status_code == 302, problems_in(again.content.decode())
    assert HaematologyResult.objects.get(test=test).version == 1


def test_a_qualified_result_in_another_unit_is_shown_with_its_qualifier_in_the_standard_unit(
    desk: Client, patient: Patient, blood_count: dict[str, str]
):
    answer = desk.post(HERE + "LBH/at/C1D1/", blood_count | {"LBH.RESULT.HGB-value_text": "<3.0"})

    assert "In the standard unit: <30 g/L" in text_of(desk.get(answer["Location"]).content.decode())


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("<", "Haemoglobin: '<' is not a number. Type the number alone in digits."),
        ("<3,0", "Haemoglobin: '3,0' has a comma. Type 3.0 if it stands before the decimals, 30 if not."),
        (">95", "Haemoglobin: >95 g/dL (that is 950.000 g/L) is not possible: it can be 5 to 250 g/L."),
    ],
)
def test_a_qualifier_without_a_possible_number_is_refused(
    desk: Client, patient: Patient, blood_count: dict[str, str], typed, problem
):
    answer = desk.post(HERE + "LBH/at/C1D1/", blood_count | {"LBH.RESULT.HGB-value_text": typed})

    (said,) = problems_in(answer.content.decode())
    assert said.startswith(problem)
    assert not HaematologySample.objects.exists()


def test_nothing_is_below_none(desk: Client, patient: Patient, blood_count: dict[str, str]):
    answer = desk.post(HERE + "LBH/at/C1D1/", blood_count | {"LBH.RESULT.PLAT-value_text": "<0"})

    assert "Platelets: <0 10^9/L is not possible: it can be 0 to 2000 10^9/L." in answer.content.decode().replace(
        "&lt;", "<"
    )


def test_a_saved_range_is_not_looked_up_again(desk: Client, patient: Patient, blood_count: dict[str, str]):
    desk.post(HERE + "LBH/at/C1D1/", blood_count)
    sample = HaematologySample.objects.get()
    with recording(by=make.author(), reason="The ranges were wrong."):
        NormalRange.objects.filter(sex="F").update(low=Decimal(100))
    address = f"LBH/{sample.pk}/edit/"

    sent = open_page(desk, address) | blood_count | {"LBH.RESULT.WBC-value_text": "4.2"}
    answer = desk.post(HERE + address, sent)

    assert answer.status_code == 302, problems_in(answer.content.decode())
    platelets = HaematologyResult.objects.get(test="PLAT")
    assert platelets.low == Decimal(160)
    assert platelets.version == 1
    assert HaematologyResult.objects.get(test="WBC").value == Decimal("4.2")


# Queries


def test_a_finding_is_asked_at_its_field_and_answered_there(desk: Client, patient: Patient):
    typed = {"consented_on": "6mar2013", "screened_on": "6mar2013", "is_enrolled": "yes", "enrolled_on": "4mar2013"}

    saved = desk.post(HERE + "ENR/at/LOG/", typed, follow=True)
    query = Query.objects.get(check_code="EC-002")
    record = Enrolment.objects.get()
    address = f"ENR/{record.pk}/edit/"
    answer = desk.post(HERE + address, open_page(desk, address) | typed | {f"answer.{query.pk}": "True. A deviation."})

    page = text_of(saved.content.decode())
    assert "Enrolment on 04-Mar-2013 is before consent on 06-Mar-2013. Please check both dates." in page
    assert answer.status_code == 302
    query.refresh_from_db()
    assert (query.state, query.answer) == ("answered", "True. A deviation.")
    assert query.history.first().recording.reason == "Queries were answered."
    record.refresh_from_db()
    assert record.version == 1


def test_a_query_closes_when_the_answer_is_mended(desk: Client, patient: Patient):
    record = entered(Enrolment, patient, consented_on=date(2013, 3, 6), screened_on=date(2013, 3, 6))
    address = f"ENR/{record.pk}/edit/"
    typed = {"screened_on": "6mar2013", "is_enrolled": "yes", "enrolled_on": "6mar2013", "cohort": "MAIN"}

    sent = open_page(desk, address) | typed | {"consented_on": "6mar2013", "reason": "Misread."}
    desk.post(HERE + address, sent)

    assert not Query.objects.filter(check_code="EC-002").exclude(state="closed").exists()


# Two people on one form


def test_a_save_on_an_older_version_shows_mine_and_theirs_and_loses_neither(
    desk: Client, patient: Patient, investigator: User
):
    record = entered(PerformanceStatus, patient, "C1D1")
    address = f"PS/{record.pk}/edit/"
    mine = open_page(desk, address) | WEIGHT | {"weight_kg": "72.5", "reason": "Misread the scale."}
    other = Client()
    other.force_login(investigator)
    theirs = open_page(other, address) | WEIGHT | {"weight_kg": "73", "ecog": "2", "reason": "From the chart."}
    other.post(HERE + address, theirs)

    overtaken = desk.post(HERE + address, mine)
    again = desk.post(HERE + address, fields_of(overtaken.content.decode()) | mine_again(overtaken, mine))

    page = overtaken.content.decode()
    assert overtaken.status_code == 409
    assert "Somebody saved this form since you opened it." in page
    assert re.search(r"Investigator saved 73 at \d\d-\w{3}-\d{4} \d\d:\d\d \w+", text_of(page))
    assert re.search(r"Investigator saved 2 at", text_of(page))
    assert 'value="72.5"' in page  # mine, where both typed something
    assert re.search(r'name="ecog" value="2"', page)  # theirs, where only they did
    assert again.status_code == 302
    record.refresh_from_db()
    assert (record.weight_kg, record.ecog, record.version) == (Decimal("72.5"), 2, 3)


def mine_again(page, mine: dict[str, str]) -> dict[str, str]:
    """What the page of a conflict sends when nothing more is typed."""
    ecog = re.search(r'name="ecog" value="([^"]*)"', page.content.decode())
    return {name: text for name, text in mine.items() if "version" not in name} | {"ecog": ecog[1] if ecog else ""}


DRUG = {"drug": "Aciclovir", "started": "mar2013", "is_ongoing": "yes"}


def test_a_row_of_a_log_is_there_once_after_a_double_click(desk: Client, patient: Patient):
    sent = open_page(desk, "CM/at/LOG/") | DRUG

    first = desk.post(HERE + "CM/at/LOG/", sent | {"save": "1"})
    second = desk.post(HERE + "CM/at/LOG/", sent | {"save": "1"}, follow=True)

    saved = Medication.objects.get()
    assert first.url == second.redirect_chain[0][0] == f"{HERE}CM/{saved.pk}/edit/"
    assert "This was sent twice. It is saved once." in text_of(second.content.decode())
    assert FormEntry.objects.filter(form="CM").count() == saved.version == 1


def test_the_second_press_goes_where_its_button_leads(desk: Client, patient: Patient):
    sent = open_page(desk, "CM/at/LOG/") | DRUG

    desk.post(HERE + "CM/at/LOG/", sent | {"save": "1"})
    second = desk.post(HERE + "CM/at/LOG/", sent | {"another": "1"})

    assert second.url == f"{HERE}CM/at/LOG/"
    assert Medication.objects.count() == 1


def test_what_is_typed_anew_on_the_same_page_is_another_row(desk: Client, patient: Patient):
    sent = open_page(desk, "CM/at/LOG/") | DRUG

    desk.post(HERE + "CM/at/LOG/", sent)
    desk.post(HERE + "CM/at/LOG/", sent | {"drug": "Fluconazole"})  # after the button Back

    assert sorted(Medication.objects.values_list("drug", flat=True)) == ["Aciclovir", "Fluconazole"]


def test_the_same_row_typed_on_two_pages_is_two_rows(desk: Client, patient: Patient):
    first, second = open_page(desk, "CM/at/LOG/"), open_page(desk, "CM/at/LOG/")

    desk.post(HERE + "CM/at/LOG/", first | DRUG)
    desk.post(HERE + "CM/at/LOG/", second | DRUG)

    assert first["once"] != second["once"]
    assert Medication.objects.count() == 2


def test_a_row_that_was_removed_meanwhile_is_saved_anew(desk: Client, patient: Patient):
    sent = open_page(desk, "CM/at/LOG/") | DRUG
    desk.post(HERE + "CM/at/LOG/", sent)
    gone = Medication.objects.get()
    desk.post(f"{HERE}CM/{gone.pk}/remove/", {"version": "1", "reason": "The wrong patient."})

    desk.post(HERE + "CM/at/LOG/", sent)
    desk.post(HERE + "CM/at/LOG/", sent)

    assert Medication.objects.get().pk != gone.pk


@pytest.mark.parametrize("mark", ["", "0", "g" * 32, "0" * 33])
def test_a_mark_that_is_none_guards_nothing_and_refuses_nothing(desk: Client, patient: Patient, mark: str):
    for _ in range(2):
        assert desk.post(HERE + "CM/at/LOG/", DRUG | {"once": mark}).status_code == 302

    assert Medication.objects.count() == 2


def test_a_form_that_is_filled_once_is_there_once_after_a_double_click(desk: Client, patient: Patient):
    first = desk.post(HERE + "PS/at/C1D1/", WEIGHT)
    second = desk.post(HERE + "PS/at/C1D1/", WEIGHT | {"weight_kg": "80"})

    assert (first.status_code, second.status_code) == (302, 409)
    assert PerformanceStatus.objects.count() == 1
    page = second.content.decode()
    assert 'value="80"' in page
    assert "saved 71.5 at" in text_of(page)


def test_two_rows_of_a_log_that_are_entered_at_once_have_entries_of_their_own(desk: Client, patient: Patient):
    waiting = make.entry_expected(patient, "CM")
    pages = [open_page(desk, "CM/at/LOG/") for _ in range(2)]

    answers = [desk.post(HERE + "CM/at/LOG/", sent | {"drug": drug}) for sent, drug in zip(pages, "AB", strict=True)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert [(one.drug, one.entry.repeat) for one in Medication.objects.order_by("pk")] == [("A", 1), ("B", 2)]
    assert Medication.objects.get(drug="A").entry == waiting


def test_what_was_typed_into_a_form_that_was_removed_meanwhile_is_kept(desk: Client, patient: Patient):
    record = entered(Medication, patient)
    address = f"CM/{record.pk}/edit/"
    sent = open_page(desk, address) | {"drug": "Aciclovir 400", "category": "ANTIINFECTIVE"}
    with recording(by=make.author(), reason="Entered twice."):
        record.delete()

    answer = desk.post(HERE + address, sent)

    page = answer.content.decode()
    assert answer.status_code == 409
    assert 'value="Aciclovir 400"' in page
    assert "Somebody removed this form since you opened it." in page
    assert f'action="{HERE}CM/at/LOG/"' in page


def test_a_row_that_somebody_added_meanwhile_is_shown_and_kept(desk: Client, patient: Patient):
    event = entered(AdverseEvent, patient, number=1)
    address = f"AE/{event.pk}/edit/"
    sent = event_texts(desk, address) | {"AE.GRADE.rows": "1", "AE.GRADE.0-grade": "1", "AE.GRADE.0-pk": ""}
    entered(EventGrade, patient, event=event, grade=3)

    answer = desk.post(HERE + address, sent)

    assert answer.status_code == 302
    assert sorted(EventGrade.objects.values_list("grade", flat=True)) == [1, 3]


# Nothing to report, not done, removed


def test_a_log_has_nothing_to_report_until_somebody_says_otherwise_with_a_reason(desk: Client, patient: Patient):
    desk.post(HERE + "CM/at/LOG/without/", {"nothing": "1"})
    said = FormEntry.objects.get().has_any
    typed = {"drug": "Aciclovir", "category": "ANTIINFECTIVE"}
    refused = desk.post(HERE + "CM/at/LOG/", typed)
    accepted = desk.post(HERE + "CM/at/LOG/", typed | {"reason": "Found in the chart."})

    assert said is False
    assert "Changed: Nothing to report." in problems_in(refused.content.decode())[0]
    assert accepted.status_code == 302
    assert FormEntry.objects.get().has_any is True
    assert Medication.objects.get().entry == FormEntry.objects.get()


def test_a_form_is_not_done_for_a_reason(desk: Client, patient: Patient):
    without = desk.post(HERE + "PS/at/C1D1/without/", {"not-done": "1", "reason": " "}, follow=True)
    none = FormEntry.objects.exists()
    desk.post(HERE + "PS/at/C1D1/without/", {"not-done": "1", "reason": "The patient was asleep."})

    entry = FormEntry.objects.get()
    assert "Say why the form was not done." in text_of(without.content.decode())
    assert not none
    assert (entry.is_not_done, entry.not_done_reason) == (True, "The patient was asleep.")


def test_why_a_form_was_not_done_is_changed_with_a_reason(desk: Client, patient: Patient):
    address = HERE + "PS/at/C1D1/without/"
    desk.post(address, {"not-done": "1", "reason": "The patient was asleep."})
    seen = open_page(desk, "PS/at/C1D1/") | {"reason": "The scale was broken."}

    again = desk.post(address, {"not-done": "1", "reason": "The patient was asleep."})  # a double click
    refused = desk.post(address, seen)
    before = FormEntry.objects.get()
    accepted = desk.post(address, seen | {"because": "Another patient was asleep."})

    entry = FormEntry.objects.get()
    assert (again.status_code, refused.status_code, accepted.status_code) == (302, 400, 302)
    assert problems_in(refused.content.decode()) == [
        "Say why this is being changed. The reason is kept in the audit trail."
    ]
    assert 'value="The scale was broken."' in refused.content.decode()
    assert (before.version, before.not_done_reason) == (1, "The patient was asleep.")
    assert entry.not_done_reason == "The scale was broken."
    assert entry.history.latest("history_id").recording.reason == "Another patient was asleep."


def test_two_reasons_why_a_form_was_not_done_are_both_seen(desk: Client, patient: Patient, investigator: User):
    address = HERE + "PS/at/C1D1/without/"
    mine = open_page(desk, "PS/at/C1D1/") | {"reason": "The scale was broken."}
    other = Client()
    other.force_login(investigator)
    other.post(address, {"not-done": "1", "reason": "The patient was asleep."})

    answer = desk.post(address, mine)
    again = desk.post(address, fields_of(answer.content.decode()) | mine | {"entry_version": "1", "because": "Seen."})

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Not done: The patient was asleep." in text_of(page)
    assert 'value="The scale was broken."' in page
    assert again.status_code == 302
    assert FormEntry.objects.get().not_done_reason == "The scale was broken."


def test_only_a_log_has_nothing_to_report(desk: Client, patient: Patient):
    assert desk.post(HERE + "PS/at/C1D1/without/", {"nothing": "1"}).status_code == 400


def test_a_record_is_removed_with_its_rows_and_a_reason(desk: Client, patient: Patient):
    step = entered(EventGrade, patient)
    address = f"{HERE}AE/{step.event.pk}/remove/"
    sent = open_page(desk, f"AE/{step.event.pk}/remove/")

    refused = desk.post(address, sent | {"reason": "."})
    removed = desk.post(address, sent | {"reason": "Entered for the wrong patient."})

    assert problems_in(refused.content.decode()) == ["Say why this is removed. The reason is kept in the audit trail."]
    assert removed.status_code == 302
    assert not AdverseEvent.objects.exists()
    assert not EventGrade.objects.exists()
    assert AdverseEvent.history.first().recording.reason == "Entered for the wrong patient."


def test_a_log_is_expected_again_when_its_last_row_is_removed_and_not_before(desk: Client, patient: Patient):
    first, second = (entered(MedicalHistory, patient, term=term) for term in ("Asthma", "Gout"))
    with recording(by=make.author(), reason="A query for a test."):
        query = Query.objects.create(
            patient=patient, entry=first.entry, form="MH", record=first.pk, severity="E", question="Since when?"
        )
    said = "Entered for the wrong patient."

    statuses = []
    for record in (first, second):
        sent = open_page(desk, f"MH/{record.pk}/remove/")
        desk.post(f"{HERE}MH/{record.pk}/remove/", sent | {"reason": said})
        statuses.append(progress_of([patient], make.author())[0].cells["LOG", "MH"].status)

    assert statuses == [Status.COMPLETE, Status.EXPECTED]
    assert FormEntry.objects.filter(form="MH").count() == 1
    gone = FormEntry.history.filter(id=first.entry_id, history_type="-").get()
    assert gone.recording_id == MedicalHistory.history.filter(id=first.pk, history_type="-").get().recording_id
    query.refresh_from_db()
    assert (query.state, query.entry_id) == ("closed", second.entry_id)


def test_what_was_said_with_a_removed_form_is_not_said_with_the_next_one(desk: Client, patient: Patient):
    desk.post(HERE + "PS/at/C1D1/", WEIGHT | {"comment": "Of the patient in the next bed."})
    record = PerformanceStatus.objects.get()
    desk.post(f"{HERE}PS/{record.pk}/remove/", {"version": "1", "reason": "Another patient."})

    entry = FormEntry.objects.get()
    page = desk.get(HERE + "PS/at/C1D1/").content.decode()
    assert (entry.comment, entry.collected_on) == (None, None)
    assert "next bed" not in page
    assert "Of the patient in the next bed." in entry.history.values_list("comment", flat=True)


def test_what_was_changed_meanwhile_is_read_again_before_it_is_removed(desk: Client, patient: Patient):
    record = entered(PerformanceStatus, patient, "C1D1")
    sent = open_page(desk, f"PS/{record.pk}/remove/")
    with recording(by=make.author(), reason="Corrected."):
        record.weight_kg = Decimal("75.5")
        record.save()

    answer = desk.post(f"{HERE}PS/{record.pk}/remove/", sent | {"reason": "Entered twice."})

    assert answer.status_code == 409
    assert "Somebody changed this form since you opened it." in text_of(answer.content.decode())
    assert PerformanceStatus.objects.exists()


def test_what_other_forms_point_to_is_not_removed_and_they_are_named(desk: Client, patient: Patient):
    detail = entered(CytokineRelease, patient)
    address = f"AE/{detail.event.pk}/remove/"

    answer = desk.post(HERE + address, open_page(desk, address) | {"reason": "Entered twice."})

    assert answer.status_code == 409
    said = text_of(answer.content.decode())
    assert (
        "This cannot be removed, because other forms point to it: Cytokine release syndrome: Cytokine release syndrome. "
        "Remove or correct those first."
    ) in said
    assert AdverseEvent.objects.exists()


# Events and their details


def test_the_detail_of_an_event_is_reached_from_the_event(desk: Client, patient: Patient):
    event = entered(AdverseEvent, patient)

    page = desk.get(f"{HERE}AE/{event.pk}/edit/").content.decode()
    detail = desk.get(f"{HERE}CRS/at/LOG/?event={event.pk}").content.decode()

    assert f'href="{HERE}CRS/at/LOG/?event={event.pk}"' in page
    assert f'<option value="{event.pk}" selected>' in detail


def test_an_event_has_one_detail_of_a_kind(desk: Client, patient: Patient):
    detail = entered(CytokineRelease, patient)

    answer = desk.post(HERE + "CRS/at/LOG/", {"event": str(detail.event.pk), "temperature_c": "39"})

    assert problems_in(answer.content.decode()) == [
        "Adverse event: There is a form CRS of that already. Open it, or choose another."
    ]


def test_the_event_of_another_patient_cannot_be_chosen(desk: Client, patient: Patient):
    foreign = entered(AdverseEvent, make.patient(patient.site))
    own = entered(AdverseEvent, patient, term="Cough")

    answer = desk.post(HERE + "CRS/at/LOG/", {"event": str(foreign.pk), "temperature_c": "39"})

    assert problems_in(answer.content.decode()) == [
        f"Adverse event: '{foreign.pk}' is not one of the answers. Choose from {own}."
    ]


# Addresses


@pytest.mark.parametrize(
    "address", ["XX/at/LOG/", "AE.GRADE/at/LOG/", "PS/at/LOG/", "DM/at/C1D1/", "PS/at/NOWHERE/", "PS/999999/edit/"]
)
def test_what_is_not_there_is_404(desk: Client, patient: Patient, address: str):
    assert desk.get(HERE + address).status_code == 404
    assert desk.post(HERE + address, WEIGHT).status_code == 404


def test_the_record_of_another_patient_is_404(desk: Client, patient: Patient):
    foreign = entered(PerformanceStatus, make.patient(patient.site), "C1D1")

    assert desk.get(f"{HERE}PS/{foreign.pk}/edit/").status_code == 404
    assert desk.post(f"{HERE}PS/{foreign.pk}/edit/", WEIGHT).status_code == 404
    assert desk.post(f"{HERE}PS/{foreign.pk}/remove/", {"reason": "Mine now."}).status_code == 404


# Drafts


def test_a_draft_is_kept_restored_and_dropped_by_the_save(desk: Client, patient: Patient, coordinator: User):
    page = HERE + "PS/at/C1D1/"

    kept = desk.post(HERE + "PS/draft/", WEIGHT | {"page": page, "weight_kg": "7l.5"})
    restored = desk.get(page).content.decode()
    draft = find_draft(coordinator, page)
    desk.post(page, WEIGHT)

    assert kept.status_code == 204
    assert draft is not None
    assert draft.typed["weight_kg"] == ["7l.5"]
    assert 'value="7l.5"' in restored
    assert "This form is filled with what you typed at" in restored
    assert problems_in(restored) == []  # it is not sent yet
    assert find_draft(coordinator, page) is None
    assert not FormEntry.objects.filter(comment="7l.5").exists()


def test_a_draft_is_for_a_page_of_that_form_alone(desk: Client, patient: Patient, coordinator: User):
    answer = desk.post(HERE + "PS/draft/", {"page": "/account/", "weight_kg": "71"})

    assert answer.status_code == 400
    assert find_draft(coordinator, "/account/") is None


def test_what_another_person_typed_is_neither_kept_nor_saved_for_who_is_signed_in_now(
    desk: Client, patient: Patient, coordinator: User
):
    page = HERE + "PS/at/C1D1/"
    typed = open_page(desk, "PS/at/C1D1/") | WEIGHT | {"opened_by": str(coordinator.pk + 1)}

    kept = desk.post(HERE + "PS/draft/", typed | {"page": page})
    saved = desk.post(page, typed | {"save": "1"})

    assert (kept.status_code, saved.status_code) == (409, 409)
    assert "Somebody else is signed in now than the person who opened this page" in kept.content.decode()
    assert 'value="71.5"' in saved.content.decode()
    assert not PerformanceStatus.objects.exists()
    assert find_draft(coordinator, page) is None


def test_a_draft_on_an_older_version_is_shown_beside_what_was_saved_since(
    desk: Client, patient: Patient, coordinator: User
):
    record = entered(PerformanceStatus, patient, "C1D1")
    page = f"{HERE}PS/{record.pk}/edit/"
    desk.post(HERE + "PS/draft/", open_page(desk, f"PS/{record.pk}/edit/") | WEIGHT | {"page": page, "ecog": "2"})
    with recording(by=make.author(), reason="Corrected."):
        record.weight_kg = Decimal("75.5")
        record.save()

    answer = desk.get(page)

    said = answer.content.decode()
    assert answer.status_code == 200
    assert 'name="ecog" value="2"' in said
    assert 'name="weight_kg" value="75.5"' in said
    assert "author saved 75.5 at" in text_of(said)


def test_the_summary_of_a_refused_page_leads_to_each_answer(desk: Client, patient: Patient):
    sent = {"assessed_on": "99zzz2013", "weight_kg": "9999", "did_writing_test": "maybe"}

    page = desk.post(HERE + "PS/at/C1D1/", sent).content.decode()

    summary = page[page.index('id="problem"') : page.index('id="entry"')]
    linked = re.findall(r'<li><a href="#([^"]+)">([^<]+)</a></li>', summary)
    ids = re.findall(r' id="([^"]+)"', page)
    assert [said for _, said in linked] == re.findall(r'class="field-problem"[^>]*>([^<]*)<', page)
    assert [where for where, _ in linked] == ["id_assessed_on", "id_weight_kg", "id_did_writing_test_0"]
    assert all(ids.count(where) == 1 for where, _ in linked)
    assert len(ids) == len(set(ids))


def test_the_summary_leads_to_the_results_and_rows_of_blocks(desk: Client, patient: Patient):
    blood = desk.post(HERE + "LBH/at/C1D1/", {"LBH.RESULT.HGB-value_text": "much"}).content.decode()

    assert '<a href="#id_LBH.RESULT.HGB-value_text">Haemoglobin: ' in blood
    assert 'id="id_LBH.RESULT.HGB-value_text"' in blood


def test_criteria_are_numbered_under_the_heading_of_their_group(desk: Client, patient: Patient):
    page = desk.get(HERE + "IE/at/LOG/").content.decode()

    headings = [unescape(found) for found in re.findall(r'<h3 class="entry-heading">([^<]+)</h3>', page)]
    assert headings == [
        "Inclusion criteria: Yes where the patient meets it",
        "Exclusion criteria: Yes where it is present",
    ]
    text = text_of(page)
    assert text.index("Inclusion criteria") < text.index("1. Age 18 years or older") < text.index("7. Signed informed")
    assert text.index("7. Signed informed") < text.index("Exclusion criteria") < text.index("1. Philadelphia-positive")
    assert "19. Known hypersensitivity to immunoglobulins" in text
