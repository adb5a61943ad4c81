"""The page of a patient's story: each mark leads to its form, all of it is a table too, and it costs the same queries for all."""

import html
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from patients.models import Enrolment, InfusionInterval, Marrow, MrdAssay, ResponseAssessment, Transplant
from patients.models.laboratory import HaematologyResult, HaematologySample
from safety.models import AdverseEvent
from tests import make
from tests.cast import Cast
from trial.access_record.models import AccessEvent

DAY_1 = datetime(2013, 3, 4, 9, tzinfo=UTC)


@pytest.fixture
def at_site(client: Client, cast: Cast) -> Client:
    """A browser in which the coordinator is signed in."""
    client.force_login(cast["coordinator"])
    return client


def story(client: Client, asked: str = "") -> str:
    answer = client.get(f"/MT103-211/patients/SYN-012-001/story/{asked}")
    assert answer.status_code == 200
    return answer.content.decode().split("<main", 1)[1].split("</main>", 1)[0]


def words(content: str) -> str:
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", content)).split())


def treat(patient, *, weeks: int = 4) -> InfusionInterval:
    return make.record(
        InfusionInterval, patient, started_at=DAY_1, ended_at=DAY_1 + timedelta(weeks=weeks), ended_at_offset=60
    )


def count_blood(patient, visit: str, day: int) -> HaematologySample:
    sample = make.record(HaematologySample, patient, visit=visit, taken_at=DAY_1 + timedelta(days=day))
    make.record(HaematologyResult, patient, visit=visit, sample=sample, value=Decimal(40), value_text="40", grade=3)
    return sample


def test_every_mark_of_the_figure_leads_to_its_form_and_so_does_the_table(at_site: Client, patient):
    interval = treat(patient)
    event = make.record(AdverseEvent, patient, started="2013-03-05", ended="2013-03-09", special_interest=["CRS"])
    sample = count_blood(patient, "C1D8", 7)

    page = story(at_site)
    figure, tables = page.split("</svg>\n    </div>", 1)

    for code, record in (("EX", interval.pk), ("AE", event.pk), ("LBH", sample.pk)):
        address = f"/MT103-211/patients/SYN-012-001/{code}/{record}/"
        assert f'href="{address}"' in figure
        assert f'href="{address}"' in tables
        assert at_site.get(address).status_code == 200
    assert 'aria-label="Fever, grade 2, 05-Mar-2013 to 09-Mar-2013 (day 2 to 6)"' in figure
    assert "2 05-Mar-2013 to 09-Mar-2013 Fever, grade 2 Cytokine release" in words(tables)
    assert "8 11-Mar-2013 LBH 40 grade 3" in words(tables)


def test_what_lies_outside_of_the_time_shown_is_counted_and_can_be_had(at_site: Client, patient):
    treat(patient)
    make.record(Transplant, patient, transplanted_on="2011-05-02")
    make.record(AdverseEvent, patient, started="2013-09-01", special_interest=["NEUROLOGIC"])

    treatment, whole = words(story(at_site)), words(story(at_site, "?time=study"))

    assert "Not in this time, and in the table below: 1 earlier, 1 later." in treatment
    assert "in the table below: 1 earlier." in whole
    assert "Fever, grade 2" in treatment  # in the table


def test_a_time_that_no_story_has_is_refused_in_words(at_site: Client, patient):
    answer = at_site.get("/MT103-211/patients/SYN-012-001/story/?time=<b>")

    assert answer.status_code == 400
    assert "is no time that a story can show. Choose treatment or study." in words(answer.content.decode())


def test_a_patient_without_anything_has_an_empty_story_that_says_what_to_do(at_site: Client, patient):
    page = words(story(at_site))

    assert "Nothing is entered yet that a story could tell. See what is expected" in page
    assert "What happened" not in page


def test_a_patient_who_was_not_dosed_is_told_from_consent(at_site: Client, patient):
    make.record(Enrolment, patient, consented_on="2013-02-25", is_enrolled=False, screened_on="2013-02-26")

    page = words(story(at_site))

    assert "No dose is recorded. Days are counted from the consent on 25-Feb-2013." in page
    assert "Screening failure" in page
    assert "Whole study" not in page


def test_without_a_day_to_count_from_there_is_a_table_alone(at_site: Client, patient):
    make.record(AdverseEvent, patient, started="2013-03", special_interest=["CRS"])

    page = words(story(at_site))

    assert "no day to count from. What is known stands below." in page
    assert "– UN-Mar-2013, goes on Fever, grade 2 Cytokine release" in page


def test_the_page_of_the_patient_leads_to_the_story_and_reading_it_is_on_record(at_site: Client, patient):
    treat(patient)

    assert (
        'href="/MT103-211/patients/SYN-012-001/story/"'
        in at_site.get("/MT103-211/patients/SYN-012-001/").content.decode()
    )
    story(at_site)

    event = AccessEvent.objects.latest("pk")
    assert event.page == "patient-story"


def test_a_long_story_takes_as_many_queries_as_a_short_one(at_site: Client, patient):
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            story(at_site)
        return len(asked)

    def more(number: int) -> None:
        day = f"2013-04-{number + 1:02}"
        marrow = make.record(Marrow, patient, sampled_on=day)
        make.record(MrdAssay, patient, marrow=marrow)
        make.record(ResponseAssessment, patient, assessed_on=day, marrow=marrow)
        make.record(AdverseEvent, patient, started=day, special_interest=["CRS"])
        count_blood(patient, f"C1D{number + 1}", number)

    treat(patient)
    more(1)
    short = queries()
    for number in range(2, 9):
        more(number)

    assert queries() == short
