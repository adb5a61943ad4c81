"""A patient goes to another site: who sees them then, what goes along, and what stays as it was told."""

import time
from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from analysis.extract import EVERYTHING, extract
from patients.models import ChemistryResult, Enrolment, NormalRange, PerformanceStatus, VitalSigns
from tests import make
from tests.cast import Cast
from tests.patients.test_entry_saving import fields_of, problems_in, text_of
from trial.access_record.past import access_on
from trial.audit import recording
from trial.drafts import find_draft, keep_draft
from trial.models import AccessEvent, Membership, Patient, Site, Transfer

HERE = "/MT103-211/patients/SYN-012-001/"
WHY = "The patient moved to Texas."


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def office(data_manager: User) -> Client:
    return browser_of(data_manager)


def go(office: Client, to: Site, **given: str):
    """Open the page that transfers the patient, and send it."""
    seen = fields_of(office.get(f"{HERE}transfer/").content.decode())
    usual = {"site": str(to.pk), "transferred_on": "3jun2014", "reason": WHY}
    return office.post(f"{HERE}transfer/", seen | usual | given, follow=True)


def test_from_then_on_the_people_of_the_new_site_see_the_patient_and_the_others_do_not(
    cast: Cast, patient: Patient, office: Client, coordinator: User, colleague: User, monitor: User
):
    record = make.record(PerformanceStatus, patient, "C1D1")
    pages = ("", "visits/", f"PS/{record.pk}/edit/", f"PS/{record.pk}/history/")
    before = {
        user: [browser_of(user).get(HERE + page).status_code for page in pages] for user in (coordinator, colleague)
    }

    answer = go(office, cast.elsewhere)

    assert before == {coordinator: [200] * 4, colleague: [404] * 4}
    assert "SYN-012-001 is at site 034 Houston now" in text_of(answer.content.decode())
    assert [browser_of(coordinator).get(HERE + page).status_code for page in pages] == [404] * 4
    assert [browser_of(colleague).get(HERE + page).status_code for page in pages] == [200] * 4
    assert browser_of(monitor).get(HERE).status_code == 200
    for page in ("patients/", "grid/", "changes/"):
        assert "SYN-012-001" not in browser_of(coordinator).get(f"/MT103-211/{page}").content.decode(), page
        assert "SYN-012-001" in browser_of(colleague).get(f"/MT103-211/{page}").content.decode(), page


def test_the_number_stays_and_the_page_tells_where_the_patient_was(
    cast: Cast, patient: Patient, office: Client, colleague: User
):
    go(office, cast.elsewhere)

    moved = Patient.objects.get()
    act = moved.history.first().recording
    page = text_of(browser_of(colleague).get(HERE).content.decode())
    changes = text_of(browser_of(colleague).get("/MT103-211/changes/?patient=SYN-012-001").content.decode())
    assert (moved.number, moved.site, moved.version) == ("SYN-012-001", cast.elsewhere, 2)
    assert (act.person_name, act.role, act.reason) == ("Data Manager", "data manager", WHY)
    assert "Transferred 012 Ulm to 034 Houston, 03-Jun-2014" in page
    assert "From site 012 to site 034 on 03-Jun-2014" in changes


def test_open_queries_go_along(cast: Cast, patient: Patient, office: Client, coordinator: User, colleague: User):
    browser_of(coordinator).post(f"{HERE}VS/at/C1D1/", {"temperature_c": "41.5", "measured_at": "4mar2013 0900"})
    assert "quer" in text_of(office.get(f"{HERE}transfer/").content.decode())

    go(office, cast.elsewhere)

    asked = browser_of(colleague).get("/MT103-211/queries/").content.decode()
    assert "41.5" in asked
    assert "41.5" not in browser_of(coordinator).get("/MT103-211/queries/").content.decode()


def test_a_report_of_an_earlier_instant_shows_the_old_site(cast: Cast, patient: Patient, office: Client):
    before = timezone.now()
    time.sleep(0.01)

    go(office, cast.elsewhere)

    then = extract(EVERYTHING, cast.study, as_of=before, forms=()).frames["SUBJ"]
    now = extract(EVERYTHING, cast.study, forms=()).frames["SUBJ"]
    assert (then["site"].tolist(), then["region"].tolist()) == (["012"], ["EUROPE"])
    assert (now["site"].tolist(), now["region"].tolist()) == (["034"], ["USA"])


