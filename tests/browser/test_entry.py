"""Entering a form in a real browser: no barrier at either width, by keyboard alone, and no typing lost."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils.crypto import get_random_string
from playwright.sync_api import Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from patients.models import Enrolment, PerformanceStatus, Transplant, VitalSigns
from safety.models import AdverseEvent, CytokineRelease, EventGrade
from tests import make
from tests.cast import Cast
from trial.audit import recording
from trial.drafts import find_draft, keep_draft
from trial.models import Draft, FormEntry, Patient

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HERE = "/MT103-211/patients/SYN-012-001/"
# The prior transplantation as a coordinator types it, question by question: digits pick an option, letters a line of a list.
TRANSPLANT = (
    ("number", "1"),
    ("kind", "1"),
    ("transplanted_on", "14may2012"),
    ("status", "5"),
    ("donor", "Matched sib"),
    ("hla_match", "10"),
    ("donor_sex", "1"),
    ("donor_age_years", "41"),
    ("graft", "1"),
    ("conditioning", "1"),
    ("conditioning_agents", "Busulfan, fludarabine"),
    ("tbi", "1"),
    ("cmv_donor", "1"),
    ("cmv_recipient", "2"),
    ("engrafted_on", "6jun2012"),
    ("chimerism_percent", "99.5"),
    ("chimerism_on", "jul2012"),
    ("had_lymphocyte_infusion", "2"),
    ("had_acute_gvhd", "2"),
    ("had_chronic_gvhd", "2"),
    ("active_gvhd", "1"),
    ("is_immunosuppressed", "2"),
    ("has_relapsed", "1"),
    ("relapsed_on", "20nov2012"),
    ("relapse_site", "1"),
)


@pytest.fixture
def desk(page: Page, live_server: LiveServer, sign_in: Callable[[User], None], cast: Cast) -> Callable[[str], Page]:
    """The coordinator's browser: `desk(address)` opens a page of the patient."""
    sign_in(cast["coordinator"])

    def opened(address: str) -> Page:
        page.goto(live_server.url + HERE + address)
        return page

    return opened


def test_a_form_of_twenty_five_questions_is_entered_with_the_keyboard_alone(
    desk: Callable[[str], Page], patient: Patient
):
    page = desk("HSCT/at/LOG/")
    page.locator("[name=number]").focus()

    for name, typed in TRANSPLANT:
        go_to(page, name)
        page.keyboard.type(typed)
    page.keyboard.press("Control+Enter")

    expect(page.get_by_text("Prior transplantation: Saved at")).to_be_visible()
    saved = Transplant.objects.get()
    assert (saved.number, saved.kind, saved.transplanted_on) == (1, "ALLOGENEIC", "2012-05-14")
    assert (saved.donor, saved.hla_match, saved.graft) == ("MATCHED SIBLING", "10/10", "PBSC")
    assert (saved.chimerism_percent, saved.chimerism_on) == (Decimal("99.5"), "2012-07")
    assert (saved.had_acute_gvhd, saved.has_relapsed) == (False, True)
    assert (saved.relapsed_on, saved.relapse_site) == ("2012-11-20", "MARROW")


def go_to(page: Page, name: str) -> None:
    """Press Tab until the control of a question has the focus."""
    for _ in range(40):
        if page.evaluate("document.activeElement.name") == name:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {name}.")


def test_enter_saves_nothing_and_control_enter_opens_the_next_expected_form(
    desk: Callable[[str], Page], patient: Patient
):
    make.record(Enrolment, patient)
    waiting = make.entry_expected(patient, "VS", "C1D1")
    page = desk("PS/at/C1D1/")

    page.locator("[name=assessed_on]").fill("4mar2013")
    page.keyboard.press("Enter")
    unsaved = PerformanceStatus.objects.exists()
    page.keyboard.press("Control+Enter")

    expect(page.get_by_role("heading", level=1)).to_contain_text("Vital signs")
    assert not unsaved
    assert page.url.endswith("VS/at/C1D1/")
    assert FormEntry.objects.get(pk=waiting.pk).form == "VS"


def test_a_question_appears_when_its_answer_is_given_and_what_was_typed_stays(
    desk: Callable[[str], Page], patient: Patient
):
    page = desk("PS/at/C1D1/")
    writing = page.locator(".entry-line[data-name=writing]")

    expect(writing).to_be_hidden()
    page.locator("[name=did_writing_test][value=yes]").check()
    expect(writing).to_be_visible()
    page.locator("[name=writing][value=UNCHANGED]").check()
    page.locator("[name=did_writing_test][value=no]").check()

    expect(writing).to_be_visible()


def test_what_was_typed_is_there_again_after_the_browser_is_gone(
    desk: Callable[[str], Page], patient: Patient, cast: Cast
):
    page = desk("PS/at/C1D1/")

    page.locator("[name=weight_kg]").press_sequentially("71.5")
    expect(page.locator("#entry .entry-state")).to_contain_text("Draft kept at")
    kept = find_draft(cast["coordinator"], f"{HERE}PS/at/C1D1/")
    page.reload()

    assert kept is not None
    assert kept.typed["weight_kg"] == ["71.5"]
    expect(page.locator("[name=weight_kg]")).to_have_value("71.5")
    assert not PerformanceStatus.objects.exists()


