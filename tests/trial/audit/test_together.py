"""Rows of one model that are saved together: each with its history, in a number of statements that does not grow with them."""

import pytest

from tests.audit_app.models import Weighing
from trial.audit import Stale, save_together
from trial.db.verification import prove

pytestmark = pytest.mark.django_db


@pytest.fixture
def weighings(act) -> list[Weighing]:
    """Four weighings of 70 kg, saved in one act."""
    rows = [Weighing(label=label, kilograms=70) for label in "abcd"]
    with act("First entry"):
        save_together(rows)
    return rows


def versions(row: Weighing) -> list[tuple[int, str, list[str]]]:
    return [(past.version, past.history_type, past.changed) for past in row.history.order_by("version")]


def test_new_and_changed_rows_have_their_history_and_the_others_none(act, weighings, django_assert_num_queries):
    first, second, third, _ = weighings
    first.kilograms, second.note = 71, "After the meal."
    new = Weighing(label="e", kilograms=60)

    with act("Corrected"), django_assert_num_queries(3):  # the new one; the versions, and the changed ones
        save_together([*weighings, new])

    assert versions(first) == [(1, "+", []), (2, "~", ["kilograms"])]
    assert versions(second) == [(1, "+", []), (2, "~", ["note"])]
    assert versions(third) == [(1, "+", [])]
    assert versions(new) == [(1, "+", [])]
    assert [row.version for row in (*weighings, new)] == [2, 2, 1, 1, 1]
    assert prove().findings == ()


@pytest.mark.parametrize("changed", [1, 2])
def test_what_somebody_else_changed_since_is_refused_and_nothing_is_written(act, weighings, changed):
    for row in weighings[:changed]:
        row.kilograms = 71
    with act("By somebody else"):
        meanwhile = Weighing.objects.get(label="a")
        meanwhile.kilograms = 80
        meanwhile.save()

    with pytest.raises(Stale), act("Corrected"):
        save_together(weighings)

    assert sorted(Weighing.objects.values_list("label", "kilograms")) == [("a", 80), ("b", 70), ("c", 70), ("d", 70)]
    assert prove().findings == ()


def test_nothing_changed_is_nothing_written(act, weighings, django_assert_num_queries):
    with act("Nothing"), django_assert_num_queries(0):
        save_together([])
        save_together(weighings)

    assert [len(versions(row)) for row in weighings] == [1] * 4
