"""The ground of every study: the study, its sites, people and patients, and the form entries that records hang on."""

from datetime import date
from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.db import models

from trial.audit import AuditedModel
from trial.audit.models import Recording
from trial.audit.seals.models import Seal, SealedColumns
from trial.drafts import Draft
from trial.parameters import Parameters
from trial.records import RecordQuerySet
from trial.shared_cache import CacheEntry

if TYPE_CHECKING:
    from trial.access import Viewer

__all__ = [
    "AccessEvent",
    "AccessReview",
    "AccessedPatient",
    "ApiToken",
    "CacheEntry",
    "Draft",
    "FormEntry",
    "Membership",
    "Patient",
    "Person",
    "Query",
    "QueryDigest",
    "QueryMessage",
    "Recording",
    "Role",
    "Seal",
    "SealedColumns",
    "Site",
    "Study",
    "Transfer",
]

SEEDED = Parameters()


class Study(AuditedModel):
    """A study and its parameters (STUDY A.2). A second study is another row."""

    code = models.CharField(max_length=20, unique=True)
    title = models.CharField(max_length=200)
    registration = models.CharField(max_length=40, blank=True)
    planned_patients = models.PositiveIntegerField(default=189)
    is_synthetic = models.BooleanField(default=False)
    today = models.DateField(null=True, blank=True, help_text="The demo's own today; empty for a real study.")
    data_cutoff = models.DateField(default=SEEDED.data_cutoff)
    data_cutoff_1y = models.DateField(default=date(2014, 9, 30))
    days_on = models.PositiveSmallIntegerField(default=SEEDED.days_on)
    days_off = models.PositiveSmallIntegerField(default=SEEDED.days_off)
    most_cycles = models.PositiveSmallIntegerField(default=SEEDED.most_cycles)
    first_step_dose_ug = models.DecimalField(max_digits=6, decimal_places=1, default=SEEDED.first_step_dose)
    first_step_days = models.PositiveSmallIntegerField(default=SEEDED.first_step_days)
    full_dose_ug = models.DecimalField(max_digits=6, decimal_places=1, default=SEEDED.full_dose)
    response_cycles = models.PositiveSmallIntegerField(default=SEEDED.response_cycles)
    response_grace_days = models.PositiveSmallIntegerField(default=SEEDED.response_grace_days)
    count_window_before_days = models.PositiveSmallIntegerField(default=SEEDED.count_window_before_days)
    count_window_after_days = models.PositiveSmallIntegerField(default=SEEDED.count_window_after_days)
    uses_cri = models.BooleanField(default=SEEDED.uses_cri)
    mrd_cut = models.FloatField(default=SEEDED.mrd_cut)
    emergent_days_after_last_dose = models.PositiveSmallIntegerField(default=SEEDED.emergent_days_after_last_dose)
    landmark_days = models.PositiveSmallIntegerField(default=SEEDED.landmark_days)
    completed_cycle_days = models.DecimalField(max_digits=5, decimal_places=1, default=SEEDED.completed_cycle_days)
    confidence = models.FloatField(default=SEEDED.confidence)

    class Meta:
        verbose_name_plural = "studies"

    def __str__(self) -> str:
        return self.code

    @property
    def parameters(self) -> Parameters:
        """The numbers that the derivations need, as plain values."""
        return Parameters(
            data_cutoff=self.data_cutoff,
            days_on=self.days_on,
            days_off=self.days_off,
            most_cycles=self.most_cycles,
            first_step_dose=self.first_step_dose_ug,
            first_step_days=self.first_step_days,
            full_dose=self.full_dose_ug,
            response_cycles=self.response_cycles,
            response_grace_days=self.response_grace_days,
            count_window_before_days=self.count_window_before_days,
            count_window_after_days=self.count_window_after_days,
            uses_cri=self.uses_cri,
            mrd_cut=self.mrd_cut,
            emergent_days_after_last_dose=self.emergent_days_after_last_dose,
            landmark_days=self.landmark_days,
            completed_cycle_days=self.completed_cycle_days,
            confidence=self.confidence,
        )


