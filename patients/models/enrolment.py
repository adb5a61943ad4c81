"""Consent, enrolment and eligibility (STUDY B.4: ENR, IE)."""

from typing import ClassVar

from django.db import models

from patients import codes
from trial.fields import CodedField, CodesField, FullDateField, TextField, YesNoField
from trial.records import Form, PatientRecord


class Enrolment(PatientRecord):
    """Informed consent, screening, and whether the patient was enrolled."""

    form = Form("ENR", "Enrolment and consent", "Enrolment")

    consented_on = FullDateField("Informed consent", oid="RFICDAT", required=True)
    consent_version = TextField("Consent version", oid="RFICVER", required=True, max_length=10)
    agrees_to_survival_follow_up = YesNoField("Consent for survival follow-up", oid="RFICSUR", required=True)
    agrees_to_samples = YesNoField("Consent for samples", oid="RFICSMP", required=True)
    screened_on = FullDateField("Screening", oid="SCRNDAT", required=True)
    is_enrolled = YesNoField("Enrolled", oid="ENRLYN", required=True)
    enrolled_on = FullDateField("Enrolment", oid="ENRLDAT")
    screen_failure = CodedField(
        "Reason of screening failure", oid="SCRFAIL", choices=[*codes.CRITERION, ("OTHER", "Other")]
    )
    cohort = CodedField("Cohort", oid="COHORT", required=True, choices=codes.COHORT)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["entry"], name="one_enrolment_an_entry")]

    def __str__(self) -> str:
        return f"Enrolment, consent {self.consented_on}"


class Eligibility(PatientRecord):
    """One screening against the criteria of a protocol version."""

    form = Form("IE", "Eligibility", "Enrolment")

    protocol_version = TextField("Protocol version", oid="IEVER", required=True, max_length=10)
    qualifying_features = CodesField(
        "Qualifying prognostic features", oid="IEQUAL", required=True, codes=codes.QUALIFYING_FEATURE
    )
    has_waiver = YesNoField("Waiver granted", oid="IEWAIV")
    waiver_reason = TextField("Reason of the waiver", oid="IEWAIVRS", max_length=200)

    class Meta:
        verbose_name_plural = "eligibility"
        constraints: ClassVar = [models.UniqueConstraint(fields=["entry"], name="one_eligibility_an_entry")]

    def __str__(self) -> str:
        return f"Eligibility, protocol {self.protocol_version}"


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
        return f"Criterion {self.criterion}"
