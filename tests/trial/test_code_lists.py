"""Code lists are readable tables."""

from trial.code_lists import code_list, codes_of, label_of


def test_a_code_and_its_label_are_parted_by_two_spaces():
    codes = code_list("""
        MATCHED SIBLING    Matched sibling
        10/10
    """)

    assert codes == [("MATCHED SIBLING", "Matched sibling"), ("10/10", "10/10")]
    assert codes_of(codes) == ["MATCHED SIBLING", "10/10"]


def test_a_code_that_is_not_in_the_list_is_its_own_label():
    assert label_of(code_list("M    Male"), "M") == "Male"
    assert label_of(code_list("M    Male"), "X") == "X"
