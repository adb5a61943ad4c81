"""A query: one question about a patient, a visit, a form or a field, from an edit check or a person; and what was said about it."""

from typing import ClassVar

from django.db import models

from trial.audit import AuditedModel
from trial.records import PatientRecord, RecordQuerySet


class QueryState(models.TextChoices):
    """How far a query is. What leads from one state to another, and who may do it, is in `trial.review.queries`."""

    OPEN = "open", "Open"
    ANSWERED = "answered", "Answered"
    CLOSED = "closed", "Closed"
    CANCELLED = "cancelled", "Cancelled"


WAITING = (QueryState.OPEN, QueryState.ANSWERED)  # for somebody
AT_REST = (QueryState.CLOSED, QueryState.CANCELLED)


class Audience(models.TextChoices):
    """Who is asked."""

    SITE = "site", "Site"
    INVESTIGATOR = "investigator", "Investigator"
    DATA_MANAGER = "data manager", "Data manager"


class Step(models.TextChoices):
    """What a message did to its query."""

    ASKED = "asked", "Asked"
    REWORDED = "reworded", "Asked anew"
    ANSWERED = "answered", "Answered"
    REOPENED = "reopened", "Opened again"
    CLOSED = "closed", "Closed"
    CANCELLED = "cancelled", "Cancelled"
    MENDED = "mended", "Closed: the check finds nothing any more"
    REMOVED = "removed", "Closed: the form was taken from here"


class QueryQuerySet(RecordQuerySet):
    """Queries, scoped to what a person may see."""

    def open(self) -> "QueryQuerySet":
        """Those that wait for an answer."""
        return self.filter(state=QueryState.OPEN)

    def about(self, record: PatientRecord) -> "QueryQuerySet":
        """Those about a record, and about its form as a whole."""
        of_entry = models.Q(record=record.pk) | models.Q(record=None, entry=record.entry_id)
        return self.filter(of_entry, patient=record.patient_id, form=record.form.code)


class Query(AuditedModel):
    """A question, what it is about, and how it stands. What was said about it is in its messages.

    It is about a field, where there is one; else a record, else a form (`form`, at `visit` where no `entry` is there), else a
    visit, else the patient. `check_code` is empty for a person's question. `basis` is what the check looked at: while that is
    the same, what was decided about it holds. `is_mended` says that it is closed because what it was about was
    changed or taken away. `answer` is the last answer.
    """

    patient = models.ForeignKey("trial.Patient", on_delete=models.PROTECT, related_name="queries")
    entry = models.ForeignKey(
        "trial.FormEntry", on_delete=models.PROTECT, null=True, blank=True, related_name="queries"
    )
    form = models.CharField(max_length=20, blank=True)
    record = models.BigIntegerField(null=True, blank=True)
    field = models.CharField(max_length=60, blank=True)
    visit = models.CharField(max_length=10, blank=True)
    check_code = models.CharField(max_length=20, blank=True)
    severity = models.CharField(max_length=1, blank=True, choices=[("E", "Error"), ("W", "Warning"), ("N", "Note")])
    question = models.CharField(max_length=500)
    basis = models.TextField(blank=True)
    asked_of = models.CharField(max_length=20, choices=Audience, default=Audience.SITE)
    state = models.CharField(max_length=10, choices=QueryState, default=QueryState.OPEN)
    is_mended = models.BooleanField(default=False)
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
            models.CheckConstraint(
                condition=~models.Q(form="") | models.Q(entry__isnull=True, record__isnull=True, field=""),
                name="a_query_about_an_entry_names_its_form",
                violation_error_message="A query about an entry, a record or a field names its form.",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["patient", "state"], name="queries_of_a_patient")]

    def __str__(self) -> str:
        return self.question


class QueryMessage(AuditedModel):
    """What was said about a query, and what that did to it. Who said it, in which role and when is in its recording.

    A message is never changed: its first version is its only one.
    """

    patient = models.ForeignKey("trial.Patient", on_delete=models.PROTECT, related_name="+")
    query = models.ForeignKey(Query, on_delete=models.PROTECT, related_name="messages")
    step = models.CharField(max_length=10, choices=Step)
    text = models.CharField(max_length=1000, blank=True)

    objects = RecordQuerySet.as_manager()

    class Meta:
        app_label = "trial"
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"{Step(self.step).label}: {self.text}" if self.text else str(Step(self.step).label)


class QueryDigest(AuditedModel):
    """A person was written to on a day about the queries that wait for them in a study. Nobody is written to twice on a day."""

    study = models.ForeignKey("trial.Study", on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey("trial.Person", on_delete=models.PROTECT, related_name="+")
    sent_on = models.DateField()
    queries = models.PositiveIntegerField()

    class Meta:
        app_label = "trial"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["study", "person", "sent_on"],
                name="one_digest_a_day",
                violation_error_message="This person had a digest of this study on that day.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.person}, {self.sent_on}: {self.queries}"
