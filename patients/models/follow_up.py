"""What came after (STUDY B.4: NSCT, NTX, REL, SFU, DTH, EOT, EOS, DV)."""

from typing import ClassVar

from django.db import models

from patients import codes
from patients.models.marrow import Marrow
from trial.code_lists import codes_of, codes_other_than
from trial.constraints import in_order
from trial.fields import (
    CodedField,
    CodesField,
    FullDateField,
    PartialDateField,
    TextField,
    WholeNumberField,
    YesNoField,
)
from trial.records import Form, PatientRecord, called


class LaterTransplant(PatientRecord):
    """An allogeneic transplantation after the first dose. Its gate is the entry's `has_any`."""

    form = Form("NSCT", "Later allogeneic transplantation", "Follow-up", repeats=True)

    transplanted_on = FullDateField("Date", oid="NSDAT", required=True)
    status = CodedField("Disease status", oid="NSSTAT", choices=codes.STATUS_BEFORE_LATER_TRANSPLANT, required=True)
    mrd = CodedField("MRD before the transplantation", oid="NSMRD", choices=codes.MRD_BEFORE_TRANSPLANT, required=True)
    donor = CodedField("Donor", oid="NSDONOR", choices=codes.DONOR, required=True)
    graft = CodedField("Graft", oid="NSGRAFT", choices=codes.GRAFT, required=True)
    conditioning = CodedField("Conditioning", oid="NSCOND", choices=codes.CONDITIONING, required=True)
    number_in_life = WholeNumberField(
        "Number in life", oid="NSNUM", limits=(1, 5), required=True, hint="Those before the study counted in."
    )
    had_other_therapy = YesNoField(
        "Other anticancer therapy between blinatumomab and the transplantation", oid="NSINTTX", required=True
    )

    def __str__(self) -> str:
        return called("Transplant", (" ", self.transplanted_on))


class LaterTherapy(PatientRecord):
    """Anticancer therapy after the study treatment. Its gate is the entry's `has_any`."""

    form = Form("NTX", "Later anticancer therapy", "Follow-up", repeats=True)

    kind = CodedField("Type", oid="NTTYPE", choices=codes.LATER_THERAPY, required=True)
    regimen = TextField("Regimen", oid="NTREG", max_length=200, required=True)
    started_on = PartialDateField("Start", oid="NTSTDAT", least="month", required=True)
    reason = CodedField("Reason", oid="NTRSN", choices=codes.LATER_THERAPY_REASON, required=True)
    best_response = CodedField("Best response", oid="NTBEST", choices=codes.PRIOR_RESPONSE)

    class Meta:
        verbose_name_plural = "later therapies"

    def __str__(self) -> str:
        return called("Therapy", (" ", self.regimen))


class Relapse(PatientRecord):
    """A relapse, dated by its first evidence."""

    form = Form("REL", "Relapse", "Follow-up", repeats=True)

    relapsed_on = PartialDateField(
        "Date of relapse", oid="RELDAT", required=True, least="month", hint="The day of the first evidence."
    )
    site = CodedField("Site", oid="RELSITE", required=True, choices=codes.RELAPSE_SITE)
    evidence = CodesField("Evidence", oid="RELEVID", required=True, codes=codes.RELAPSE_EVIDENCE)
    marrow = models.ForeignKey(Marrow, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    cd19 = CodedField("CD19 at relapse", oid="RELCD19", required=True, choices=codes.CD19_AT_RELAPSE)
    extramedullary_sites = CodesField(
        "Extramedullary sites",
        oid="RELEMPR",
        codes=codes.EXTRAMEDULLARY_SITE,
        required=True,
        asked_if={"site": ("EXTRAMEDULLARY", "COMBINED", "CNS")},
    )

    def __str__(self) -> str:
        return called("Relapse", (" ", self.relapsed_on))


class SurvivalContact(PatientRecord):
    """One contact of the survival follow-up."""

    form = Form("SFU", "Survival follow-up", "Follow-up", repeats=True)

    contacted_on = FullDateField("Contact date", oid="SFUDAT", required=True)
    status = CodedField("Status", oid="SSTAT", required=True, choices=codes.SURVIVAL_STATUS)
    last_alive_on = PartialDateField(
        "Last known alive",
        oid="LASTALIV",
        least="month",
        required=True,
        asked_if={"status": codes_other_than(codes.SURVIVAL_STATUS, "DEAD")},
    )
    disease = CodedField(
        "Disease status",
        oid="REMST",
        choices=codes.REMISSION_STATUS,
        asked_if={"status": codes_other_than(codes.SURVIVAL_STATUS, "DEAD")},
    )
    last_assessed_on = PartialDateField("Last disease assessment", oid="LASTASS", least="month")
    source = CodedField("Source", oid="SFUSRC", required=True, choices=codes.CONTACT_SOURCE)

    class Meta:
        constraints: ClassVar = [
            in_order(
                "last_alive_on",
                "contacted_on",
                name="known_alive_by_the_contact",
                says="The patient was last known alive after this contact. Check both dates. (EC-191)",
            )
        ]

    def __str__(self) -> str:
        return called("Contact", (" ", self.contacted_on), (": ", self.get_status_display()))


class Death(PatientRecord):
    """The death of a patient and its cause."""

    form = Form("DTH", "Death", "Follow-up")

    died_on = PartialDateField("Date of death", oid="DTHDAT", required=True, least="month")
    primary_cause = CodedField("Primary cause", oid="DTHPRIM", required=True, choices=codes.DEATH_CAUSE)
    cause_in_words = TextField("Cause in words", oid="DTHTXT", required=True, max_length=200)
    event_number = WholeNumberField(
        "Fatal adverse event",
        oid="DTHAEREF",
        limits=(1, None),
        required=True,
        asked_if={
            "primary_cause": tuple(code for code in codes_of(codes.DEATH_CAUSE) if code.startswith("ADVERSE EVENT"))
        },
        hint="The number of the event on its form.",
    )
    disease = CodedField("Leukaemia at death", oid="DTHDIS", required=True, choices=codes.STATUS_AT_DEATH)
    had_autopsy = YesNoField("Autopsy", oid="DTHAUTO")
    relation = CodedField("Related to blinatumomab", oid="DTHREL", required=True, choices=codes.RELATED)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["patient"],
                name="one_death",
                violation_error_message="This patient's death is already recorded.",
            )
        ]

    def __str__(self) -> str:
        return called("Death", (" ", self.died_on))


