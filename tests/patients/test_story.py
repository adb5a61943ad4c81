"""The story of a patient: what it tells, in which order, and where it stands in the figure."""

from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients.story import LANES, READ, tell
from patients.story_figure import A_TICK, LABELS, MARGIN, WIDTH, draw, pack
from tests.casebooks import book, row
from trial.edit_checks import Record

DAY_1 = "2013-03-04"


def ex(start, stop, rate, cycle=1, **answers):
    return row("EX", started_at=start, ended_at=stop, dose_ug_per_day=Decimal(rate), cycle=cycle, **answers)


def ae(interest, started, ended=None, grade=3, **answers):
    return row("AE", term="Event", special_interest=[interest], started=started, ended=ended, grade=grade, **answers)


def sample(form, day, **values):
    results = {
        test: row(f"{form}.RESULT", test=test, value=Decimal(value), grade=grade)
        for test, (value, grade) in values.items()
    }
    return row(form, taken_at=f"{day}T08:00", **results)


TREATED = [
    row("ENR", consented_on="2013-02-25", is_enrolled=True),
    ex("2013-03-04T09:00", "2013-03-11T09:00", 9),
    ex("2013-03-11T09:00", "2013-03-13T09:00", 28),
    ex("2013-03-13T09:00", "2013-03-20T09:00", 0),
    ex("2013-03-20T09:00", "2013-04-08T09:00", 28),
    ex("2013-04-22T09:00", "2013-05-20T09:00", 28, cycle=2),
]


def story_of(*records: Record, **given):
    casebook = book(*records, **given)
    assert set(casebook.records) <= set(READ)
    return tell(casebook)


def told(*records: Record):
    return [(mark.lane, mark.when, mark.text) for mark in story_of(*records).marks]


def lane(name, *records: Record, whole=False):
    figure = draw(story_of(*records), whole=whole)
    assert figure is not None
    return next(each for each in figure.lanes if each.label == name)


def test_infusion_is_told_by_its_steps_and_its_interruptions():
    assert told(*TREATED) == [
        ("milestone", "25-Feb-2013", "Consent"),
        ("infusion", "04-Mar-2013 to 11-Mar-2013", "Infusion of 9 µg/day, cycle 1"),
        ("infusion", "11-Mar-2013 to 13-Mar-2013", "Infusion of 28 µg/day, cycle 1"),
        ("infusion", "13-Mar-2013 to 20-Mar-2013", "Infusion interrupted, cycle 1"),
        ("infusion", "20-Mar-2013 to 08-Apr-2013", "Infusion of 28 µg/day, cycle 1"),
        ("infusion", "22-Apr-2013 to 20-May-2013", "Infusion of 28 µg/day, cycle 2"),
    ]


def test_an_infusion_is_as_high_as_its_dose_and_each_cycle_is_named_once():
    bars = lane("Infusion", *TREATED).marks

    assert [bar.height for bar in bars] == [8, 26, 26, 26, 26]  # 9 of 28 of 26 pixels
    assert [bar.label for bar in bars] == ["Cycle 1", "", "", "", "Cycle 2"]
    assert [bar.tone for bar in bars] == ["step", "full", "paused", "full", "full"]
    assert bars[0].says == "Infusion of 9 µg/day, cycle 1, 04-Mar-2013 to 11-Mar-2013 (day 1 to 8)"


def test_names_of_cycles_are_cut_to_their_number_where_there_is_no_room():
    def labels(*later):
        return [each.label for each in lane("Infusion", *TREATED, *later, whole=True).marks if each.label]

    assert labels() == ["Cycle 1", "Cycle 2"]
    assert labels(row("EOS", ended_on="2016-03-04")) == ["1", "Cycle 2"]
    assert labels(row("EOS", ended_on="2033-03-04")) == ["Cycle 2"]


def test_an_infusion_without_a_rate_or_an_end_is_told_as_far_as_it_is_known():
    running = ex("2013-03-04T09:00", None, 9)
    unknown = row("EX", started_at="2013-03-02T09:00", ended_at="2013-03-03T09:00", cycle=1)

    marks = story_of(running, unknown, today=date(2013, 3, 10)).marks

    assert [mark.text for mark in marks] == ["Infusion, rate not known, cycle 1", "Infusion of 9 µg/day, cycle 1"]
    assert marks[1].when == "04-Mar-2013, goes on"
    assert marks[1].ended.latest == date(2013, 3, 10)


def test_milestones_are_told_with_what_is_known_of_their_day():
    records = [
        row("HSCT", kind="ALLOGENEIC", transplanted_on="2011-05"),
        row("HSCT", kind="AUTOLOGOUS", transplanted_on="2010-01-05"),
        row("HSCT", kind="ALLOGENEIC"),
        row("NSCT", transplanted_on="2013-07-01"),
        row("NTX", started_on="2013-09", regimen="FLAG-IDA"),
        row("REL", relapsed_on="2013-08-20"),
        row("DTH", died_on="2014-01-02"),
        row("EOS", ended_on="2014-01-02"),
    ]

    assert told(*records) == [
        ("milestone", "05-Jan-2010", "Transplantation before the study"),
        ("milestone", "UN-May-2011", "Transplantation before the study"),
        ("milestone", "01-Jul-2013", "Transplantation after the first dose"),
        ("milestone", "20-Aug-2013", "Relapse"),
        ("milestone", "UN-Sep-2013", "Later therapy: FLAG-IDA"),
        ("milestone", "02-Jan-2014", "Death"),
        ("milestone", "02-Jan-2014", "End of study"),
    ]


