"""Who the patient is and what the disease was before the study (STUDY B.4: DM, MH, ALLH, PTX, BDIS)."""

from typing import ClassVar

from django.db import models

from patients import codes
from trial.code_lists import codes_other_than
from trial.constraints import in_order
from trial.fields import (
    CodedField,
    CodesField,
    NumberField,
    PartialDateField,
    TextField,
    WholeNumberField,
    YesNoField,
)
from trial.records import Form, PatientRecord, called


class Demographics(PatientRecord):
    """Birth, sex, race and ethnicity."""

    form = Form("DM", "Demographics", "Baseline")

    born_on = PartialDateField("Date of birth", oid="BRTHDAT", required=True, least="year")
    sex = CodedField("Sex", oid="SEX", required=True, choices=codes.SEX)
    races = CodesField("Race", oid="RACE", required=True, codes=codes.RACE)
    ethnicity = CodedField("Ethnicity", oid="ETHNIC", required=True, choices=codes.ETHNICITY)
    may_become_pregnant = YesNoField("Woman of childbearing potential", oid="CHILDPOT", asked_if={"sex": ("F",)})
    pregnancy_test = CodedField(
        "Pregnancy test",
        oid="PREGTST",
        choices=codes.PREGNANCY_TEST,
        required=True,
        asked_if={"may_become_pregnant": (True,)},
    )

    class Meta:
        verbose_name_plural = "demographics"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["entry"], name="one_demographics_an_entry"),
            models.CheckConstraint(
                condition=~models.Q(sex="M") | models.Q(may_become_pregnant__isnull=True, pregnancy_test__isnull=True),
                name="no_pregnancy_answers_for_a_man",
                violation_error_message="The questions on pregnancy are not for a man. Leave them empty. (EC-012)",
            ),
        ]

    def __str__(self) -> str:
        return "Demographics"


class MedicalHistory(PatientRecord):
    """A condition that the patient had before the study, and may still have."""

    form = Form("MH", "Medical history", "Baseline", repeats=True)

    term = TextField("Condition", oid="MHTERM", required=True, max_length=200)
    started = PartialDateField("Start", oid="MHSTDAT", required=True, least="year")
    ended = PartialDateField("End", oid="MHENDAT", least="year", required=True, asked_if={"is_ongoing": (False,)})
    is_ongoing = YesNoField("Ongoing at first dose", oid="MHONGO", required=True)
    grade = WholeNumberField(
        "CTCAE grade at baseline", oid="MHTOXGR", limits=(1, 4), required=True, asked_if={"is_ongoing": (True,)}
    )
    category = CodedField("Category", oid="MHCAT", required=True, choices=codes.MEDICAL_HISTORY)

    class Meta:
        verbose_name_plural = "medical history"
        constraints: ClassVar = [
            in_order(
                "started",
                "ended",
                name="no_condition_ends_before_it_starts",
                says="The condition ends before it starts. Check both dates.",
            )
        ]

    def __str__(self) -> str:
        return called(self.term or "Medical history", (", from ", self.started))


class LeukemiaHistory(PatientRecord):
    """Diagnosis, first remission and relapses before the study."""

    form = Form("ALLH", "ALL history", "Baseline")

    diagnosed_on = PartialDateField("Initial diagnosis of ALL", oid="DXDAT", required=True, least="year")
    immunophenotype = CodedField("Immunophenotype", oid="IMMUNO", required=True, choices=codes.IMMUNOPHENOTYPE)
    is_cd19_positive = YesNoField("CD19 positive", oid="CD19POS", required=True)
    cd19_percent = NumberField(
        "CD19 positive blasts", oid="CD19PCT", unit="%", places=1, limits=(0, 100), soft=(20, None)
    )
    cytogenetics = CodesField("Cytogenetics at diagnosis", oid="CYTODX", required=True, codes=codes.CYTOGENETICS)
    philadelphia = CodedField("Philadelphia status at diagnosis", oid="PHDX", required=True, choices=codes.PHILADELPHIA)
    has_reached_cr = YesNoField(
        "First CR ever reached", oid="CR1YN", required=True, hint="No means primary refractory."
    )
    first_cr_on = PartialDateField(
        "First CR", oid="CR1DAT", least="year", required=True, asked_if={"has_reached_cr": (True,)}
    )
    first_relapse_on = PartialDateField(
        "First relapse", oid="REL1DAT", least="year", required=True, asked_if={"relapses": tuple(range(1, 11))}
    )
    relapses = WholeNumberField("Relapses before the study", oid="NREL", required=True, limits=(0, 10), soft=(None, 5))
    salvage_therapies = WholeNumberField(
        "Salvage therapies before the study", oid="NSALV", required=True, limits=(0, 15), soft=(None, 6)
    )
    status = CodedField("Disease status at screening", oid="DISST", required=True, choices=codes.DISEASE_STATUS)
    last_relapse_on = PartialDateField(
        "Current (last) relapse",
        oid="LASTREL",
        least="month",
        asked_if={"status": codes_other_than(codes.DISEASE_STATUS, "PRIMARY REFRACTORY")},
        hint="Left empty, the relapse after the last allogeneic transplantation counts.",
    )
    had_extramedullary_disease = YesNoField("Extramedullary disease ever", oid="EMDEVER", required=True)
    had_cns_disease = YesNoField("CNS involvement ever", oid="CNSEVER", required=True)
    had_neurologic_events = YesNoField("Earlier neurologic events or toxicity", oid="PRNEURO", required=True)
    had_cranial_irradiation = YesNoField("Earlier cranial irradiation", oid="CRANRT", required=True)

    class Meta:
        verbose_name_plural = "leukemia histories"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["entry"], name="one_leukemia_history_an_entry"),
            in_order(
                "diagnosed_on",
                "first_cr_on",
                name="no_remission_before_diagnosis",
                says="The first CR is before the diagnosis. Check both dates. (EC-020)",
            ),
            in_order(
                "first_cr_on",
                "first_relapse_on",
                name="no_relapse_before_remission",
                says="The first relapse is before the first CR. Check both dates. (EC-020)",
            ),
        ]

    def __str__(self) -> str:
        return called("ALL", (" diagnosed ", self.diagnosed_on))


