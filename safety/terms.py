"""Marrow's own short list of terms for adverse events. It is not MedDRA, and its groups are not system organ classes.

The rule: a coded term is a key of `TERMS`; its group, its baskets and its allowed grades stand here and nowhere else.
"""

import re
from dataclasses import dataclass

NARROW_NEUROLOGIC = "NEUROLOGIC NARROW"

# What the abbreviations of the table stand for: codes of `safety.codes.SPECIAL_INTEREST` and the narrow basket.
_BASKETS = {
    "crs": ("CRS",),
    "neuro": ("NEUROLOGIC",),
    "neuro narrow": ("NEUROLOGIC", NARROW_NEUROLOGIC),
    "leuko": ("NEUROLOGIC", NARROW_NEUROLOGIC, "LEUKOENCEPHALOPATHY"),
    "infection": ("INFECTION",),
    "acute": ("GVHD ACUTE",),
    "chronic": ("GVHD CHRONIC",),
    "cytopenia": ("CYTOPENIA",),
    "liver": ("ELEVATED LIVER ENZYMES",),
    "infusion": ("INFUSION REACTION",),
    "lysis": ("TUMOR LYSIS",),
    "leak": ("CAPILLARY LEAK",),
    "hlh": ("HLH/MAS",),
    "pancreatitis": ("PANCREATITIS",),
    "error": ("MEDICATION ERROR",),
    "dic": ("DIC",),
    "clot": ("THROMBOEMBOLIC",),
    "antibody": ("IMMUNOGENICITY",),
    "-": (),
}


@dataclass(frozen=True, slots=True)
class Term:
    """One term. `baskets` are codes of special interest and the narrow neurologic one, `grades` those of CTCAE v4.03.

    The grades follow STUDY C.7.6; a term for which CTCAE has no entry of its own allows 1 to 5.
    """

    name: str
    group: str
    baskets: frozenset[str]
    grades: frozenset[int]


def _terms(table: str) -> dict[str, Term]:
    """Read one term a line under its group: name, basket, lowest and highest grade, two or more spaces apart."""
    found: dict[str, Term] = {}
    group = ""
    for line in filter(None, map(str.strip, table.splitlines())):
        cells = re.split(r" {2,}", line)
        if len(cells) == 1:
            group = line.rstrip(":")
            continue
        name, basket, grades = cells
        low, high = map(int, grades.split("-"))
        found[name] = Term(name, group, frozenset(_BASKETS[basket]), frozenset(range(low, high + 1)))
    return found