def test_a_day_has_one_marrow_one_mrd_and_one_response_from_the_reading_that_counts():
    marrow = {"sampled_on": "2013-04-02", "is_adequate": True}
    records = [
        row("BM", key=1, reader="LOCAL", blasts_percent=Decimal(3), **marrow),
        row("BM", key=2, reader="CENTRAL", blasts_percent=Decimal("5.0"), blasts_qualifier="<", **marrow),
        row("BM", key=3, reader="CENTRAL", sampled_on="2013-05-20", is_adequate=False),
        row("MRD", marrow_id=2, sensitivity=1e-5, result="NEGATIVE"),
        row("MRD", marrow_id=2, sensitivity=1e-5, result="POSITIVE QUANTIFIED", level=1e-5),
        row("MRD", marrow_id=None, result="NEGATIVE"),
        row("RS", assessed_on="2013-04-02", assessor="LOCAL", response="CRh"),
        row("RS", assessed_on="2013-04-02", assessor="CENTRAL", response="CR"),
        row("RS", assessed_on="2013-05-20", assessor="LOCAL", response="PD"),
        row("RS", assessor="LOCAL", response="NE"),
    ]

    assert told(*records) == [
        ("response", "02-Apr-2013", "Response CR"),
        ("marrow", "02-Apr-2013", "Marrow blasts < 5 %"),
        ("mrd", "02-Apr-2013", "MRD: Below 10⁻⁴, detectable"),
        ("response", "20-May-2013", "Response PD"),
        ("marrow", "20-May-2013", "Marrow blasts not readable"),
    ]


def test_an_mrd_of_no_known_marker_is_told_as_not_evaluable():
    records = [
        row("BM", key=2, reader="CENTRAL", sampled_on="2013-04-02", is_adequate=True, blasts_percent=Decimal(1)),
        row("MRD", marrow_id=2, result="NO MARKER"),
    ]

    assert ("mrd", "02-Apr-2013", "MRD: Not evaluable") in told(*records)


def test_events_of_interest_are_told_infections_from_grade_3_on():
    records = [
        ae("CRS", "2013-03-05", "2013-03-09", grade=2),
        ae("INFECTION", "2013-03-06", grade=2),
        ae("INFECTION", "2013-03-07", grade=3, is_ongoing=True),
        ae("GVHD ACUTE", "2013-03-08", grade=1),
        ae("CYTOPENIA", "2013-03-08", grade=4),
        ae("NEUROLOGIC", None),
        ae("NEUROLOGIC", "2013-03-09", grade=None),
    ]

    assert told(*records) == [
        ("crs", "05-Mar-2013 to 09-Mar-2013", "Event, grade 2"),
        ("infection", "07-Mar-2013, goes on", "Event, grade 3"),
        ("gvhd", "08-Mar-2013", "Event, grade 1"),
    ]


def test_an_event_that_goes_on_reaches_the_end_of_the_figure():
    (bar,) = lane("Neurologic", *TREATED, ae("NEUROLOGIC", "2013-03-14", is_ongoing=True)).marks

    assert bar.is_open
    assert bar.x + bar.width == WIDTH - MARGIN


def test_nothing_goes_on_after_death_and_the_figure_ends_there():
    records = [*TREATED, row("DTH", died_on="2013-05-30"), ae("NEUROLOGIC", "2013-05-14", is_ongoing=True)]
    figure = draw(story_of(*records))
    late = draw(story_of(*records, row("EOS", ended_on="2013-12-31")), whole=True)

    assert figure.last == date(2013, 5, 30)
    (bar,) = next(each for each in late.lanes if each.label == "Neurologic").marks
    death = next(each for each in late.lanes if each.label == "Milestones").marks[1]
    assert bar.x + bar.width == death.dot_x < WIDTH / 2


def test_a_course_has_the_results_in_the_order_of_time_with_their_grades():
    story = story_of(
        *TREATED,
        sample("LBH", "2013-03-11", PLAT=("60", 2), NEUT=("0.40", 4)),
        sample("LBH", DAY_1, PLAT=("170.000", 0)),
        sample("LBC", DAY_1, CRP=("87.4", None)),
        row("LBH", taken_at="2013-03-12T08:00"),
    )

    assert [(course.label, course.unit) for course in story.courses] == [
        ("Platelets", "10^9/L"),
        ("Neutrophils", "10^9/L"),
        ("CRP", "mg/L"),
    ]
    assert [(point.text, point.grade) for point in story.courses[0].points] == [("170", 0), ("60", 2)]


