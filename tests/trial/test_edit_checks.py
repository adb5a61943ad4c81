from dataclasses import replace
from datetime import date

import pytest

from trial.edit_checks import Casebook, EditCheck, Record, SavedRecord, Severity, find, still_holds, touching, word
from trial.parameters import Parameters
from trial.partial_dates import is_before, parse

PRESSURE = EditCheck(
    code="EC-077",
    form="VS",
    field="diastolic_mmhg",
    needs=("systolic_mmhg", "diastolic_mmhg"),
    fails=lambda systolic, diastolic: diastolic >= systolic,
    asks="Diastolic {diastolic_mmhg} is not below systolic {systolic_mmhg}. Please check both readings.",
    severity=Severity.ERROR,
)
ECOG = EditCheck(
    code="EC-081",
    form="PS",
    field="ecog",
    needs=("ecog",),
    reads=("DTH",),
    fails=lambda record, book: {"deaths": 0} if record.ecog == 5 and not book.all("DTH") else False,
    asks="ECOG 5 needs a death form.",
    severity=Severity.ERROR,
)
STOPPED = EditCheck(
    code="EC-140",
    form="AE",
    field="ended",
    needs=("started", "ended"),
    fails=lambda started, ended: is_before(ended, started),
    asks="The event ended on {ended}, before it began on {started}.",
    severity=Severity.ERROR,
)


def record(form: str, key: int = 1, **answers: object) -> Record:
    return Record(form, key, entry=key, visit="LOG", answers=answers)


def book(*records: Record) -> Casebook:
    by_form: dict[str, list[Record]] = {}
    for each in records:
        by_form.setdefault(each.form, []).append(each)
    return Casebook(by_form, Parameters(), date(2014, 9, 30))


def test_a_check_that_fails_asks_with_the_values():
    readings = record("VS", systolic_mmhg=70, diastolic_mmhg=80)

    (finding,) = find([PRESSURE], book(readings))

    assert finding.question == "Diastolic 80 is not below systolic 70. Please check both readings."
    assert (finding.check, finding.record, finding.severity) == (PRESSURE, readings, Severity.ERROR)
    assert finding.basis == "systolic_mmhg=70; diastolic_mmhg=80"


@pytest.mark.parametrize(
    "answers", [{"systolic_mmhg": 120, "diastolic_mmhg": 80}, {"systolic_mmhg": None, "diastolic_mmhg": 80}]
)
def test_a_check_that_passes_or_lacks_an_answer_is_silent(answers):
    assert find([PRESSURE], book(record("VS", **answers))) == []


def test_what_the_version_of_the_form_did_not_ask_is_not_asked_about():
    older = replace(record("VS", systolic_mmhg=70, diastolic_mmhg=80), not_asked=frozenset({"diastolic_mmhg"}))

    assert find([PRESSURE], book(older)) == []


def test_each_record_of_the_form_is_asked_about():
    wrong = [record("VS", key, systolic_mmhg=70, diastolic_mmhg=80) for key in (1, 2)]

    assert [finding.record.key for finding in find([PRESSURE], book(*wrong))] == [1, 2]


def test_after_a_save_only_what_it_can_have_changed_is_asked_about():
    """ECOG looks at deaths, and at no other record of its form."""
    dying = [record("PS", key, ecog=5) for key in (1, 2)]
    compared = replace(ECOG, reads=("PS",), fails=lambda record, book: len(book.all("PS")) > 1)

    def asked(check: EditCheck, *saved: object) -> list[int]:
        return [finding.record.key for finding in find([check], book(*dying), SavedRecord(*saved) if saved else None)]

    assert asked(ECOG) == [1, 2]
    assert asked(ECOG, "PS", 2) == [2]
    assert asked(ECOG, "DTH", 2) == [1, 2]  # a death that is saved is looked at by each of them
    assert asked(compared, "PS", 2) == [1, 2]


def test_a_check_across_forms_sees_the_casebook_and_says_what_it_saw():
    dying = record("PS", ecog=5)

    (finding,) = find([ECOG], book(dying))

    assert finding.basis == "ecog=5; deaths=0"
    assert find([ECOG], book(dying, record("DTH", died_on="2014-03-12"))) == []
    assert find([ECOG], book(record("PS", ecog=1))) == []


