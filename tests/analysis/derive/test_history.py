from datetime import date

import pytest

from analysis.derive.history import derive_disease_variables, derive_transplant_variables, select_transplants
from analysis.derive.rows import BaselineDisease, LeukemiaHistory, PriorTherapy, Transplant
from tests.analysis.derive.casebooks import casebook, derived, row, treated

FIRST_DOSE = date(2012, 3, 1)


def allo(day="2011-01-10", **answers):
    return row(Transplant, **({"kind": "ALLOGENEIC", "transplanted_on": day, "has_relapsed": True} | answers))


def variables(*transplants, therapies=()):
    book = casebook(transplants=transplants, therapies=therapies)
    return derive_transplant_variables(select_transplants(book, FIRST_DOSE), book, FIRST_DOSE)


def salvage(**answers):
    return row(PriorTherapy, **({"kind": "SALVAGE"} | answers))


def sets(*transplants):
    """Whether the patient is in the cohort, and whether in the group without a transplant."""
    patient = derived(treated(transplants=transplants))
    return patient.is_in_cohort, patient.is_naive


def test_the_cohort_had_an_allogeneic_transplant_before_the_first_dose_and_relapsed_after_the_last_one():
    assert sets() == (False, True)
    assert sets(allo()) == (True, False)
    assert sets(allo(kind="AUTOLOGOUS")) == (False, True)
    assert sets(allo(kind="SYNGENEIC")) == (False, True)
    assert sets(allo("2012-03-01")) == (False, True)  # not before the first dose
    assert sets(allo("2012")) == (True, False)  # it could have been
    assert sets(allo("2012-03")) == (True, False)  # known in part, and on the form of earlier transplants
    assert sets(allo("2012-04")) == (False, True)
    assert sets(allo(has_relapsed=False)) == (False, False)
    assert sets(allo(), allo("2011-09-01", has_relapsed=None)) == (False, False)
    assert sets(allo(has_relapsed=None, relapsed_on="2011-08")) == (True, False)
    assert sets(allo(has_relapsed=False, status="CR2")) == (True, False)  # F-01
    assert sets(allo(has_relapsed=False, status="RELAPSE")) == (False, False)


def test_a_transplant_without_a_date_defines_the_cohort_by_its_own_answer():
    assert sets(allo(None)) == (True, False)
    assert sets(allo(None, has_relapsed=None)) == (False, False)
    # beside a dated one, its number says whether it was the last
    assert sets(allo(number=1, has_relapsed=False), allo(None, number=2)) == (True, False)
    assert sets(allo(number=2, has_relapsed=False), allo(None, number=1)) == (False, False)
    assert sets(allo(number=2), allo(None, number=1, has_relapsed=False)) == (True, False)
    assert sets(allo(has_relapsed=False), allo(None)) == (False, False)  # nobody numbered them: the date rules
    assert sets(allo(None, number=1), allo(None, number=2, has_relapsed=False)) == (False, False)
    assert variables(allo(None, donor="CORD BLOOD"))["DONOR"] == "CORD BLOOD"
    assert variables(allo(None))["TTDOSE"] is None


def test_an_untreated_patient_is_in_neither_group():
    patient = derived(casebook(transplants=[allo()]))

    assert (patient.is_in_cohort, patient.is_naive) == (False, False)
    assert patient.transplants.last is not None


def test_the_last_transplant_is_the_one_described():
    found = variables(
        allo("2011-01", number=1, donor="CORD BLOOD"),
        allo("2011-01", number=2, donor="MISMATCHED UNRELATED", conditioning="MYELOABLATIVE", hla_match="9/10"),
        allo("2010-01-10", donor="MATCHED SIBLING"),
    )

    assert found["NALLO"] == 3
    assert (found["DONOR"], found["DONORGR"]) == ("MISMATCHED UNRELATED", "UNRELATED")
    assert (found["CONDINT"], found["HLA"]) == ("MYELOABLATIVE", "9/10")


@pytest.mark.parametrize(
    ("donor", "group"),
    [
        ("MATCHED SIBLING", "MATCHED SIBLING"),
        ("MATCHED UNRELATED", "UNRELATED"),
        ("MISMATCHED UNRELATED", "UNRELATED"),
        ("HAPLOIDENTICAL", "OTHER"),
        ("MATCHED RELATED OTHER", "OTHER"),
        ("UNKNOWN", None),
        (None, None),
    ],
)
def test_donor_groups(donor, group):
    assert variables(allo(donor=donor))["DONORGR"] == group


def test_intervals_are_in_months_and_a_month_is_its_15th():
    known = variables(allo("2011-01-10", relapsed_on="2011-07-10"))
    month = variables(allo("2011-01", relapsed_on="2011-07"))
    year = variables(allo("2010", relapsed_on="2011-07-10"))

    assert known["TTRELHS"] == pytest.approx(181 / 30.4375)
    assert known["TTDOSE"] == pytest.approx(416 / 30.4375)
    assert known["TTRELDOS"] == pytest.approx(235 / 30.4375)
    assert month["TTRELHS"] == pytest.approx(181 / 30.4375)
    assert (year["TTRELHS"], year["TTDOSE"]) == (None, None)
    assert year["TTRELDOS"] == pytest.approx(235 / 30.4375)
    assert variables(allo(relapsed_on="2011"))["TTRELHS"] is None
    assert variables(allo())["TTRELHS"] is None


