from datetime import date

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.derive.adtte import derive_adtte
from analysis.derive.rows import Death, EndOfStudy, LaterTherapy, LaterTransplant, Relapse, ResponseAssessment, Visit
from analysis.estimate import kaplan_meier
from tests.analysis.derive.casebooks import (
    CYCLE_1,
    CYCLE_2,
    FAR,
    blood,
    casebook,
    contact,
    derived,
    infusion,
    marrow,
    responder,
    row,
    treated,
)


def times(book, cutoff=FAR):
    return derive_adtte([derived(book, cutoff)]).set_index("PARAMCD")


def ending(book, parameter, cutoff=FAR):
    """The day, event or censoring, and what is said of it."""
    found = times(book, cutoff).loc[parameter]
    said = found["EVNTDESC"] if found["CNSR"] == 0 else found["CNSDTDSC"]
    return f"{found['ADT']:%Y-%m-%d}", int(found["CNSR"]), said


def died(day, **answers):
    return row(Death, died_on=day, **answers)


def reported(day):
    return row(Relapse, relapsed_on=day, site="MARROW")


def transplanted(day):
    return row(LaterTransplant, transplanted_on=day)


def test_time_is_in_whole_days_and_the_day_of_origin_is_day_1():
    found = times(treated(deaths=[died("2012-03-01")])).loc["OS"]

    assert found["ADY"] == 1
    assert found["AVAL"] == pytest.approx(0.033, abs=0.0005)  # C.5: 0.033 months, never 0
    assert times(treated(deaths=[died("2016-03-01")])).loc["OS", "AVAL"] == pytest.approx(1462 / 30.4375)


def test_survival_ends_with_death_and_is_censored_at_the_last_sign_of_life():
    book = treated(deaths=[died("2012-09-03")], visits=[row(Visit, visited_on="2012-08-09")])

    assert ending(book, "OS") == ("2012-09-03", 0, "DEATH")
    assert ending(book, "OS", date(2012, 9, 2)) == ("2012-08-09", 1, "ALIVE")
    found = times(book).loc["OS"]
    assert found[["SRCDOM", "SRCVAR"]].tolist() == ["DTH", "DTHDAT"]
    assert found["STARTDT"] == pd.Timestamp("2012-03-01")


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("LOST TO FOLLOW-UP", "LOST TO FOLLOW-UP"),
        ("WITHDRAWAL OF CONSENT", "CONSENT WITHDRAWN"),
        ("STUDY CLOSED", "ALIVE"),
        (None, "ALIVE"),
    ],
)
def test_the_censoring_says_why_follow_up_ended(reason, said):
    book = treated(ends_of_study=[row(EndOfStudy, ended_on="2013-01-01", reason=reason)])

    assert ending(book, "OS")[2] == said
    assert ending(book, "OS", date(2012, 12, 31))[2] == "ALIVE"


def test_follow_up_is_survival_with_event_and_censoring_changed_about():
    assert ending(treated(), "FUREV") == ("2012-05-10", 0, "ALIVE")
    assert ending(treated(deaths=[died("2012-09-03")]), "FUREV") == ("2012-09-03", 1, "DEATH")


def test_survival_censored_at_a_later_transplant():
    book = treated(deaths=[died("2012-09-03")], later_transplants=[transplanted("2012-07-01")])

    assert ending(book, "OS") == ("2012-09-03", 0, "DEATH")
    assert ending(book, "OSHSCT") == ("2012-07-01", 1, "ALLOGENEIC TRANSPLANT")
    same_day = treated(deaths=[died("2012-07-01")], later_transplants=[transplanted("2012-07-01")])
    assert ending(same_day, "OSHSCT") == ("2012-07-01", 0, "DEATH")
    assert ending(treated(), "OSHSCT") == ending(treated(), "OS")


