"""Analysis datasets small enough to check by eye: eight patients, from which the tests of tables and figures are made."""

from typing import Any

import pandas as pd

from analysis.derive import Datasets
from analysis.derive.datasets import ADAE, ADEX, ADRS, ADSL, ADTTE, Variables
from analysis.tables.groups import PRIOR, Analysis, Cohort
from tests.tables import table
from trial.parameters import Parameters

PATIENTS = """
    USUBJID  FASFL  PHSCTFL  NAIVEFL  RESPFL  BOR2  MRDEVFL  MRDR2FL  MRDCR2FL  HSCTPFL  AGE  SEX  NALLO  NSALV  BLBM
    P1       Y      Y        N        Y       CR    Y        Y        Y         Y        20   M    1      0      40
    P2       Y      Y        N        Y       CRh   Y        Y        N         N        30   F    2      1      60
    P3       Y      Y        N        N       BFHM  N        N        N         N        40   M    1      2      80
    P4       Y      Y        N        N       NE    N        N        N         N        70   F    1      3      90
    P5       Y      N        Y        Y       CR    N        N        N         N        25   M    0      2      10
    P6       Y      N        Y        N       PD    N        N        N         N        66   F    0      0      -
    P7       Y      N        N        N       NR    N        N        N         N        55   M    1      0      75
    S8       N      N        N        N       -     N        -        -         N        50   M    0      0      -
"""
# Overall survival: P1 to P4 die on days 10, 20 and 30 and the last lives on day 40: S is 3/4, 1/2, 1/4 and the median 25 days,
# the middle of the stretch at exactly one half. Relapse-free: P1 relapses, P2 dies, P5 is censored.
TIMES = """
    USUBJID  PARAMCD  ADY   CNSR  EVNTDESC
    P1       OS       10    0     DEATH
    P2       OS       20    0     DEATH
    P3       OS       30    0     DEATH
    P4       OS       40    1     -
    P5       OS       400   1     -
    P6       OS       50    0     DEATH
    P7       OS       60    1     -
    P1       RFS      5     0     RELAPSE
    P2       RFS      15    0     DEATH WITHOUT DOCUMENTED RELAPSE
    P5       RFS      300   1     -
"""
# P1 has the worst of everything, P2 one event that was there before, P4 nothing that began on treatment, P3 GVHD after a later
# transplant, P5 chronic GVHD during the study.
EVENTS = """
    USUBJID  AESEQ  AEDECOD                           TRTEMFL  ATOXGR  AESER  AREL  AEACN             AEOUT               ASTDY  ADURN  ACYC
    P1       1      Sepsis                            Y        5       Y      Y     DRUG WITHDRAWN    FATAL               5      6      1
    P1       2      Tremor                            Y        3       Y      Y     DRUG INTERRUPTED  RECOVERED/RESOLVED  2      3      1
    P1       3      Tremor                            Y        1       N      N     DOSE NOT CHANGED  RECOVERED/RESOLVED  9      -      1
    P2       1      Headache                          Y        2       N      Y     DOSE NOT CHANGED  RECOVERED/RESOLVED  4      1      1
    P3       1      Cytokine release syndrome         Y        3       Y      Y     DRUG INTERRUPTED  RECOVERED/RESOLVED  1      2      1
    P3       2      Acute graft versus host disease   Y        2       N      N     DOSE NOT CHANGED  RECOVERED/RESOLVED  70     8      -
    P4       1      Headache                          N        4       N      N     DOSE NOT CHANGED  RECOVERED/RESOLVED  -9     2      -
    P5       1      Chronic graft versus host disease  Y       2       N      N     DOSE NOT CHANGED  UNKNOWN             30     -      2
"""
BASKETS = """
    USUBJID  AESEQ  CQ01NAM  CQ02NAM  CQ03NAM  CQ04NAM  CQ05NAM  GVTYPE   AFTHSFL  GVHOSPFL  TOCIFL
    P1       1      -        -        INF      -        -        -        N        N         N
    P1       2      -        NEU      -        -        NEU      -        N        N         N
    P1       3      -        NEU      -        -        NEU      -        N        N         N
    P2       1      -        NEU      -        -        -        -        N        N         N
    P3       1      CRS      -        -        -        -        -        N        N         Y
    P3       2      -        -        -        GVHD     -        ACUTE    Y        N         N
    P4       1      -        NEU      -        -        -        -        N        N         N
    P5       1      -        -        -        GVHD     -        CHRONIC  N        Y         N
"""
DOSES = """
    USUBJID  ACYC  INFDAYS  DOSCUM  RDI   INTR4H  STEPFL  COMPFL  DEXMG
    P1       0     56       1435    1     0       Y       -       40
    P1       1     28       651     1     0       Y       Y       20
    P1       2     28       784     1     0       Y       Y       20
    P2       0     7        63      0.1   1       N       -       20
    P2       1     7        63      0.1   1       N       N       20
    P5       0     28       651     1     2       Y       -       20
    P5       1     28       651     1     2       Y       Y       20
"""
RESPONSES = """
    USUBJID  PARAMCD  AVALC  ADT         METHOD  SRCSEQ
    P1       OVR      CR     2012-03-01  -       1
    P1       OVR      RELAPSE  2012-06-01  -     2
    P1       MRD      COMPLETE  2012-03-01  PCR IG/TR  7
    P2       MRD      <1e-4 DETECTABLE  2012-03-01  FLOW; PCR IG/TR  8
    P1       MRDR2    Y      2012-03-01  -       7
    P2       MRDR2    Y      2012-03-01  -       8
    P5       MRDR2    N      -           -       -
"""


