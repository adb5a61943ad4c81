from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.derive.rows import (
    BaselineDisease,
    Cycle,
    ExtramedullaryAssessment,
    LaterTherapy,
    MrdAssay,
    ResponseAssessment,
)
from tests.analysis.derive.casebooks import (
    CYCLE_1,
    CYCLE_2,
    CYCLE_3,
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

BASELINE = marrow("2012-02-25", 80)


def responses(book, cutoff=FAR, **parameters):
    return derived(book, cutoff, **parameters).responses


def shown(book, cutoff=FAR):
    """Day, response and source of every assessment."""
    return [(each.on.isoformat(), each.response, each.source) for each in responses(book, cutoff).assessments]


def spoken(day, response, assessor="LOCAL", **answers):
    return row(ResponseAssessment, assessed_on=day, response=response, assessor=assessor, **answers)


def outside(day, status, **answers):
    return row(ExtramedullaryAssessment, assessed_on=day, status=status, **answers)


def test_each_marrow_after_the_first_dose_is_an_assessment():
    book = responder(marrows=[marrow("2012-05-09", 12)], counts=[blood("2012-05-09")])

    assert shown(book) == [("2012-03-29", "CR", "ALGORITHM"), ("2012-05-09", "RELAPSE", "ALGORITHM")]


def test_an_untreated_patient_has_no_assessments():
    found = responses(casebook(marrows=[BASELINE, marrow("2012-03-29", 2)]))

    assert found.assessments == ()
    assert found.best == "NE"
    assert found.baseline.marrow_blasts == 2  # the last marrow that there is


def test_a_marrow_of_the_day_of_first_dose_is_of_the_baseline():
    found = responses(treated(marrows=[marrow("2012-03-01", 70)]))

    assert found.assessments == ()
    assert found.baseline.marrow_blasts == 70


def test_the_baseline_is_the_central_reading_that_the_site_names():
    named, central, local = marrow("2012-02-20", 60, "LOCAL"), marrow("2012-02-20", 62), marrow("2012-02-25", 80)
    after, unread = marrow("2012-03-29", 2), marrow("2012-02-27", None)
    refers = row(BaselineDisease, marrow_id=named.record)

    def baseline(*marrows, baselines=()):
        return responses(treated(marrows=marrows, baselines=baselines)).baseline.marrow_blasts

    assert baseline(named, central, local, after, baselines=[refers]) == 62
    assert baseline(named, central, local, unread, after, baselines=[row(BaselineDisease)]) == 80
    assert baseline(named, after) == 60  # no central reading
    assert baseline(marrow("2012-02-20", 75, blasts_qualifier=">")) == 75.1
    assert baseline(after) is None


def test_the_blood_baseline_is_the_last_count_before_the_first_dose():
    counts = [
        blood("2012-02-25", blasts=3),
        blood("2012-02-28", blasts=None),
        blood("2012-03-01", blasts=1, taken_at="2012-03-01T09:30"),  # after the infusion began at 9
    ]

    assert responses(treated(counts=counts)).baseline.blood_blasts == 3
    assert responses(treated(counts=counts[1:])).baseline.blood_blasts is None
    assert responses(casebook(counts=counts)).baseline.blood_blasts == 1
    assert responses(casebook(counts=counts), date(2012, 2, 26)).baseline.blood_blasts == 3


def test_the_local_reading_counts_where_the_central_one_cannot_be_read():
    book = treated(
        marrows=[
            marrow("2012-03-29", 2),
            marrow("2012-03-29", 40, "LOCAL"),
            marrow("2012-05-09", None),
            marrow("2012-05-09", 3, "LOCAL"),
        ],
        counts=[blood("2012-03-29"), blood("2012-05-09", 0.7, 60)],
    )

    assert shown(book) == [("2012-03-29", "CR", "ALGORITHM"), ("2012-05-09", "CRh", "ALGORITHM")]


def test_the_assessor_counts_only_where_no_marrow_can_be_read():
    book = treated(
        marrows=[marrow("2012-03-29", 40), marrow("2012-05-09", None)],
        counts=[blood("2012-03-29"), blood("2012-05-09")],
        responses=[
            spoken("2012-03-29", "CR"),
            spoken("2012-05-09", "PR", "CENTRAL"),
            spoken("2012-05-09", "CRh"),
            spoken("2012-06-20", "NR"),
            spoken("2012-06-21", "CR", "CENTRAL"),
            spoken("2012-02-25", "NR"),  # at screening
        ],
    )

    assert shown(book) == [
        ("2012-03-29", "NR", "ALGORITHM"),
        ("2012-05-09", "CRh", "INVESTIGATOR"),
        ("2012-06-20", "NR", "INVESTIGATOR"),
    ]


def test_an_adjudicated_response_wins():
    sample = marrow("2012-03-29", 40)
    word = spoken("2012-04-02", "CR", adjudicated_response="PR", marrow_id=sample.record)

    (found,) = responses(treated(marrows=[sample], responses=[word])).assessments

    assert (found.on, found.response, found.source) == (date(2012, 3, 29), "PR", "ADJUDICATED")
    assert (found.algorithm, found.form, found.record) == ("NR", "RS", word.record)


def test_a_word_that_names_no_marrow_is_about_the_nearest_one():
    sample = marrow("2012-04-09", 40)  # cycle 2 begins on 12 April

    def found(said_on, *more, **answers):
        words = [spoken(said_on, **({"response": "PR"} | answers))]
        return shown(treated(marrows=[sample, *more], responses=words))

    algorithm = [("2012-04-09", "NR", "ALGORITHM")]
    for near in ("2012-04-06", "2012-04-08", "2012-04-10", "2012-04-12"):
        assert found(near) == algorithm
        assert found(near, adjudicated_response="PD") == [("2012-04-09", "PD", "ADJUDICATED")]
    assert found("2012-04-05") == [("2012-04-05", "PR", "INVESTIGATOR"), *algorithm]  # 4 days before
    assert found("2012-04-13") == [*algorithm, ("2012-04-13", "PR", "INVESTIGATOR")]  # in the next cycle
    # of two marrows the nearer; of two equally near, the earlier
    later = marrow("2012-04-11", None)
    assert found("2012-04-11", later) == [*algorithm, ("2012-04-11", "PR", "INVESTIGATOR")]
    assert found("2012-04-10", later) == [*algorithm, ("2012-04-11", "NE", "ALGORITHM")]


def test_deleting_what_the_assessors_wrote_leaves_the_best_response():
    with_words = responder(responses=[spoken("2012-03-29", "NR"), spoken("2012-03-29", "PD", "CENTRAL")])

    assert responses(with_words).best == responses(responder()).best == "CR"


def test_counts_are_read_from_3_days_before_to_7_days_after_the_marrow():
    def best(day):
        return responses(treated(marrows=[BASELINE, marrow("2012-03-29", 2)], counts=[blood(day)])).best

    assert [best(day) for day in ("2012-03-25", "2012-03-26", "2012-04-05", "2012-04-06")] == ["NE", "CR", "CR", "NE"]


def test_counts_after_the_next_infusion_or_other_therapy_are_not_read():
    late = marrow("2012-04-10", 2)

    def best(taken, **forms):
        return responses(treated(marrows=[BASELINE, late], counts=[taken], **forms)).best

    before_infusion = blood("2012-04-12", taken_at="2012-04-12T08:30")
    assert best(before_infusion) == "CR"
    assert best(blood("2012-04-12", taken_at="2012-04-12T09:00")) == "NE"
    therapy = [row(LaterTherapy, started_on="2012-04-12")]
    assert best(before_infusion, later_therapies=therapy) == "NE"
    assert best(blood("2012-04-11"), later_therapies=therapy) == "CR"


def test_counts_beside_a_marrow_after_other_therapy_are_read():
    book = treated(
        marrows=[BASELINE, marrow("2012-08-01", 2)],
        counts=[blood("2012-08-01")],
        later_therapies=[row(LaterTherapy, started_on="2012-07-01")],
    )

    assert shown(book) == [("2012-08-01", "CR", "ALGORITHM")]
    assert responses(book).best == "NE"  # but it is no response to blinatumomab


def test_a_count_after_the_cut_off_is_not_known():
    book = treated(marrows=[BASELINE, marrow("2012-03-29", 2)], counts=[blood("2012-04-02")])

    assert responses(book, date(2012, 4, 1)).best == "NE"
    assert responses(book, date(2012, 4, 2)).best == "CR"
    assert responses(book, date(2012, 3, 28)).assessments == ()


def test_the_nearest_examination_is_read_with_the_marrow():
    def best(*examinations, **forms):
        return responses(responder(extramedullary=examinations, **forms)).best

    present = "PRESENT STABLE/SMALLER"
    assert best(outside("2012-03-15", present)) == "NR"
    assert best(outside("2012-03-14", present)) == "CR"  # more than 14 days before
    assert best(outside("2012-04-05", present)) == "NR"
    assert best(outside("2012-04-06", present)) == "CR"  # more than 7 days after
    assert best(outside("2012-03-20", present), outside("2012-03-28", "RESOLVED")) == "CR"
    assert best(outside("2012-03-28", present), outside("2012-03-30", "RESOLVED")) == "NR"  # equally near: the earlier
    assert best(outside("2012-03-29", "NOT ASSESSED"), outside("2012-03-20", present)) == "NR"
    assert best(outside("2012-03-29", None, has_csf_blasts=True)) == "NR"
    therapy = [row(LaterTherapy, started_on="2012-04-01")]
    assert best(outside("2012-04-02", present), later_therapies=therapy) == "CR"


def test_an_examination_in_the_next_cycle_is_not_read():
    def best(day):
        late = marrow("2012-04-10", 2)
        book = treated(marrows=[late], counts=[blood("2012-04-10")], extramedullary=[outside(day, "NEW LESION")])
        return responses(book).best

    assert best("2012-04-11") == "PD"
    assert best("2012-04-12") == "CR"


def test_the_window_ends_where_the_third_cycle_begins():
    cycles = [*CYCLE_1, *CYCLE_2, *CYCLE_3]

    def best(day):
        return responses(treated(intervals=cycles, marrows=[marrow(day, 2)], counts=[blood(day)])).best

    assert best("2012-05-23") == "CR"
    assert best("2012-05-24") == "NE"


def test_without_a_third_cycle_the_window_ends_56_days_after_the_last_start():
    def best(day, *intervals, **forms):
        return responses(treated(intervals=intervals, marrows=[marrow(day, 2)], counts=[blood(day)], **forms)).best

    assert best("2012-04-25", *CYCLE_1) == "CR"
    assert best("2012-04-26", *CYCLE_1) == "NE"
    assert best("2012-06-06", *CYCLE_1, *CYCLE_2) == "CR"
    assert best("2012-06-07", *CYCLE_1, *CYCLE_2) == "NE"
    therapy = [row(LaterTherapy, started_on="2012-04-02")]
    assert best("2012-04-01", *CYCLE_1, later_therapies=therapy) == "CR"
    assert best("2012-04-02", *CYCLE_1, later_therapies=therapy) == "NE"


def test_retreatment_ends_the_window_and_does_not_widen_it():
    again = {
        "intervals": [*CYCLE_1, infusion("2012-04-20", 28, cycle=2)],
        "cycles": [row(Cycle, number=2, kind="RETREATMENT")],
    }

    assert responses(treated(marrows=[marrow("2012-04-19", 2)], counts=[blood("2012-04-19")], **again)).best == "CR"
    assert responses(treated(marrows=[marrow("2012-04-20", 2)], counts=[blood("2012-04-20")], **again)).best == "NE"


def test_the_first_response_the_first_cr_and_the_best_are_each_dated():
    book = treated(
        marrows=[BASELINE, *(marrow(day, 2) for day in ("2012-03-15", "2012-03-29", "2012-05-09"))],
        counts=[blood("2012-03-15", 0.7, 60), blood("2012-03-29"), blood("2012-05-09")],
    )

    found = responses(book)

    assert found.response.on == date(2012, 3, 15)
    assert found.complete_remission.on == found.best_assessment.on == date(2012, 3, 29)
    assert [each.cycle for each in found.assessments] == [1, 1, 2]


def test_a_relapse_is_what_follows_the_response():
    book = responder(marrows=[marrow("2012-06-20", 50), marrow("2012-08-20", 50)])

    assert responses(book).relapse.on == date(2012, 6, 20)
    assert responses(responder(blasts=50)).relapse is None


def assay(sample, result="NEGATIVE", **answers):
    return row(MrdAssay, marrow_id=sample.record, result=result, **({"sensitivity": 1e-5, "method": "FLOW"} | answers))


def test_the_mrd_response_is_of_a_sample_at_or_after_the_response():
    early, then, later = marrow("2012-03-15", 30), marrow("2012-03-29", 2), marrow("2012-05-09", 2)
    out = marrow("2012-08-09", 2)

    def found(*assays):
        return responses(
            treated(
                marrows=[BASELINE, early, then, later, out],
                counts=[blood("2012-03-29"), blood("2012-05-09"), blood("2012-08-09")],
                assays=assays,
            )
        )

    assert found(assay(early)).mrd_response({"COMPLETE"}) is None
    assert found(assay(out)).mrd_response({"COMPLETE"}) is None
    assert found(assay(then)).mrd_response({"COMPLETE"}).on == date(2012, 3, 29)
    assert found(assay(then, "INDETERMINATE"), assay(later)).mrd_response({"COMPLETE"}).on == date(2012, 5, 9)
    assert found(assay(early)).has_evaluable_mrd
    assert not found(assay(out), assay(then, "NO MARKER")).has_evaluable_mrd


def test_the_assays_of_both_readings_of_one_marrow_are_one_sample():
    central, local = marrow("2012-03-29", 2), marrow("2012-03-29", 2, "LOCAL")
    high = assay(local, "POSITIVE QUANTIFIED", level=1e-2, method="PCR IG/TR")

    (sample,) = responses(treated(marrows=[central, local], assays=[assay(central), high])).samples

    assert (sample.category, sample.methods) == (">=1e-4", "FLOW; PCR IG/TR")


def test_an_assay_without_its_marrow_or_of_the_baseline_is_no_sample():
    stray = row(MrdAssay, result="NEGATIVE", sensitivity=1e-5)
    unknown = row(MrdAssay, marrow_id=999_999.0, result="NEGATIVE", sensitivity=1e-5)

    assert responses(treated(marrows=[BASELINE], assays=[stray, unknown, assay(BASELINE)])).samples == ()


def last(book, cutoff=FAR):
    found = responses(book, cutoff).last_assessment
    return None if found is None else (found.on.isoformat(), found.field)


def test_the_last_disease_assessment():
    assert last(responder()) == ("2012-03-29", "BMDAT")
    assert last(responder(marrows=[marrow("2012-07-02", None)])) == ("2012-03-29", "BMDAT")  # nothing was read
    word = [spoken("2012-07-02", "CR")]
    assert last(responder(responses=word)) == ("2012-07-02", "RSDAT")
    assert last(responder(responses=[spoken("2012-07-02", "NE")])) == ("2012-03-29", "BMDAT")
    examined = [outside("2012-07-02", "NO EVIDENCE")]
    assert last(responder(extramedullary=examined)) == ("2012-03-29", "BMDAT")  # no blood count beside it
    assert last(responder(extramedullary=examined, counts=[blood("2012-07-04")])) == ("2012-07-02", "EMDDAT")
    assert last(responder(extramedullary=[outside("2012-07-02", "NOT ASSESSED")])) == ("2012-03-29", "BMDAT")
    assert last(treated()) is None


def test_follow_up_in_remission_is_a_disease_assessment():
    def of(**answers):
        return last(responder(contacts=[contact("2013-01-01", **answers)]))

    assert of(last_assessed_on="2012-12-20") == ("2012-12-20", "LASTASS")
    assert of(last_assessed_on="2012-12") == ("2012-12-01", "LASTASS")
    assert of(last_assessed_on="2012-12-20", disease="REMISSION", status="ALIVE STATUS UNKNOWN") == (
        "2012-12-20",
        "LASTASS",
    )
    assert of(last_assessed_on="2012-12-20", disease="UNK") == ("2012-03-29", "BMDAT")
    assert of(last_assessed_on="2012-12-20", status="ALIVE WITH DISEASE") == ("2012-03-29", "BMDAT")
    assert of() == ("2012-03-29", "BMDAT")
    assert last(responder(contacts=[contact("2013-01-01", last_assessed_on="2012-12-20")]), date(2012, 12, 1)) == (
        "2012-03-29",
        "BMDAT",
    )


OFFSETS = st.integers(-3, 7)
RANK = ["NE", "BFHM", "CRh", "CR"]


@settings(max_examples=50)  # each example derives a patient
@given(st.lists(st.tuples(OFFSETS, st.floats(0, 3), st.floats(0, 200)), max_size=4), st.floats(0, 1), st.floats(0, 99))
def test_better_counts_never_give_a_worse_best_response(taken, neutrophils, platelets):
    def best(more_neutrophils, more_platelets):
        counts = [
            blood(date.fromordinal(date(2012, 3, 29).toordinal() + day).isoformat(), anc + more_neutrophils,
                  plt + more_platelets, taken_at=f"2012-03-29T{place:02d}:00")
            for place, (day, anc, plt) in enumerate(taken)
        ]  # fmt: skip
        return responses(treated(marrows=[BASELINE, marrow("2012-03-29", 2)], counts=counts)).best

    assert RANK.index(best(neutrophils, platelets)) >= RANK.index(best(0, 0))