def test_relapse_free_survival_ends_with_relapse_or_death_whichever_is_earlier():
    assert ending(responder(relapses=[reported("2012-09-01")]), "RFS") == ("2012-09-01", 0, "RELAPSE")
    assert ending(responder(deaths=[died("2012-08-01")]), "RFS") == (
        "2012-08-01",
        0,
        "DEATH WITHOUT DOCUMENTED RELAPSE",
    )
    both = responder(relapses=[reported("2012-09-01")], deaths=[died("2012-10-01")])
    assert ending(both, "RFS") == ("2012-09-01", 0, "RELAPSE")
    same_day = responder(relapses=[reported("2012-10-01")], deaths=[died("2012-10-01")])
    assert ending(same_day, "RFS") == ("2012-10-01", 0, "RELAPSE")
    impossible = responder(relapses=[reported("2012-10-02")], deaths=[died("2012-10-01")])
    assert ending(impossible, "RFS")[:2] == ("2012-10-01", 0)


def test_relapse_free_survival_begins_with_the_response():
    found = times(responder(relapses=[reported("2012-04-07")])).loc["RFS"]

    assert found["STARTDT"] == pd.Timestamp("2012-03-29")
    assert found["ADY"] == 10


def test_relapse_free_survival_is_censored_at_the_last_disease_assessment():
    followed = responder(contacts=[contact("2013-02-01", last_assessed_on="2013-01-20")])

    assert ending(followed, "RFS") == ("2013-01-20", 1, "LAST DISEASE ASSESSMENT")
    assert ending(followed, "RFS", date(2012, 12, 31)) == ("2012-03-29", 1, "NO ASSESSMENT AFTER THE RESPONSE")
    assert times(responder()).loc["RFS", "ADY"] == 1


def test_a_death_after_other_therapy_without_word_of_the_disease_is_of_unknown_status():
    therapy = [row(LaterTherapy, started_on="2012-06-01")]

    def said(disease, **forms):
        return ending(responder(deaths=[died("2012-08-01", disease=disease)], **forms), "RFS")[2]

    assert said("UNK", later_therapies=therapy) == "DEATH, REMISSION STATUS UNKNOWN"
    assert said(None, later_therapies=therapy) == "DEATH, REMISSION STATUS UNKNOWN"
    assert said("REMISSION", later_therapies=therapy) == "DEATH WITHOUT DOCUMENTED RELAPSE"
    assert said("UNK") == "DEATH WITHOUT DOCUMENTED RELAPSE"
    late = [row(LaterTherapy, started_on="2012-08-02")]
    assert said("UNK", later_therapies=late) == "DEATH WITHOUT DOCUMENTED RELAPSE"


def test_a_response_that_an_assessor_saw_is_censored_on_its_own_record():
    word = row(ResponseAssessment, assessed_on="2012-03-29", assessor="LOCAL", response="CR")

    found = times(treated(responses=[word])).loc["RFS"]

    assert found[["SRCDOM", "SRCVAR", "SRCSEQ"]].tolist() == ["RS", "RSDAT", word.record]


def test_the_duration_of_response_is_censored_by_a_death_without_relapse():
    assert ending(responder(relapses=[reported("2012-09-01")]), "DOR") == ("2012-09-01", 0, "RELAPSE")
    assert ending(responder(deaths=[died("2012-08-01")]), "DOR") == (
        "2012-08-01",
        1,
        "DEATH WITHOUT DOCUMENTED RELAPSE",
    )
    assert ending(responder(), "DOR")[1] == 1


def test_relapse_free_survival_censored_at_a_later_transplant():
    book = responder(relapses=[reported("2012-09-01")], later_transplants=[transplanted("2012-07-01")])

    assert ending(book, "RFS") == ("2012-09-01", 0, "RELAPSE")
    assert ending(book, "RFSHSCT") == ("2012-07-01", 1, "ALLOGENEIC TRANSPLANT")


def test_only_the_treated_have_times_and_only_responders_those_of_the_response():
    assert len(times(casebook())) == 0
    assert times(treated()).index.tolist() == ["OS", "OSHSCT", "FUREV"]
    assert times(responder()).index.tolist() == ["OS", "OSHSCT", "FUREV", "RFS", "RFSHSCT", "DOR"]


