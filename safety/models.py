"""Adverse events and their parts (STUDY B.4: AE, CRS, NEU, GVA, GVC, INF, SAE, HO). Details are an event's children."""

from typing import ClassVar

from django.db import models

from patients.codes import OXYGEN, RELATED, VASOPRESSOR
from safety import codes
from trial.code_lists import codes_other_than
from trial.constraints import in_order
from trial.fields import (
    CodedField,
    CodesField,
    FullDateField,
    MomentField,
    NumberField,
    OffsetField,
    PartialDateField,
    TextField,
    WholeNumberField,
    YesNoField,
)
from trial.records import Form, PatientRecord, called


class AdverseEvent(PatientRecord):
    """One adverse event. Its worst grade is the site's; grades derived elsewhere never write it."""

    form = Form("AE", "Adverse event", "Safety", repeats=True)

    number = WholeNumberField("Event number", oid="AESPID", required=True, limits=(1, None))
    term = TextField(
        "Reported term",
        oid="AETERM",
        required=True,
        max_length=200,
        hint="One diagnosis an event, in the words of the site.",
    )
    coded_term = TextField("Term of the list", oid="AEDECOD", max_length=100)
    started = PartialDateField("Onset", oid="AESTDTM", required=True, least="month", with_time=True)
    ended = PartialDateField(
        "End", oid="AEENDTM", least="month", with_time=True, required=True, asked_if={"is_ongoing": (False,)}
    )
    is_ongoing = YesNoField("Ongoing", oid="AEONGO", required=True)
    grade = WholeNumberField("Highest CTCAE grade", oid="AETOXGR", required=True, limits=(1, 5))
    grade_at_onset = WholeNumberField("Grade at onset", oid="AETOXGRI", limits=(1, 5))
    is_serious = YesNoField("Serious", oid="AESER", required=True)
    is_fatal = YesNoField("Death", oid="AESDTH", asked_if={"is_serious": (True,)})
    is_life_threatening = YesNoField("Life-threatening", oid="AESLIFE", asked_if={"is_serious": (True,)})
    led_to_hospital = YesNoField("Hospitalisation", oid="AESHOSP", asked_if={"is_serious": (True,)})
    is_disabling = YesNoField("Disability", oid="AESDISAB", asked_if={"is_serious": (True,)})
    is_congenital = YesNoField("Congenital anomaly", oid="AESCONG", asked_if={"is_serious": (True,)})
    is_medically_important = YesNoField("Important medical event", oid="AESMIE", asked_if={"is_serious": (True,)})
    relation = CodedField("Related to blinatumomab", oid="AEREL", required=True, choices=RELATED)
    other_causes = CodesField("Related to other causes", oid="AERELNS", codes=codes.OTHER_CAUSE)
    action = CodedField("Action with blinatumomab", oid="AEACN", required=True, choices=codes.ACTION)
    other_actions = CodesField("Other action", oid="AEACNOTH", required=True, codes=codes.OTHER_ACTION)
    outcome = CodedField("Outcome", oid="AEOUT", required=True, choices=codes.OUTCOME)
    is_treated = YesNoField("Treatment given", oid="AECONTRT", required=True)
    special_interest = CodesField(
        "Events of special interest", oid="AESICAT", required=True, codes=codes.SPECIAL_INTEREST
    )
    is_attributed_to_transplant = YesNoField("Attributed to the earlier transplantation", oid="AEPREHS")
    was_present_before = YesNoField("Present before the first dose", oid="AEBASE", required=True)
    pattern = CodedField("Pattern", oid="AEPATT", choices=codes.PATTERN)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["patient", "number"],
                name="one_event_a_number",
                violation_error_message="This patient already has an event with that number.",
            ),
            models.CheckConstraint(
                condition=models.Q(grade_at_onset__isnull=True)
                | models.Q(grade__isnull=True)
                | models.Q(grade_at_onset__lte=models.F("grade")),
                name="no_onset_above_the_highest_grade",
                violation_error_message="The grade at onset is above the highest grade. Check both grades. (EC-156)",
            ),
            in_order(
                "started",
                "ended",
                name="no_event_ends_before_its_onset",
                says="The event ends before its onset. Check both dates. (EC-140)",
            ),
        ]

    def __str__(self) -> str:
        return called(self.term or "Adverse event", (", grade ", self.grade))


class EventGrade(PatientRecord):
    """One step of the grade history of an adverse event."""

    form = Form("AE.GRADE", "Grade history", "Safety", repeats=True, part_of="AE")

    event = models.ForeignKey(AdverseEvent, on_delete=models.PROTECT, related_name="grades", editable=False)
    began = PartialDateField("From", oid="AEGRDTM", required=True, least="day", with_time=True)
    grade = WholeNumberField("Grade", oid="AEGRH", required=True, limits=(0, 5))

    def __str__(self) -> str:
        return called("Grade", (" ", self.grade), (" from ", self.began))


