"""The laboratory tests of the study: panel, standard unit, decimal places, and the limits (STUDY B.4: LBH, LBC, LBO).

A hard limit is what is impossible and is refused by the database; outside a soft limit the value is saved and asked about.
`5 ULN` is five times the upper limit of normal of that sample.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

# The code, what it is called, standard unit, places, required, lowest and highest possible, soft limits below and above.
_TESTS = """
    LBH  WBC       Leukocytes                    10^9/L      2  R  0    1000    -     100
    LBH  NEUTLE    Neutrophils, share            %           1  O  0    100     -     -
    LBH  NEUT      Neutrophils                   10^9/L      3  R  0    200     -     20
    LBH  LYM       Lymphocytes                   10^9/L      3  R  0    900     -     50
    LBH  MONO      Monocytes                     10^9/L      3  O  0    200     -     -
    LBH  EOS       Eosinophils                   10^9/L      3  O  0    100     -     -
    LBH  BLAST     Blasts in blood               10^9/L      3  R  0    900     -     -
    LBH  BLASTLE   Blasts in blood, share        %           1  R  0    100     -     -
    LBH  HGB       Haemoglobin                   g/L         1  R  5    250     60    180
    LBH  PLAT      Platelets                     10^9/L      0  R  0    2000    5     1000
    LBH  RETI      Reticulocytes                 10^9/L      1  O  0    500     -     -
    LBC  ALT       ALT                           U/L         0  R  1    20000   -     5 ULN
    LBC  AST       AST                           U/L         0  R  1    20000   -     5 ULN
    LBC  GGT       GGT                           U/L         0  R  1    10000   -     -
    LBC  ALP       Alkaline phosphatase          U/L         0  R  1    10000   -     -
    LBC  BILI      Total bilirubin               µmol/L      1  R  0    1500    -     3 ULN
    LBC  BILDIR    Direct bilirubin              µmol/L      1  O  0    1500    -     -
    LBC  CREAT     Creatinine                    µmol/L      1  R  1    3000    -     3 ULN
    LBC  UREA      Urea                          mmol/L      1  O  0.1  100     -     -
    LBC  URATE     Uric acid                     µmol/L      0  R  10   2000    -     590
    LBC  K         Potassium                     mmol/L      1  R  1    10      3.0   6.0
    LBC  SODIUM    Sodium                        mmol/L      0  R  90   200     130   155
    LBC  CA        Calcium, total                mmol/L      2  R  0.5  5       1.75  3.1
    LBC  PHOS      Phosphate                     mmol/L      2  R  0.1  6       0.3   -
    LBC  MG        Magnesium                     mmol/L      2  O  0.1  5       -     -
    LBC  LDH       LDH                           U/L         0  R  20   50000   -     10 ULN
    LBC  ALB       Albumin                       g/L         1  R  5    70      20    -
    LBC  GLUC      Glucose                       mmol/L      1  R  0.5  80      -     13.9
    LBC  CRP       CRP                           mg/L        1  R  0    800     -     100
    LBC  AMYLASE   Amylase                       U/L         0  O  0    20000   -     3 ULN
    LBC  LIPASE    Lipase                        U/L         0  O  0    20000   -     3 ULN
    LBO  INR       INR                           ratio       2  R  0.5  20      -     2.5
    LBO  APTT      aPTT                          s           0  R  10   300     -     -
    LBO  FIBRINO   Fibrinogen                    g/L         2  R  0    20      1.0   -
    LBO  DDIMER    D-dimer                       mg/L FEU    2  O  0    200     -     -
    LBO  FERRITIN  Ferritin                      µg/L        0  O  1    500000  -     10000
    LBO  IGG       Immunoglobulin G              g/L         2  R  0    80      4     -
    LBO  TGL       Triglycerides                 mmol/L      1  O  0    60      -     -
    LBO  CD3       CD3 lymphocytes               /µL         0  O  0    50000   -     -
    LBO  CD4       CD4 lymphocytes               /µL         0  O  0    50000   -     -
    LBO  CD8       CD8 lymphocytes               /µL         0  O  0    50000   -     -
    LBO  CD19      CD19 lymphocytes              /µL         0  O  0    50000   -     -
"""


@dataclass(frozen=True, slots=True)
class SoftLimit:
    """A limit outside of which a value is asked about; times the upper limit of normal where `of_normal`."""

    number: Decimal
    of_normal: bool = False


@dataclass(frozen=True, slots=True)
class LaboratoryTest:
    """One test. `low` and `high` are the hard limits in the standard unit, both included."""

    panel: str
    code: str
    label: str
    unit: str
    places: int
    required: bool
    low: Decimal
    high: Decimal
    soft_low: SoftLimit | None
    soft_high: SoftLimit | None


def _read(line: str) -> LaboratoryTest:
    panel, code, label, unit, places, required, low, high, soft_low, soft_high = re.split(r" {2,}", line.strip())
    return LaboratoryTest(
        panel,
        code,
        label,
        unit,
        int(places),
        required == "R",
        Decimal(low),
        Decimal(high),
        _soft(soft_low),
        _soft(soft_high),
    )


def _soft(text: str) -> SoftLimit | None:
    return None if text == "-" else SoftLimit(Decimal(text.split()[0]), text.endswith("ULN"))


TESTS = {test.code: test for test in map(_read, _TESTS.strip().splitlines())}


def panel_of(panel: str) -> list[LaboratoryTest]:
    """The tests of one panel, in the order of the form."""
    return [test for test in TESTS.values() if test.panel == panel]
