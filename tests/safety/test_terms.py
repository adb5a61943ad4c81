"""The term list: what a row of it means, and that it agrees with the code lists and with the grades of STUDY C.7.6."""

import pytest

from safety.codes import SPECIAL_INTEREST
from safety.terms import NARROW_NEUROLOGIC, TERMS
from trial.code_lists import codes_of


def test_there_are_about_a_hundred_and_twenty_terms_and_each_is_its_own_key() -> None:
    assert 115 <= len(TERMS) <= 130
    assert all(term.name == name and term.group for name, term in TERMS.items())


def test_every_basket_is_a_code_of_special_interest() -> None:
    known = {*codes_of(SPECIAL_INTEREST), NARROW_NEUROLOGIC} - {"NONE"}

    assert {basket for term in TERMS.values() for basket in term.baskets} <= known


def test_every_code_of_special_interest_has_a_term() -> None:
    assert {basket for term in TERMS.values() for basket in term.baskets} >= set(codes_of(SPECIAL_INTEREST)) - {"NONE"}


def test_the_narrow_neurologic_basket_lies_inside_the_broad_one() -> None:
    narrow = {name for name, term in TERMS.items() if NARROW_NEUROLOGIC in term.baskets}
    broad = {name for name, term in TERMS.items() if "NEUROLOGIC" in term.baskets}

    assert narrow < broad
    assert "Headache" in broad - narrow


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("Sepsis", {4, 5}),
        ("Febrile neutropenia", {3, 4, 5}),
        ("Pneumonia", {2, 3, 4, 5}),
        ("Catheter related infection", {2, 3, 4, 5}),
        ("Encephalopathy", {1, 2, 3, 4, 5}),
        ("Confusional state", {1, 2, 3, 4}),
        ("Ataxia", {1, 2, 3}),
        ("Aphasia", {1, 2, 3}),
        ("Tremor", {1, 2, 3}),
        ("Headache", {1, 2, 3}),
        ("Fatigue", {1, 2, 3}),
        ("Alopecia", {1, 2}),
        ("Acute graft versus host disease", {1, 2, 3, 4, 5}),
    ],
)
def test_the_allowed_grades_are_those_of_the_specification(name: str, allowed: set[int]) -> None:
    assert TERMS[name].grades == allowed


def test_all_infections_are_in_the_basket_of_infections_and_nothing_else_is() -> None:
    assert {t.name for t in TERMS.values() if t.group == "Infections"} == {
        t.name for t in TERMS.values() if "INFECTION" in t.baskets
    }
