"""What was recorded, by subject. Each module holds the forms of one part of the casebook."""

from patients.models.baseline import BaselineDisease, Demographics, LeukemiaHistory, PriorTherapy
from patients.models.enrolment import Criterion, Eligibility, Enrolment
from patients.models.follow_up import (
    Death,
    EndOfStudy,
    EndOfTreatment,
    LaterTherapy,
    LaterTransplant,
    Relapse,
    SurvivalContact,
)
from patients.models.laboratory import HaematologyResult, HaematologySample
from patients.models.marrow import ExtramedullaryAssessment, Marrow, MrdAssay, ResponseAssessment
from patients.models.transplant import Transplant
from patients.models.treatment import Cycle, Dexamethasone, InfusionInterval
from patients.models.visits import PerformanceStatus, Visit

__all__ = [
    "BaselineDisease",
    "Criterion",
    "Cycle",
    "Death",
    "Demographics",
    "Dexamethasone",
    "Eligibility",
    "EndOfStudy",
    "EndOfTreatment",
    "Enrolment",
    "ExtramedullaryAssessment",
    "HaematologyResult",
    "HaematologySample",
    "InfusionInterval",
    "LaterTherapy",
    "LaterTransplant",
    "LeukemiaHistory",
    "Marrow",
    "MrdAssay",
    "PerformanceStatus",
    "PriorTherapy",
    "Relapse",
    "ResponseAssessment",
    "SurvivalContact",
    "Transplant",
    "Visit",
]
