"""The variables of the analysis datasets and their kinds: one list a dataset, from which frames of any length are made alike.

Text is str or None, flags are Y, N or None, days datetime64, numbers float64 with NaN; whole numbers that are always
there are int64, those that may be blank Int64.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

Row = Mapping[str, Any]
Column = np.ndarray[Any, Any] | pd.api.extensions.ExtensionArray
Kind = Callable[[list[Any]], Column]


@dataclass(frozen=True, slots=True)
class Datasets:
    """The analysis datasets of a study at one instant and cut-off. Columns are ADaM variables (STUDY B.6.2)."""

    adsl: pd.DataFrame
    adrs: pd.DataFrame
    adtte: pd.DataFrame
    adae: pd.DataFrame
    adex: pd.DataFrame


class Variables:
    """The variables of one dataset in their order. Those that are not named as another kind are text."""

    def __init__(self, order: str, *, days: str = "", numbers: str = "", whole: str = "", grades: str = "") -> None:
        kinds: list[tuple[Kind, str]] = [(_day, days), (_number, numbers), (_whole, whole), (_grade, grades)]
        special = {name: kind for kind, names in kinds for name in names.split()}
        self.columns: dict[str, Kind] = {name: special.get(name, _text) for name in order.split()}

    def frame(self, rows: Sequence[Row]) -> pd.DataFrame:
        """A frame, a row a mapping. Every row must say every variable; the kinds hold for no rows as well."""
        return pd.DataFrame({name: column([row[name] for row in rows]) for name, column in self.columns.items()})


def flag(value: bool | None) -> str | None:
    """Y or N; None stays unknown."""
    if value is None:
        return None
    return "Y" if value else "N"


def join(codes: Sequence[str]) -> str | None:
    """Several codes as one text, in their order."""
    return "; ".join(codes) or None


def _text(values: list[str | None]) -> Column:
    return np.array(values, dtype="object")


def _day(values: list[date | None]) -> Column:
    return np.array(values, dtype="datetime64[D]").astype("datetime64[ns]")


def _number(values: list[float | None]) -> Column:
    return np.array(values, dtype="float64")  # None becomes NaN


def _whole(values: list[int]) -> Column:
    return np.array(values, dtype="int64")


def _grade(values: list[int | None]) -> Column:
    return pd.array(values, dtype="Int64")


ADSL = Variables(
    "USUBJID SITEID COUNTRY REGION1 AGE AGEGR1 SEX RACE ETHNIC WEIGHTBL HEIGHTBL ECOGBL RFICDT TRTSDT TRTEDT TRTDURD "
    "DTHDT DTHDTF DTHCAUS LSTALVDT DCUTDT EOTRSN EOSRSN SCRFL ENRLFL FASFL SAFFL PHSCTFL NAIVEFL RESPFL MRDEVFL LMK84FL "
    "HSCTPFL NALLO DONOR DONORGR HLA GRAFT CONDINT CONDREG TBI GVPX DLIFL PRAGVFL PRAGVGR PRCGVFL PRCGVSEV CHIM TTRELHS "
    "TTDOSE TTRELDOS SALVHSFL NSALV NSALVGR DISSTAT IMMUNO CYTODX PRIMREFL NREL CR1DUR EMDEVFL EMDBLFL CNSEVFL PRNEUFL "
    "BLBM BLBMGR1 BLBMGR2 WBCBL ANCBL PLATBL HGBBL BLPBBL NCYCST NCYCCMP BOR2 CRDT RESPDT MRDR2FL MRDCR2FL",
    days="RFICDT TRTSDT TRTEDT DTHDT LSTALVDT DCUTDT CRDT RESPDT",
    numbers="AGE WEIGHTBL HEIGHTBL ECOGBL TRTDURD NALLO CHIM TTRELHS TTDOSE TTRELDOS NSALV NREL CR1DUR BLBM WBCBL ANCBL "
    "PLATBL HGBBL BLPBBL NCYCST NCYCCMP",
)
ADRS = Variables(
    "USUBJID PARAMCD PARAM AVALC AVAL ADT ACYC RSEVAL ANL01FL METHOD SRCDOM SRCSEQ CBCSEQ EMDSEQ",
    days="ADT",
    numbers="AVAL ACYC SRCSEQ CBCSEQ EMDSEQ",
)
ADTTE = Variables(
    "USUBJID PARAMCD PARAM STARTDT ADT ADY AVAL CNSR EVNTDESC CNSDTDSC SRCDOM SRCVAR SRCSEQ",
    days="STARTDT ADT",
    numbers="AVAL",
    whole="ADY CNSR SRCSEQ",
)
ADAE = Variables(
    "USUBJID AESEQ AETERM AEDECOD AEBODSYS ASTDT ASTDTF AENDT AENDTF ASTDY AENDY ADURN ACYC ADAYC ATOXGR AESER AESDTH "
    "AESLIFE AESHOSP AREL AEREL AEACN AEOUT AESICAT CQ01NAM CQ02NAM CQ03NAM CQ04NAM CQ05NAM TRTEMFL APREVFL WORSTFL "
    "AFTHSFL TOCIFL DEXFL GVTYPE GVHOSPFL SRCSEQ",
    days="ASTDT AENDT",
    numbers="ASTDY AENDY ADURN ACYC ADAYC",
    whole="AESEQ SRCSEQ",
    grades="ATOXGR",
)
ADEX = Variables(
    "USUBJID ACYC CYSTDT CYENDT INFDAYS DOSCUM DOSPLAN RDI INTR4H STEPFL COMPFL DEXMG",
    days="CYSTDT CYENDT",
    numbers="INFDAYS DOSCUM DOSPLAN RDI DEXMG",
    whole="ACYC INTR4H",
)
