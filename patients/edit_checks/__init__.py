"""The edit checks on all forms but those of safety (STUDY B.5.1 to B.5.6 and B.5.8), a module for each part of the table,
and those soft limits of STUDY B.4 that lie between answers.

A check is written as its row in the specification: what fires, what it asks. What is a hard limit between fields stands here
too, with severity H: the database refuses it, or `patients.impossible` where it lies between records, and the id leads here.
"""

from patients.edit_checks import baseline, enrolment, follow_up, history, limits, marrow, treatment, visits

CHECKS = (
    *enrolment.CHECKS,
    *history.CHECKS,
    *baseline.CHECKS,
    *visits.CHECKS,
    *marrow.CHECKS,
    *treatment.CHECKS,
    *follow_up.CHECKS,
    *limits.CHECKS,
)
