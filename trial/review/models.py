"""A query: one question about one field of one record, from an edit check or a person."""

from typing import ClassVar

from django.db import models

from trial.audit import AuditedModel
from trial.records import RecordQuerySet


class QueryState(models.TextChoices):
    """How far a query is. The coordinator answers, the data manager or the mended value closes."""

    OPEN = "open", "Open"
    ANSWERED = "answered", "Answered"
    CLOSED = "closed", "Closed"


class QueryQuerySet(RecordQuerySet):
    """Queries, scoped to what a person may see."""

    def open(self) -> "QueryQuerySet":
        """Those that wait for an answer."""
        return self.filter(state=QueryState.OPEN)


class Query(AuditedModel):
    """A question and its answer.

    `form` and `record` name what it is about, `record` being empty for the entry as a whole. `check_code` is empty for a
    person's question. `basis` is what the check looked at: while that is the same, an answer holds.
    """

    patient = models.ForeignKey("trial.Patient", on_delete=models.PROTECT, related_name="queries")
    entry = models.ForeignKey("trial.FormEntry", on_delete=models.PROTECT, related_name="queries")
    form = models.CharField(max_length=20)
    record = models.BigIntegerField(null=True, blank=True)
    field = models.CharField(max_length=60, blank=True)
    check_code = models.CharField(max_length=20, blank=True)
    severity = models.CharField(max_length=1, choices=[("E", "Error"), ("W", "Warning"), ("N", "Note")])
    question = models.CharField(max_length=500)
    basis = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=QueryState, default=QueryState.OPEN)
    answer = models.CharField(max_length=1000, blank=True)

    objects = QueryQuerySet.as_manager()

    class Meta:
        app_label = "trial"
        verbose_name_plural = "queries"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["check_code", "form", "record", "field"],
                condition=~models.Q(check_code=""),
                name="one_query_a_check_and_record",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="answered") | ~models.Q(answer=""),
                name="an_answered_query_has_an_answer",
                violation_error_message="Say what the answer to the query is.",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["patient", "state"], name="queries_of_a_patient")]

    def __str__(self) -> str:
        return self.question