class EventDetail(PatientRecord):
    """What a detail form has in common: it is the child of one adverse event."""

    event = models.OneToOneField(
        AdverseEvent, on_delete=models.PROTECT, related_name="%(class)s", verbose_name="Adverse event"
    )

    class Meta:
        abstract = True


class CytokineRelease(EventDetail):
    """Details of a cytokine release syndrome. Onset and study grade are the event's."""

    form = Form("CRS", "Cytokine release syndrome", "Safety", repeats=True)

    resolved = PartialDateField("Resolution", oid="CRSENDTM", least="day", with_time=True)
    temperature_c = NumberField(
        "Highest temperature", oid="CRSTMAX", required=True, unit="°C", places=1, limits=(30, 43), soft=(38, None)
    )
    had_hypotension = YesNoField("Hypotension", oid="CRSHYPO", required=True)
    vasopressor = CodedField("Vasopressor", oid="CRSPRESS", required=True, choices=VASOPRESSOR)
    oxygen = CodedField("Highest oxygen support", oid="CRSO2", required=True, choices=OXYGEN)
    organs = CodesField("Organ toxicity", oid="CRSORG", required=True, codes=codes.CRS_ORGAN)
    fever_is_masked = YesNoField("Antipyretic or anti-cytokine masks fever", oid="CRSANTIP", required=True)
    treatments = CodesField("Treatment", oid="CRSTX", required=True, codes=codes.CRS_TREATMENT)
    stopped_infusion = YesNoField("Infusion interrupted or stopped", oid="CRSEXACT", required=True)

    def __str__(self) -> str:
        return "Cytokine release syndrome"


class NeurologicEvent(EventDetail):
    """Details of a neurologic event. Onset and study grade are the event's."""

    form = Form("NEU", "Neurologic event", "Safety", repeats=True)

    signs = CodesField("Manifestation", oid="NEUTYPE", required=True, codes=codes.NEUROLOGIC_SIGN)
    resolved = PartialDateField("Resolution to grade 1 or less", oid="NEUENDTM", least="day", with_time=True)
    consciousness = CodedField("Consciousness", oid="NEUCONS", required=True, choices=codes.CONSCIOUSNESS)
    seizure = CodedField("Seizure", oid="NEUSEIZ", required=True, choices=codes.SEIZURE)
    seizures_to_date = WholeNumberField(
        "Seizures to date",
        oid="NEUNSEIZ",
        limits=(0, 50),
        required=True,
        soft=(None, 1),
        asked_if={"seizure": codes_other_than(codes.SEIZURE, "NONE")},
    )
    has_motor_weakness = YesNoField("Deep focal motor weakness", oid="NEUMOT", required=True)
    pressure = CodedField("Raised pressure or oedema", oid="NEUICP", required=True, choices=codes.INTRACRANIAL_PRESSURE)
    imaging = CodesField("Imaging", oid="NEUIMG", required=True, codes=codes.IMAGING)
    imaging_result = CodedField(
        "Result",
        oid="NEUIMGR",
        choices=codes.IMAGING_RESULT,
        required=True,
        asked_if={"imaging": codes_other_than(codes.IMAGING, "NONE")},
    )
    alternative_cause = CodedField("Alternative cause", oid="NEUALT", required=True, choices=codes.ALTERNATIVE_CAUSE)
    ice_total = WholeNumberField("ICE at its lowest", oid="NEUICE", unit="points", limits=(0, 10))
    had_dexamethasone = YesNoField("Dexamethasone given", oid="NEUDEX", required=True)
    stopped_infusion = YesNoField("Infusion interrupted or stopped", oid="NEUEXACT", required=True)

    def __str__(self) -> str:
        return "Neurologic event"


