"""A ward, what is weighed there, and the notes about it. *Weighing* sorts after *Historical*, *Bed* before."""

from django.db import models

from trial.audit import AuditedModel


class Ward(AuditedModel):
    name = models.CharField(max_length=20, unique=True)

    def __str__(self) -> str:
        return self.name


class Bed(AuditedModel):
    ward = models.ForeignKey(Ward, on_delete=models.CASCADE, related_name="beds")
    number = models.IntegerField()


class Weighing(AuditedModel):
    ward = models.ForeignKey(Ward, on_delete=models.PROTECT, null=True, related_name="weighings")
    label = models.CharField(max_length=30, unique=True)
    kilograms = models.IntegerField()
    unit = models.CharField(max_length=5, default="kg")
    details = models.JSONField(default=dict)
    note = models.TextField(null=True)
    changed_on = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.label


class Round(AuditedModel):
    ward = models.ForeignKey(Ward, on_delete=models.PROTECT, related_name="rounds")
    title = models.CharField(max_length=20)


class Visitor(models.Model):
    """Not tracked."""

    name = models.CharField(max_length=20, unique=True)

    def __str__(self) -> str:
        return self.name
