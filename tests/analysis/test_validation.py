"""The validation page is what the reference data and the estimates make of it today."""

import shutil

import pytest

from analysis import validation

pytestmark = pytest.mark.reference


def test_the_validation_page_is_up_to_date():
    written = validation.PAGE.read_text(encoding="utf-8")

    assert written == validation.estimates_page(), "Run `python -m analysis.validation`, and commit the page."


def test_the_page_says_that_every_printed_digit_is_met():
    printed = validation.estimates_page().split("## ")[2]

    assert printed.startswith("Printed digits")
    assert printed.count("| yes |") == 48
    assert "| no |" not in printed


def test_a_wrong_answer_is_shown_as_one(tmp_path):
    shutil.copytree(validation.REFERENCE, tmp_path, dirs_exist_ok=True)
    for name, right, wrong in [
        ("printed.csv", "percent,29/64,45.3", "percent,29/64,45.4"),
        ("r_curves.csv", "6-mp,log-log,6,21,3,1,0.857", "6-mp,log-log,6,21,3,1,0.858"),
        ("r_curves.csv", "placebo,log-log,23,1,1,0,0,NE", "placebo,log-log,23,1,1,0,0,0.1"),
    ]:
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert right in text
        (tmp_path / name).write_text(text.replace(right, wrong), encoding="utf-8")

    page = validation.estimates_page(tmp_path)

    assert "| percent 29/64 | 45.4 (32.8, 58.3) | 45.3 (32.8, 58.3) | no |" in page
    assert "| 6-mp | 16 | 1.0e-03 | < 1e-12 |" in page
    assert "| placebo | 12 | < 1e-12 | inf |" in page


def test_the_page_is_written_whole(tmp_path):
    validation.main(tmp_path / "estimates.md")

    assert (tmp_path / "estimates.md").read_bytes() == validation.PAGE.read_bytes()