class Site(AuditedModel):
    """A hospital that takes part in a study."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="sites")
    number = models.CharField(max_length=6)
    name = models.CharField(max_length=100)
    country = models.CharField(max_length=3, help_text="ISO 3166-1 alpha-3.")
    time_zone = models.CharField(max_length=40, help_text="IANA name. Every moment of the site is shown in it.")

    class Meta:
        ordering: ClassVar = ["study", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["study", "number"],
                name="one_site_a_number",
                violation_error_message="This study already has a site with that number.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.name}"

    @property
    def region(self) -> str:
        """Europe or USA (STUDY B.4, SITE.COUNTRY)."""
        return "USA" if self.country == "USA" else "EUROPE"


class Person(AuditedModel):
    """Somebody who works on a study. The account signs in; the person is who the trail names."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="person")
    name = models.CharField(max_length=100)
    organisation = models.CharField(max_length=100)
    is_active = models.BooleanField(default=True)

    class Meta:
        verbose_name_plural = "people"

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """What a person is on a study. What each role may do is the table of grants in `trial.access`."""

    COORDINATOR = "coordinator", "Site coordinator"
    INVESTIGATOR = "investigator", "Investigator"
    MONITOR = "monitor", "Monitor"
    DATA_MANAGER = "data manager", "Data manager"
    SAFETY_PHYSICIAN = "safety physician", "Safety physician"
    STATISTICIAN = "statistician", "Statistician"
    INSPECTOR = "inspector", "Inspector"
    ADMINISTRATOR = "administrator", "Administrator"


class Membership(AuditedModel):
    """A role of a person in a study, at one site or (site empty) at all of them, from a day to a day, both included."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="memberships")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="memberships")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, null=True, blank=True, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(ends_on__isnull=True) | models.Q(ends_on__gte=models.F("starts_on")),
                name="a_membership_ends_after_it_starts",
                violation_error_message="A membership cannot end before it starts.",
            ),
            models.CheckConstraint(
                condition=~models.Q(role="administrator") | models.Q(site__isnull=True),
                name="an_administrator_is_of_the_study",
                violation_error_message="An administrator is of the whole study, not of one site.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.role}, {self.site or 'all sites'}"


class PatientQuerySet(RecordQuerySet):
    """Patients, scoped to what a person may see."""

    def visible_to(self, user: "Viewer") -> Self:
        """The patients whom this person may see."""
        from trial.access import patients_visible_to

        return self.filter(pk__in=patients_visible_to(user))


class Patient(AuditedModel):
    """Somebody who signed consent, known by a number alone."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="patients")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="patients")
    number = models.CharField(max_length=14)

    may_have_moved = True  # to another site; whoever fetches a patient for a page asks the database in the same breath

    objects = PatientQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["number"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["study", "number"],
                name="one_patient_a_number",
                violation_error_message="This study already has a patient with that number.",
            )
        ]

    def __str__(self) -> str:
        return self.number


class Transfer(AuditedModel):
    """A patient went from one site to another. The day is the one agreed by both; who wrote it down, when and why is in the trail."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="transfers")
    from_site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    to_site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    transferred_on = models.DateField()

    objects = RecordQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["transferred_on", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~models.Q(from_site=models.F("to_site")),
                name="a_transfer_changes_the_site",
                violation_error_message="The patient is at that site already.",
            )
        ]

    def __str__(self) -> str:
        return f"From site {self.from_site.number} to site {self.to_site.number} on {self.transferred_on}"


class FormEntry(AuditedModel):
    """One form of one patient that is expected or filled: at a visit, or the log of the whole study (visit `LOG`).

    Queries, verifications, signatures and locks will point to it; its status is derived, never stored. `has_any`
    answers the gate of a log ("any prior transplantation?"); a log with nothing to report is complete. `form_version` is
    the version of the form under which it was entered; empty until there is a record.
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="entries")
    form = models.CharField(max_length=10)
    visit = models.CharField(max_length=10, default="LOG")
    repeat = models.PositiveSmallIntegerField(default=1)
    is_not_done = models.BooleanField(default=False)
    not_done_reason = models.CharField(max_length=200, null=True, blank=True)
    has_any = models.BooleanField(null=True, blank=True)
    collected_on = models.DateField(null=True, blank=True)
    comment = models.CharField(max_length=1000, null=True, blank=True)
    form_version = models.PositiveSmallIntegerField(null=True, blank=True)

    objects = RecordQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "form entries"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["patient", "visit", "form", "repeat"],
                name="one_entry_a_form",
                violation_error_message="This patient already has that form at that visit.",
            ),
            models.CheckConstraint(
                condition=models.Q(is_not_done=False) | models.Q(not_done_reason__isnull=False),
                name="not_done_has_a_reason",
                violation_error_message="Say why the form was not done.",
            ),
        ]

    @property
    def says_there_is_none(self) -> bool:
        """Whether the site said that there is no record: the form was not done, or the log has nothing to report."""
        return self.is_not_done or self.has_any is False

    def __str__(self) -> str:
        return f"{self.form} {self.visit}"


# Below, because they point to what is above.
from trial.access_record.models import AccessedPatient, AccessEvent  # noqa: E402
from trial.people.models import AccessReview  # noqa: E402
from trial.review.models import Query, QueryDigest, QueryMessage  # noqa: E402
from trial.tokens import ApiToken  # noqa: E402