def test_a_time_that_cannot_be_is_censored_on_its_first_day_and_says_so():
    # the first dose was typed as 1700, so that survival would be three centuries
    book = treated(intervals=[infusion("1700-03-01", 7, 9), *CYCLE_2], deaths=[died("2012-09-03")])

    assert ending(book, "OS") == ("1700-03-01", 1, "DATES CONTRADICT EACH OTHER")
    assert ending(book, "FUREV") == ending(book, "OSHSCT") == ending(book, "OS")
    found = times(book).loc["OS"]
    assert (found["ADY"], found["SRCDOM"], found["SRCVAR"]) == (1, "DTH", "DTHDAT")
    assert ending(treated(deaths=[died("2012-02-29")]), "OS") == ("2012-03-01", 1, "DATES CONTRADICT EACH OTHER")


def test_nothing_is_assessed_after_the_death():
    # the response is of 29 March
    assert "RFS" not in times(responder(deaths=[died("2012-03-24")])).index
    assert times(responder(deaths=[died("2012-03-29")])).loc["RFS", "ADY"] == 1
    later = responder(deaths=[died("2012-08-01")], contacts=[contact("2013-02-01", last_assessed_on="2013-01-20")])
    assert ending(later, "RFS")[:2] == ("2012-08-01", 0)


ANY_DAY = st.dates(date(1700, 1, 1), date(2030, 12, 31)) | st.dates(date(2012, 2, 1), date(2013, 6, 30))
TYPED = st.lists(ANY_DAY.map(date.isoformat), max_size=2)


@settings(max_examples=100)  # each example derives a patient
@given(started=TYPED, deaths=TYPED, marrows=TYPED, relapses=TYPED, transplants=TYPED, assessed=TYPED, cutoff=ANY_DAY)
def test_no_date_however_wrong_makes_a_time_that_cannot_be_estimated(
    started, deaths, marrows, relapses, transplants, assessed, cutoff
):
    book = treated(
        intervals=[*(infusion(day, 7, 9) for day in started), *CYCLE_1],
        marrows=[marrow(day, 2) for day in marrows],
        counts=[blood(day) for day in marrows],
        deaths=[died(day) for day in deaths],
        relapses=[reported(day) for day in relapses],
        later_transplants=[transplanted(day) for day in transplants],
        contacts=[contact("2013-12-31", last_assessed_on=day) for day in assessed],
    )

    found = times(book, cutoff)

    assert found["ADY"].between(1, 36_525).all()
    kaplan_meier(found["ADY"], found["CNSR"] == 0)


DAYS = st.dates(date(2012, 3, 30), date(2013, 12, 31))
PARTIAL = DAYS.flatmap(lambda day: st.sampled_from([day.isoformat(), f"{day:%Y-%m}"]))


@settings(max_examples=50)  # each example derives a patient
@given(
    relapses=st.lists(PARTIAL, max_size=2),
    deaths=st.lists(PARTIAL, max_size=1),
    assessed=st.lists(PARTIAL, max_size=2),
    therapies=st.lists(PARTIAL, max_size=1),
    transplants=st.lists(DAYS.map(date.isoformat), max_size=1),
    cutoff=DAYS,
)
def test_no_relapse_free_time_ends_after_the_overall_one_at_any_cut_off(
    relapses, deaths, assessed, therapies, transplants, cutoff
):
    book = responder(
        relapses=[reported(day) for day in relapses],
        deaths=[died(day) for day in deaths],
        contacts=[contact("2013-12-31", last_assessed_on=day) for day in assessed],
        later_therapies=[row(LaterTherapy, started_on=day) for day in therapies],
        later_transplants=[transplanted(day) for day in transplants],
    )

    found = times(book, cutoff)

    assert (found["ADT"] <= found.loc["OS", "ADT"]).all()
    assert (found["ADY"] >= 1).all()
    assert found.loc["OS", "ADT"] <= pd.Timestamp(cutoff)
