import numpy as np
import pandas as pd
import pytest

from tests.tables import table


def test_a_table_reads_days_numbers_flags_words_and_blanks():
    read = table("""
        on          grade  known  term             | expected
        2012-02-29  3      yes    Febrile illness  | -         # a comment
        -           -      no     -                | Fatal
    """)

    assert read["on"].tolist() == [pd.Timestamp("2012-02-29"), pd.NaT]
    assert read["grade"].tolist()[0] == 3
    assert np.isnan(read["grade"].tolist()[1])
    assert read["known"].tolist() == [True, False]
    assert read["term"].tolist() == ["Febrile illness", None]
    assert read["expected"].tolist() == [None, "Fatal"]


def test_a_row_that_is_too_short_is_refused():
    with pytest.raises(ValueError, match="1 cells under 2 columns"):
        table("""
            a  b
            1
        """)
