"""Who gets which page: one table. And the rule behind it: not visible is missing (404), visible but not allowed is 403."""

from datetime import date

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import path

from tests.cast import Cast
from trial.access import Permission, may, memberships_of, patients_visible_to, requires, sees_all_patients
from trial.audit import recording
from trial.models import Membership, Patient
from trial.page_checks import check_that_pages_say_who_may_open_them, pages

HERE = "/MT103-211/patients/SYN-012-001/"
COLUMNS = (
    "coordinator",
    "investigator",
    "colleague",
    "monitor",
    "data manager",
    "safety physician",
    "statistician",
    "inspector",
    "administrator",
    "stranger",
    "nobody",
)

# A person a column, in the order of COLUMNS; the patient is at the coordinator's site and the colleague works at another.
# The last column is somebody who is not signed in: 302 leads to the sign-in page.
TABLE = """
    page                                        coor inve coll moni data safe stat insp admi stra nobody
    /                                           302  302  302  302  302  302  302  302  200  403  302
    /sign-in/                                   302  302  302  302  302  302  302  302  302  302  200
    /MT103-211/patients/                        200  200  200  200  200  200  200  200  403  404  302
    /MT103-211/patients/SYN-012-001/            200  200  404  200  200  200  200  200  404  404  302
    /MT103-211/patients/SYN-012-001/AE/         200  200  404  200  200  200  200  200  404  404  302
    /MT103-211/patients/SYN-012-001/XX/         404  404  404  404  404  404  404  404  404  404  302
    /MT103-211/patients/SYN-012-001/AE/1/       302  302  404  302  302  302  302  302  404  404  302
    /MT103-211/patients/SYN-012-001/AE/1/history/  404 404 404 404 404  404  404  404  404  404  302
    /MT103-211/changes/                         200  200  200  200  200  200  200  200  403  404  302
    /MT103-211/changes.csv                      200  200  200  200  200  200  200  200  403  404  302
    /MT103-211/changes/999999/                  404  404  404  404  404  404  404  404  403  404  302
    /MT103-211/report/                          200  200  200  200  200  200  200  200  403  404  302
    /MT103-211/report/T-4.1/                    200  200  200  200  200  200  200  200  403  404  302
    /MT103-211/report/T-9.9/                    404  404  404  404  404  404  404  404  403  404  302
    /MT103-211/report/F-5.4/figure-0.json       200  200  200  200  200  200  200  200  403  404  302
    /MT103-211/report/F-5.4/figure-0.svg        200  200  200  200  200  200  200  200  403  404  302
    /MT103-211/report/T-4.1/patients/0/         404  404  404  404  404  404  404  404  403  404  302
    POST /MT103-211/report/export/              403  403  403  403  200  403  200  200  403  404  302
    /MT103-211/search/?q=surv                   200  200  200  200  200  200  200  200  200  404  302
    /api/v1/report                              200  200  200  200  200  200  200  200  403  404  403
    POST /sign-in/as/                           404  404  404  404  404  404  404  404  404  404  404
    POST /sign-out/                             302  302  302  302  302  302  302  302  302  302  302
    /MT999/report/                              404  404  404  404  404  404  404  404  404  404  302
"""


def rows() -> list[tuple[str, str, dict[str, int]]]:
    """(method, page, the status for each person) of the table."""
    found = []
    for line in TABLE.strip().splitlines()[1:]:
        words = line.split()
        method = words.pop(0) if words[0] == "POST" else "GET"
        found.append((method, words[0], dict(zip(COLUMNS, map(int, words[1:]), strict=True))))
    return found


@pytest.mark.parametrize(("method", "address", "expected"), rows(), ids=[f"{row[0]} {row[1]}" for row in rows()])
def test_who_gets_which_page(cast: Cast, patient: Patient, method: str, address: str, expected: dict[str, int]):
    found = {}

    for person in COLUMNS:
        client = Client()
        if person != "nobody":
            client.force_login(cast[person])
        found[person] = client.generic(method, address).status_code

    assert found == expected


def test_the_table_has_a_row_for_every_page():
    named = {page.name for page in pages()}

    tested = {resolved(page) for _, page, _ in rows()}

    assert named - tested == set()


def resolved(page: str) -> str | None:
    from django.urls import resolve

    return resolve(page.split("?")[0]).url_name


def test_marrow_e001_a_page_that_does_not_say_who_may_open_it_stops_the_start():
    def forgotten(request):
        return HttpResponse("for anybody")

    (error,) = check_that_pages_say_who_may_open_them(routes=[path("forgotten/", forgotten, name="forgotten")])

    assert error.id == "marrow.E001"
    assert error.msg == "The page 'forgotten' does not say who may open it."


def test_every_page_of_marrow_says_who_may_open_it():
    assert check_that_pages_say_who_may_open_them() == []


def test_a_person_sees_the_patients_of_their_own_sites_only(cast: Cast, patient: Patient, patient_elsewhere: Patient):
    seen = {name: set(patients_visible_to(cast[name])) for name in ("coordinator", "colleague", "monitor", "stranger")}

    assert seen == {
        "coordinator": {patient},
        "colleague": {patient_elsewhere},
        "monitor": {patient, patient_elsewhere},
        "stranger": set(),
    }


def test_a_role_holds_from_its_first_day_to_its_last_day_both_included(cast: Cast, monitor):
    membership = Membership.objects.get(person__user=monitor)
    with recording(by=monitor, reason="The monitor left.", study=cast.study):
        membership.ends_on = date(2015, 6, 30)
        membership.save()

    held = [
        memberships_of(monitor, on=day).exists()
        for day in (date(2010, 12, 31), date(2011, 1, 1), date(2015, 6, 30), date(2015, 7, 1))
    ]

    assert held == [False, True, True, False]
    assert not sees_all_patients(monitor, cast.study)


def test_a_person_who_is_not_active_any_more_sees_nothing(cast: Cast, patient: Patient, monitor):
    with recording(by=monitor, reason="The account is closed.", study=cast.study):
        monitor.person.is_active = False
        monitor.person.save()

    assert not patients_visible_to(monitor).exists()


def test_a_role_in_one_study_gives_nothing_in_another(cast: Cast, statistician, patient: Patient):
    with recording(by=statistician, reason="A second study begins."):
        other = type(cast.study)(code="OTHER-1", title="Another study")
        other.save()

    assert may(statistician, Permission.DATA_EXPORT, cast.study)
    assert not may(statistician, Permission.DATA_EXPORT, other)


def test_a_role_at_one_site_gives_nothing_at_another(
    cast: Cast, coordinator, patient: Patient, patient_elsewhere: Patient
):
    assert may(coordinator, Permission.PATIENTS_VIEW, patient)
    assert not may(coordinator, Permission.PATIENTS_VIEW, patient_elsewhere)


def test_the_view_gets_the_patient_under_its_own_name(cast: Cast, patient: Patient, coordinator, rf):
    @requires(Permission.PATIENTS_VIEW, on=Patient)
    def story(request, patient):
        return HttpResponse(patient.number)

    request = rf.get("/")
    request.user = coordinator

    assert story(request, study="MT103-211", patient="SYN-012-001").content == b"SYN-012-001"


def test_a_study_that_is_not_for_the_person_is_answered_with_those_that_are(client: Client, cast: Cast, coordinator):
    client.force_login(coordinator)

    page = client.get("/MT999/patients/").content.decode()

    assert "There is no study &#x27;MT999&#x27; for you. You have a role in: MT103-211." in page
