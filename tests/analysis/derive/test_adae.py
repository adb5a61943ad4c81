from datetime import date

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.derive.adae import baskets_of, derive_adae
from analysis.derive.rows import (
    AcuteGvhd,
    AdverseEvent,
    CytokineRelease,
    Death,
    Dexamethasone,
    EventGrade,
    Hospitalisation,
    LaterTransplant,
    NeurologicEvent,
)
from safety.emergence import Window, is_treatment_emergent
from safety.terms import TERMS
from tests.analysis.derive.casebooks import FAR, casebook, derived, row, treated
from tests.tables import table
from trial.partial_dates import parse

WINDOW = Window(date(2012, 3, 12), date(2012, 7, 1))


def event(started="2012-03-05", **answers):
    return row(AdverseEvent, **({"started": started, "number": 1, "grade": 2} | answers))


def adae(*events, cutoff=FAR, **forms):
    return derive_adae([derived(treated(events=events, **forms), cutoff)])


def one(*events, cutoff=FAR, **forms):
    return adae(*events, cutoff=cutoff, **forms).iloc[0]


def known(text):
    return None if text is None else parse(text.removeprefix("in "))


def test_flag_treatment_emergent():
    events = table("""
        started         ended           | expected
        in 2012-03-11   in 2012-03-20   | no        # the day before first dose
        in 2012-03-12   in 2012-03-20   | yes       # the day of first dose counts
        in 2012-07-01   -               | yes       # 30 days after the last dose
        in 2012-07-02   -               | no        # 31 days
        -               in 2012-03-20   | yes       # onset unknown: the cautious reading
        -               in 2012-03-11   | no        # onset unknown, but over before the first dose
        -               in 2012-03      | yes       # perhaps over before
        in 2012-03      -               | yes       # could be on or after the first dose
        in 2012-03      in 2012-03-11   | no
        in 2012-02      -               | no        # every possible day lies before
        in 2012-07      -               | yes       # could be on 1 July
        in 2012-08      -               | no
        in 2012         -               | yes
    """)

    found = [is_treatment_emergent(known(row.started), known(row.ended), WINDOW) for row in events.itertuples()]

    assert found == events["expected"].tolist()


def test_an_event_that_worsens_on_treatment_is_emergent():
    earlier = parse("2012-02-01")

    def emergent(before, *during, ended=None):
        return is_treatment_emergent(earlier, ended, WINDOW, grade_before=before, grades_during=during)

    assert emergent(1, 2)
    assert emergent(1, 1, 3)
    assert not emergent(2, 2, 1)
    assert not emergent(1)
    assert emergent(None, 2)  # the grade at the first dose is not known
    assert not emergent(1, 3, ended=parse("2012-03-11"))  # over before the first dose


STARTS = st.dates(date(2012, 1, 1), date(2012, 12, 31)).flatmap(
    lambda on: st.sampled_from([f"{on:%Y}", f"{on:%Y-%m}", f"{on:%Y-%m-%d}"])
)


@given(STARTS)
def test_knowing_less_of_an_onset_never_takes_an_event_out(text):
    if is_treatment_emergent(parse(text), None, WINDOW):
        assert is_treatment_emergent(parse(text[:7]), None, WINDOW)
        assert is_treatment_emergent(None, None, WINDOW)


def test_the_window_ends_30_days_after_the_last_dose():
    days = ["2012-02-29", "2012-03-01", "2012-06-09", "2012-06-10"]

    found = adae(*(event(day, number=place) for place, day in enumerate(days)))

    assert found["TRTEMFL"].tolist() == ["N", "Y", "Y", "N"]


def test_worsening_is_read_from_the_grade_history():
    old = event("2012-02-01", grade_at_onset=1)

    def emergent(*steps, **answers):
        history = [row(EventGrade, event_id=old.record, began=on, grade=grade) for on, grade in steps]
        return one(old._replace(**answers), grades=history)["TRTEMFL"]

    assert emergent(("2012-03-05", 2)) == "Y"
    assert emergent(("2012-03-05", 1)) == "N"
    assert emergent(("2012-02-20", 3), ("2012-03-05", 2)) == "N"  # it was worse before
    assert emergent(("2012-06-20", 3)) == "N"  # after the window
    assert emergent(("2012-03-05", 2), grade_at_onset=None) == "Y"
    assert emergent((None, 3), ("2012-03-05", None)) == "N"


def test_days_of_an_event():
    found = one(event("2012-04-14T10:30", ended="2012-04-20"))

    assert (found["ASTDT"], found["AENDT"]) == (pd.Timestamp("2012-04-14"), pd.Timestamp("2012-04-20"))
    assert (found["ASTDY"], found["AENDY"], found["ADURN"]) == (45, 51, 7)
    assert (found["ACYC"], found["ADAYC"]) == (2, 3)
    assert (found["ASTDTF"], found["AENDTF"]) == (None, None)