def test_a_higher_result_stands_higher_and_nothing_below_the_foot_of_its_lane():
    platelets = lane(
        "Platelets", *TREATED, sample("LBH", DAY_1, PLAT=("0", 4)), sample("LBH", "2013-03-11", PLAT=("900", 0))
    )
    low, high = platelets.marks

    assert platelets.y < high.y < low.y < platelets.bottom
    assert low.says == "Platelets 0 10^9/L, grade 4, 04-Mar-2013 (day 1)"
    assert high.says == "Platelets 900 10^9/L, 11-Mar-2013 (day 8)"
    assert platelets.line == f"{low.x},{low.y} {high.x},{high.y}"


def test_the_figure_is_of_the_treatment_and_thirty_days_unless_all_is_asked_for():
    records = [*TREATED, row("HSCT", kind="ALLOGENEIC", transplanted_on="2011-05-02"), row("DTH", died_on="2014-01-02")]
    treatment, whole = draw(story_of(*records)), draw(story_of(*records), whole=True)

    assert (treatment.first, treatment.last) == (date(2013, 2, 25), date(2013, 6, 19))
    assert (treatment.before, treatment.after) == (1, 1)
    assert (whole.first, whole.last) == (date(2013, 2, 25), date(2014, 1, 2))
    assert (whole.before, whole.after) == (1, 0)


def test_weeks_are_counted_from_the_first_dose_and_their_numbers_do_not_touch():
    figure = draw(story_of(*TREATED))
    whole = draw(story_of(*TREATED, row("EOS", ended_on="2019-03-04")), whole=True)

    assert [text for _, text in figure.ticks][:4] == ["−1", "0", "1", "2"]
    assert figure.ticks[1][0] == figure.origin_x
    for each in (figure, whole):
        places = [x for x, _ in each.ticks]
        assert all(later - earlier >= A_TICK - 1 for earlier, later in pairwise(places))


def test_the_words_of_a_late_mark_stand_before_its_dot():
    death = lane("Milestones", *TREATED, row("DTH", died_on="2014-01-02"), whole=True).marks[-1]

    assert death.is_left
    assert death.dot_x == WIDTH - MARGIN
    assert death.y < death.dot_y < death.y + death.height
    assert death.x + len("Death") * 5 < death.label_x < death.dot_x


def test_what_is_known_in_part_says_so():
    (bar,) = lane("Cytokine release", *TREATED, ae("CRS", "2013-03", "2013-03-20")).marks

    assert bar.says == "Event, grade 3, UN-Mar-2013 to 20-Mar-2013 (day -3 to 17 at the earliest)"


def test_without_a_dose_days_are_counted_from_consent():
    records = [row("ENR", consented_on="2013-02-25", is_enrolled=False, screened_on="2013-02-26")]
    story = story_of(*records)

    assert not story.is_dosed
    assert [mark.text for mark in story.marks] == ["Consent", "Screening failure"]
    assert story.day(date(2013, 2, 26)) == 2
    figure = draw(story)
    assert (figure.first, figure.last) == (date(2013, 2, 25), date(2013, 3, 25))


def test_without_a_day_to_count_from_there_is_no_figure():
    assert story_of().is_empty
    assert draw(story_of()) is None
    undated = story_of(row("DTH", died_on="2014-01-02"))
    assert not undated.is_empty
    assert undated.day(date(2014, 1, 2)) is None
    assert draw(undated) is None


def test_a_lane_that_has_nothing_is_left_out_and_the_lanes_follow_each_other():
    figure = draw(story_of(*TREATED, ae("INFECTION", "2013-03-06"), sample("LBC", "2012-01-01", CRP=("5", None))))

    assert [each.label for each in figure.lanes] == ["Infusion", "Milestones", "Infection"]
    assert figure.lanes[-1].below == "grade 3 or more"
    for upper, lower in pairwise(figure.lanes):
        assert upper.bottom == lower.y
    assert set(LANES.values()) >= {"Infusion", "Milestones"}
    assert LABELS < WIDTH


@pytest.mark.parametrize(
    ("boxes", "rows"),
    [
        ([(0, 10), (20, 30)], [0, 0]),
        ([(0, 10), (5, 30)], [0, 1]),
        ([(0, 10), (5, 30), (18, 24)], [0, 1, 0]),
        ([(20, 30), (0, 10)], [0, 0]),
    ],
)
def test_what_overlaps_goes_a_row_down(boxes, rows):
    assert pack(boxes) == rows


@given(st.lists(st.tuples(st.floats(0, 1000), st.floats(1, 200)).map(lambda each: (each[0], sum(each))), max_size=20))
def test_no_two_marks_of_a_row_overlap(boxes):
    placed = list(zip(boxes, pack(boxes), strict=True))

    for n, ((start, end), line) in enumerate(placed):
        for (other, last), row_of_other in placed[n + 1 :]:
            assert line != row_of_other or end <= other or last <= start
