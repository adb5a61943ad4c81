"""Every example of every edit check: asked where it should be, in the words that were promised, and silent where it should be."""

from importlib import import_module

import pytest

from patients.checking import edit_checks
from tests.casebooks import WITH_EXAMPLES, book, findings, row
from trial.edit_checks import find

EXAMPLES = [(name, *example) for name in WITH_EXAMPLES for example in import_module(name).EXAMPLES]
SPECIFIED = tuple(check for check in edit_checks() if check.code.startswith("EC-"))  # those of STUDY B.5


@pytest.mark.parametrize(("module", "code", "asks", "silent", "says"), EXAMPLES, ids=[code for _, code, *_ in EXAMPLES])
def test_a_check_asks_where_it_should_and_is_silent_where_it_should_not(module, code, asks, silent, says):
    checks = import_module(module).CHECKS

    (found,) = findings(checks, code, *asks)

    assert says in found.question
    assert findings(checks, code, *silent) == []


def test_a_record_of_which_nothing_is_known_is_asked_about_nothing():
    forms = sorted({check.form for check in SPECIFIED})

    assert find(SPECIFIED, book(*(row(form) for form in forms))) == []