def test_an_event_before_the_first_dose_is_of_no_cycle():
    found = one(event("2012-02-29"))

    assert found["ASTDY"] == -1
    assert pd.isna(found["ACYC"])
    assert pd.isna(found["ADAYC"])


def test_imputed_days_carry_their_flags():
    found = one(event("2012-03", ended="2012-04"))

    assert (found["ASTDT"], found["ASTDTF"]) == (pd.Timestamp("2012-03-01"), "D")
    assert (found["AENDT"], found["AENDTF"]) == (pd.Timestamp("2012-04-30"), "D")
    dies = [row(Death, died_on="2012-04-20")]
    assert one(event("2012-03", ended="2012-04"), deaths=dies)["AENDT"] == pd.Timestamp("2012-04-20")


def test_an_event_without_an_onset_has_no_days():
    found = one(row(AdverseEvent, number=None))

    assert found["TRTEMFL"] == "Y"
    assert found["AESEQ"] == found["SRCSEQ"]
    assert pd.isna(found["ASTDY"])
    assert pd.isna(found["ATOXGR"])


FATAL = {"grade": 5, "is_fatal": True, "outcome": "FATAL"}


def test_what_begins_after_the_cut_off_is_not_known():
    assert len(adae(event("2012-03-05"), cutoff=date(2012, 3, 4))) == 0
    assert len(adae(event("2012-03-05"), cutoff=date(2012, 3, 5))) == 1


def test_a_later_end_and_its_outcome_are_not_known():
    found = one(event("2012-03-05", ended="2012-04-20", outcome="RECOVERED/RESOLVED"), cutoff=date(2012, 4, 19))

    assert pd.isna(found["AENDT"])
    assert found["AEOUT"] == "NOT RECOVERED/NOT RESOLVED"


def test_a_later_death_by_the_event_is_not_known():
    dies = [row(Death, died_on="2012-04-20")]

    def seen(cutoff, **answers):
        return one(event("2012-03-05", **(FATAL | answers)), cutoff=cutoff, deaths=dies)[["ATOXGR", "AESDTH", "AEOUT"]]

    assert seen(FAR, ended="2012-04-20").tolist() == [5, "Y", "FATAL"]
    assert seen(date(2012, 4, 19), ended="2012-04-20").tolist() == [4, "N", "NOT RECOVERED/NOT RESOLVED"]
    assert seen(date(2012, 4, 19)).tolist() == [4, "N", "NOT RECOVERED/NOT RESOLVED"]
    assert seen(FAR).tolist() == [5, "Y", "FATAL"]
    assert one(event("2012-03-05", **FATAL), cutoff=date(2012, 4, 19))["ATOXGR"] == 5  # no death form to say otherwise


def test_a_later_grade_is_not_known():
    bad = event("2012-03-05", grade=4, grade_at_onset=1)
    history = [
        row(EventGrade, event_id=bad.record, began=on, grade=g) for on, g in [("2012-03-07", 2), ("2012-03-09", 4)]
    ]

    def seen(day, **answers):
        return one(bad._replace(**answers), cutoff=date(2012, 3, day), grades=history)["ATOXGR"]

    assert [seen(5), seen(7), seen(8), seen(9)] == [1, 2, 2, 4]
    assert seen(5, grade_at_onset=None) == 4  # nothing else is known of it


def test_answers_are_flags():
    found = one(event(is_serious=True, is_life_threatening=False, relation="NOT RELATED", was_present_before=True))

    assert found[["AESER", "AESLIFE", "AESHOSP", "AESDTH"]].tolist() == ["Y", "N", None, None]
    assert (found["AREL"], found["APREVFL"]) == ("N", "Y")
    assert one(event(relation="RELATED"))["AREL"] == "Y"
    assert one(event())["AREL"] == "Y"  # not answered: the cautious reading


def test_a_term_of_the_list_decides_the_group_and_the_baskets():
    found = one(event(coded_term="Cytokine release syndrome", special_interest=["NONE"]))

    assert found["CQ01NAM"] == "CYTOKINE RELEASE SYNDROME"
    assert found["CQ02NAM"] is None
    assert found["AEBODSYS"] == TERMS["Cytokine release syndrome"].group
    assert found["AESICAT"] == "NONE"


def test_the_narrow_neurologic_basket_lies_in_the_broad_one():
    for name, term in TERMS.items():
        found = one(event(coded_term=name))
        assert (found["CQ02NAM"] == "NEUROLOGIC EVENT") == ("NEUROLOGIC" in term.baskets)
        assert found["CQ05NAM"] is None or found["CQ02NAM"] is not None