def test_who_read_the_patient_at_the_old_site_stays_on_record(
    cast: Cast, patient: Patient, office: Client, coordinator: User
):
    browser_of(coordinator).get(HERE)
    standings = access_on(cast.study, timezone.now().date())

    go(office, cast.elsewhere)

    read = AccessEvent.objects.get(kind="read", page="patient", by=coordinator)
    assert [each.patient_id for each in read.patients.all()] == [patient.pk]
    assert "Coordinator" in office.get(f"{HERE}access/").content.decode()
    assert access_on(cast.study, timezone.now().date()) == standings  # roles are of sites, and no role was changed


def test_what_was_typed_at_the_old_site_is_kept_out_of_reach_and_there_again_on_return(
    cast: Cast, patient: Patient, office: Client, coordinator: User
):
    page = f"{HERE}PS/at/C1D1/"
    keep_draft(coordinator, page, {"ecog": ["1"]})
    desk = browser_of(coordinator)

    go(office, cast.elsewhere)
    away = desk.get(page).status_code
    go(office, cast.here, transferred_on="4jul2014")

    assert (away, desk.get(page).status_code) == (404, 200)
    assert find_draft(coordinator, page) is not None
    assert [str(each) for each in Transfer.objects.all()] == [
        "From site 012 to site 034 on 2014-06-03",
        "From site 034 to site 012 on 2014-07-04",
    ]


def test_a_time_is_read_on_the_clock_of_the_site_where_the_patient_was(
    cast: Cast, patient: Patient, office: Client, colleague: User
):
    # On 12-Mar-2013 the clocks of Houston were 5 hours behind UTC, those of Ulm 1 hour ahead (tz database)
    go(office, cast.elsewhere, transferred_on="12mar2013")
    desk = browser_of(colleague)

    for visit, typed in (("C1D1", "11mar2013 0930"), ("C1D2", "12mar2013 0930")):
        desk.post(f"{HERE}VS/at/{visit}/", {"measured_at": typed})

    saved = VitalSigns.objects.order_by("pk")
    assert [(one.measured_at, one.measured_at_offset) for one in saved] == [
        (datetime(2013, 3, 11, 8, 30, tzinfo=UTC), 60),
        (datetime(2013, 3, 12, 14, 30, tzinfo=UTC), -300),
    ]
    shown = [desk.get(f"{HERE}VS/{one.pk}/edit/").content.decode() for one in saved]
    assert 'value="11-Mar-2013 09:30"' in shown[0]
    assert 'value="12-Mar-2013 09:30"' in shown[1]


