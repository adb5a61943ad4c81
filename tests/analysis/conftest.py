"""A small demo study in the test database, written once for the tests of a module."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from analysis.demo.build import plan_study
from analysis.demo.write import write_study
from trial.models import Study


@pytest.fixture(scope="module")
def demo_of_the_module(django_db_setup: None, django_db_blocker: Any) -> Iterator[Study]:
    """Twelve unconstrained patients with their history, in a transaction that is taken back."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield write_study(plan_study(1, 12), label="Twelve patients for a test.")
        transaction.set_rollback(True)


@pytest.fixture
def demo(demo_of_the_module: Study, db: None) -> Study:
    """The study of that demo. What a test changes is taken back after it."""
    return demo_of_the_module