def test_no_interval_is_negative():
    # the first dose was on 1 March 2012
    assert variables(allo(relapsed_on="2012-03"))["TTRELDOS"] == 0
    assert variables(allo("2012-03"))["TTDOSE"] == 0
    assert variables(allo(relapsed_on="2012-03-10"))["TTRELDOS"] is None  # the dates contradict each other
    assert variables(allo("2011-07-20", relapsed_on="2011-07"))["TTRELHS"] == pytest.approx(1 / 30.4375)
    assert variables(allo("2011-07-20", relapsed_on="2011-07-19"))["TTRELHS"] is None


def test_without_a_transplant_nothing_is_said_of_one():
    found = variables()

    assert found.pop("NALLO") == 0
    assert set(found.values()) == {None}


def test_gvhd_and_lymphocytes_are_after_any_transplant_and_the_worst_is_kept():
    found = variables(
        allo("2010-01-10", had_acute_gvhd=True, acute_gvhd_grade="III", had_lymphocyte_infusion=False),
        allo(
            had_acute_gvhd=True,
            acute_gvhd_grade="UNK",
            had_chronic_gvhd=False,
            had_lymphocyte_infusion=False,
            gvhd_prophylaxis=["ATG", "CNI+MTX"],
            chimerism_percent=98.5,
        ),
    )

    assert (found["PRAGVFL"], found["PRAGVGR"]) == ("Y", "III")
    assert (found["PRCGVFL"], found["PRCGVSEV"]) == (None, None)  # not asked of the first transplant
    assert found["DLIFL"] == "N"
    assert (found["GVPX"], found["CHIM"]) == ("ATG; CNI+MTX", 98.5)


def test_salvage_after_the_last_transplant():
    after, before = salvage(timing_to_transplant="AFTER"), salvage(timing_to_transplant="BEFORE")
    maintenance = row(PriorTherapy, kind="MAINTENANCE", timing_to_transplant="AFTER")

    assert variables(allo(), therapies=[before, after])["SALVHSFL"] == "Y"
    assert variables(allo(), therapies=[before, maintenance])["SALVHSFL"] == "N"
    assert variables(allo(), therapies=[salvage(started_on="2011-02")])["SALVHSFL"] == "Y"
    assert variables(allo(), therapies=[salvage(started_on="2011-01")])["SALVHSFL"] == "N"  # may be before
    assert variables(allo(), therapies=[salvage()])["SALVHSFL"] == "N"
    assert variables(allo(None), therapies=[after])["SALVHSFL"] == "Y"
    assert variables(allo(None), therapies=[before])["SALVHSFL"] == "N"
    assert variables(allo(None), therapies=[salvage(started_on="2011-02")])["SALVHSFL"] is None  # before or after


def test_the_disease_before_the_study():
    history = row(
        LeukemiaHistory,
        has_reached_cr=True,
        first_cr_on="2010-03",
        first_relapse_on="2011-03",
        relapses=2,
        cytogenetics=["COMPLEX (>=5)", "t(1;19)"],
        status="REFRACTORY RELAPSE",
        had_cns_disease=False,
    )
    baseline = row(BaselineDisease, has_extramedullary_disease=True)

    found = derive_disease_variables(
        casebook(histories=[history], baselines=[baseline], therapies=[salvage(), salvage(), row(PriorTherapy)])
    )

    assert (found["NSALV"], found["NSALVGR"]) == (2, "2")
    assert found["CR1DUR"] == pytest.approx(365 / 30.4375)
    assert (found["PRIMREFL"], found["CNSEVFL"], found["EMDBLFL"], found["EMDEVFL"]) == ("N", "N", "Y", None)
    assert (found["CYTODX"], found["DISSTAT"]) == ("COMPLEX (>=5); t(1;19)", "REFRACTORY RELAPSE")


def test_the_disease_of_which_nothing_is_known():
    found = derive_disease_variables(casebook())

    assert (found.pop("NSALV"), found.pop("NSALVGR")) == (0, "0")
    assert set(found.values()) == {None}


def test_who_never_reached_a_remission_is_primary_refractory():
    def flag(answer):
        history = row(LeukemiaHistory, has_reached_cr=answer)
        return derive_disease_variables(casebook(histories=[history]))["PRIMREFL"]

    assert [flag(False), flag(True), flag(None)] == ["Y", "N", None]


def test_four_salvage_therapies_or_more_are_one_group():
    assert derive_disease_variables(casebook(therapies=[salvage()] * 5))["NSALVGR"] == ">=4"
