from datetime import date

from analysis.derive.patient import is_known_at
from analysis.derive.rows import Death, Enrolment, LaterTransplant, Relapse, ResponseAssessment, Visit
from tests.analysis.derive.casebooks import casebook, derived, marrow, responder, row, treated

RESPONDED = date(2012, 3, 29)


def reported(day, site="MARROW"):
    return row(Relapse, relapsed_on=day, site=site)


def relapse(book):
    found = derived(book).relapse
    return None if found is None else (found.on.isoformat(), found.form)


def test_the_first_relapse_after_the_response_is_reported_or_seen():
    seen = [marrow("2012-06-20", 50)]

    assert relapse(responder()) is None
    assert relapse(responder(relapses=[reported("2012-06-18")], marrows=seen)) == ("2012-06-18", "REL")
    assert relapse(responder(relapses=[reported("2012-06-22")], marrows=seen)) == ("2012-06-20", "BM")
    assert relapse(responder(relapses=[reported("2012-06-18", "MOLECULAR ONLY")])) is None
    word = [row(ResponseAssessment, assessed_on="2012-06-21", assessor="LOCAL", response="RELAPSE")]
    assert relapse(responder(responses=word)) == ("2012-06-21", "RS")


def test_a_relapse_before_the_response_is_none_and_one_of_the_same_month_may_be():
    assert relapse(responder(relapses=[reported("2012-03-28")])) is None
    assert relapse(responder(relapses=[reported("2012-03")])) == ("2012-03-29", "REL")
    assert relapse(responder(relapses=[reported("2012-04")])) == ("2012-04-15", "REL")


def test_who_did_not_respond_cannot_relapse():
    assert relapse(treated(relapses=[reported("2012-06-18")])) is None


def later(day, *, other_therapy=False):
    return row(LaterTransplant, transplanted_on=day, had_other_therapy=other_therapy)


def in_remission(*transplants, book=responder, **forms):
    found = derived(book(later_transplants=transplants, **forms)).transplant_in_remission
    return None if found is None else found.on.isoformat()


def test_a_transplant_in_remission_has_no_relapse_and_no_other_therapy_before_it():
    assert in_remission() is None
    assert in_remission(later("2012-07-01")) == "2012-07-01"
    assert in_remission(later("2012-07-01", other_therapy=True)) is None
    assert in_remission(later("2012-07-01", other_therapy=None)) is None
    assert in_remission(later("2012-03-29")) is None  # not after the response
    assert in_remission(later("2012-07-01"), relapses=[reported("2012-06-30")]) is None
    assert in_remission(later("2012-07-01"), relapses=[reported("2012-07-01")]) == "2012-07-01"
    assert in_remission(later("2012-07-01"), book=treated) is None


def test_the_landmark_is_84_days_after_the_first_dose():
    def at_landmark(**forms):
        return derived(treated(**forms)).is_at_landmark

    assert not at_landmark(visits=[row(Visit, visited_on="2012-05-23")])
    assert at_landmark(visits=[row(Visit, visited_on="2012-05-24")])
    assert not at_landmark(deaths=[row(Death, died_on="2012-05-24")])
    assert at_landmark(deaths=[row(Death, died_on="2012-05-25")])
    assert not derived(casebook(visits=[row(Visit, visited_on="2013-05-25")])).is_at_landmark


def test_the_additional_cohort_is_in_no_analysis_set():
    other = [row(Enrolment, consented_on="2012-02-20", is_enrolled=True, cohort="ADDITIONAL")]

    assert not derived(responder(enrolments=other)).is_treated
    assert not derived(responder(enrolments=other)).is_responder
    assert derived(responder()).is_responder


def test_what_has_no_day_is_known():
    assert is_known_at(RESPONDED, None)
    assert is_known_at(RESPONDED, RESPONDED)
    assert not is_known_at(RESPONDED, date(2012, 3, 30))