def test_of_a_term_outside_the_list_the_site_decides():
    assert baskets_of(event(coded_term="Odd feeling", special_interest=["NEUROLOGIC"])) == {"NEUROLOGIC"}
    found = one(event(special_interest=["GVHD ACUTE", "GVHD CHRONIC"]))
    assert (found["CQ04NAM"], found["GVTYPE"], found["AEBODSYS"]) == ("GVHD", "ACUTE; CHRONIC", None)


def test_the_worst_event_is_the_highest_emergent_grade_then_the_earliest():
    events = [
        event("2012-02-01", number=1, grade=5),  # before treatment
        event("2012-03-20", number=2, grade=3),
        event("2012-03-10", number=3, grade=3),
        event("2012-03-09", number=4, grade=2),
        event("2012-03-09", number=5, grade=None),
        event(None, number=6, grade=3),
    ]

    found = adae(*events)

    assert found.loc[found["WORSTFL"] == "Y", "AESEQ"].tolist() == [3]
    assert (adae(event("2012-02-01"))["WORSTFL"] == "N").all()


def test_a_fatal_event_is_the_worst_whichever_grade_was_reported():
    found = adae(
        event("2012-03-09", number=1, grade=4),
        event("2012-03-20", number=2, grade=4, is_fatal=True),
        event("2012-03-30", number=3, grade=None, is_fatal=False),
    )

    assert found.loc[found["WORSTFL"] == "Y", "AESEQ"].tolist() == [2]
    assert found["ATOXGR"].tolist()[:2] == [4, 4]  # as reported


def test_events_from_a_later_transplant_on_are_marked():
    transplant = [row(LaterTransplant, transplanted_on="2012-04-01")]
    events = [event("2012-03-31", number=1), event("2012-04-01", number=2), event(None, number=3)]

    assert adae(*events, later_transplants=transplant)["AFTHSFL"].tolist() == ["N", "Y", "N"]
    assert adae(*events)["AFTHSFL"].tolist() == ["N", "N", "N"]


def test_tocilizumab_is_asked_of_cytokine_release_alone():
    release = event(coded_term="Cytokine release syndrome")

    def given(*treatments):
        details = [row(CytokineRelease, event_id=release.record, treatments=treatments)]
        return one(release, cytokine_releases=details)[["TOCIFL", "DEXFL"]].tolist()

    assert given("TOCILIZUMAB") == ["Y", "N"]
    assert given("STEROID") == ["N", "Y"]
    assert one(event())["TOCIFL"] is None


def test_dexamethasone_for_an_event_is_known_from_its_details_or_from_the_dexamethasone_form():
    tremor = event(number=4)
    details = [row(NeurologicEvent, event_id=tremor.record, had_dexamethasone=True)]
    given = [row(Dexamethasone, given_at="2012-03-06T08:00", event_number=4, dose_mg=8)]

    assert one(tremor, neurologic_events=details)["DEXFL"] == "Y"
    assert one(tremor, dexamethasone=given)["DEXFL"] == "Y"
    assert one(tremor, dexamethasone=given, cutoff=date(2012, 3, 5))["DEXFL"] == "N"
    assert one(tremor)["DEXFL"] == "N"


def test_gvhd_that_led_to_hospital():
    gvhd = event(special_interest=["GVHD ACUTE"])
    assessed = row(AcuteGvhd, event_id=gvhd.record, led_to_hospital=True, assessed_on="2012-03-06")

    def flag(cutoff=FAR, **forms):
        return one(gvhd, cutoff=cutoff, **forms)["GVHOSPFL"]

    def stay(**answers):
        return [row(Hospitalisation, admitted_on="2012-03-06", **answers)]

    assert flag() == "N"
    assert flag(acute_gvhd=[assessed]) == "Y"
    assert flag(date(2012, 3, 5), acute_gvhd=[assessed]) == "N"
    assert flag(stays=stay(reason="GVHD", event_id=gvhd.record)) == "Y"
    assert flag(stays=stay(reason="GVHD")) == "Y"
    assert flag(date(2012, 3, 5), stays=stay(reason="GVHD")) == "N"
    assert flag(stays=stay(reason="GVHD", event_id=0.0)) == "N"  # of another event
    assert flag(stays=stay(reason="AE", event_id=gvhd.record)) == "N"
    assert one(gvhd._replace(led_to_hospital=True))["GVHOSPFL"] == "Y"
    assert one(event())["GVHOSPFL"] is None


def test_the_untreated_have_no_rows():
    assert len(derive_adae([derived(casebook(events=[event()]))])) == 0


@pytest.mark.parametrize("cutoff", [date(2012, 2, 1), date(2012, 3, 1)])
def test_a_patient_is_treated_from_the_first_dose_on(cutoff):
    found = adae(event("2012-01-05"), cutoff=cutoff)

    assert len(found) == (cutoff >= date(2012, 3, 1))
