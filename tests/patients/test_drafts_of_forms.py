"""What was typed into a form and not saved is seen again: on the page on which it can be saved, and by who typed it alone."""

from datetime import date
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client

from patients.casebook import Status
from patients.grid.cells import progress_of
from patients.models import Demographics, Enrolment, HaematologyResult, Medication, PerformanceStatus, VitalSigns
from safety.models import AdverseEvent, EventGrade
from tests import make
from tests.cast import Cast
from tests.patients.test_entry_saving import event_texts, fields_of, open_page, text_of
from tests.patients.test_moving import asked_about, move
from trial.audit import recording
from trial.drafts import find_draft, find_drafts, keep_draft
from trial.models import Draft, Membership, Patient, Role

HERE = "/MT103-211/patients/SYN-012-001/"
LONG = "It was taken twice, lying and sitting."


@pytest.fixture
def desk(coordinator: User) -> Client:
    return signed_in(coordinator)


@pytest.fixture
def colleague(investigator: User) -> Client:
    return signed_in(investigator)


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


# Answers to queries


@pytest.mark.parametrize("field", ["", "systolic_mmhg"])
def test_an_answer_to_a_query_that_was_typed_is_on_a_refused_an_overtaken_and_a_restored_page(
    desk: Client, colleague: Client, patient: Patient, field: str
):
    record = make.record(VitalSigns, patient, "C1D1")
    query = asked_about(record, field)
    page = f"{HERE}VS/{record.pk}/edit/"
    sent = open_page(desk, f"VS/{record.pk}/edit/") | {"reason": "Misread.", f"answer.{query.pk}": LONG}

    refused = desk.post(page, sent | {"systolic_mmhg": "high"})
    desk.post(f"{HERE}VS/draft/", sent | {"page": page})
    restored = desk.get(page)
    colleague.post(page, open_page(colleague, f"VS/{record.pk}/edit/") | {"systolic_mmhg": "121", "reason": "Misread."})
    overtaken = desk.post(page, sent | {"systolic_mmhg": "122"})

    assert [answer.status_code for answer in (refused, restored, overtaken)] == [400, 200, 409]
    for answer in (refused, restored, overtaken):
        assert f'name="answer.{query.pk}" value="{LONG}"' in unescape(answer.content.decode())


def test_the_answer_to_a_query_about_a_whole_form_is_typed_inside_the_form(desk: Client, patient: Patient):
    record = make.record(VitalSigns, patient, "C1D1")
    query = asked_about(record)

    page = desk.get(f"{HERE}VS/{record.pk}/edit/").content.decode()

    form = page.split('id="entry"', 1)[1].split("</form>", 1)[0]
    assert f'name="answer.{query.pk}"' in form  # what is typed outside of it is in no draft


# A form that somebody else entered, removed or moved meanwhile


def type_into(desk: Client, page: str, sent: dict[str, str]) -> None:
    """Let the page keep what was typed, as its script does."""
    form = page.removeprefix(HERE).split("/", 1)[0]
    assert desk.post(f"{HERE}{form}/draft/", sent | {"page": page}).status_code == 204


def test_what_was_typed_into_a_form_that_somebody_else_entered_is_shown_beside_it(
    desk: Client, colleague: Client, patient: Patient, coordinator: User
):
    new = f"{HERE}DM/at/LOG/"
    type_into(desk, new, open_page(desk, "DM/at/LOG/") | {"born_on": "1980", "sex": "F"})
    colleague.post(new, {"sex": "M"})
    record = Demographics.objects.get()
    seen_in_the_grid = progress_of([patient], coordinator)[0].cells["LOG", "DM"].status

    answer = desk.get(new, follow=True)

    page = answer.content.decode()
    assert seen_in_the_grid == Status.DRAFT
    assert answer.redirect_chain == [(f"{HERE}DM/{record.pk}/edit/", 302)]
    assert 'name="born_on" value="1980"' in page
    assert "saved Male at" in text_of(page)
    assert "This form is filled with what you typed at" in page
    assert [draft.page for draft in Draft.objects.all()] == [f"{HERE}DM/{record.pk}/edit/"]


