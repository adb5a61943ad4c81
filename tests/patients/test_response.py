from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients.response import (
    NE,
    STRENGTH,
    Before,
    Count,
    Extramedullary,
    Mrd,
    Reading,
    assess,
    assess_with_counts,
    mrd_category,
    read_blasts,
    strongest,
)
from tests.tables import table

DAY = date(2012, 3, 29)


def count(neutrophils=1.2, platelets=120, *, blasts=0, on=0, record=1, percent=None):
    return Count(record, DAY + timedelta(days=on), neutrophils, platelets, blasts, percent)


@pytest.mark.reference
def test_responses_are_those_of_study_z6():
    examples = table("""
        blasts  qualifier  anc  platelets  baseline  | expected
        4       -          1.2  120        -         | CR
        5       -          0.7  60         -         | CRh
        5       -          1.0  120        -         | CRh      # 1.0 is not above 1.0
        3       -          0.3  20         -         | BFHM
        15      -          1.2  120        60        | PR
        30      -          1.2  120        90        | NR
        80      -          1.2  120        50        | PD
        5       <=         1.2  120        -         | CR
        5       >          1.2  120        60        | PR
    """)

    assert responses(examples) == examples["expected"].tolist()


def test_thresholds_of_response():
    examples = table("""
        blasts  qualifier  anc    platelets  baseline  | expected
        5.0     -          1.001  101        60        | CR
        5.1     -          1.2    120        60        | PR      # not blast-free, but at most 25 and at most half
        5       <          1.2    120        60        | CR      # stands for 2.5
        4       -          1.2    100        60        | CRh     # 100 is not above 100
        4       -          0.5    120        60        | BFHM    # 0.5 is not above 0.5
        4       -          1.2    50         60        | BFHM
        25      -          1.2    120        50        | PR
        25.1    -          1.2    120        60        | NR      # above 25
        25      -          1.2    120        49.9      | NR      # above half of baseline
        25      -          1.2    120        -         | PR      # baseline unknown
        26      -          1.2    120        -         | NR
        75.1    -          1.2    120        50.1      | PD      # exactly 25 points, which floats miss by a hair
        75.0    -          1.2    120        50.1      | NR
    """)

    assert responses(examples) == examples["expected"].tolist()


def responses(examples):
    return [
        assess(
            Reading(row.blasts, row.qualifier),
            count(row.anc, row.platelets),
            None,
            Before(None if row.baseline != row.baseline else row.baseline),
        )
        for row in examples.fillna({"baseline": float("nan")}).itertuples()
    ]


def test_a_marrow_that_cannot_be_read_is_not_evaluable():
    assert assess(None, count(), None, Before()) == NE
    assert assess(Reading(None), count(), None, Before()) == NE
    assert assess(Reading(2, is_adequate=False), count(), None, Before()) == NE
    assert assess(Reading(2, is_adequate=None), count(), None, Before()) == NE
    assert assess(Reading(2, is_adequate=False, has_biopsy=True), count(), None, Before()) == "CR"


def test_a_blast_free_marrow_without_counts_is_not_evaluable():
    assert assess(Reading(2), None, None, Before()) == NE
    assert assess(Reading(2), count(neutrophils=None), None, Before()) == NE
    assert assess(Reading(2), count(platelets=None), None, Before()) == NE
    assert assess(Reading(30), None, None, Before()) == "NR"


def test_blood_blasts_rule_out_a_remission():
    assert assess(Reading(2), count(blasts=0.01), None, Before()) == "NR"
    assert assess(Reading(2), count(blasts=None, percent=1), None, Before()) == "NR"
    assert assess(Reading(2), count(blasts=None, percent=None), None, Before()) == "CR"


def test_extramedullary_disease_rules_out_a_remission():
    def with_outside(status, *, csf=None):
        return assess(Reading(2), count(), Extramedullary(status, csf), Before())

    assert with_outside("NO EVIDENCE") == "CR"
    assert with_outside("RESOLVED") == "CR"
    assert with_outside("NOT ASSESSED") == "CR"
    assert with_outside("PRESENT STABLE/SMALLER") == "NR"
    assert with_outside("NO EVIDENCE", csf=True) == "NR"
    assert with_outside("PRESENT LARGER") == "PD"
    assert with_outside("NEW LESION") == "PD"