def test_the_basis_names_every_answer_that_was_read_and_no_other():
    bilirubin = record("LBC.RESULT", value=1, high=21, remark="haemolytic")
    sample = record("LBC", taken_on="2013-03-04", laboratory="A; B=C", BILI=bilirubin, ALT=None, AST=None, missing={})
    low = EditCheck(
        code="EC-067",
        form="LBC",
        field="taken_on",
        needs=("taken_on",),
        reads=("LBC",),
        fails=lambda sample, book: (
            sample.laboratory is not None
            and sample.BILI.value * 3 < sample.answers["BILI"].high
            and sample.ALT is None
            and not sample.missing
        ),
        asks="Is this mg/dL?",
        severity=Severity.ERROR,
    )

    (finding,) = find([low], book(sample))

    assert finding.record is sample
    assert finding.basis == (
        "taken_on=2013-03-04; ALT=nothing; BILI=entered; BILI.high=21; BILI.value=1; laboratory=A;B=C"
    )


def test_which_answers_a_record_has_is_no_part_of_the_basis():
    few = replace(ECOG, fails=lambda record, book: len(record.answers) == len(list(record.answers)) == 2)

    (finding,) = find([few], book(record("PS", ecog=5, weight_kg=70)))

    assert finding.basis == "ecog=5"


@pytest.mark.parametrize(
    ("then", "now", "holds"),
    [
        ("ecog=5; deaths=0", "ecog=5; deaths=0", True),
        ("ecog=5; deaths=0", "ecog=5; deaths=1", False),
        ("BILI=nothing", "BILI=entered; BILI.value=1", False),
        ("led_to_hospital=Yes", "led_to_hospital=Yes; ended=nothing", True),  # another stay made the check look further
        ("led_to_hospital=Yes; ended=nothing", "led_to_hospital=Yes", True),  # and now it is gone
        ("", "", True),
    ],
)
def test_an_answer_holds_while_nothing_that_was_looked_at_both_times_has_changed(then, now, holds):
    assert still_holds(then, now) is holds


def test_what_is_the_same_for_all_records_is_worked_out_once_a_casebook():
    asked = []

    def scores(casebook: Casebook, form: str) -> list[int]:
        asked.append(form)
        return [each.ecog for each in casebook.all(form)]

    casebook = book(record("PS", ecog=5))
    corrected = replace(casebook, records={"PS": [record("PS", ecog=1)]})

    assert [casebook.once(scores, "PS"), casebook.once(scores, "PS"), casebook.once(scores, form="PS")] == [[5]] * 3
    assert corrected.once(scores, "PS") == [1]
    assert asked == ["PS", "PS", "PS"]  # by position, by name, and anew for the other casebook


def test_an_order_that_cannot_be_told_is_a_warning_that_says_so():
    known = record("AE", started=parse("2014-03-12"), ended=parse("2014-03-01"))
    in_part = record("AE", started=parse("2014-03-12"), ended=parse("2014-03"))

    (sure,) = find([STOPPED], book(known))
    (unsure,) = find([STOPPED], book(in_part))

    assert (sure.severity, sure.question) == (
        Severity.ERROR,
        "The event ended on 01-Mar-2014, before it began on 12-Mar-2014.",
    )
    assert unsure.severity == Severity.WARNING
    assert unsure.question == (
        "The dates are known in part, so this cannot be told for sure: "
        "The event ended on UN-Mar-2014, before it began on 12-Mar-2014."
    )


def test_a_change_of_a_form_touches_the_checks_that_look_at_it():
    every = [PRESSURE, ECOG, STOPPED]

    assert touching(every, ["VS"]) == [PRESSURE]
    assert touching(every, ["DTH"]) == [ECOG]
    assert touching(every, ["PS", "AE"]) == [ECOG, STOPPED]
    assert touching(every, []) == []


def test_an_answer_that_the_form_does_not_have_is_an_error_of_the_check():
    with pytest.raises(AttributeError, match="The form VS has no answer 'pulse'"):
        _ = record("VS").pulse


def test_records_are_found_by_form_and_number():
    first, second = record("HSCT", 7), record("HSCT", 9)
    casebook = book(first, second)

    assert casebook.find("HSCT", 9) is second
    assert casebook.find("HSCT", None) is None
    assert casebook.one("HSCT") is first
    assert casebook.one("DM") is None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "nothing"),
        ([], "nothing"),
        (True, "Yes"),
        (False, "No"),
        (["CRS", "NEUROLOGIC"], "CRS, NEUROLOGIC"),
        (date(2014, 3, 12), "12-Mar-2014"),
        (parse("2014-03"), "UN-Mar-2014"),
        (3, "3"),
    ],
)
def test_values_are_worded_for_people(value, said):
    assert word(value) == said