def test_an_overtaken_first_entry_is_kept_for_the_page_on_which_it_is_saved(
    desk: Client, colleague: Client, patient: Patient, coordinator: User
):
    new = f"{HERE}DM/at/LOG/"
    sent = open_page(desk, "DM/at/LOG/") | {"born_on": "1980", "sex": "F"}
    type_into(desk, new, sent)
    colleague.post(new, {"sex": "M"})

    overtaken = desk.post(new, sent)
    here = f"{HERE}DM/{Demographics.objects.get().pk}/edit/"
    kept = [draft.page for draft in Draft.objects.all()]
    saved = desk.post(here, fields_of(overtaken.content.decode()) | {"born_on": "1980", "sex": "M"})

    assert (overtaken.status_code, saved.status_code) == (409, 302)
    assert kept == [here]
    assert not Draft.objects.exists()


def test_what_was_typed_into_a_form_that_was_removed_is_found_on_the_page_of_a_new_one(
    desk: Client, colleague: Client, patient: Patient, coordinator: User
):
    record = make.record(PerformanceStatus, patient, "C1D1")
    page = f"{HERE}PS/{record.pk}/edit/"
    type_into(desk, page, open_page(desk, f"PS/{record.pk}/edit/") | {"comment": LONG, "ecog": "2"})

    colleague.post(f"{HERE}PS/{record.pk}/remove/", {"version": "1", "reason": "Wrong patient."})
    (progress,) = progress_of([patient], coordinator)
    again, new = desk.get(page, follow=True), desk.get(f"{HERE}PS/at/C1D1/")

    assert progress.cells["C1D1", "PS"].status == Status.DRAFT
    for answer in (again, new):
        said = answer.content.decode()
        assert LONG in said
        assert "Somebody removed this form since you opened it." in said
    saved = desk.post(f"{HERE}PS/at/C1D1/", open_page(desk, "PS/at/C1D1/") | {"ecog": "2"})
    assert saved.status_code == 302
    assert PerformanceStatus.objects.get().entry.visit == "C1D1"
    assert not Draft.objects.exists()


def test_what_was_kept_after_a_removal_is_shown_where_it_was_typed(desk: Client, patient: Patient, coordinator: User):
    record = make.record(PerformanceStatus, patient, "C1D1")
    page = f"{HERE}PS/{record.pk}/edit/"
    sent = open_page(desk, f"PS/{record.pk}/edit/") | {"comment": LONG}
    desk.post(f"{HERE}PS/{record.pk}/remove/", {"version": "1", "reason": "Wrong patient."})
    keep_draft(coordinator, page, {name: [text] for name, text in sent.items()})  # the session ended on Save

    answer = desk.get(page)

    assert answer.status_code == 200
    assert LONG in answer.content.decode()
    assert [draft.page.partition("?")[0] for draft in Draft.objects.all()] == [f"{HERE}PS/at/C1D1/"]


def test_what_is_sent_to_a_removed_row_of_a_log_is_kept_though_its_entry_is_gone(desk: Client, patient: Patient):
    make.record(Medication, patient)
    removed = make.record(Medication, patient, drug="Aciclovir")
    page = f"{HERE}CM/{removed.pk}/edit/"
    sent = open_page(desk, f"CM/{removed.pk}/edit/") | {"drug": "Aciclovir", "comment": LONG}
    desk.post(f"{HERE}CM/{removed.pk}/remove/", {"version": "1", "reason": "Wrong patient."})

    answer = desk.post(page, sent)

    assert answer.status_code == 409
    assert LONG in answer.content.decode()
    assert f'action="{HERE}CM/at/LOG/"' in answer.content.decode()


def test_a_removed_form_into_which_nothing_was_typed_is_not_there(desk: Client, patient: Patient):
    record = make.record(PerformanceStatus, patient, "C1D1")
    desk.post(f"{HERE}PS/{record.pk}/remove/", {"version": "1", "reason": "Wrong patient."})

    assert desk.get(f"{HERE}PS/{record.pk}/edit/").status_code == 404


def test_the_rows_of_a_draft_are_those_of_the_form_that_was_moved(
    desk: Client, colleague: Client, patient: Patient, investigator: User
):
    make.patient(patient.site)
    grade = make.record(EventGrade, patient)
    number = grade.event.pk
    type_into(colleague, f"{HERE}AE/{number}/edit/", event_texts(colleague, f"AE/{number}/edit/") | {"comment": LONG})

    move(desk, grade.event, patient="SYN-012-002", visit="")
    moved = AdverseEvent.objects.get()
    here = f"/MT103-211/patients/SYN-012-002/AE/{moved.pk}/edit/"
    restored = colleague.get(here).content.decode()

    (row,) = EventGrade.objects.all()
    assert f'name="AE.GRADE.0-pk" value="{row.pk}"' in restored
    assert f'name="version" value="{moved.version}"' in restored
    assert LONG in restored
    assert "Somebody saved this form since" not in restored