class AcuteGvhd(PatientRecord):
    """A staging of acute GVHD. Without signs the first two answers complete it; with them it belongs to an event."""

    form = Form("GVA", "Acute GVHD", "Safety", repeats=True)

    event = models.ForeignKey(
        AdverseEvent,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="acute_gvhd",
        verbose_name="Adverse event",
    )
    assessed_on = FullDateField("Assessment date", oid="GVDAT", required=True)
    has_signs = YesNoField("Any sign of acute GVHD", oid="GVYN", required=True)
    transplant_concerned = CodedField(
        "Transplantation concerned",
        oid="GVREFTX",
        choices=codes.TRANSPLANT_CONCERNED,
        required=True,
        asked_if={"has_signs": (True,)},
    )
    rash_percent = NumberField(
        "Erythematous rash",
        oid="GVSKBSA",
        unit="% of body surface",
        limits=(0, 100),
        required=True,
        asked_if={"has_signs": (True,)},
    )
    has_bullae = YesNoField(
        "Erythroderma with bullae and desquamation above 5 %",
        oid="GVSKBUL",
        required=True,
        asked_if={"has_signs": (True,)},
    )
    bilirubin_umol_per_l = NumberField(
        "Bilirubin", oid="GVBILI", unit="µmol/L", places=1, limits=(0, 1500), asked_if={"has_signs": (True,)}
    )
    has_upper_gut_signs = YesNoField(
        "Upper gut: persistent nausea, vomiting or anorexia",
        oid="GVUGI",
        required=True,
        asked_if={"has_signs": (True,)},
    )
    stool_ml_per_day = NumberField(
        "Stool volume", oid="GVSTOOL", unit="mL/day", limits=(0, 20_000), asked_if={"has_signs": (True,)}
    )
    stool_episodes = WholeNumberField(
        "Stool episodes", oid="GVSTEPI", unit="/day", limits=(0, 60), asked_if={"has_signs": (True,)}
    )
    has_severe_pain = YesNoField("Severe abdominal pain", oid="GVPAIN", required=True, asked_if={"has_signs": (True,)})
    has_bloody_stool = YesNoField("Grossly bloody stool", oid="GVBLOOD", required=True, asked_if={"has_signs": (True,)})
    alternatives = CodesField(
        "Alternative explanation", oid="GVOTH", codes=codes.GVHD_ALTERNATIVE, asked_if={"has_signs": (True,)}
    )
    biopsy = CodedField("Biopsy", oid="GVBX", choices=codes.BIOPSY, required=True, asked_if={"has_signs": (True,)})
    confidence = CodedField(
        "Confidence", oid="GVCONF", choices=codes.CONFIDENCE, required=True, asked_if={"has_signs": (True,)}
    )
    treatments = CodesField(
        "Treatment", oid="GVTX", codes=codes.ACUTE_GVHD_TREATMENT, required=True, asked_if={"has_signs": (True,)}
    )
    led_to_hospital = YesNoField(
        "Hospitalisation because of GVHD", oid="GVHOSP", required=True, asked_if={"has_signs": (True,)}
    )
    action = CodedField(
        "Blinatumomab changed because of GVHD",
        oid="GVEXACT",
        choices=codes.ACTION,
        required=True,
        asked_if={"has_signs": (True,)},
    )

    def __str__(self) -> str:
        return called("Acute GVHD staging", (" ", self.assessed_on))


class ChronicGvhd(PatientRecord):
    """A scoring of chronic GVHD (NIH 2014 organ scores). Without signs the first two answers complete the form."""

    form = Form("GVC", "Chronic GVHD", "Safety", repeats=True)

    event = models.ForeignKey(
        AdverseEvent,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="chronic_gvhd",
        verbose_name="Adverse event",
    )
    assessed_on = FullDateField("Assessment date", oid="GVDAT", required=True)
    has_signs = YesNoField("Any sign of chronic GVHD", oid="GCYN", required=True)
    is_diagnostic = YesNoField(
        "Diagnostic sign, or distinctive sign with confirmation",
        oid="GCDX",
        required=True,
        asked_if={"has_signs": (True,)},
    )
    skin_surface_score = WholeNumberField(
        "Skin surface", oid="GCSKBSA", limits=(0, 3), required=True, asked_if={"has_signs": (True,)}
    )
    skin_feature_score = WholeNumberField(
        "Skin features", oid="GCSKFEA", limits=(0, 3), required=True, asked_if={"has_signs": (True,)}
    )
    mouth_score = WholeNumberField(
        "Mouth", oid="GCMOUTH", limits=(0, 3), required=True, asked_if={"has_signs": (True,)}
    )
    eyes_score = WholeNumberField("Eyes", oid="GCEYES", limits=(0, 3), required=True, asked_if={"has_signs": (True,)})
    gut_score = WholeNumberField("Gut", oid="GCGI", limits=(0, 3), required=True, asked_if={"has_signs": (True,)})
    liver_score = WholeNumberField(
        "Liver", oid="GCLIVER", limits=(0, 3), required=True, asked_if={"has_signs": (True,)}
    )
    lung_symptom_score = WholeNumberField(
        "Lung symptoms", oid="GCLUNGSX", limits=(0, 3), required=True, asked_if={"has_signs": (True,)}
    )
    fev1_percent = NumberField(
        "FEV1", oid="GCFEV1", unit="% predicted", limits=(10, 150), asked_if={"has_signs": (True,)}
    )
    joints_score = WholeNumberField(
        "Joints and fascia", oid="GCJOINT", limits=(0, 3), required=True, asked_if={"has_signs": (True,)}
    )
    genital_score = WholeNumberField(
        "Genital tract", oid="GCGENIT", limits=(0, 3), required=True, asked_if={"has_signs": (True,)}
    )
    other_causes = CodesField(
        "Organs with an entirely different cause",
        oid="GCALT_x",
        codes=codes.GVHD_ORGAN,
        asked_if={"has_signs": (True,)},
    )
    has_overlap = YesNoField(
        "Overlap with acute features", oid="GCOVERLAP", required=True, asked_if={"has_signs": (True,)}
    )
    treatments = CodesField(
        "Systemic therapy",
        oid="GCTX",
        codes=codes.CHRONIC_GVHD_TREATMENT,
        required=True,
        asked_if={"has_signs": (True,)},
    )

    def __str__(self) -> str:
        return called("Chronic GVHD scoring", (" ", self.assessed_on))


