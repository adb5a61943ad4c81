"""Which answers are asked when: the declarations of the models against the columns Req, Soft and Logic of STUDY B.4."""

from typing import Any

import pytest

from patients.casebook import unanswered
from patients.models import Demographics, Enrolment, InfusionInterval
from tests import make
from trial.code_lists import codes_of
from trial.fields import Answer, CodedField, CodesField, LimitedAnswer, YesNoField
from trial.models import Patient
from trial.records import record_models

# Every row of B.4 with a C that an answer of the same form decides: the other answer, and the values in question.
CONDITIONS = """
    ENR.ENRLDAT      ENRLYN     Y
    ENR.SCRFAIL      ENRLYN     N
    IE.IEWAIVRS      IEWAIV     Y
    DM.CHILDPOT      SEX        F
    DM.PREGTST       CHILDPOT   Y
    MH.MHENDAT       MHONGO     N
    MH.MHTOXGR       MHONGO     Y
    ALLH.CR1DAT      CR1YN      Y
    ALLH.REL1DAT     NREL       1; 2; 3; 4; 5; 6; 7; 8; 9; 10
    ALLH.LASTREL     DISST      REFRACTORY RELAPSE; UNTREATED FIRST RELAPSE; UNTREATED LATER RELAPSE
    PTX.TXRSPDAT     TXBEST     CR; CRi; PR
    HSCT.DONOR       HSTYPE     ALLOGENEIC
    HSCT.DLILAST     DLIYN      Y
    HSCT.AGVMAX      AGVYN      Y
    HSCT.AGVSCALE    AGVYN      Y
    HSCT.CGVMAX      CGVYN      Y
    HSCT.RELDAT      RELYN      Y
    HSCT.RELTYPE     RELYN      Y
    BDIS.EMDSITE     EMDSCR     Y
    PS.WRTRES        WRTYN      Y
    BM.BLAST         BMQUAL     Y
    MRD.MRDQR        MRDRES     POSITIVE NOT QUANTIFIABLE
    MRD.MRDVAL       MRDRES     POSITIVE QUANTIFIED
    EMD.CSFBL        EMDMETH    CSF
    RS.RSADJRSN      RSADJ      all but -
    EX.EXADJRSN      EXADJ      all but START
    EX.EXAEREF       EXADJRSN   ADVERSE EVENT
    DEX.DEXAEREF     DEXPURP    CRS TREATMENT; NEUROLOGIC TREATMENT; GVHD TREATMENT
    CM.CMENDAT       CMONGO     N
    CM.CMAEREF       CMINDC     AE
    PR.PRITDRG       PRTRT      LUMBAR PUNCTURE + IT THERAPY
    AE.AEENDTM       AEONGO     N
    AE.AESDTH        AESER      Y
    AE.AESLIFE       AESER      Y
    AE.AESHOSP       AESER      Y
    AE.AESDISAB      AESER      Y
    AE.AESCONG       AESER      Y
    AE.AESMIE        AESER      Y
    NEU.NEUNSEIZ     NEUSEIZ    SINGLE SEIZURE RESOLVED RAPIDLY; PROLONGED >5 MIN OR REPETITIVE
    NEU.NEUIMGR      NEUIMG     CT; MRI; EEG; LP
    GVA.GVREFTX      GVYN       Y
    GVA.GVSKBSA      GVYN       Y
    GVA.GVSKBUL      GVYN       Y
    GVA.GVBILI       GVYN       Y
    GVA.GVUGI        GVYN       Y
    GVA.GVSTOOL      GVYN       Y
    GVA.GVSTEPI      GVYN       Y
    GVA.GVPAIN       GVYN       Y
    GVA.GVBLOOD      GVYN       Y
    GVA.GVBX         GVYN       Y
    GVA.GVCONF       GVYN       Y
    GVA.GVTX         GVYN       Y
    GVA.GVHOSP       GVYN       Y
    GVA.GVEXACT      GVYN       Y
    GVC.GCDX         GCYN       Y
    GVC.GCSKBSA      GCYN       Y
    GVC.GCSKFEA      GCYN       Y
    GVC.GCMOUTH      GCYN       Y
    GVC.GCEYES       GCYN       Y
    GVC.GCGI         GCYN       Y
    GVC.GCLIVER      GCYN       Y
    GVC.GCLUNGSX     GCYN       Y
    GVC.GCFEV1       GCYN       Y
    GVC.GCJOINT      GCYN       Y
    GVC.GCGENIT      GCYN       Y
    GVC.GCOVERLAP    GCYN       Y
    GVC.GCTX         GCYN       Y
    INF.INFORG       INFDOC     MICROBIOLOGICAL
    SAE.SAEVERN      SAEVER     FOLLOW-UP
    REL.RELEMPR      RELSITE    EXTRAMEDULLARY; COMBINED; CNS
    SFU.LASTALIV     SSTAT      all but DEAD
    SFU.REMST        SSTAT      all but DEAD
    DTH.DTHAEREF     DTHPRIM    all that begin with ADVERSE EVENT
    EOT.EOTAEREF     EOTRSN     ADVERSE EVENT
    EOS.EOSLALV      EOSRSN     all but DEATH
    DV.DVCAPA        DVSEV      MAJOR
    HSCT.DONAGE      DONOR      all but CORD BLOOD
    GVA.GVOTH        GVYN       Y
    GVC.GCALT_x      GCYN       Y
"""