def test_a_rise_of_blood_blasts_by_5_is_progression():
    def with_blood_blasts(blasts, baseline):
        return assess(Reading(30), count(blasts=blasts), None, Before(50, baseline))

    assert with_blood_blasts(5.1, 0.1) == "PD"  # exactly 5.0, which floats miss by a hair
    assert with_blood_blasts(5.09, 0.1) == "NR"
    assert with_blood_blasts(50, None) == "NR"
    assert with_blood_blasts(None, 0.1) == "NR"


@pytest.mark.parametrize("remission", ["CR", "CRh", "CRi"])
def test_blasts_after_a_remission_are_a_relapse(remission):
    before = Before(60, 0, remission)

    assert assess(Reading(6), count(), None, before) == "RELAPSE"
    assert assess(Reading(2), count(blasts=1), None, before, blood_blasts_confirmed=True) == "RELAPSE"
    assert assess(Reading(2), count(blasts=1), None, before) == "NR"
    assert assess(Reading(2), count(), Extramedullary("NEW LESION"), before) == "RELAPSE"
    assert assess(Reading(2), count(), None, before) == "CR"


def test_without_an_earlier_remission_the_same_is_progression_or_no_response():
    assert assess(Reading(90), count(), None, Before(60, 0, "BFHM")) == "PD"
    assert assess(Reading(6), count(), None, Before(60, 0, "BFHM")) == "PR"


def test_cri_is_a_category_of_its_own_only_where_the_study_uses_it():
    half_recovered = count(neutrophils=1.5, platelets=20)

    assert assess(Reading(2), half_recovered, None, Before()) == "BFHM"
    assert assess(Reading(2), half_recovered, None, Before(), uses_cri=True) == "CRi"
    assert assess(Reading(2), count(0.2, 150), None, Before(), uses_cri=True) == "CRi"
    assert assess(Reading(2), count(0.2, 20), None, Before(), uses_cri=True) == "BFHM"


def test_read_blasts():
    assert read_blasts(5, "<") == 2.5
    assert read_blasts(5, "<=") == 5
    assert read_blasts(5, "=") == 5
    assert read_blasts(5, ">") == 5.1
    assert read_blasts(5) == 5
    assert read_blasts(None, "<") is None


def test_of_several_counts_the_one_that_gives_the_best_response_is_used():
    weak, strong = count(0.7, 60, on=0, record=1), count(1.2, 120, on=7, record=2)

    assert assess_with_counts(Reading(2), DAY, [weak, strong], None, Before()) == ("CR", strong)


def test_of_equal_counts_the_nearest_is_used_and_then_the_earlier():
    before, same_day, after = (count(on=days, record=days) for days in (-2, 1, 2))

    assert assess_with_counts(Reading(2), DAY, [before, same_day, after], None, Before())[1] == same_day
    assert assess_with_counts(Reading(2), DAY, [after, before], None, Before())[1] == before
    assert assess_with_counts(Reading(2), DAY, [], None, Before()) == (NE, None)


def test_blood_blasts_are_confirmed_by_a_second_count():
    in_remission = Before(60, 0, "CR")
    one, other, clean = count(blasts=1, record=1), count(blasts=2, record=2), count(record=3)

    assert assess_with_counts(Reading(2), DAY, [one, other], None, in_remission)[0] == "RELAPSE"
    assert assess_with_counts(Reading(2), DAY, [one], None, in_remission)[0] == "NR"
    assert assess_with_counts(Reading(2), DAY, [one, other, clean], None, in_remission)[0] == "CR"


def test_strongest():
    assert strongest(["NR", "CRh", "BFHM"]) == "CRh"
    assert strongest(["RELAPSE"]) == NE  # a relapse is no response
    assert strongest(["RELAPSE", "NR"]) == "NR"
    assert strongest([]) == NE


