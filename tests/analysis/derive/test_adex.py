from datetime import date

import pandas as pd
import pytest

from analysis.derive.adex import derive_adex
from analysis.derive.rows import Cycle, Dexamethasone
from tests.analysis.derive.casebooks import CYCLE_1, FAR, casebook, derived, infusion, row, treated


def adex(book, cutoff=FAR):
    return derive_adex([derived(book, cutoff)]).set_index("ACYC")


def dexamethasone(moment, dose=20, frequency="ONCE", **answers):
    return row(Dexamethasone, given_at=moment, dose_mg=dose, frequency=frequency, **answers)


def test_each_cycle_and_the_whole():
    found = adex(treated())

    assert found.index.tolist() == [0, 1, 2]
    assert found["DOSCUM"].tolist() == [1435, 651, 784]
    assert found["DOSPLAN"].tolist() == [1435, 651, 784]
    assert found["INFDAYS"].tolist() == [56, 28, 28]
    assert found["RDI"].tolist() == [1, 1, 1]
    assert found["STEPFL"].tolist() == ["Y", "Y", None]
    assert found["COMPFL"].tolist() == [None, "Y", "Y"]
    assert found["CYSTDT"].tolist() == [
        pd.Timestamp("2012-03-01"),
        pd.Timestamp("2012-03-01"),
        pd.Timestamp("2012-04-12"),
    ]
    assert found.loc[0, "CYENDT"] == pd.Timestamp("2012-05-10")


def test_a_cycle_stopped_early_is_started_and_not_completed():
    found = adex(treated(intervals=[infusion("2012-03-01", 6, 9)]))

    assert found["COMPFL"].tolist() == [None, "N"]
    assert found["STEPFL"].tolist() == ["N", "N"]
    assert found["RDI"].tolist() == pytest.approx([54 / 651] * 2)


def test_interruptions_of_four_hours_and_more():
    book = treated(
        intervals=[
            infusion("2012-03-01", 7, 9),
            infusion("2012-03-08", 3.9 / 24, 0),
            infusion("2012-03-10", 1),
            infusion("2012-03-11", 0.5, 0),
            infusion("2012-03-12", 1),
        ]
    )

    assert adex(book)["INTR4H"].tolist() == [1, 1]


def test_dexamethasone_is_counted_in_the_cycle_in_which_it_began():
    book = treated(
        dexamethasone=[
            dexamethasone("2012-02-27T08:00", 10, "QD", last_day="2012-02-29"),  # pre-phase: 30 mg
            dexamethasone("2012-03-01T08:00"),
            dexamethasone("2012-03-10T08:00", 8, "Q8H", last_day="2012-03"),  # of a month alone the one day: 24 mg
            dexamethasone("2012-04-12T08:00"),
            dexamethasone("2017-04-12T08:00"),
            row(Dexamethasone, dose_mg=20, frequency="ONCE"),
            row(Dexamethasone, given_at="2012-03-01T08:00"),
        ]
    )

    assert adex(book)["DEXMG"].tolist() == [94, 44, 20]


def test_dexamethasone_beyond_the_cut_off_is_not_known():
    book = treated(dexamethasone=[dexamethasone("2012-03-10T08:00", 8, "QD", last_day="2012-03-20")])

    assert adex(book, date(2012, 3, 12))["DEXMG"].tolist() == [24, 24]


def test_retreatment_has_a_row_and_no_part_in_the_whole():
    book = treated(
        intervals=[*CYCLE_1, infusion("2013-02-01", 28, cycle=2)],
        cycles=[row(Cycle, number=2, kind="RETREATMENT")],
    )

    assert adex(book)["DOSCUM"].tolist() == [651, 651, 784]


def test_the_untreated_have_no_rows():
    assert len(adex(casebook())) == 0