# The other rows with a C: the gate of their form decides (a row is only there behind a yes), so they are required.
BEHIND_A_GATE = """
    HSCT.HSNUM HSCT.HSTYPE HSCT.HSDAT HSCT.HSSTAT HSCT.GRAFT HSCT.CONDINT HSCT.RELYN NSCT.NSDAT NSCT.NSSTAT NSCT.NSMRD
    NSCT.NSDONOR NSCT.NSGRAFT NSCT.NSCOND NSCT.NSNUM NTX.NTTYPE NTX.NTREG NTX.NTSTDAT NTX.NTRSN
"""

# Or no answer of the form decides, so that they can be left empty; where that is odd, an edit check asks.
LEFT_OPEN = {
    "IE.IEWAIV": "a criterion of the rows below is violated",
    "PTX.TXRELHSCT": "another form says whether there was a transplantation",
    "PTX.TXENDAT": "B.4 gives no condition: a therapy may have no stop",
    "HSCT.ISLAST": "if there ever was any",
    "PS.HEIGHT": "the visit decides: at screening",
    "RS.RSADJ": "the algorithm decides: where it differs from the assessor",
    "CYC.CYCRSN": "the infusion intervals decide",
    "CYC.CYCNEWRSN": "the infusion intervals decide",
    "EX.EXENDTM": "open while the infusion runs",
    "DEX.DEXENDAT": "B.4 gives no condition: one dose has no last day",
    "CRS.CRSENDTM": "open while the event goes on",
    "NEU.NEUENDTM": "open while the event goes on",
    "INF.INFOUTDT": "open while the event goes on",
    "SAE.SAEREGDT": "relation and expectedness decide",
    "HO.HODISDAT": "open while the patient is in hospital",
}

# A soft limit on a number that holds whatever else was answered; the others are edit checks of their own.
SOFT_LIMITS = """
    ALLH.CD19PCT    20    -
    ALLH.NREL       -     5
    ALLH.NSALV      -     6
    HSCT.HSNUM      -     2
    PS.WEIGHT       45    -
    PS.HEIGHT       140   205
    VS.TEMP         35.5  37.9
    VS.SYSBP        90    180
    VS.DIABP        50    110
    VS.HR           50    120
    VS.RESP         10    24
    VS.SPO2         92    -
    TRF.TRUNITS     -     10
    MRD.MRDSENS     -     0.0001
    EMD.CSFCELL     -     5
    RS.RSCYC        -     5
    CYC.CYCNUM      -     5
    CRS.CRSTMAX     38    -
    NEU.NEUNSEIZ    -     1
"""

