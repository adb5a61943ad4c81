"""Derived answers where people read and enter forms: the value, what is behind it, and the rule beside it."""

import html
import re
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from patients.derived_values import derived_of, derived_of_result, word_derived
from patients.models import Cycle, InfusionInterval, LeukemiaHistory, Transplant
from patients.models.laboratory import HaematologyResult, HaematologySample
from safety.models import AcuteGvhd, AdverseEvent, CytokineRelease
from tests import make
from tests.cast import Cast
from trial.audit import recording
from trial.derivations import Between
from trial.derived_answers import derivations_of
from trial.partial_dates import parse
from trial.records import record_models


@pytest.fixture
def at_site(client: Client, cast: Cast) -> Client:
    """A browser in which the coordinator is signed in."""
    client.force_login(cast["coordinator"])
    return client


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    content = answer.content.decode().split("<main", 1)[1].split("</main>", 1)[0]
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", content)).split())


def interval(patient, number, start, stop, rate, cycle=1):
    return make.record(
        InfusionInterval,
        patient,
        number=number,
        cycle=cycle,
        started_at=datetime.fromisoformat(start).replace(tzinfo=UTC),
        ended_at=datetime.fromisoformat(stop).replace(tzinfo=UTC),
        started_at_offset=120,
        ended_at_offset=120,
        dose_ug_per_day=rate,
    )


def result(**answers):
    usual = {"test": "NEUT", "value": Decimal("0.4"), "value_text": "0.4", "unit_text": "10^9/L"}
    return SimpleNamespace(**usual | {"low": Decimal("1.8"), "high": Decimal("7.5"), "grade": 4} | answers)


# The fields of type CALC of STUDY B.4, by form.
CALCULATED = """
    DM AGE
    ALLH CR1DUR LASTREL
    HSCT TTRELHS TTDOSE
    BDIS BLBM BLBMCAT BLPB PREPHASE
    PS ICETOT
    LBH TRF7 GCSF14
    LBC CRCL
    MRD MRDRESP
    RS RSALGO RSDISC
    CYC CYCSTDTM CYCENDTM HOSPD PREOK
    EX EXDUR EXTOTDOS EXINTH
    DEX DEXTOT
    CM CMPROH
    AE AETRTEM
    CRS CRSSTDTM CRSGRCT CRSGRAL CRSGRAS CRSCYC CRSDAYC CRSDOSE
    NEU NEUSTDTM NEUGRCT NEUGRIC
    GVA GVBILI GVSTSK GVSTLI GVSTUG GVSTLG GVMAGIC GVGLUCK
    GVC GCGLOBAL
    INF INFANC INFIGG
    SAE SAESUSAR
    EOT EOTDAT NCYCST NCYCCMP
"""


def test_every_calculated_field_of_the_specification_is_derived():
    for line in CALCULATED.strip().splitlines():
        form, *names = line.split()
        assert [each.name for each in derivations_of(form)] == names, form


def test_every_derived_answer_belongs_to_a_form_and_says_its_rule():
    forms = {model.form.code: model for model in record_models() if not model.form.part_of}
    all_of_them = [each for form in forms for each in derivations_of(form)]

    assert len({(each.form, each.name) for each in all_of_them}) == len(all_of_them) >= 50
    for each in all_of_them:
        assert each.rule.endswith("."), each.name
        assert set(each.reads) <= forms.keys(), each.name
        oids = {answer.oid: answer.name for answer in forms[each.form].answers()}
        assert oids.get(each.name, "") == each.answer, f"{each.form}.{each.name} is asked and derived"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, ""),
        (True, "Yes"),
        (Decimal("12.00"), "12"),
        (Between(Decimal("5.9"), Decimal("6.9")), "5.9 to 6.9"),
        (parse("2013-03"), "UN-Mar-2013"),
        (datetime(2013, 3, 4, 9, 30, tzinfo=UTC), "04-Mar-2013 09:30 (UTC+00:00)"),
        (datetime(2013, 3, 4).date(), "04-Mar-2013"),
        ("At least II", "At least II"),
    ],
)
def test_a_derived_value_is_worded_for_people(value, words):
    assert word_derived(value) == words


def test_a_cycle_shows_its_infusion_and_by_which_rule_wherever_it_is_read(at_site: Client, patient):
    interval(patient, 1, "2013-03-04T09:00", "2013-03-11T09:00", 9)
    interval(patient, 2, "2013-03-11T09:00", "2013-04-01T09:30", 28)
    cycle = make.record(Cycle, patient, number=1)
    here = f"/MT103-211/patients/{patient.number}/CYC/"

    for address in (here, f"{here}{cycle.pk}/", f"{here}{cycle.pk}/edit/"):
        page = text_of(at_site, address)

        assert "Infusion start" in page
        assert "04-Mar-2013 11:00 (UTC+02:00)" in page
        assert "01-Apr-2013 11:30 (UTC+02:00)" in page
        assert "The end of the last infusion interval with a dose in this cycle" in page
        assert "C.1.1" in page


def test_a_long_list_shows_derived_answers_as_columns_with_their_rules_below(at_site: Client, patient):
    for number in range(1, 6):
        interval(patient, number, f"2013-03-0{number}T09:00", f"2013-03-0{number}T21:00", 28)

    page = text_of(at_site, f"/MT103-211/patients/{patient.number}/EX/")

    assert "Amount µg" in page
    assert "14" in page  # 28 µg a day for half a day
    assert "Dose rate times duration." in page


