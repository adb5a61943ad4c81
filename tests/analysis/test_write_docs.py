"""The generated pages of the documentation are what the code says."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from trial.data_dictionary import data_dictionary


def test_the_generated_pages_are_up_to_date():
    call_command("write_docs", "--check")


def test_a_page_that_is_out_of_date_is_named(settings, tmp_path):
    (tmp_path / "docs" / "validation").mkdir(parents=True)
    settings.BASE_DIR = tmp_path

    with pytest.raises(CommandError, match=r"Out of date: data-dictionary\.md"):
        call_command("write_docs", "--check")
    assert not list(Path(tmp_path).rglob("*.md"))

    call_command("write_docs")
    call_command("write_docs", "--check")


def test_the_dictionary_shows_name_cdisc_unit_and_limits():
    rows = data_dictionary().splitlines()

    assert "| weight_kg | Weight | WEIGHT | number, 1 decimal place | kg | R | 25 – 250 |" in rows
    assert "| started | Onset | AESTDTM | date and time, month at least |  | R |  |" in rows
    assert "| sensitivity | Assay sensitivity | MRDSENS | ratio | ratio | R | 1e-07 – 0.1 |" in rows
    assert "| event_number | Fatal adverse event | DTHAEREF | whole number |  | R | 1 –  |" in rows