def test_what_is_typed_into_a_removed_form_is_kept_for_the_page_on_which_it_is_saved(
    desk: Callable[[str], Page], patient: Patient, cast: Cast
):
    record = make.record(PerformanceStatus, patient, "C1D1")
    address = f"PS/{record.pk}/edit/"
    keep_draft(cast["coordinator"], HERE + address, {"ecog": ["2"], "version": ["1"]})
    with recording(by=make.author(), reason="Wrong patient."):
        record.delete()
    page = desk(address)

    expect(page.locator("#problem")).to_contain_text("Somebody removed this form")
    page.locator("[name=comment]").fill("Measured twice.")
    expect(page.locator("#entry .entry-state")).to_contain_text("Draft kept at")
    kept = Draft.objects.get()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Performance status: Saved at")).to_be_visible()

    assert kept.page.startswith(f"{HERE}PS/at/C1D1/?once=")
    assert kept.typed["comment"] == ["Measured twice."]
    assert not Draft.objects.exists()


def test_a_save_waits_for_the_draft_that_is_under_way(desk: Callable[[str], Page], patient: Patient, cast: Cast):
    page = desk("PS/at/C1D1/")
    held: list[Route] = []
    page.route("**/PS/draft/", lambda route: held.append(route))

    page.locator("[name=weight_kg]").press_sequentially("71.5")
    with page.expect_request("**/PS/draft/"):
        pass
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_timeout(300)
    waits = not PerformanceStatus.objects.exists()
    held[0].continue_()

    expect(page.get_by_text("Performance status: Saved at")).to_be_visible()
    assert waits
    assert PerformanceStatus.objects.count() == 1
    assert find_draft(cast["coordinator"], f"{HERE}PS/at/C1D1/") is None


def in_another_tab(client: Client, page: Page, user: User) -> None:
    """Sign a person in in this browser, as a sign-in in another tab does: with a new session and a new mark of its forms."""
    client.force_login(user)
    server = page.evaluate("location.origin")
    given = {"marrow-sid": client.cookies["marrow-sid"].value, "marrow-csrf": get_random_string(32)}
    page.context.add_cookies([{"name": name, "value": value, "url": server} for name, value in given.items()])


def test_who_is_signed_out_keeps_what_was_typed_and_saves_after_a_sign_in(
    desk: Callable[[str], Page], patient: Patient, cast: Cast, client: Client
):
    address = desk("PS/at/C1D1/").url
    page = desk("").context.new_page()  # where the browser may complain of refusals
    page.goto(address)
    UserSession.objects.all().delete()
    Session.objects.all().delete()

    page.locator("[name=weight_kg]").press_sequentially("71.5")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#entry .entry-away")).to_contain_text("You are signed out. What you typed is on this page.")
    link = page.locator("#entry").get_by_role("link", name="Sign in in another tab")
    in_another_tab(client, page, cast["investigator"])
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#entry .entry-away")).to_contain_text("Somebody else is signed in now")
    is_by_another = PerformanceStatus.objects.exists()
    leads_to = [link.get_attribute(name) for name in ("href", "target", "rel")]
    in_another_tab(client, page, cast["coordinator"])
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_text("Performance status: Saved at")).to_be_visible()
    assert leads_to == ["/sign-in/", "_blank", "noopener"]
    assert not is_by_another
    assert PerformanceStatus.objects.get().weight_kg == Decimal("71.5")
    assert find_draft(cast["investigator"], f"{HERE}PS/at/C1D1/") is None


def test_a_small_form_is_left_only_while_its_person_is_signed_in(
    desk: Callable[[str], Page], patient: Patient, cast: Cast, client: Client
):
    signs = make.record(VitalSigns, patient, "C1D1")
    context = desk("").context
    for address, button, typed in (
        ("PS/at/C1D1/", "The form was not done", "Patient too ill."),
        ("CM/at/LOG/", "There is nothing to report", ""),
        (f"VS/{signs.pk}/remove/", "Remove", "Wrong patient."),
    ):
        in_another_tab(client, desk(""), cast["coordinator"])
        url = desk(address).url
        page = context.new_page()  # where the browser may complain of refusals
        page.goto(url)
        UserSession.objects.all().delete()
        Session.objects.all().delete()
        small = page.locator("form[data-draft]").last
        if typed:
            small.locator("[name=reason]").fill(typed)

        small.get_by_role("button", name=button).click()
        expect(small.locator(".entry-away")).to_contain_text("You are signed out. What you typed is on this page.")
        is_kept = small.locator("[name=reason]").input_value() == typed if typed else True
        in_another_tab(client, page, cast["investigator"])
        small.get_by_role("button", name=button).click()
        expect(small.locator(".entry-away")).to_contain_text("Somebody else is signed in now")
        in_another_tab(client, page, cast["coordinator"])
        small.get_by_role("button", name=button).click()

        expect(page.locator("main .note[role=status]").first).to_contain_text(":")
        assert is_kept
        assert page.url != url
        page.close()
    assert FormEntry.objects.get(form="PS").not_done_reason == "Patient too ill."
    assert FormEntry.objects.get(form="CM").has_any is False
    assert not VitalSigns.objects.exists()
    assert not Draft.objects.exists()


def test_every_page_of_entering_is_free_of_barriers_at_both_widths(
    desk: Callable[[str], Page], patient: Patient, barriers: Callable[[], str]
):
    make.record(Enrolment, patient)
    step = make.record(EventGrade, patient)
    make.record(CytokineRelease, patient, event=step.event)
    signs = make.record(VitalSigns, patient, "C1D1")
    pages = (
        *("DM/at/LOG/", "PS/at/C1D1/", "LBH/at/C1D1/", "IE/at/LOG/", "EX/at/LOG/", "CM/at/LOG/"),
        *(f"AE/{step.event.pk}/edit/", f"VS/{signs.pk}/edit/", f"VS/{signs.pk}/remove/"),
    )
    found = {}

    for width in (1360, 390):
        for name in pages:
            page = desk(name)
            page.set_viewport_size({"width": width, "height": 900})
            is_too_wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
            if problems := barriers() or ("wider than the window" if is_too_wide else ""):
                found[name, width] = problems

    assert found == {}
    assert AdverseEvent.objects.count() == 1
