"""Who acts in the tests of the audit core."""

import pytest
from django.contrib.auth.models import User

from tests.audit_app.models import Ward, Weighing
from trial.audit import recording


@pytest.fixture
def ann(db):
    return User.objects.create(username="ann", first_name="Ann", last_name="Weber")


@pytest.fixture
def act(ann):
    """Opens a recorded act of Ann's."""

    def act(reason="A test", **details):
        return recording(by=ann, reason=reason, **details)

    return act


@pytest.fixture
def weighing(act):
    """A weighing of 70 kg on ward A, with its first history row."""
    with act("First entry"):
        return Weighing.objects.create(
            ward=Ward.objects.create(name="A"), label="w1", kilograms=70, details={"by": "x"}
        )
