"""The analysis datasets as they leave: every variable with its kind and label (ADaMIG 1.3, OCCDS 1.1, TTE 1.0), in one table.

The table writes the data and describes them; a column that it does not name does not leave, and a test says so.
"""

import re
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

Kind = Literal["text", "flag", "date", "whole", "number"]


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable: its name, its kind and its label of at most 40 bytes."""

    name: str
    kind: Kind
    label: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """One dataset: its name, its label, its variables in order, and the variables that a row is known by."""

    name: str
    label: str
    keys: tuple[str, ...]
    variables: tuple[Variable, ...]


def _variables(table: str) -> tuple[Variable, ...]:
    """Read one variable a line: name, kind, label, two or more spaces apart."""
    rows = (re.split(r" {2,}", line.strip(), maxsplit=2) for line in table.strip().splitlines())
    return tuple(Variable(name, kind, label) for name, kind, label in rows)  # type: ignore[arg-type]  # a test holds the kinds


ADSL = Dataset(
    "ADSL",
    "Subject-Level Analysis Dataset",
    ("STUDYID", "USUBJID"),
    _variables("""
        STUDYID   text    Study Identifier
        USUBJID   text    Unique Subject Identifier
        SITEID    text    Study Site Identifier
        COUNTRY   text    Country
        REGION1   text    Geographic Region 1
        AGE       whole   Age
        AGEGR1    text    Pooled Age Group 1
        SEX       text    Sex
        RACE      text    Race
        ETHNIC    text    Ethnicity
        WEIGHTBL  number  Baseline Weight (kg)
        HEIGHTBL  number  Baseline Height (cm)
        ECOGBL    whole   Baseline ECOG Performance Status
        RFICDT    date    Date of Informed Consent
        TRTSDT    date    Date of First Exposure to Treatment
        TRTEDT    date    Date of Last Exposure to Treatment
        TRTDURD   whole   Total Treatment Duration (Days)
        DTHDT     date    Date of Death
        DTHDTF    text    Date of Death Imputation Flag
        DTHCAUS   text    Cause of Death
        LSTALVDT  date    Date Last Known Alive
        DCUTDT    date    Date of Data Cut-off
        EOTRSN    text    Reason for End of Treatment
        EOSRSN    text    Reason for End of Study
        SCRFL     flag    Screened Population Flag
        ENRLFL    flag    Enrolled Population Flag
        FASFL     flag    Full Analysis Set Population Flag
        SAFFL     flag    Safety Population Flag
        PHSCTFL   flag    Relapsed After Prior AlloHSCT Flag
        NAIVEFL   flag    No Prior AlloHSCT Flag
        RESPFL    flag    CR/CRh Within 2 Cycles Flag
        MRDEVFL   flag    MRD Evaluable Flag
        LMK84FL   flag    Alive and Followed at Day 84 Flag
        HSCTPFL   flag    AlloHSCT in Remission Flag
        NALLO     whole   Number of Prior AlloHSCT
        DONOR     text    Donor of Last AlloHSCT
        DONORGR   text    Pooled Donor Group
        HLA       text    HLA Match of Last AlloHSCT
        GRAFT     text    Graft of Last AlloHSCT
        CONDINT   text    Conditioning of Last AlloHSCT
        CONDREG   text    Conditioning Agents of Last AlloHSCT
        TBI       text    Total Body Irradiation
        GVPX      text    GVHD Prophylaxis
        DLIFL     flag    Donor Lymphocyte Infusion Flag
        PRAGVFL   flag    Prior Acute GVHD Flag
        PRAGVGR   text    Highest Prior Acute GVHD Grade
        PRCGVFL   flag    Prior Chronic GVHD Flag
        PRCGVSEV  text    Highest Prior Chronic GVHD Severity
        CHIM      number  Last Donor Chimerism (%)
        TTRELHS   number  Last AlloHSCT to Relapse (Months)
        TTDOSE    number  Last AlloHSCT to First Dose (Months)
        TTRELDOS  number  Relapse to First Dose (Months)
        SALVHSFL  flag    Salvage After Last AlloHSCT Flag
        NSALV     whole   Number of Prior Salvage Therapies
        NSALVGR   text    Pooled Number of Salvage Therapies
        DISSTAT   text    Disease Status at Screening
        IMMUNO    text    Immunophenotype
        CYTODX    text    Cytogenetics at Diagnosis
        PRIMREFL  flag    Never in CR Before Study Flag
        NREL      whole   Number of Prior Relapses
        CR1DUR    number  Duration of First CR (Months)
        EMDEVFL   flag    Extramedullary Disease Ever Flag
        EMDBLFL   flag    Baseline Extramedullary Disease Flag
        CNSEVFL   flag    CNS Disease Ever Flag
        PRNEUFL   flag    Prior Neurologic Events Flag
        BLBM      number  Baseline Marrow Blasts (%)
        BLBMGR1   text    Pooled Baseline Marrow Blasts 1
        BLBMGR2   text    Pooled Baseline Marrow Blasts 2
        WBCBL     number  Baseline Leukocytes (10^9/L)
        ANCBL     number  Baseline Neutrophils (10^9/L)
        PLATBL    number  Baseline Platelets (10^9/L)
        HGBBL     number  Baseline Haemoglobin (g/L)
        BLPBBL    number  Baseline Blood Blasts
        NCYCST    whole   Number of Cycles Started
        NCYCCMP   whole   Number of Cycles Completed
        BOR2      text    Best Response Within 2 Cycles
        CRDT      date    Date of First CR
        RESPDT    date    Date of First CR or CRh
        MRDR2FL   flag    MRD Response Within 2 Cycles Flag
        MRDCR2FL  flag    Complete MRD Response in 2 Cycles Flag
    """),
)
ADRS = Dataset(
    "ADRS",
    "Response Analysis Dataset",
    ("STUDYID", "USUBJID", "PARAMCD", "ADT", "SRCSEQ"),
    _variables("""
        STUDYID  text    Study Identifier
        USUBJID  text    Unique Subject Identifier
        PARAMCD  text    Parameter Code
        PARAM    text    Parameter
        AVALC    text    Analysis Value (C)
        AVAL     number  Analysis Value
        ADT      date    Analysis Date
        ACYC     whole   Analysis Cycle
        RSEVAL   text    Evaluator
        ANL01FL  flag    Analysis Flag 01
        METHOD   text    Method of MRD Assay
        SRCDOM   text    Source Data
        SRCSEQ   whole   Source Sequence Number
        CBCSEQ   whole   Record of the Blood Count Used
        EMDSEQ   whole   Record of the Extramedullary Exam Used
    """),
)
ADTTE = Dataset(
    "ADTTE",
    "Time-to-Event Analysis Dataset",
    ("STUDYID", "USUBJID", "PARAMCD"),
    _variables("""
        STUDYID   text    Study Identifier
        USUBJID   text    Unique Subject Identifier
        PARAMCD   text    Parameter Code
        PARAM     text    Parameter
        STARTDT   date    Time-to-Event Origin Date for Subject
        ADT       date    Analysis Date
        ADY       whole   Analysis Relative Day
        AVAL      number  Analysis Value
        CNSR      whole   Censor
        EVNTDESC  text    Event or Censoring Description
        CNSDTDSC  text    Censor Date Description
        SRCDOM    text    Source Data
        SRCVAR    text    Source Variable
        SRCSEQ    whole   Source Sequence Number
    """),
)
ADAE = Dataset(
    "ADAE",
    "Adverse Events Analysis Dataset",
    ("STUDYID", "USUBJID", "AESEQ"),
    _variables("""
        STUDYID   text    Study Identifier
        USUBJID   text    Unique Subject Identifier
        AESEQ     whole   Sequence Number
        AETERM    text    Reported Term for the Adverse Event
        AEDECOD   text    Term of Marrow's Own List (Not MedDRA)
        AEBODSYS  text    Group of Marrow's Own List (Not MedDRA)
        ASTDT     date    Analysis Start Date
        ASTDTF    text    Analysis Start Date Imputation Flag
        AENDT     date    Analysis End Date
        AENDTF    text    Analysis End Date Imputation Flag
        ASTDY     whole   Analysis Start Relative Day
        AENDY     whole   Analysis End Relative Day
        ADURN     whole   Analysis Duration (N)
        ACYC      whole   Analysis Cycle
        ADAYC     whole   Analysis Day in Cycle
        ATOXGR    whole   Analysis Toxicity Grade
        AESER     flag    Serious Event
        AESDTH    flag    Results in Death
        AESLIFE   flag    Is Life Threatening
        AESHOSP   flag    Requires or Prolongs Hospitalization
        AREL      flag    Analysis Causality
        AEREL     text    Causality
        AEACN     text    Action Taken with Study Treatment
        AEOUT     text    Outcome of Adverse Event
        AESICAT   text    Categories of Special Interest
        CQ01NAM   text    Customized Query 01 Name
        CQ02NAM   text    Customized Query 02 Name
        CQ03NAM   text    Customized Query 03 Name
        CQ04NAM   text    Customized Query 04 Name
        CQ05NAM   text    Customized Query 05 Name
        TRTEMFL   flag    Treatment Emergent Analysis Flag
        APREVFL   flag    Present Before First Dose Flag
        WORSTFL   flag    Worst Treatment-Emergent Event Flag
        AFTHSFL   flag    Began After a Later AlloHSCT Flag
        TOCIFL    flag    Tocilizumab Given Flag
        DEXFL     flag    Dexamethasone Given Flag
        GVTYPE    text    Type of GVHD
        GVHOSPFL  flag    Hospitalised for GVHD Flag
        SRCSEQ    whole   Source Sequence Number
    """),
)
DATASETS = (ADSL, ADRS, ADTTE, ADAE)


def leaving(dataset: Dataset, frame: pd.DataFrame, study: str) -> pd.DataFrame:
    """The dataset as it leaves: STUDYID first, the variables of its table in their order, dates as days, blanks as null."""
    columns: dict[str, pd.Series[Any]] = {"STUDYID": pd.Series([study] * len(frame), index=frame.index, dtype="object")}
    for variable in dataset.variables[1:]:
        columns[variable.name] = _column(frame[variable.name], variable.kind)
    return pd.DataFrame(columns)


def _column(column: "pd.Series[Any]", kind: Kind) -> "pd.Series[Any]":
    if kind == "date":
        days = [None if pd.isna(moment) else moment.date() for moment in column]
        return pd.Series(days, index=column.index, dtype="object")
    if kind == "whole":
        return column.astype("Int64")
    return column.astype("float64") if kind == "number" else column.astype("object")
