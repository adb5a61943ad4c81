"""Waiting for what another thread or process does."""

import time
from collections.abc import Callable

import pytest

SECONDS = 10


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """Wait until something is so: `until(lambda: len(mail.outbox) == 1)`. Fails after ten seconds."""

    def wait(is_so: Callable[[], bool]) -> None:
        end = time.monotonic() + SECONDS
        while not is_so():
            assert time.monotonic() < end, "it did not happen within ten seconds"
            time.sleep(0.01)

    return wait