def example_datasets() -> Datasets:
    """The datasets of the eight patients. What a table above does not say is blank."""
    days = {name: pd.Timestamp(day) for name, day in (("TRTSDT", "2012-02-01"), ("TRTEDT", "2012-02-14"))}
    subjects = [row | days | {"SCRFL": "Y", "SAFFL": row["FASFL"]} for row in _rows(PATIENTS)]
    for row in subjects:
        row |= SUBJECTS.get(row["USUBJID"], {})
    return Datasets(
        adsl=_frame(ADSL, subjects),
        adrs=_frame(ADRS, _rows(RESPONSES)),
        adtte=_frame(ADTTE, _rows(TIMES)),
        adae=_frame(ADAE, [event | more for event, more in zip(_rows(EVENTS), _rows(BASKETS), strict=True)]),
        adex=_frame(ADEX, _rows(DOSES)),
    )


# What few patients have.
SUBJECTS: dict[str, dict[str, Any]] = {
    "P1": {
        "AGEGR1": "18–<35",
        "RACE": "ASIAN; WHITE",
        "ECOGBL": 1,
        "DONOR": "MATCHED SIBLING",
        "DONORGR": "MATCHED SIBLING",
        "CONDINT": "MYELOABLATIVE",
        "GVPX": "ATG; CNI+MTX",
        "TTRELHS": 3.0,
        "TTDOSE": 5.0,
        "TTRELDOS": 2.0,
        "SALVHSFL": "Y",
        "NCYCST": 2,
        "NCYCCMP": 2,
        "PRAGVFL": "Y",
        "DTHDT": pd.Timestamp("2012-02-10"),
        "DTHCAUS": "ADVERSE EVENT",
    },
    "P2": {"RACE": "WHITE", "CONDINT": "UNKNOWN", "GVPX": "UNKNOWN", "TTRELHS": 8.0, "NCYCST": 1, "NCYCCMP": 0},
    "P3": {"RACE": "NOT REPORTED", "CONDINT": "REDUCED INTENSITY", "GVPX": "ATG", "TTRELHS": 14.0},
    "P5": {"PRCGVFL": "Y", "NCYCST": 1, "NCYCCMP": 1},
}


def example_analysis(cohort: Cohort = PRIOR, *, is_synthetic: bool = False, **parameters: Any) -> Analysis:
    """What every output is made from, for the eight patients."""
    return Analysis(example_datasets(), Parameters(**parameters), cohort, is_synthetic=is_synthetic)


def empty_analysis(cohort: Cohort = PRIOR) -> Analysis:
    """The same without a patient."""
    variables = {"adsl": ADSL, "adrs": ADRS, "adtte": ADTTE, "adae": ADAE, "adex": ADEX}
    return Analysis(Datasets(**{name: _frame(kinds, []) for name, kinds in variables.items()}), Parameters(), cohort)


def _rows(text: str) -> list[dict[str, Any]]:
    return [{name: _value(value) for name, value in row.items()} for row in table(text).to_dict("records")]


def _value(value: Any) -> Any:
    return None if pd.isna(value) else value


def _frame(variables: Variables, rows: list[dict[str, Any]]) -> pd.DataFrame:
    blank = {name: 0 if make.__name__ == "_whole" else None for name, make in variables.columns.items()}
    return variables.frame([blank | row for row in rows])
