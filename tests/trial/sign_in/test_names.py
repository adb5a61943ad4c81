"""User names: one spelling each, plain letters only, and never given twice. Accounts are kept for ever."""

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.deletion import ProtectedError

from tests.cast import account
from trial.sign_in.names import checked_user_name, is_shaped_like_a_name


@pytest.mark.parametrize("typed", ["ann.lee", "Ann.Lee", "  ann.lee ", "ANN.LEE", "\tann.lee\n"])
def test_a_name_has_one_spelling(db, typed: str):
    assert checked_user_name(typed) == "ann.lee"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("аnn", "Take out 'а', even where it looks like a plain letter."),  # a Cyrillic letter
        ("\u212aate", "Take out '\u212a', even where it looks like a plain letter."),  # the sign for kelvin
        ("ann lee", "Take out a blank or an invisible sign."),
        ("ann\u200blee", "Take out a blank or an invisible sign, even where it looks like a plain letter."),
        ("ann@lee", "Take out '@'."),
        ("an", "A user name has 3 to 60 signs, and 'an' has 2."),
        ("", "A user name has 3 to 60 signs, and '' has 0."),
        ("a" * 61, "A user name has 3 to 60 signs"),
    ],
)
def test_what_cannot_be_a_name_is_refused_with_a_sentence(db, typed: str, sentence: str):
    with pytest.raises(ValidationError) as refusal:
        checked_user_name(typed)

    assert sentence in refusal.value.message
    assert not is_shaped_like_a_name(typed)


@pytest.mark.parametrize("typed", ["ann", "Ann", "ann ", " ANN"])
@pytest.mark.parametrize("is_active", [True, False])
def test_a_name_is_never_given_twice(db, typed: str, is_active: bool):
    User.objects.create(username="ann", is_active=is_active)

    with pytest.raises(
        ValidationError, match=r"The user name 'ann' is taken. Choose another; names are not used again."
    ):
        checked_user_name(typed)


def test_an_account_is_never_deleted(db):
    account("ann")

    with pytest.raises(ProtectedError, match=r"The account 'ann' cannot be deleted: the trail"), transaction.atomic():
        User.objects.get(username="ann").delete()
    with pytest.raises(ProtectedError), transaction.atomic():
        User.objects.filter(username="ann").delete()

    assert User.objects.filter(username="ann").exists()