class EndOfTreatment(PatientRecord):
    """Why treatment ended. The date is shown from the infusion intervals."""

    form = Form("EOT", "End of treatment", "Follow-up")

    reason = CodedField("Reason", oid="EOTRSN", required=True, choices=codes.END_OF_TREATMENT)
    event_number = WholeNumberField(
        "Adverse event",
        oid="EOTAEREF",
        limits=(1, None),
        required=True,
        asked_if={"reason": ("ADVERSE EVENT",)},
        hint="The number of the event on its form.",
    )

    class Meta:
        verbose_name_plural = "ends of treatment"
        constraints: ClassVar = [models.UniqueConstraint(fields=["entry"], name="one_end_of_treatment_an_entry")]

    def __str__(self) -> str:
        return called("End of treatment", (": ", self.get_reason_display()))


class EndOfStudy(PatientRecord):
    """When and why the patient left the study."""

    form = Form("EOS", "End of study", "Follow-up")

    ended_on = FullDateField("Date", oid="EOSDAT", required=True)
    reason = CodedField("Reason", oid="EOSRSN", required=True, choices=codes.END_OF_STUDY)
    last_alive_on = PartialDateField(
        "Last known alive",
        oid="EOSLALV",
        least="month",
        required=True,
        asked_if={"reason": codes_other_than(codes.END_OF_STUDY, "DEATH")},
    )

    class Meta:
        verbose_name_plural = "ends of study"
        constraints: ClassVar = [models.UniqueConstraint(fields=["entry"], name="one_end_of_study_an_entry")]

    def __str__(self) -> str:
        return called("End of study", (" ", self.ended_on))


class Withdrawal(PatientRecord):
    """A patient takes consent back: from what, and from which day. What was collected until then stays."""

    form = Form("WDR", "Withdrawal of consent", "Follow-up", repeats=True)

    withdrawn_on = FullDateField(
        "Consent withdrawn", oid="WDDAT", required=True, hint="The day on which the patient said so."
    )
    extent = CodedField("Withdrawn from", oid="WDEXT", required=True, choices=codes.EXTENT_OF_WITHDRAWAL)
    note = TextField(
        "How it was said", oid="WDNOTE", max_length=200, hint="In writing, by phone. The patient owes nobody a reason."
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["patient", "withdrawn_on", "extent"],
                name="one_withdrawal_a_day_and_extent",
                violation_error_message="This withdrawal is already recorded.",
            )
        ]

    def __str__(self) -> str:
        return called("Withdrawal", (" ", self.withdrawn_on), (": ", self.get_extent_display()))


class Deviation(PatientRecord):
    """A departure from the protocol, and what was done about it."""

    form = Form("DV", "Protocol deviation", "Follow-up", repeats=True)

    deviated_on = PartialDateField("Date of the deviation", oid="DVDAT", required=True, least="month")
    discovered_on = FullDateField("Date discovered", oid="DVDISC", required=True)
    kind = CodedField("Class", oid="DVCLASS", required=True, choices=codes.DEVIATION)
    importance = CodedField("Importance", oid="DVSEV", required=True, choices=codes.DEVIATION_IMPORTANCE)
    description = TextField("Description", oid="DVDESC", required=True, max_length=1000)
    action = TextField("Action", oid="DVCAPA", max_length=1000, required=True, asked_if={"importance": ("MAJOR",)})
    concerns = TextField("Linked record", oid="DVREF", max_length=100)

    class Meta:
        constraints: ClassVar = [
            in_order(
                "deviated_on",
                "discovered_on",
                name="no_deviation_is_discovered_before_it_happens",
                says="The deviation was discovered before it happened. Check both dates.",
            )
        ]

    def __str__(self) -> str:
        return called("Deviation", (" ", self.deviated_on), (": ", self.get_kind_display()))
