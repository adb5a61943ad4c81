"""Who may look and no more, and who may always look: the inspector, and the investigator at the own site."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from patients.models import Demographics
from safety.models import AdverseEvent
from tests import make
from tests.cast import Cast
from tests.site_map import every_address
from trial.access import FOR_READING, GRANTS, Permission
from trial.audit import Recording, recording
from trial.models import AccessEvent, Membership, Patient, Role
from trial.page_checks import pages

# What an inspector may send: about the own account, the way in and out, and the datasets that an inspector takes away.
OWN = {None, Permission.ACCOUNT_OWN, Permission.TOKENS_EDIT, Permission.DATA_EXPORT}


def permission_of(page) -> Permission | None:
    made_from = getattr(page.callback, "view_class", None) or getattr(page.callback, "cls", None)
    return getattr(page.callback, "permission", getattr(made_from, "permission", None))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_an_inspector_sends_nothing_to_any_page_of_a_study(cast: Cast, patient: Patient, inspector, method: str):
    make.record(AdverseEvent, patient)
    AccessEvent.objects.create(kind="read", study=cast.study)
    acts = Recording.objects.count()
    addresses = every_address()
    of_studies = {str(page.name) for page in pages() if permission_of(page) not in OWN}
    client = Client()
    client.force_login(inspector)

    answers = {name: client.generic(method, addresses[name]).status_code for name in sorted(of_studies)}

    assert len(answers) > 20
    refused = {403} if method == "POST" else {403, 405}  # no page takes the other methods from anybody
    assert {name: status for name, status in answers.items() if status not in refused} == {}
    assert Recording.objects.count() == acts


def test_nobody_sends_anything_to_a_page_for_reading(cast: Cast, patient: Patient, data_manager):
    client = Client()
    client.force_login(data_manager)

    answer = client.post("/MT103-211/changes/", {"reason": "Why not?"})

    assert answer.status_code == 403
    assert "This page is for reading: nothing can be changed or sent there." in answer.content.decode()
    assert AccessEvent.objects.latest("pk").kind == "refused"


def test_every_permission_to_look_is_for_reading_alone():
    assert {permission.name for permission in FOR_READING} == {
        name for name in Permission.__members__ if name.endswith("_VIEW")
    }


def test_an_inspectors_role_ends_when_it_was_said_to_end(cast: Cast, patient: Patient, inspector, administrator):
    client = Client()
    client.force_login(inspector)
    yesterday = timezone.now().date() - timedelta(days=1)
    with recording(by=administrator, reason="The inspection is over.", study=cast.study):
        membership = Membership.objects.get(person__user=inspector)
        membership.ends_on = yesterday
        membership.save()
    client.force_login(inspector)  # the session of the old role has ended

    for page in ("patients/", "changes/", "access/", "report/", "patients/SYN-012-001/"):
        assert client.get(f"/MT103-211/{page}").status_code == 404, page


def test_what_an_inspector_looks_at_is_on_record(cast: Cast, patient: Patient, inspector):
    client = Client()
    client.force_login(inspector)

    client.get("/MT103-211/patients/SYN-012-001/")

    event = AccessEvent.objects.filter(kind="read").latest("pk")
    assert (event.by, event.role, event.page) == (inspector, "inspector", "patient")


def test_an_investigator_always_reads_the_data_and_the_trail_of_the_own_site(
    cast: Cast, patient: Patient, investigator
):
    record = make.record(Demographics, patient)
    client = Client()
    client.force_login(investigator)

    for permission in (Permission.PATIENTS_VIEW, Permission.HISTORY_VIEW, Permission.REPORT_VIEW):
        assert Role.INVESTIGATOR in GRANTS[permission], permission
    for page in ("patients/", "patients/SYN-012-001/DM/", f"patients/SYN-012-001/DM/{record.pk}/history/", "changes/"):
        assert client.get(f"/MT103-211/{page}").status_code == 200, page
    assert client.get("/MT103-211/changes.csv?patient=SYN-012-001").status_code == 200
