"""What was recorded, by subject. Each module holds the forms of one part of the casebook."""

from patients.models.baseline import BaselineDisease, Demographics, LeukemiaHistory, MedicalHistory, PriorTherapy
from patients.models.enrolment import Criterion, EarlierScreening, Eligibility, Enrolment, LaterConsent
from patients.models.follow_up import (
    Death,
    Deviation,
    EndOfStudy,
    EndOfTreatment,
    LaterTherapy,
    LaterTransplant,
    Relapse,
    SurvivalContact,
    Withdrawal,
)
from patients.models.laboratory import (
    ChemistryResult,
    ChemistrySample,
    CoagulationResult,
    CoagulationSample,
    HaematologyResult,
    HaematologySample,
    NormalRange,
)
from patients.models.marrow import ExtramedullaryAssessment, Marrow, MrdAssay, ResponseAssessment
from patients.models.transplant import Transplant
from patients.models.treatment import (
    Cycle,
    Dexamethasone,
    InfusionBag,
    InfusionInterval,
    Medication,
    Procedure,
    Transfusion,
)
from patients.models.visits import PerformanceStatus, Visit, VitalSigns

__all__ = [
    "BaselineDisease",
    "ChemistryResult",
    "ChemistrySample",
    "CoagulationResult",
    "CoagulationSample",
    "Criterion",
    "Cycle",
    "Death",
    "Demographics",
    "Deviation",
    "Dexamethasone",
    "EarlierScreening",
    "Eligibility",
    "EndOfStudy",
    "EndOfTreatment",
    "Enrolment",
    "ExtramedullaryAssessment",
    "HaematologyResult",
    "HaematologySample",
    "InfusionBag",
    "InfusionInterval",
    "LaterConsent",
    "LaterTherapy",
    "LaterTransplant",
    "LeukemiaHistory",
    "Marrow",
    "MedicalHistory",
    "Medication",
    "MrdAssay",
    "NormalRange",
    "PerformanceStatus",
    "PriorTherapy",
    "Procedure",
    "Relapse",
    "ResponseAssessment",
    "SurvivalContact",
    "Transfusion",
    "Transplant",
    "Visit",
    "VitalSigns",
    "Withdrawal",
]
