"""Adverse events and their parts (STUDY B.4: AE, CRS, NEU, GVA, GVC, INF, HO). Details are an event's children."""

from typing import ClassVar

from django.db import models

from patients.codes import RELATED
from safety import codes
from trial.constraints import in_order
from trial.fields import (
    CodedField,
    CodesField,
    FullDateField,
    NumberField,
    PartialDateField,
    TextField,
    WholeNumberField,
    YesNoField,
)
from trial.records import Form, PatientRecord


class AdverseEvent(PatientRecord):
    """One adverse event. Its worst grade is the site's; grades derived elsewhere never write it."""

    form = Form("AE", "Adverse event", "Safety", repeats=True)

    number = WholeNumberField("Event number", oid="AESPID", required=True, limits=(1, None))
    term = TextField("Reported term", oid="AETERM", required=True, max_length=200)
    coded_term = TextField("Term of the list", oid="AEDECOD", max_length=100)
    started = PartialDateField("Onset", oid="AESTDTM", required=True, least="month", with_time=True)
    ended = PartialDateField("End", oid="AEENDTM", least="month", with_time=True)
    is_ongoing = YesNoField("Ongoing", oid="AEONGO", required=True)
    grade = WholeNumberField("Highest CTCAE grade", oid="AETOXGR", required=True, limits=(1, 5))
    grade_at_onset = WholeNumberField("Grade at onset", oid="AETOXGRI", limits=(1, 5))
    is_serious = YesNoField("Serious", oid="AESER", required=True)
    is_fatal = YesNoField("Death", oid="AESDTH")
    is_life_threatening = YesNoField("Life-threatening", oid="AESLIFE")
    led_to_hospital = YesNoField("Hospitalisation", oid="AESHOSP")
    is_disabling = YesNoField("Disability", oid="AESDISAB")
    is_congenital = YesNoField("Congenital anomaly", oid="AESCONG")
    is_medically_important = YesNoField("Important medical event", oid="AESMIE")
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
                violation_error_message="The grade at onset is above the highest grade. Check both grades.",
            ),
            in_order(
                "started",
                "ended",
                name="no_event_ends_before_its_onset",
                says="The event ends before its onset. Check both dates. (EC-140)",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.term}, grade {self.grade}"


