"""Consent, enrolment and eligibility (STUDY B.4: ENR, IE)."""

from typing import ClassVar

from django.db import models

from patients import codes
from trial.fields import CodedField, CodesField, FullDateField, TextField, YesNoField
from trial.records import Form, PatientRecord, called


class Enrolment(PatientRecord):
    """Informed consent, screening, and whether the patient was enrolled."""

    form = Form("ENR", "Enrolment and consent", "Enrolment")

    consented_on = FullDateField("Informed consent", oid="RFICDAT", required=True)
    consent_version = TextField("Consent version", oid="RFICVER", required=True, max_length=10)
    agrees_to_survival_follow_up = YesNoField("Consent for survival follow-up", oid="RFICSUR", required=True)
    agrees_to_samples = YesNoField("Consent for samples", oid="RFICSMP", required=True)
    screened_on = FullDateField("Screening", oid="SCRNDAT", required=True)
    is_enrolled = YesNoField("Enrolled", oid="ENRLYN", required=True)
    enrolled_on = FullDateField("Enrolment", oid="ENRLDAT", required=True, asked_if={"is_enrolled": (True,)})
    screen_failure = CodedField(
        "Reason of screening failure",
        oid="SCRFAIL",
        choices=[*codes.CRITERION, ("OTHER", "Other")],
        required=True,
        asked_if={"is_enrolled": (False,)},
    )
    cohort = CodedField("Cohort", oid="COHORT", required=True, choices=codes.COHORT)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["entry"], name="one_enrolment_an_entry")]

    def __str__(self) -> str:
        return called("Enrolment", (", consent ", self.consented_on))


class LaterConsent(PatientRecord):
    """A consent that the patient signed after the first one, because the information or the protocol had changed."""

    form = Form("ENR.CONSENT", "Consents after the first", "Enrolment", repeats=True, part_of="ENR")

    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="later_consents", editable=False)
    consented_on = FullDateField("Informed consent", oid="RFICDAT", required=True)
    consent_version = TextField("Consent version", oid="RFICVER", required=True, max_length=10)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["enrolment", "consented_on", "consent_version"],
                name="one_later_consent_a_day_and_version",
                violation_error_message="This consent is already recorded.",
            )
        ]

    def __str__(self) -> str:
        return called("Consent", (" ", self.consent_version), (", ", self.consented_on))


class EarlierScreening(PatientRecord):
    """A screening that the patient failed before the one that the form itself is about."""

    form = Form("ENR.SCREENING", "Earlier screenings", "Enrolment", repeats=True, part_of="ENR")

    enrolment = models.ForeignKey(
        Enrolment, on_delete=models.PROTECT, related_name="earlier_screenings", editable=False
    )
    screened_on = FullDateField("Screening", oid="SCRNDAT", required=True)
    screen_failure = CodedField(
        "Reason of screening failure", oid="SCRFAIL", choices=[*codes.CRITERION, ("OTHER", "Other")], required=True
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["enrolment", "screened_on"],
                name="one_earlier_screening_a_day",
                violation_error_message="This screening is already recorded.",
            )
        ]

    def __str__(self) -> str:
        return called("Screening", (" ", self.screened_on))


class Eligibility(PatientRecord):
    """One screening against the criteria of a protocol version."""

    form = Form("IE", "Eligibility", "Enrolment")

    protocol_version = TextField("Protocol version", oid="IEVER", required=True, max_length=10)
    qualifying_features = CodesField(
        "Qualifying prognostic features", oid="IEQUAL", required=True, codes=codes.QUALIFYING_FEATURE
    )
    has_waiver = YesNoField("Waiver granted", oid="IEWAIV")
    waiver_reason = TextField(
        "Reason of the waiver", oid="IEWAIVRS", max_length=200, required=True, asked_if={"has_waiver": (True,)}
    )

    class Meta:
        verbose_name_plural = "eligibility"
        constraints: ClassVar = [models.UniqueConstraint(fields=["entry"], name="one_eligibility_an_entry")]

    def __str__(self) -> str:
        return called("Eligibility", (", protocol ", self.protocol_version))


class Criterion(PatientRecord):
    """One criterion of a screening. For an exclusion, met means that the excluding condition is there."""

    form = Form("IE.CRITERION", "Criteria", "Enrolment", repeats=True, part_of="IE")

    eligibility = models.ForeignKey(Eligibility, on_delete=models.PROTECT, related_name="criteria", editable=False)
    criterion = CodedField("Criterion", oid="IETESTCD", required=True, choices=codes.CRITERION)
    is_met = YesNoField("Met", oid="IEORRES", required=True)

    class Meta:
        verbose_name_plural = "criteria"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["eligibility", "criterion"],
                name="one_answer_a_criterion",
                violation_error_message="This criterion is already answered.",
            )
        ]

    def __str__(self) -> str:
        return called("Criterion", (" ", self.criterion))