def test_what_is_typed_counts_and_what_is_derived_stays_beside_it(at_site: Client, patient):
    make.record(Transplant, patient, kind="ALLOGENEIC", has_relapsed=True, relapsed_on="2012-11-05")
    history = make.record(LeukemiaHistory, patient, last_relapse_on=None)
    edit = f"/MT103-211/patients/{patient.number}/ALLH/{history.pk}/edit/"

    blank = text_of(at_site, edit)
    with recording(by=make.author(), reason="A later relapse."):
        history.last_relapse_on = "2013-01-20"
        history.save()
    typed = text_of(at_site, edit)

    assert "Current (last) relapse: 05-Nov-2012" in blank
    assert "Left empty, this counts." in blank
    assert "Current (last) relapse: 05-Nov-2012" in typed
    assert "The typed answer counts." in typed


def test_a_new_form_shows_what_other_forms_say_already(at_site: Client, patient):
    make.record(Transplant, patient, kind="ALLOGENEIC", has_relapsed=True, relapsed_on="2012-11-05")

    page = text_of(at_site, f"/MT103-211/patients/{patient.number}/ALLH/at/LOG/")

    assert "Current (last) relapse: 05-Nov-2012" in page
    assert "Duration of first CR not known yet" in page


def test_a_part_of_an_event_shows_the_events_onset_and_grade(at_site: Client, patient):
    event = make.record(AdverseEvent, patient, started="2013-03-12", grade=3)
    detail = make.record(CytokineRelease, patient, event=event)
    here = f"/MT103-211/patients/{patient.number}/CRS/{detail.pk}/"

    before = text_of(at_site, here)
    with recording(by=make.author(), reason="It got worse."):
        event.grade = 4
        event.save()
    after = text_of(at_site, here)

    assert "Onset 12-Mar-2013" in before
    assert "CTCAE grade 3" in before
    assert "CTCAE grade 4" in after


def test_a_result_shows_its_grade_and_the_rule_that_gave_it(at_site: Client, patient):
    sample = make.record(HaematologySample, patient, visit="C1D1")
    answers = {"test": "NEUT", "value": Decimal("0.4"), "value_text": "0.4", "unit_text": "10^9/L"}
    one = make.record(
        HaematologyResult,
        patient,
        visit="C1D1",
        sample=sample,
        low=Decimal("1.8"),
        high=Decimal("7.5"),
        grade=4,
        **answers,
    )
    here = f"/MT103-211/patients/{patient.number}"

    assert "0.4 10^9/L grade 4" in text_of(at_site, f"{here}/LBH/")
    for address in (f"{here}/LBH/{sample.pk}/edit/", f"{here}/LBH.RESULT/{one.pk}/"):
        page = text_of(at_site, address)
        assert "Neutrophils 0.4 10^9/L is below 0.5." in page
        assert "1.8 to 7.5" in page


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({}, [("Normal", "1.8 to 7.5"), ("CTCAE v4.03 grade", "4")]),
        ({"low": None, "grade": 4}, [("CTCAE v4.03 grade", "4")]),
        (
            {"value_text": "400", "unit_text": "/µL"},
            [("In the standard unit", "0.4"), ("Normal", "1.8 to 7.5"), ("CTCAE v4.03 grade", "4")],
        ),
        ({"test": "MONO", "grade": None}, [("Normal", "1.8 to 7.5")]),  # CTCAE has no grades for it
        (
            {"value_text": "<400", "unit_text": "/µL"},
            [("In the standard unit", "<0.4"), ("Normal", "1.8 to 7.5"), ("CTCAE v4.03 grade", "4")],
        ),
        ({"value_text": ""}, []),
    ],
)
def test_what_follows_from_a_result_stands_beside_it(answers, told):
    assert [(each.label, each.text) for each in derived_of_result(result(**answers))] == told


@pytest.mark.parametrize(
    ("answers", "rule"),
    [
        ({}, "Neutrophils 0.4 10^9/L is below 0.5."),
        ({"value_text": "1.7", "grade": None, "low": None}, "NORANGE: the laboratory gave no lower limit of normal."),
        ({"grade": 3}, "As graded when the result was saved."),
        ({"value_text": "<0.1"}, "Neutrophils <0.1 10^9/L is below 0.5."),
        (
            {"value_text": "<1", "grade": None},
            "Neutrophils <1 10^9/L may be of more than one grade, so it is given none.",
        ),
        ({"value_text": "trace"}, "The result as reported cannot be graded."),
        ({"unit_text": "cells"}, "The result as reported cannot be graded."),
        ({"test": "CA"}, "By calcium corrected for the albumin of the sample; without albumin there is no grade."),
    ],
)
def test_the_rule_of_a_grade_is_told_as_far_as_it_is_known(answers, rule):
    assert derived_of_result(result(**answers))[-1].rule == rule


def test_deriving_many_records_takes_as_many_queries_as_one(patient):
    def queries() -> int:
        records = list(AcuteGvhd.objects.filter(patient=patient))
        with CaptureQueriesContext(connection) as asked:
            derived_of(patient, AcuteGvhd, records)
        return len(asked)

    make.record(AcuteGvhd, patient, assessed_on="2013-03-20")
    one = queries()
    for day in range(1, 9):
        make.record(AcuteGvhd, patient, assessed_on=f"2013-04-0{day}")

    assert queries() == one <= 4
