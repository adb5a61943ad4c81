"""Records for tests: valid ones, with only what the test is about said out loud.

`make.record(Transplant, patient, donor="CORD BLOOD")` writes one record with its form entry; every form has its usual answers
below, and a form that is not there fails `test_make.py`.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.db.models import Max

from patients import models as patients
from safety import models as safety
from trial.audit import recording
from trial.models import FormEntry, Patient, Site, Study
from trial.records import PatientRecord

Record = TypeVar("Record", bound=PatientRecord)

DAY = date(2013, 3, 4)
MOMENT = datetime(2013, 3, 4, 9, 30, tzinfo=UTC)

USUAL: dict[type[PatientRecord], dict[str, Any]] = {
    patients.Enrolment: {
        "consented_on": DAY,
        "screened_on": DAY,
        "is_enrolled": True,
        "enrolled_on": DAY,
        "cohort": "MAIN",
    },
    patients.LaterConsent: {"consented_on": DAY, "consent_version": "3.0"},
    patients.EarlierScreening: {"screened_on": date(2013, 2, 4), "screen_failure": "EX18"},
    patients.Eligibility: {"protocol_version": "2.0", "qualifying_features": [">= SECOND SALVAGE"]},
    patients.Criterion: {"criterion": "IN01", "is_met": True},
    patients.Demographics: {"born_on": "1980-05-17", "sex": "F", "races": ["WHITE"], "ethnicity": "NOT REPORTED"},
    patients.MedicalHistory: {
        "term": "Hypertension",
        "started": "2009",
        "is_ongoing": True,
        "grade": 1,
        "category": "CARDIAC",
    },
    patients.LeukemiaHistory: {
        "diagnosed_on": "2011-02",
        "has_reached_cr": True,
        "relapses": 1,
        "salvage_therapies": 1,
    },
    patients.PriorTherapy: {"line": 1, "kind": "SALVAGE", "regimen": "FLAG-IDA", "started_on": "2012-11-02"},
    patients.Transplant: {
        "number": 1,
        "kind": "ALLOGENEIC",
        "transplanted_on": "2012-05-14",
        "donor": "MATCHED SIBLING",
        "has_relapsed": True,
        "relapsed_on": "2012-11-20",
    },
    patients.BaselineDisease: {"philadelphia": "NEGATIVE", "cns_status": "CNS1", "has_mrd_marker": True},
    patients.Visit: {"visited_on": DAY, "contact": "ON SITE", "is_missed": False},
    patients.PerformanceStatus: {
        "assessed_on": DAY,
        "ecog": 1,
        "weight_kg": Decimal("71.5"),
        "did_writing_test": False,
    },
    patients.VitalSigns: {
        "measured_at": MOMENT,
        "measured_at_offset": 60,
        "time_point": "PRE-DOSE",
        "temperature_c": Decimal("36.8"),
        "systolic_mmhg": 124,
        "diastolic_mmhg": 78,
        "heart_rate": 72,
        "oxygen_saturation": 98,
        "oxygen": "NONE",
        "vasopressor": "NONE",
    },
    patients.HaematologySample: {"taken_at": MOMENT, "taken_at_offset": 60, "laboratory": "LAB-012"},
    patients.HaematologyResult: {"test": "PLAT", "value": Decimal(120), "value_text": "120", "unit_text": "10^9/L"},
    patients.ChemistrySample: {"taken_at": MOMENT, "taken_at_offset": 60, "laboratory": "LAB-012"},
    patients.ChemistryResult: {"test": "ALT", "value": Decimal(30), "value_text": "30", "unit_text": "U/L"},
    patients.CoagulationSample: {"taken_at": MOMENT, "taken_at_offset": 60, "laboratory": "LAB-012"},
    patients.CoagulationResult: {"test": "INR", "value": Decimal("1.1"), "value_text": "1.1", "unit_text": "ratio"},
    patients.Marrow: {"sampled_on": DAY, "reader": "CENTRAL", "is_adequate": True, "blasts_percent": Decimal(3)},
    patients.MrdAssay: {"method": "PCR IG/TR", "laboratory": "CENTRAL-MRD", "sensitivity": 1e-5, "result": "NEGATIVE"},
    patients.ExtramedullaryAssessment: {"assessed_on": DAY, "methods": ["EXAM"], "status": "NO EVIDENCE"},
    patients.ResponseAssessment: {"assessed_on": DAY, "cycle": 1, "assessor": "LOCAL", "response": "CR"},
    patients.Cycle: {"number": 1, "kind": "INDUCTION", "meets_criteria": True},
    patients.InfusionInterval: {
        "cycle": 1,
        "number": 1,
        "started_at": MOMENT,
        "started_at_offset": 60,
        "dose_ug_per_day": Decimal(9),
        "change": "START",
    },
    patients.InfusionBag: {"bag": "LOT-0815", "hung_at": MOMENT, "hung_at_offset": 60},
    patients.Dexamethasone: {
        "purpose": "PREMEDICATION",
        "given_at": MOMENT,
        "given_at_offset": 60,
        "dose_mg": Decimal(20),
        "frequency": "ONCE",
    },
    patients.Transfusion: {"product": "PLATELETS", "given_on": DAY, "units": 1},
    patients.Medication: {
        "drug": "Aciclovir",
        "category": "ANTIINFECTIVE",
        "route": "ORAL",
        "started": "2013-03",
        "is_ongoing": True,
        "indication": "PROPHYLAXIS",
    },
    patients.Procedure: {
        "procedure": "LUMBAR PUNCTURE + IT THERAPY",
        "done_on": "2013-03-04",
        "intrathecal_drugs": ["MTX"],
    },
    patients.LaterTransplant: {"transplanted_on": DAY, "had_other_therapy": False},
    patients.LaterTherapy: {"kind": "CHEMOTHERAPY", "regimen": "FLAG-IDA", "started_on": "2013-03-04"},
    patients.Relapse: {"relapsed_on": "2013-03-04", "site": "MARROW", "evidence": ["BM BLASTS >5 %"]},
    patients.SurvivalContact: {"contacted_on": DAY, "status": "ALIVE IN REMISSION", "source": "VISIT"},
    patients.Death: {"died_on": "2013-03-04", "primary_cause": "ALL / DISEASE PROGRESSION"},
    patients.EndOfTreatment: {"reason": "COMPLETED"},
    patients.EndOfStudy: {"ended_on": DAY, "reason": "STUDY CLOSED"},
    patients.Withdrawal: {"withdrawn_on": DAY, "extent": "FOLLOW-UP"},
    patients.Deviation: {
        "deviated_on": "2013-03-04",
        "discovered_on": DAY,
        "kind": "VISIT WINDOW",
        "importance": "MINOR",
        "description": "The visit took place two days late.",
    },
    safety.AdverseEvent: {
        "term": "Fever",
        "coded_term": "Pyrexia",
        "started": "2013-03-04",
        "is_ongoing": True,
        "grade": 2,
        "is_serious": False,
        "relation": "NOT RELATED",
        "action": "DOSE NOT CHANGED",
        "outcome": "NOT RECOVERED/NOT RESOLVED",
    },
    safety.EventGrade: {"began": "2013-03-04", "grade": 2},
    safety.CytokineRelease: {"temperature_c": Decimal("39.1"), "vasopressor": "NONE", "oxygen": "NONE"},
    safety.NeurologicEvent: {"signs": ["HEADACHE"], "consciousness": "NORMAL", "seizure": "NONE", "pressure": "NONE"},
    safety.AcuteGvhd: {"assessed_on": DAY, "has_signs": False},
    safety.ChronicGvhd: {"assessed_on": DAY, "has_signs": False},
    safety.Infection: {"pathogen": "BACTERIAL", "sites": ["BLOODSTREAM"], "documentation": "MICROBIOLOGICAL"},
    safety.SeriousReport: {
        "kind": "INITIAL",
        "aware_at": MOMENT,
        "aware_at_offset": 60,
        "reported_at": MOMENT,
        "reported_at_offset": 60,
        "narrative": "Fever on the first day of treatment.",
        "is_expected": True,
    },
    safety.Hospitalisation: {"admitted_on": "2013-03-04", "reason": "AE"},
}

# The number that tells the rows of a patient apart, and the record that a row is part of.
NUMBERED = {patients.PriorTherapy: "line", patients.Cycle: "number", patients.InfusionInterval: "number"} | {
    safety.AdverseEvent: "number"
}
PARENTS: dict[type[PatientRecord], tuple[str, type[PatientRecord]]] = {
    patients.LaterConsent: ("enrolment", patients.Enrolment),
    patients.EarlierScreening: ("enrolment", patients.Enrolment),
    patients.Criterion: ("eligibility", patients.Eligibility),
    patients.HaematologyResult: ("sample", patients.HaematologySample),
    patients.ChemistryResult: ("sample", patients.ChemistrySample),
    patients.CoagulationResult: ("sample", patients.CoagulationSample),
    patients.InfusionBag: ("interval", patients.InfusionInterval),
    safety.SeriousReport: ("event", safety.AdverseEvent),
    safety.EventGrade: ("event", safety.AdverseEvent),
    safety.CytokineRelease: ("event", safety.AdverseEvent),
    safety.NeurologicEvent: ("event", safety.AdverseEvent),
    safety.Infection: ("event", safety.AdverseEvent),
}


def author() -> User:
    """The account in whose name the records of tests are written."""
    return User.objects.get_or_create(username="author")[0]


def study(code: str = "MT103-211", **values: Any) -> Study:
    """A synthetic study."""
    values = {"title": "Blinatumomab in relapsed or refractory ALL", "is_synthetic": True} | values
    with recording(by=author(), reason="A study for a test."):
        return Study.objects.create(code=code, **values)


def site(of: Study, number: str = "012", **values: Any) -> Site:
    """A site of a study; in Germany unless told."""
    values = {"name": f"Site {number}", "country": "DEU", "time_zone": "Europe/Berlin"} | values
    with recording(by=author(), reason="A site for a test."):
        return Site.objects.create(study=of, number=number, **values)


def patient(at: Site, number: str = "") -> Patient:
    """A patient at a site, numbered in order."""
    with recording(by=author(), reason="A patient for a test."):
        following = Patient.objects.filter(site=at).count() + 1
        return Patient.objects.create(study=at.study, site=at, number=number or f"SYN-{at.number}-{following:03}")


def entry(of: Patient, form: str, visit: str = "LOG", filled: int | None = None) -> FormEntry:
    """The next entry of a form of a patient; `filled` is the version of the form under which there is a record."""
    last = FormEntry.objects.filter(patient=of, form=form, visit=visit).aggregate(last=Max("repeat"))["last"]
    return FormEntry.objects.create(patient=of, form=form, visit=visit, repeat=(last or 0) + 1, form_version=filled)


def entry_expected(of: Patient, form: str, visit: str = "LOG") -> FormEntry:
    """An entry that waits for its form."""
    with recording(by=author(), reason="An expected form for a test."):
        return entry(of, form, visit)


def record(model: type[Record], of: Patient, visit: str = "LOG", **answers: Any) -> Record:
    """One record with the usual answers of its form, and these. What it is part of is made when it is not given."""
    with recording(by=author(), reason="A record for a test."):
        values = USUAL[model] | answers
        if model in PARENTS and PARENTS[model][0] not in values:
            name, parent = PARENTS[model]
            values[name] = record(parent, of, visit)
        if model in NUMBERED and NUMBERED[model] not in answers:
            values[NUMBERED[model]] = model.objects.filter(patient=of).count() + 1
        belongs = (
            values[PARENTS[model][0]].entry
            if model.form.part_of
            else entry(of, model.form.code, visit, filled=model.form.version)
        )
        made: Any = model.objects.create(patient=of, entry=belongs, **values)
        return made
