from datetime import date

import pytest

from analysis.derive.rows import (
    AcuteGvhd,
    AdverseEvent,
    ChronicGvhd,
    Cycle,
    Death,
    Dexamethasone,
    ExtramedullaryAssessment,
    Hospitalisation,
    LaterTherapy,
    LaterTransplant,
    PerformanceStatus,
    Relapse,
    ResponseAssessment,
    Sample,
    Visit,
    VitalSigns,
)
from tests.analysis.derive.casebooks import (
    CYCLE_1,
    CYCLE_2,
    blood,
    casebook,
    contact,
    derived,
    infusion,
    marrow,
    row,
    treated,
)


def course(book, cutoff=date(2016, 12, 31)):
    return derived(book, cutoff).course


def test_first_and_last_dose_are_of_the_intervals_with_a_dose():
    found = course(treated(intervals=[infusion("2012-02-28", 2, 0), *CYCLE_1, infusion("2012-03-29", 9, 0)]))

    assert found.first_dose_on == date(2012, 3, 1)
    assert found.last_dose_on == date(2012, 3, 29)
    assert dict(found.starts) == {1: date(2012, 3, 1)}


def test_who_was_never_treated_has_no_doses_and_a_last_sign_of_life():
    found = course(casebook(visits=[row(Visit, visited_on="2012-02-22")]))

    assert found.first_dose_on is None
    assert found.last_dose_on is None
    assert found.last_alive_on == date(2012, 2, 22)
    assert found.death is None


def test_nothing_is_known_of_a_patient_without_forms():
    assert course(casebook()).last_alive_on is None


SIGNS = [
    ({"visits": [row(Visit, visited_on="2012-08-09")]}, "SVSTDAT"),
    ({"performance": [row(PerformanceStatus, assessed_on="2012-08-09")]}, "PSDAT"),
    ({"vital_signs": [row(VitalSigns, measured_at="2012-08-08T23:30", measured_at_offset=60)]}, "VSDTM"),
    ({"counts": [blood("2012-08-09")]}, "LBDTM"),
    ({"chemistry": [row(Sample, taken_at="2012-08-10T00:30", taken_at_offset=-60)]}, "LBDTM"),
    ({"coagulation": [row(Sample, taken_at="2012-08-09T08:00", taken_at_offset=60)]}, "LBDTM"),
    ({"marrows": [marrow("2012-08-09", 2)]}, "BMDAT"),
    ({"extramedullary": [row(ExtramedullaryAssessment, assessed_on="2012-08-09")]}, "EMDDAT"),
    ({"responses": [row(ResponseAssessment, assessed_on="2012-08-09")]}, "RSDAT"),
    ({"dexamethasone": [row(Dexamethasone, given_at="2012-08-09T08:00")]}, "DEXDTM"),
    ({"acute_gvhd": [row(AcuteGvhd, assessed_on="2012-08-09")]}, "GVDAT"),
    ({"chronic_gvhd": [row(ChronicGvhd, assessed_on="2012-08-09")]}, "GVDAT"),
    ({"stays": [row(Hospitalisation, admitted_on="2012-08-09")]}, "HOADMDAT"),
    ({"stays": [row(Hospitalisation, discharged_on="2012-08-09")]}, "HODISDAT"),
    ({"contacts": [contact("2012-08-09", "ALIVE WITH DISEASE")]}, "SFUDAT"),
    ({"contacts": [contact("2012-10-01", "LOST TO FOLLOW-UP", last_alive_on="2012-08-09")]}, "LASTALIV"),
    ({"contacts": [contact("2012-10-01", "LOST TO FOLLOW-UP", last_assessed_on="2012-08-09")]}, "LASTASS"),
    ({"events": [row(AdverseEvent, started="2012-08-09T10:30")]}, "AESTDTM"),
    ({"relapses": [row(Relapse, relapsed_on="2012-08-09", site="MOLECULAR ONLY")]}, "RELDAT"),
    ({"later_transplants": [row(LaterTransplant, transplanted_on="2012-08-09")]}, "NSDAT"),
    ({"later_therapies": [row(LaterTherapy, started_on="2012-08-09")]}, "NTSTDAT"),
    ({"intervals": [*CYCLE_1, infusion("2012-07-12", 28, cycle=2)]}, "EXENDTM"),
]


@pytest.mark.parametrize(("forms", "field"), SIGNS, ids=[field for _, field in SIGNS])
def test_every_dated_sign_of_life_counts(forms, field):
    found = course(treated(**forms))

    assert found.last_alive.on == date(2012, 8, 9)
    assert found.last_alive.field == field