TERMS = _terms("""
    Blood and lymphatic system:
        Anaemia                                  cytopenia     1-5
        Neutropenia                              cytopenia     1-4
        Febrile neutropenia                      cytopenia     3-5
        Thrombocytopenia                         cytopenia     1-4
        Leukopenia                               cytopenia     1-4
        Lymphopenia                              cytopenia     1-4
        Pancytopenia                             cytopenia     1-5
        Coagulopathy                             -             1-5
        Disseminated intravascular coagulation   dic           2-5
        Haemophagocytic lymphohistiocytosis      hlh           1-5
    Heart:
        Tachycardia                              -             1-4
        Atrial fibrillation                      -             1-5
        Chest pain                               -             1-3
    Eyes:
        Blurred vision                           -             1-4
    Stomach and gut:
        Nausea                                   -             1-3
        Vomiting                                 -             1-5
        Diarrhoea                                -             1-5
        Constipation                             -             1-5
        Abdominal pain                           -             1-3
        Stomatitis                               -             1-5
        Gastrointestinal haemorrhage             -             1-5
        Pancreatitis                             pancreatitis  2-5
    General and infusion site:
        Pyrexia                                  -             1-5
        Fatigue                                  -             1-3
        Asthenia                                 -             1-3
        Peripheral oedema                        -             1-3
        Chills                                   -             1-3
        Pain                                     -             1-3
        Multiple organ failure                   -             3-5
        Infusion related reaction                infusion      1-5
    Liver and bile:
        Hyperbilirubinaemia                      liver         1-4
        Hepatotoxicity                           liver         1-5
        Hepatic failure                          liver         3-5
        Veno-occlusive liver disease             -             1-5
    Immune system:
        Cytokine release syndrome                crs           1-5
        Acute graft versus host disease          acute         1-5
        Acute graft versus host disease of skin  acute         1-5
        Acute graft versus host disease of gut   acute         1-5
        Acute graft versus host disease of liver  acute        1-5
        Chronic graft versus host disease        chronic       1-5
        Chronic graft versus host disease of skin  chronic     1-5
        Chronic graft versus host disease of mouth  chronic    1-5
        Hypogammaglobulinaemia                   -             1-5
        Drug hypersensitivity                    infusion      1-5
        Anti-drug antibodies                     antibody      1-5
    Infections:
        Sepsis                                   infection     4-5
        Septic shock                             infection     4-5
        Pneumonia                                infection     2-5
        Fungal pneumonia                         infection     2-5
        Bacteraemia                              infection     1-5
        Staphylococcal infection                 infection     1-5
        Escherichia infection                    infection     1-5
        Catheter related infection               infection     2-5
        Upper respiratory tract infection        infection     2-5
        Sinusitis                                infection     2-5
        Cellulitis                               infection     2-5
        Oral candidiasis                         infection     1-3
        Herpes simplex                           infection     1-5
        Herpes zoster                            infection     1-5
        Cytomegalovirus infection                infection     1-5
        Clostridium difficile colitis            infection     1-5
        Aspergillosis                            infection     1-5
        Candida sepsis                           infection     4-5
        Meningitis                               infection     3-5
    Injury and procedure:
        Fall                                     -             1-3
        Contusion                                -             1-3
        Overdose                                 error         1-5
        Accidental underdose                     error         1-5
    Laboratory:
        Alanine aminotransferase increased       liver         1-4
        Aspartate aminotransferase increased     liver         1-4
        Gamma-glutamyltransferase increased      liver         1-4
        Alkaline phosphatase increased           liver         1-4
        Blood creatinine increased               -             1-4
        C-reactive protein increased             -             1-5
    Metabolism:
        Hypokalaemia                             -             1-5
        Hypomagnesaemia                          -             1-5
        Hypocalcaemia                            -             1-5
        Hypophosphataemia                        -             1-5
        Hyperglycaemia                           -             1-5
        Hyponatraemia                            -             1-5
        Decreased appetite                       -             1-5
        Tumour lysis syndrome                    lysis         3-5
    Muscles and bones:
        Back pain                                -             1-3
        Arthralgia                               -             1-3
        Bone pain                                -             1-3
        Myalgia                                  -             1-3
        Pain in extremity                        -             1-3
    Nervous system:
        Headache                                 neuro         1-3
        Dizziness                                neuro         1-3
        Tremor                                   neuro narrow  1-3
        Paraesthesia                             neuro         1-3
        Ataxia                                   neuro narrow  1-3
        Aphasia                                  neuro narrow  1-3
        Somnolence                               neuro narrow  1-5
        Memory impairment                        neuro narrow  1-3
        Syncope                                  neuro         3-3
        Seizure                                  neuro narrow  1-5
        Encephalopathy                           neuro narrow  1-5
        Leukoencephalopathy                      leuko         1-5
        Cerebral haemorrhage                     neuro         1-5
        Cranial nerve disorder                   neuro narrow  1-4
    Mind:
        Confusional state                        neuro narrow  1-4
        Disorientation                           neuro narrow  1-4
        Delirium                                 neuro narrow  1-5
        Hallucination                            neuro narrow  1-4
        Insomnia                                 neuro         1-3
        Anxiety                                  neuro         1-5
        Agitation                                neuro         1-5
    Kidney and urinary tract:
        Acute kidney injury                      -             1-5
    Breathing:
        Cough                                    -             1-3
        Dyspnoea                                 -             1-5
        Epistaxis                                -             1-5
        Pleural effusion                         -             1-5
        Hypoxia                                  -             2-5
        Respiratory failure                      -             4-5
        Pulmonary haemorrhage                    -             1-5
    Skin:
        Rash                                     -             1-5
        Erythema                                 -             1-5
        Pruritus                                 -             1-3
        Alopecia                                 -             1-2
    Vessels:
        Hypotension                              -             1-5
        Hypertension                             -             1-5
        Capillary leak syndrome                  leak          1-5
        Deep vein thrombosis                     clot          1-5
        Pulmonary embolism                       clot          2-5
""")