@pytest.mark.reference
def test_mrd_categories_are_those_of_study_z6():
    below_range = Mrd("POSITIVE NOT QUANTIFIABLE", 1e-5, 1e-4)

    assert mrd_category([below_range]) == "<1e-4 DETECTABLE"
    assert mrd_category([below_range._replace(quantitative_range=5e-4)]) == "NOT EVALUABLE"
    assert mrd_category([Mrd("NEGATIVE", 1e-5), Mrd("NEGATIVE", 1e-4)]) == "COMPLETE"
    assert mrd_category([Mrd("NEGATIVE", 1e-5), Mrd("NEGATIVE", 1e-3)]) == "NOT EVALUABLE"
    assert mrd_category([Mrd("POSITIVE QUANTIFIED", 1e-5, None, 1e-4)]) == ">=1e-4"


def test_the_worst_marker_rules():
    negative, high = Mrd("NEGATIVE", 1e-5), Mrd("POSITIVE QUANTIFIED", 1e-5, None, 3e-3)
    low = Mrd("POSITIVE QUANTIFIED", 1e-5, None, 5e-5)

    assert mrd_category([negative, low, high]) == ">=1e-4"
    assert mrd_category([negative, low]) == "<1e-4 DETECTABLE"
    assert mrd_category([low, Mrd("POSITIVE NOT QUANTIFIABLE", 1e-5, 1e-3)]) == "NOT EVALUABLE"


def test_an_assay_that_cannot_be_relied_on_says_nothing():
    low = Mrd("POSITIVE QUANTIFIED", 1e-3, None, 5e-5)

    assert mrd_category([]) == "NOT EVALUABLE"
    assert mrd_category([Mrd("NO MARKER", 1e-5), Mrd("SAMPLE INADEQUATE"), Mrd("INDETERMINATE"), Mrd(None)]) == (
        "NOT EVALUABLE"
    )
    assert mrd_category([Mrd("NO MARKER"), Mrd("NEGATIVE", 1e-5)]) == "COMPLETE"
    assert mrd_category([low]) == "NOT EVALUABLE"  # not sensitive enough
    assert mrd_category([low._replace(sensitivity=None)]) == "NOT EVALUABLE"
    assert mrd_category([low._replace(sensitivity=1e-5, level=None)]) == "NOT EVALUABLE"
    assert mrd_category([Mrd("POSITIVE NOT QUANTIFIABLE", 1e-5, None)]) == "NOT EVALUABLE"
    assert mrd_category([Mrd("NEGATIVE", None)]) == "NOT EVALUABLE"


BLASTS = st.integers(0, 1000).map(lambda tenths: tenths / 10)
COUNTS = st.builds(
    Count,
    st.just(1),
    st.just(DAY),
    st.floats(0, 3),
    st.floats(0, 200),
    st.sampled_from([0, 0.5, 8]),
    st.none(),
)
BEFORE = st.builds(Before, st.none() | BLASTS, st.sampled_from([None, 0, 2]), st.sampled_from(["NE", "BFHM", "CR"]))


@given(BLASTS, COUNTS, BEFORE, st.booleans(), st.floats(0, 2), st.floats(0, 100))
def test_a_better_count_never_gives_a_worse_response(blasts, taken, before, uses_cri, neutrophils, platelets):
    better = taken._replace(
        neutrophils=taken.neutrophils + neutrophils, platelets=taken.platelets + platelets, blasts=0
    )

    worse_response = assess(Reading(blasts), taken, None, before, uses_cri=uses_cri)
    response = assess(Reading(blasts), better, None, before, uses_cri=uses_cri)

    assert STRENGTH[response] >= STRENGTH[worse_response]


@given(BLASTS, st.lists(COUNTS, max_size=3), COUNTS, BEFORE)
def test_one_more_count_without_blasts_never_gives_a_worse_response(blasts, taken, one_more, before):
    response, _ = assess_with_counts(Reading(blasts), DAY, taken, None, before)
    with_more, _ = assess_with_counts(Reading(blasts), DAY, [*taken, one_more._replace(blasts=0)], None, before)

    if taken:
        assert STRENGTH[with_more] >= STRENGTH[response]


@given(BLASTS, COUNTS, BEFORE)
def test_more_marrow_blasts_never_give_a_better_response_where_the_blood_has_none(blasts, taken, before):
    clean = taken._replace(blasts=0)

    fewer = assess(Reading(blasts), clean, None, before)
    more = assess(Reading(min(blasts + 10, 100)), clean, None, before)

    assert STRENGTH[more] <= STRENGTH[fewer] or fewer == NE