NO_SIGNS = {
    "a missed visit": {"visits": [row(Visit, visited_on="2012-08-09", is_missed=True)]},
    "a contact without news": {"contacts": [contact("2012-08-09", "LOST TO FOLLOW-UP")]},
    "a visit after the cut-off": {"visits": [row(Visit, visited_on="2017-01-01")]},
    "blanks": {"visits": [row(Visit)], "relapses": [row(Relapse)], "later_therapies": [row(LaterTherapy)],
               "later_transplants": [row(LaterTransplant)], "dexamethasone": [row(Dexamethasone)],
               "events": [row(AdverseEvent)], "deaths": [row(Death)]},
}  # fmt: skip


@pytest.mark.parametrize("forms", NO_SIGNS.values(), ids=NO_SIGNS)
def test_these_are_no_signs_of_life(forms):
    assert course(treated(**forms)).last_alive.on == date(2012, 5, 10)  # the last dose


def test_a_month_of_life_counts_from_its_first_day():
    assert course(treated(contacts=[contact("2012-10-05", "DEAD", last_alive_on="2012-08")])).last_alive_on == date(
        2012, 8, 1
    )


def test_an_infusion_that_ran_past_the_cut_off_is_a_sign_of_life_on_that_day():
    found = course(treated(), date(2012, 4, 20))

    assert found.last_alive_on == date(2012, 4, 20)
    assert found.last_dose_on == date(2012, 4, 20)


def test_an_infusion_without_an_end_is_a_sign_of_life_at_its_start_only():
    running = CYCLE_2[0]._replace(ended_at=None)

    found = course(treated(intervals=[*CYCLE_1, running]), date(2012, 4, 20))

    assert found.last_dose_on == date(2012, 4, 20)
    assert found.last_alive_on == date(2012, 4, 12)


def test_a_death_after_the_cut_off_is_not_known():
    dies = treated(deaths=[row(Death, died_on="2012-09-03")])

    assert course(dies, date(2012, 9, 2)).death is None
    assert course(dies, date(2012, 9, 3)).death.on == date(2012, 9, 3)


def test_a_death_known_by_month_is_after_the_last_sign_of_life_and_its_infusion_ends_by_then():
    running = CYCLE_2[0]._replace(ended_at=None)
    book = treated(
        intervals=[*CYCLE_1, running],
        deaths=[row(Death, died_on="2012-04")],
        visits=[row(Visit, visited_on="2012-04-20")],
    )

    found = course(book)

    assert (found.death.on, found.death.flag) == (date(2012, 4, 21), "D")
    assert found.last_dose_on == date(2012, 4, 30)


def test_a_death_typed_a_year_early_takes_nobody_out_of_the_treated():
    patient = derived(treated(deaths=[row(Death, died_on="2011-09-03")]))

    assert patient.is_treated
    assert (patient.course.first_dose_on, patient.course.last_dose_on) == (date(2012, 3, 1), date(2012, 5, 10))
    assert patient.course.death.on == date(2011, 9, 3)


def test_nothing_after_death_is_a_sign_of_life():
    book = treated(deaths=[row(Death, died_on="2012-09-03")], visits=[row(Visit, visited_on="2012-09-10")])

    assert course(book).last_alive_on == date(2012, 5, 10)


def test_later_treatment_is_what_began_after_the_first_dose_and_by_the_cut_off():
    book = treated(
        later_transplants=[
            row(LaterTransplant, transplanted_on="2012-09-01"),
            row(LaterTransplant, transplanted_on="2012-03-01"),
            row(LaterTransplant, transplanted_on="2017-03-01"),
        ],
        later_therapies=[row(LaterTherapy, started_on="2012-05")],
    )

    found = course(book)

    assert [each.on for each in found.later_transplants] == [date(2012, 9, 1)]
    assert found.new_therapy.on == found.other_therapy.on == date(2012, 5, 15)


def test_a_molecular_relapse_is_no_haematological_one():
    book = treated(
        relapses=[
            row(Relapse, relapsed_on="2012-09-01", site="MOLECULAR ONLY"),
            row(Relapse, relapsed_on="2012-11", site="MARROW"),
            row(Relapse, relapsed_on="2017-01-20", site="MARROW"),
        ]
    )

    assert [each.on for each in course(book).relapses] == [date(2012, 11, 15)]


def test_retreatment_is_no_part_of_the_study_treatment():
    book = treated(
        intervals=[*CYCLE_1, infusion("2013-02-01", 28, cycle=2)],
        cycles=[row(Cycle, number=1, kind="INDUCTION"), row(Cycle, number=2, kind="RETREATMENT")],
    )

    found = course(book)

    assert [cycle.cycle for cycle in found.block.cycles] == [1]
    assert found.last_dose_on == date(2013, 3, 1)