ANSWERS = {f"{model.form.code}.{field.oid}": field for model in record_models() for field in model.answers()}


def other_answer(field: Answer) -> tuple[Answer, tuple[Any, ...]]:
    """The one answer that decides whether this one is asked, and its values."""
    ((name, values),) = field.asked_if.items()
    found: Any = field.model._meta.get_field(name)
    return found, values


def worded(decides: Answer, values: tuple[Any, ...]) -> str:
    """The values as the table above writes them."""
    if isinstance(decides, YesNoField):
        return "; ".join("Y" if value else "N" for value in values)
    return "; ".join(map(str, values))


def spelled_out(decides: Any, said: str) -> str:
    """A line of the table without its short forms."""
    if said.startswith("all but "):
        return "; ".join(code for code in codes_of(decides.codes) if code != said.removeprefix("all but "))
    if said.startswith("all that begin with "):
        beginning = said.removeprefix("all that begin with ")
        return "; ".join(code for code in codes_of(decides.codes) if code.startswith(beginning))
    return said


@pytest.mark.parametrize("row", CONDITIONS.strip().splitlines(), ids=lambda row: row.split()[0])
def test_a_conditional_answer_is_asked_as_the_specification_says(row: str):
    name, other, values = row.strip().split(maxsplit=2)

    decides, asked = other_answer(ANSWERS[name])

    assert decides.oid == other
    assert worded(decides, asked) == spelled_out(decides, values)


def test_no_other_answer_has_a_condition():
    listed = {row.split()[0] for row in CONDITIONS.strip().splitlines()}

    assert {name for name, field in ANSWERS.items() if field.asked_if} == listed


def test_what_stands_behind_a_gate_is_required_and_what_nothing_decides_is_not():
    assert all(ANSWERS[name].required and not ANSWERS[name].asked_if for name in BEHIND_A_GATE.split())
    assert not any(ANSWERS[name].required or ANSWERS[name].asked_if for name in LEFT_OPEN)


def test_soft_limits_are_those_of_the_specification():
    expected = {
        name: tuple(None if limit == "-" else float(limit) for limit in limits)
        for name, *limits in map(str.split, SOFT_LIMITS.strip().splitlines())
    }

    assert {name: field.soft for name, field in ANSWERS.items() if field.soft != (None, None)} == expected
    assert all(isinstance(ANSWERS[name], LimitedAnswer) for name in expected)


@pytest.mark.parametrize("name", [name for name, field in ANSWERS.items() if field.asked_if])
def test_a_condition_names_values_that_the_other_answer_can_have(name: str):
    decides, values = other_answer(ANSWERS[name])

    if isinstance(decides, CodedField | CodesField):
        assert set(values) <= set(codes_of(decides.codes))
    elif isinstance(decides, YesNoField):
        assert set(values) <= {True, False}
    else:
        low, high = decides.limits
        assert all(low <= value <= high for value in values)


def test_a_required_answer_that_is_not_asked_is_not_missing(patient: Patient):
    enrolled = make.record(Enrolment, patient, enrolled_on=None)
    failed = make.record(Enrolment, make.patient(patient.site), is_enrolled=False, enrolled_on=None)

    assert "enrolled_on" in unanswered(enrolled)
    assert "screen_failure" not in unanswered(enrolled)
    assert "enrolled_on" not in unanswered(failed)
    assert "screen_failure" in unanswered(failed)


def test_an_answer_that_hangs_on_a_blank_one_is_not_asked():
    interval = InfusionInterval(change="STEP-UP")

    assert not InfusionInterval._meta.get_field("event_number").is_asked(interval)


def test_hints_and_conditions_are_not_in_migrations():
    for field in (Demographics._meta.get_field("pregnancy_test"), InfusionInterval._meta.get_field("event_number")):
        assert not {"asked_if", "soft", "hint"} & set(field.deconstruct()[3])


def test_every_hint_is_one_sentence():
    assert all(not field.hint[0].islower() and field.hint.endswith(".") for field in ANSWERS.values() if field.hint)