class PriorTherapy(PatientRecord):
    """One line of anticancer therapy before the study, transplantation itself excluded."""

    form = Form("PTX", "Prior anticancer therapy", "Baseline", repeats=True)

    line = WholeNumberField("Line", oid="PTXNUM", required=True, limits=(1, 30))
    kind = CodedField("Type", oid="TXTYPE", required=True, choices=codes.THERAPY)
    timing_to_transplant = CodedField(
        "Timing to the last allogeneic transplant", oid="TXRELHSCT", choices=codes.TIMING_TO_TRANSPLANT
    )
    regimen = TextField("Regimen", oid="TXREG", required=True, max_length=200)
    started_on = PartialDateField("Start", oid="TXSTDAT", required=True, least="month")
    ended_on = PartialDateField("Stop", oid="TXENDAT", least="month")
    best_response = CodedField("Best response", oid="TXBEST", required=True, choices=codes.PRIOR_RESPONSE)
    responded_on = PartialDateField(
        "Date of best response",
        oid="TXRSPDAT",
        least="month",
        required=True,
        asked_if={"best_response": ("CR", "CRi", "PR")},
    )
    relapsed_on = PartialDateField("Relapse or progression after this line", oid="TXPDDAT", least="month")
    is_blinatumomab = YesNoField("Blinatumomab", oid="TXBLIN", required=True)
    is_cd19_directed = YesNoField("Other CD19-directed therapy", oid="TXCD19", required=True)

    class Meta:
        verbose_name_plural = "prior therapies"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["patient", "line"],
                name="one_therapy_a_line",
                violation_error_message="This patient already has a therapy with that line number.",
            ),
            in_order(
                "started_on",
                "ended_on",
                name="no_therapy_ends_before_its_start",
                says="The therapy ends before it starts. Check both dates. (EC-024)",
            ),
        ]

    def __str__(self) -> str:
        return called("Line", (" ", self.line), (": ", self.regimen))


class BaselineDisease(PatientRecord):
    """The disease at screening. Blast counts are shown from the marrow and the blood count, never asked twice."""

    form = Form("BDIS", "Baseline disease", "Baseline")

    marrow = models.ForeignKey(
        "patients.Marrow",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="Baseline marrow",
    )
    cytogenetics = CodesField("Cytogenetics at screening", oid="CYTOSCR", required=True, codes=codes.CYTOGENETICS)
    philadelphia = CodedField(
        "Philadelphia status at screening", oid="PHSCR", required=True, choices=codes.PHILADELPHIA
    )
    cns_status = CodedField("CNS status", oid="CNSSCR", required=True, choices=codes.CNS_STATUS)
    has_extramedullary_disease = YesNoField("Extramedullary disease", oid="EMDSCR", required=True)
    extramedullary_sites = CodesField(
        "Sites",
        oid="EMDSITE",
        codes=codes.EXTRAMEDULLARY_SITE,
        required=True,
        asked_if={"has_extramedullary_disease": (True,)},
    )
    largest_lesion_mm = NumberField("Largest lesion", oid="EMDMAX", unit="mm", places=1, limits=(1, 400))
    has_mrd_marker = YesNoField(
        "MRD marker found",
        oid="MRDMK",
        required=True,
        hint="Without a marker, minimal residual disease cannot be evaluated.",
    )
    may_live_12_weeks = YesNoField("Life expectancy at least 12 weeks", oid="LIFEEXP", required=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["entry"], name="one_baseline_disease_an_entry")]

    def __str__(self) -> str:
        return "Baseline disease"