class EventGrade(PatientRecord):
    """One step of the grade history of an adverse event."""

    form = Form("AE.GRADE", "Grade history", "Safety", repeats=True, part_of="AE")

    event = models.ForeignKey(AdverseEvent, on_delete=models.PROTECT, related_name="grades", editable=False)
    began = PartialDateField("From", oid="AEGRDTM", required=True, least="day", with_time=True)
    grade = WholeNumberField("Grade", oid="AEGRH", required=True, limits=(0, 5))

    def __str__(self) -> str:
        return f"Grade {self.grade} from {self.began}"


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
        "Highest temperature", oid="CRSTMAX", required=True, unit="°C", places=1, limits=(30, 43)
    )
    had_hypotension = YesNoField("Hypotension", oid="CRSHYPO", required=True)
    vasopressor = CodedField("Vasopressor", oid="CRSPRESS", required=True, choices=codes.VASOPRESSOR)
    oxygen = CodedField("Highest oxygen support", oid="CRSO2", required=True, choices=codes.OXYGEN)
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
    seizures_to_date = WholeNumberField("Seizures to date", oid="NEUNSEIZ", limits=(0, 50))
    has_motor_weakness = YesNoField("Deep focal motor weakness", oid="NEUMOT", required=True)
    pressure = CodedField("Raised pressure or oedema", oid="NEUICP", required=True, choices=codes.INTRACRANIAL_PRESSURE)
    imaging = CodesField("Imaging", oid="NEUIMG", required=True, codes=codes.IMAGING)
    imaging_result = CodedField("Result", oid="NEUIMGR", choices=codes.IMAGING_RESULT)
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
    transplant_concerned = CodedField("Transplantation concerned", oid="GVREFTX", choices=codes.TRANSPLANT_CONCERNED)
    rash_percent = NumberField("Erythematous rash", oid="GVSKBSA", unit="% of body surface", limits=(0, 100))
    has_bullae = YesNoField("Erythroderma with bullae and desquamation above 5 %", oid="GVSKBUL")
    bilirubin_umol_per_l = NumberField("Bilirubin", oid="GVBILI", unit="µmol/L", places=1, limits=(0, 1500))
    has_upper_gut_signs = YesNoField("Upper gut: persistent nausea, vomiting or anorexia", oid="GVUGI")
    stool_ml_per_day = NumberField("Stool volume", oid="GVSTOOL", unit="mL/day", limits=(0, 20_000))
    stool_episodes = WholeNumberField("Stool episodes", oid="GVSTEPI", unit="/day", limits=(0, 60))
    has_severe_pain = YesNoField("Severe abdominal pain", oid="GVPAIN")
    has_bloody_stool = YesNoField("Grossly bloody stool", oid="GVBLOOD")
    alternatives = CodesField("Alternative explanation", oid="GVOTH", codes=codes.GVHD_ALTERNATIVE)
    biopsy = CodedField("Biopsy", oid="GVBX", choices=codes.BIOPSY)
    confidence = CodedField("Confidence", oid="GVCONF", choices=codes.CONFIDENCE)
    treatments = CodesField("Treatment", oid="GVTX", codes=codes.ACUTE_GVHD_TREATMENT)
    led_to_hospital = YesNoField("Hospitalisation because of GVHD", oid="GVHOSP")
    action = CodedField("Blinatumomab changed because of GVHD", oid="GVEXACT", choices=codes.ACTION)

    def __str__(self) -> str:
        return f"Acute GVHD staging {self.assessed_on}"


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
    is_diagnostic = YesNoField("Diagnostic sign, or distinctive sign with confirmation", oid="GCDX")
    skin_surface_score = WholeNumberField("Skin surface", oid="GCSKBSA", limits=(0, 3))
    skin_feature_score = WholeNumberField("Skin features", oid="GCSKFEA", limits=(0, 3))
    mouth_score = WholeNumberField("Mouth", oid="GCMOUTH", limits=(0, 3))
    eyes_score = WholeNumberField("Eyes", oid="GCEYES", limits=(0, 3))
    gut_score = WholeNumberField("Gut", oid="GCGI", limits=(0, 3))
    liver_score = WholeNumberField("Liver", oid="GCLIVER", limits=(0, 3))
    lung_symptom_score = WholeNumberField("Lung symptoms", oid="GCLUNGSX", limits=(0, 3))
    fev1_percent = NumberField("FEV1", oid="GCFEV1", unit="% predicted", limits=(10, 150))
    joints_score = WholeNumberField("Joints and fascia", oid="GCJOINT", limits=(0, 3))
    genital_score = WholeNumberField("Genital tract", oid="GCGENIT", limits=(0, 3))
    has_overlap = YesNoField("Overlap with acute features", oid="GCOVERLAP")
    treatments = CodesField("Systemic therapy", oid="GCTX", codes=codes.CHRONIC_GVHD_TREATMENT)

    def __str__(self) -> str:
        return f"Chronic GVHD scoring {self.assessed_on}"


class Infection(EventDetail):
    """Details of an infection."""

    form = Form("INF", "Infection", "Safety", repeats=True)

    pathogen = CodedField("Pathogen class", oid="INFTYPE", required=True, choices=codes.PATHOGEN)
    organism = TextField("Organism", oid="INFORG", max_length=100)
    documentation = CodedField("Documentation", oid="INFDOC", required=True, choices=codes.DOCUMENTATION)
    sites = CodesField("Site", oid="INFSITE", required=True, codes=codes.INFECTION_SITE)
    is_catheter_related = YesNoField("Catheter related", oid="INFCVC", required=True)
    had_iv_treatment = YesNoField("Intravenous anti-infective", oid="INFIV", required=True)
    needed_intensive_care = YesNoField("Intensive care", oid="INFICU", required=True)
    resolved = PartialDateField("Resolution", oid="INFOUTDT", least="month")

    def __str__(self) -> str:
        return f"Infection, {self.get_pathogen_display()}"


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
        return f"Hospital from {self.admitted_on}"