class Infection(EventDetail):
    """Details of an infection."""

    form = Form("INF", "Infection", "Safety", repeats=True)

    pathogen = CodedField("Pathogen class", oid="INFTYPE", required=True, choices=codes.PATHOGEN)
    organism = TextField(
        "Organism", oid="INFORG", max_length=100, required=True, asked_if={"documentation": ("MICROBIOLOGICAL",)}
    )
    documentation = CodedField("Documentation", oid="INFDOC", required=True, choices=codes.DOCUMENTATION)
    sites = CodesField("Site", oid="INFSITE", required=True, codes=codes.INFECTION_SITE)
    is_catheter_related = YesNoField("Catheter related", oid="INFCVC", required=True)
    had_iv_treatment = YesNoField("Intravenous anti-infective", oid="INFIV", required=True)
    needed_intensive_care = YesNoField("Intensive care", oid="INFICU", required=True)
    resolved = PartialDateField("Resolution", oid="INFOUTDT", least="month")

    def __str__(self) -> str:
        return called("Infection", (", ", self.get_pathogen_display()))


class SeriousReport(PatientRecord):
    """A report of a serious event, first or later: when the site knew, when the sponsor knew."""

    form = Form("SAE", "Serious adverse event report", "Safety", repeats=True)

    event = models.ForeignKey(
        AdverseEvent, on_delete=models.PROTECT, related_name="reports", verbose_name="Adverse event"
    )
    kind = CodedField("Report", oid="SAEVER", required=True, choices=codes.SAE_REPORT)
    number = WholeNumberField(
        "Follow-up number", oid="SAEVERN", limits=(1, 99), required=True, asked_if={"kind": ("FOLLOW-UP",)}
    )
    aware_at = MomentField("Site aware", oid="SAEAWDTM", required=True)
    aware_at_offset = OffsetField("Offset of the site's clock", oid="SAEAWOFF", unit="min", required=True)
    reported_at = MomentField("Reported to the sponsor", oid="SAERPDTM", required=True)
    reported_at_offset = OffsetField(
        "Offset of the site's clock at the report", oid="SAERPOFF", unit="min", required=True
    )
    narrative = TextField("Narrative", oid="SAENARR", required=True, max_length=8000)
    is_expected = YesNoField("Expected", oid="SAEEXP", required=True)
    submitted_on = FullDateField("Submitted to the authorities", oid="SAEREGDT")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(reported_at__isnull=True)
                | models.Q(aware_at__isnull=True)
                | models.Q(reported_at__gte=models.F("aware_at")),
                name="no_report_before_the_site_knew",
                violation_error_message="The report is before the site knew of the event. Check both times.",
            )
        ]

    def __str__(self) -> str:
        return called("Serious event", (", ", self.get_kind_display()))


class Hospitalisation(PatientRecord):
    """A stay in hospital and its reason. A stay that the protocol requires is not serious."""

    form = Form("HO", "Hospitalisation", "Safety", repeats=True)

    admitted_on = PartialDateField("Admission", oid="HOADMDAT", required=True, least="month")
    discharged_on = PartialDateField("Discharge", oid="HODISDAT", least="month")
    reason = CodedField("Reason", oid="HOTYPE", required=True, choices=codes.HOSPITALISATION)
    intensive_care_days = WholeNumberField("Days of intensive care", oid="HOICU", unit="days", limits=(0, 365))
    event = models.ForeignKey(
        AdverseEvent,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="stays",
        verbose_name="Adverse event",
    )

    class Meta:
        constraints: ClassVar = [
            in_order(
                "admitted_on",
                "discharged_on",
                name="no_discharge_before_admission",
                says="The discharge is before the admission. Check both dates.",
            )
        ]

    def __str__(self) -> str:
        return called("Hospital", (" from ", self.admitted_on))
