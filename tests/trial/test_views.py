"""Sign-in and the way in: one click a role in the demo, a password elsewhere; and the pages for what went wrong."""

import pytest
from django.template.loader import render_to_string
from django.test import Client, override_settings

from tests import make
from tests.cast import PEOPLE, Cast
from trial.audit import recording
from trial.models import Role

LANDING = {
    "coordinator": "/MT103-211/patients/",
    "investigator": "/MT103-211/patients/",
    "monitor": "/MT103-211/changes/",
    "data manager": "/MT103-211/changes/",
    "safety physician": "/MT103-211/patients/",
    "statistician": "/MT103-211/report/",
    "inspector": "/MT103-211/changes/",
    "administrator": "/MT103-211/people/",
}


@pytest.mark.parametrize(("role", "place"), LANDING.items())
def test_in_the_demo_each_role_is_one_click_and_lands_on_its_own_page(client: Client, cast: Cast, role, place):
    with override_settings(IS_DEMO=True):
        offered = client.get("/sign-in/").content.decode()
        answer = client.post("/sign-in/as/", {"role": role}, follow=True)

    assert f'value="{role}"' in offered
    assert answer.redirect_chain[-1][0] == place
    assert answer.status_code == 200


def test_every_role_has_a_person_in_the_cast():
    assert {role for _, role, _ in PEOPLE if role} == set(Role)


def test_outside_the_demo_nobody_gets_in_with_one_click(client: Client, cast: Cast):
    answer = client.post("/sign-in/as/", {"role": "monitor"})

    assert answer.status_code == 404
    assert "_auth_user_id" not in client.session
    assert 'type="password"' in client.get("/sign-in/").content.decode()


def test_in_demo_mode_a_real_studys_people_are_not_offered(client: Client, cast: Cast):
    with recording(by=make.author(), reason="The study is real."):
        cast.study.is_synthetic = False
        cast.study.save()

    with override_settings(IS_DEMO=True):
        answer = client.post("/sign-in/as/", {"role": "monitor"})

    assert answer.status_code == 404


def test_one_click_needs_the_token_of_the_page(cast: Cast):
    with override_settings(IS_DEMO=True):
        answer = Client(enforce_csrf_checks=True).post("/sign-in/as/", {"role": "monitor"})

    assert answer.status_code == 403
    assert "The page was open too long" in answer.content.decode()


def test_the_right_password_signs_in_and_a_wrong_one_says_so(client: Client, cast: Cast):
    wrong = client.post("/sign-in/", {"login": "monitor", "password": "something else"})
    right = client.post("/sign-in/", {"login": "monitor", "password": "as long as it needs to be"}, follow=True)

    assert "The name and the password do not belong together." in wrong.content.decode()
    assert right.redirect_chain[-1][0] == "/MT103-211/changes/"


def test_signing_out_ends_the_session(client: Client, cast: Cast, monitor):
    client.force_login(monitor)

    client.post("/sign-out/")

    assert client.get("/MT103-211/changes/")["Location"].startswith("/sign-in/")


def test_somebody_without_a_role_is_told_whom_to_ask(client: Client, cast: Cast, stranger):
    client.force_login(stranger)

    answer = client.get("/")

    assert answer.status_code == 403
    assert "You have no role in a study. Ask the administrator of your study" in answer.content.decode()


def test_every_page_says_that_the_data_are_synthetic(client: Client, cast: Cast, coordinator):
    client.force_login(coordinator)

    pages = ["/MT103-211/patients/", "/MT103-211/changes/", "/MT103-211/report/", "/MT103-211/nowhere/", "/sign-in/"]

    for page in pages:
        assert "Synthetic data." in client.get(page, follow=True).content.decode(), page


def test_the_bar_leads_only_to_what_the_role_may_use(client: Client, cast: Cast, administrator):
    client.force_login(administrator)

    page = client.get("/", follow=True).content.decode()

    assert "/MT103-211/people/" in page
    assert "/MT103-211/patients/" not in page
    assert "/MT103-211/report/" not in page


def test_a_page_that_is_not_there_does_not_list_the_addresses(client: Client, cast: Cast, coordinator):
    client.force_login(coordinator)

    page = client.get("/MT103-211/nowhere/at/all/").content.decode()

    assert "There is no page at this address, or it is not for you." in page


def test_the_page_of_a_failure_needs_nothing_that_could_fail_too():
    page = render_to_string("500.html")

    assert "Nothing was half saved" in page


def test_a_page_loads_nothing_from_elsewhere_and_has_no_inline_script(client: Client, cast: Cast, coordinator):
    client.force_login(coordinator)

    answer = client.get("/MT103-211/report/F-5.4/")
    page = answer.content.decode()

    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "http://" not in page
    assert "https://" not in page
    assert " style=" not in page
    assert " onclick=" not in page


@pytest.mark.parametrize("address", ["search/?q=%00", "patients/%00/", "patients/?%00=1", "changes/?since=%00"])
def test_a_nul_in_an_address_gets_a_sentence(client: Client, cast: Cast, address: str):
    client.force_login(cast["monitor"])

    answer = client.get(f"/MT103-211/{address}")

    assert answer.status_code == 400
    assert "Take %00 out of it." in answer.content.decode()
