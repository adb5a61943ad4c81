"""The page of the edit checks in the documentation, written from the checks themselves.

The rule: nothing is told twice. What stands here is what is asked; what is impossible names the constraint that refuses it.
"""

from itertools import groupby

from patients.checking import edit_checks
from patients.impossible import BETWEEN_RECORDS
from trial.edit_checks import EditCheck, Severity
from trial.records import record_model

# The constraint of the database behind each hard check on one row, by its code and field.
CONSTRAINTS = {
    ("EC-012", "may_become_pregnant"): "no_pregnancy_answers_for_a_man",
    ("EC-020", "first_cr_on"): "no_remission_before_diagnosis",
    ("EC-020", "first_relapse_on"): "no_relapse_before_remission",
    ("EC-024", "ended_on"): "no_therapy_ends_before_its_start",
    ("EC-032", "relapsed_on"): "relapse_after_the_transplant",
    ("EC-077", "diastolic_mmhg"): "diastolic_below_systolic",
    ("EC-140", "ended"): "no_event_ends_before_its_onset",
    ("EC-156", "grade_at_onset"): "no_onset_above_the_highest_grade",
    ("EC-191", "last_alive_on"): "known_alive_by_the_contact",
}


def edit_checks_page() -> str:
    """The edit checks as Markdown: what is refused, then what is asked about, a section a form."""
    checks = edit_checks()
    hard = [check for check in checks if check.severity == Severity.HARD]
    asked = [check for check in checks if check.severity != Severity.HARD]
    lines = [
        "# Edit checks",
        "",
        "Written by `manage.py write_docs` from the checks. **E** is resolved, or overruled by data management, before lock;",
        "**W** may be confirmed by the site; **N** is for monitor and medical review only. **+DV** proposes a protocol",
        "deviation as well. A check whose needed answers are blank is silent. Where dates are known in part and their order",
        "cannot be told, any check asks as a warning that says so. `SL-` checks follow from the soft limits of the",
        "data dictionary, and `MC-` checks ask why an answer that the form needs is marked as missing. Numbers that are not",
        "here name no check: EC-125, EC-163 and EC-168 are the numbers of tests.",
        "",
        "## Impossible: refused when saved",
        "",
        "| Check | Form and field | Refused by | What it says |",
        "| --- | --- | --- | --- |",
        *(_refused(check) for check in hard),
    ]
    for form, of_form in groupby(
        sorted(asked, key=lambda check: (check.form, check.code)), key=lambda check: check.form
    ):
        lines += [
            "",
            f"## {form}: {record_model(form).form.title}",
            "",
            "| Check | Severity | Field | Looks at | Question |",
            "| --- | --- | --- | --- | --- |",
            *map(_asked, of_form),
        ]
    return "\n".join(lines) + "\n"


def _refused(check: EditCheck) -> str:
    by = f"`{CONSTRAINTS[check.code, check.field]}`" if check.code not in BETWEEN_RECORDS else "`patients.impossible`"
    return _row(check.code, f"{check.form}.{check.field}", by, check.asks)


def _asked(check: EditCheck) -> str:
    severity = f"{check.severity} +DV" if check.proposes_deviation else check.severity
    forms = ", ".join(sorted({check.form, *check.reads}))
    return _row(check.code, severity, check.field or "the form", forms, check.asks)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