def test_a_result_of_the_old_site_keeps_the_range_of_its_laboratory_when_it_is_corrected(
    cast: Cast, patient: Patient, office: Client, colleague: User
):
    with recording(by=make.author(), reason="The laboratories sent their ranges."):
        for site, high in ((cast.here, 40), (cast.elsewhere, 60)):
            since = date(2012, 1, 1)
            NormalRange(site=site, laboratory="LAB", test="ALT", unit="U/L", low=5, high=high, valid_from=since).save()
    typed = {"laboratory": "LAB", "LBC.RESULT.ALT-value_text": "300", "LBC.RESULT.ALT-unit_text": "U/L"}
    desk = browser_of(colleague)

    go(office, cast.elsewhere, transferred_on="12mar2013")
    for visit, taken_at in (("C1D1", "11mar2013 0930"), ("C1D2", "12mar2013 0930")):
        desk.post(f"{HERE}LBC/at/{visit}/", typed | {"taken_at": taken_at})
    first = ChemistryResult.objects.order_by("pk")[0]
    address = f"{HERE}LBC/{first.sample_id}/edit/"
    seen = fields_of(desk.get(address).content.decode())
    corrected = {"taken_at": "11mar2013 0945", "LBC.RESULT.ALT-value_text": "100", "reason": "From the report."}
    answer = desk.post(address, seen | typed | corrected)

    assert answer.status_code == 302, problems_in(answer.content.decode())
    found = [(one.value, one.high, one.grade) for one in ChemistryResult.objects.order_by("pk")]
    # CTCAE v4.03, ALT: above 5 times the upper limit is grade 3, above the limit grade 1 (100 is 2.5 times 40)
    assert found == [(100, 40, 1), (300, 60, 2)]  # 300 is 5 times 60, and not above


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"site": ""}, "Choose the site to which the patient goes."),
        ({"transferred_on": ""}, "Say on which day the patient went."),
        (
            {"transferred_on": "jun2014"},
            "UN-Jun-2014 is not enough: at least the day must be known. Write it as 12mar2014.",
        ),
        ({"reason": " - "}, "Say why the patient is transferred. The reason is kept in the audit trail."),
        (
            {"transferred_on": "28feb2013"},
            "28-Feb-2013 is before the patient consented, on 04-Mar-2013. Check the day.",
        ),
        ({"version": "7"}, "Somebody changed this patient since you opened the page: the site is 012 Ulm."),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    cast: Cast, patient: Patient, office: Client, given: dict[str, str], said: str
):
    make.record(Enrolment, patient)

    answer = go(office, cast.elsewhere, **given)

    page = answer.content.decode()
    assert answer.status_code in (400, 409)
    assert said in [*problems_in(page), text_of(page.split('id="problem">', 1)[-1].split("</div>", 1)[0])]
    assert Patient.objects.get().site == cast.here
    assert not Transfer.objects.exists()


def test_the_present_site_cannot_be_chosen_nor_a_day_before_the_last_transfer(
    cast: Cast, patient: Patient, office: Client
):
    to_itself = go(office, cast.here)
    go(office, cast.elsewhere)

    back = go(office, cast.here, transferred_on="2jun2014")

    assert to_itself.status_code == 400
    assert "02-Jun-2014 is before the last transfer, on 03-Jun-2014." in text_of(back.content.decode())
    assert Patient.objects.get().site == cast.elsewhere


def test_in_a_study_of_one_site_there_is_nowhere_to_go(db: None, django_user_model: type[User]):
    study = make.study("ONE-1")
    alone = make.patient(make.site(study))
    from trial.models import Membership, Person

    user = django_user_model.objects.create_user("keeper")
    with recording(by=make.author(), reason="A data manager."):
        person = Person.objects.create(user=user, name="Keeper", organisation="Marrow Research")
        Membership.objects.create(person=person, study=study, role="data manager", starts_on=date(2011, 1, 1))

    page = browser_of(user).get(f"/ONE-1/patients/{alone}/transfer/")

    assert "There is no other site in this study" in text_of(page.content.decode())


def test_who_had_the_patient_reads_where_the_patient_went_and_nobody_else_does(
    cast: Cast, patient: Patient, office: Client, coordinator: User, colleague: User, stranger: User
):
    before = browser_of(colleague).get(HERE)
    go(office, cast.elsewhere)

    at_the_old_site = browser_of(coordinator).get(HERE)
    back = go(office, cast.here)
    at_the_other = browser_of(colleague).get(HERE)

    assert at_the_old_site.status_code == 404
    said = text_of(at_the_old_site.content.decode())
    assert "Patient SYN-012-001 went from your site to site 034 Houston on" in said
    assert "Whoever has a role there sees the patient now." in said
    assert back.status_code == 200
    assert "went from your site to site 012" in text_of(at_the_other.content.decode())
    assert "There is no patient 'SYN-012-001'" in text_of(before.content.decode())
    assert "went from" not in text_of(browser_of(stranger).get(HERE).content.decode())


def test_who_came_to_the_old_site_later_does_not_read_where_the_patient_went(
    cast: Cast, patient: Patient, office: Client, coordinator: User
):
    go(office, cast.elsewhere)
    gone = Transfer.objects.get()
    with recording(by=make.author(), reason="Came later."):
        for membership in Membership.objects.filter(person__user=coordinator):
            membership.starts_on = gone.transferred_on + timedelta(days=1)
            membership.save()

    assert "There is no patient 'SYN-012-001'" in text_of(browser_of(coordinator).get(HERE).content.decode())