def test_the_results_of_a_draft_follow_the_sample_that_was_moved(desk: Client, colleague: Client, patient: Patient):
    make.patient(patient.site)
    result = make.record(HaematologyResult, patient, "C1D1")
    sample = result.sample
    type_into(
        colleague, f"{HERE}LBH/{sample.pk}/edit/", open_page(colleague, f"LBH/{sample.pk}/edit/") | {"comment": LONG}
    )

    move(desk, sample, patient="SYN-012-002")

    moved = HaematologyResult.objects.get()
    draft = Draft.objects.get()
    assert draft.page == f"/MT103-211/patients/SYN-012-002/LBH/{moved.sample.pk}/edit/"
    assert draft.typed[f"LBH.RESULT.{moved.test}-version"] == [str(moved.version)]
    assert draft.typed["entry_version"] == [str(moved.entry.version)]


def test_a_draft_that_was_older_than_the_moved_form_is_compared_with_it(
    desk: Client, colleague: Client, patient: Patient, investigator: User
):
    make.patient(patient.site)
    record = make.record(PerformanceStatus, patient, "C1D1", weight_kg=71)
    sent = open_page(colleague, f"PS/{record.pk}/edit/") | {"ecog": "3", "weight_kg": "71"}
    type_into(colleague, f"{HERE}PS/{record.pk}/edit/", sent)
    with recording(by=make.author(), reason="Corrected."):
        record.weight_kg = 75
        record.save()

    move(desk, record, patient="SYN-012-002")

    moved = PerformanceStatus.objects.get()
    page = colleague.get(f"/MT103-211/patients/SYN-012-002/PS/{moved.pk}/edit/").content.decode()
    assert "Somebody saved this form since you opened it." in page
    assert "saved 75 at" in text_of(page)


def test_a_form_that_goes_to_another_site_leaves_the_draft_of_who_has_no_access_there(
    cast: Cast, colleague: Client, patient: Patient, patient_elsewhere: Patient, coordinator: User
):
    with recording(by=make.author(), reason="Works at both sites."):
        Membership.objects.create(
            person=coordinator.person,
            study=cast.study,
            site=cast.elsewhere,
            role=Role.COORDINATOR,
            starts_on=date(2011, 1, 1),
        )
    record = make.record(PerformanceStatus, patient, "C1D1")
    page = f"{HERE}PS/{record.pk}/edit/"
    type_into(colleague, page, open_page(colleague, f"PS/{record.pk}/edit/") | {"comment": LONG})

    move(signed_in(coordinator), record, patient=patient_elsewhere.number)

    answer = colleague.get(page, follow=True)
    assert PerformanceStatus.objects.get().patient == patient_elsewhere
    assert answer.status_code == 200
    assert LONG in answer.content.decode()
    assert Draft.objects.get().page.startswith(f"{HERE}PS/at/C1D1/?once=")


# Several pages at once


def test_each_opened_page_of_a_log_has_its_own_draft_and_one_save_leaves_the_other(
    desk: Client, patient: Patient, coordinator: User
):
    page = f"{HERE}CM/at/LOG/"
    first, second = (open_page(desk, "CM/at/LOG/") | {"drug": drug} for drug in ("Aciclovir", "Cotrimoxazole"))
    type_into(desk, page, first)
    type_into(desk, page, second)

    drugs = [draft.typed["drug"] for draft in find_drafts(coordinator, page)]
    shown = desk.get(page).content.decode()
    other = desk.get(f"{page}?once={first['once']}").content.decode()
    empty = desk.get(f"{page}?once=new").content.decode()
    saved = desk.post(page, first | {"another": "1"})

    assert drugs == [["Cotrimoxazole"], ["Aciclovir"]]
    assert 'name="drug" value="Cotrimoxazole"' in shown
    assert "You typed something else into this page too, and did not save it" in shown
    assert f'href="{page}?once=new">Keep this, and open an empty form</a>' in shown
    assert f'href="{page}?once={first["once"]}"' in shown
    assert 'name="drug" value="Aciclovir"' in other
    assert "Aciclovir" not in empty
    assert "Cotrimoxazole" not in empty
    assert fields_of(empty)["once"] not in (first["once"], second["once"])
    assert saved["Location"] == f"{page}?once=new"  # another one, and not what the other page holds
    assert [draft.typed["drug"] for draft in find_drafts(coordinator, page)] == [["Cotrimoxazole"]]


