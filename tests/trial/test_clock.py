"""The clock of the pages: instants stand in the time of the patient's site, with the zone's name; what tells of several sites in UTC."""

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from patients.models import PerformanceStatus
from tests import make
from tests.cast import Cast
from trial.audit import recording
from trial.models import Patient
from trial.templatetags.marrow import instant

SUMMER = datetime(2013, 7, 1, 22, 30, 15, tzinfo=UTC)
SHOWN = r'<time datetime="[^"]+" title="([^"]+) UTC"><span>([^<]+)</span> <span>(\d\d:\d\d) ([^<]+)</span></time>'


@pytest.mark.parametrize(
    ("zone", "day", "time"),
    [
        ("UTC", "01-Jul-2013", "22:30 UTC"),
        ("Europe/Berlin", "02-Jul-2013", "00:30 CEST"),
        ("America/Chicago", "01-Jul-2013", "17:30 CDT"),
        ("America/Sao_Paulo", "01-Jul-2013", "19:30 UTC-03"),  # has no name of its own
    ],
)
def test_an_instant_stands_in_the_time_of_the_page_with_its_zone(zone, day, time):
    with timezone.override(ZoneInfo(zone)):
        shown = instant(SUMMER)

    assert f"<span>{day}</span> <span>{time}</span>" in shown
    assert 'datetime="2013-07-01T22:30:15+00:00" title="01-Jul-2013 22:30:15 UTC"' in shown
    assert instant(None) == ""


@pytest.mark.django_db
def test_pages_of_a_patient_go_by_the_clock_of_the_site_and_lists_of_the_study_by_utc(
    cast: Cast, patient: Patient, client: Client, monitor
):
    record = make.record(PerformanceStatus, patient)
    zone = ZoneInfo(cast.here.time_zone)
    client.force_login(monitor)
    here = f"/MT103-211/patients/{patient.number}/"

    for address in (here, f"{here}PS/{record.pk}/", f"{here}PS/{record.pk}/history/"):
        page = client.get(address).content.decode()
        found = re.findall(SHOWN, page)
        assert found, address
        for utc, day, time, name in found:
            local = datetime.strptime(utc, "%d-%b-%Y %H:%M:%S").replace(tzinfo=UTC).astimezone(zone)
            assert (day, time, name) == (f"{local:%d-%b-%Y}", f"{local:%H:%M}", f"{local:%Z}")
        assert f'data-clock="{cast.here.time_zone}"' in page
    changes = client.get("/MT103-211/changes/").content.decode()
    assert {name for *_, name in re.findall(SHOWN, changes)} == {"UTC"}
    assert 'data-clock="UTC"' in changes


@pytest.mark.django_db
def test_the_day_at_which_a_study_stands_is_said_once_and_plainly(
    cast: Cast, patient: Patient, client: Client, monitor
):
    with recording(by=make.author(), reason="A demonstration."):
        cast.study.is_synthetic, cast.study.today = True, date(2017, 3, 1)
        cast.study.save()
    client.force_login(monitor)

    page = client.get(f"/MT103-211/patients/{patient.number}/").content.decode()

    assert page.count("The study's calendar stands at 01-Mar-2017.") == 1
