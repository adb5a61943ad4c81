"""The periodic review of access: somebody looked through the people of a study and put their name to the list."""

from typing import ClassVar

from django.db import models

from trial.audit import AuditedModel


class AccessReview(AuditedModel):
    """One review. Who made it, and when, is in its recording; what the list said on that day is in the trail."""

    study = models.ForeignKey("trial.Study", on_delete=models.PROTECT, related_name="access_reviews")
    reviewed_as_of = models.DateField()
    statement = models.CharField(max_length=300)
    people_count = models.PositiveIntegerField()
    remarks = models.CharField(max_length=1000, null=True, blank=True)

    class Meta:
        app_label = "trial"
        verbose_name = "access review"
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"Review of access as of {self.reviewed_as_of}"