def test_one_may_forget_one_draft_of_a_page_and_keep_the_others(desk: Client, patient: Patient, coordinator: User):
    page = f"{HERE}CM/at/LOG/"
    first, second = (open_page(desk, "CM/at/LOG/") | {"drug": drug} for drug in ("Aciclovir", "Cotrimoxazole"))
    type_into(desk, page, first)
    type_into(desk, page, second)

    answer = desk.post("/account/drafts/forget/", {"page": f"{page}?once={second['once']}"}, follow=True)

    said = answer.content.decode()
    assert "Cotrimoxazole" not in said
    assert 'name="drug" value="Aciclovir"' not in said  # an empty form, as was asked for
    assert f'href="{page}?once={first["once"]}"' in said
    kept = find_draft(coordinator, page)
    assert kept is not None
    assert kept.typed["drug"] == ["Aciclovir"]


def test_to_say_that_there_is_nothing_leaves_what_was_typed_on_another_page(
    desk: Client, patient: Patient, coordinator: User
):
    page = f"{HERE}CM/at/LOG/"
    first, second = (open_page(desk, "CM/at/LOG/") | {"drug": drug} for drug in ("Aciclovir", "Cotrimoxazole"))
    type_into(desk, page, first)
    type_into(desk, page, second)

    desk.post(f"{page}without/", {"nothing": "1", "once": second["once"]})

    assert [draft.typed["drug"] for draft in find_drafts(coordinator, page)] == [["Aciclovir"]]


# The small forms


@pytest.mark.parametrize("act", ["remove", "move"])
def test_a_reason_that_was_typed_when_the_session_ended_is_there_again(
    desk: Client, patient: Patient, coordinator: User, act: str
):
    record = make.record(PerformanceStatus, patient, "C1D1")
    page = f"{HERE}PS/{record.pk}/{act}/"
    keep_draft(coordinator, page, {"reason": [LONG], "version": ["7"], "patient": ["SYN-012-003"]})

    answer = desk.get(page).content.decode()

    assert f'name="reason" value="{LONG}"' in answer
    assert "This form is filled with what you typed at" in answer
    assert fields_of(answer)["version"] == "1"  # of what the page shows now
    assert act == "remove" or 'name="patient" value="SYN-012-003"' in answer


def test_why_and_where_a_patient_goes_is_there_again(patient: Patient, data_manager: User):
    page = f"{HERE}transfer/"
    keep_draft(data_manager, page, {"reason": [LONG], "transferred_on": ["12mar2014"]})

    answer = signed_in(data_manager).get(page).content.decode()

    assert f'name="reason" value="{LONG}"' in answer
    assert 'name="transferred_on" value="12mar2014"' in answer


def test_why_and_when_a_patient_is_screened_again_is_there_again(desk: Client, patient: Patient, coordinator: User):
    make.record(Enrolment, patient, is_enrolled=False, enrolled_on=None, screen_failure="EX18")
    page = f"{HERE}screen-again/"
    keep_draft(coordinator, page, {"reason": [LONG], "screened_on": ["12mar2014"]})

    answer = desk.get(page).content.decode()

    assert f'name="reason" value="{LONG}"' in answer
    assert 'name="screened_on" value="12mar2014"' in answer


def test_why_a_form_was_not_done_is_there_again(desk: Client, patient: Patient, coordinator: User):
    page = f"{HERE}PS/at/C1D1/"
    keep_draft(coordinator, f"{page}without/", {"reason": ["The patient was away."], "not-done": ["1"]})

    restored = desk.get(page).content.decode()
    desk.post(f"{page}without/", {"not-done": "1", "reason": "The patient was away.", "entry_version": "0"})

    assert 'name="reason" value="The patient was away."' in restored
    assert not Draft.objects.exists()


@pytest.mark.parametrize("address", ["VS/{}/remove/", "VS/{}/move/", "PS/at/C1D1/without/"])
def test_what_another_person_typed_into_a_small_form_is_done_under_nobody_elses_name(
    desk: Client, patient: Patient, investigator: User, address: str
):
    signs = make.record(VitalSigns, patient, "C1D1")
    page = f"/MT103-211/patients/{patient.number}/{address.format(signs.pk)}"
    sent = {"reason": "Wrong patient.", "version": "1", "entry_version": "1", "visit": "C1D8", "not-done": "1"}

    answer = desk.post(page, sent | {"opened_by": str(investigator.pk)})

    assert answer.status_code == 409
    assert "Somebody else is signed in now than the person who opened this page" in answer.content.decode()
    signs.refresh_from_db()
    assert (signs.entry.visit, signs.version) == ("C1D1", 1)
    assert not PerformanceStatus.objects.exists()
