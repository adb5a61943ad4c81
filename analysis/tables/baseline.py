"""Who the patients were: demographics (T-2.1), transplants before the study (T-2.3) and the intervals around them (T-2.4)."""

from collections.abc import Sequence

from analysis.results import Row, Table
from analysis.tables.cells import count_row, heading, level_rows, number_of, summary_rows
from analysis.tables.groups import PRIOR, Analysis, Group, from_to, having, known, those
from patients import codes

UNDERAGE = {"<18": "Under 18"}  # shown only where somebody is: the protocol begins at 18
AGE_GROUPS = {"18–<35": "18 to under 35", "35–<55": "35 to under 55", "55–<65": "55 to under 65", ">=65": "65 or more"}
REGIONS = {"EUROPE": "Europe", "USA": "United States"}
DONOR_GROUPS = {"MATCHED SIBLING": "Matched sibling", "UNRELATED": "Unrelated", "OTHER": "Other"}
YES_NO = {"Y": "Yes", "N": "No"}
INTERVALS = (
    ("Under 6 months", "<6", 0, 6),
    ("6 to under 12 months", "6–<12", 6, 12),
    ("12 months or more", ">=12", 12),
)


def demographics(analysis: Analysis) -> Table:
    """T-2.1: age, sex, race, ethnicity, region, performance status, weight and height of the treated patients."""
    groups = analysis.groups
    rows = [
        *summary_rows("Age (years)", groups, "AGE", number_of("AGE"), unit="years"),
        *level_rows("Age group", groups, "AGEGR1", _present(analysis, "AGEGR1", list(UNDERAGE.items())) | AGE_GROUPS),
        *level_rows("Sex", groups, "SEX", _present(analysis, "SEX", codes.SEX)),
        *level_rows("Race", groups, "RACE", _races(analysis)),
        *level_rows("Ethnicity", groups, "ETHNIC", _present(analysis, "ETHNIC", codes.ETHNICITY)),
        *level_rows("Region", groups, "REGION1", REGIONS),
        *_performance(groups),
        *summary_rows("Weight (kg)", groups, "WEIGHTBL", number_of("WEIGHTBL"), unit="kg"),
        *summary_rows("Height (cm)", groups, "HEIGHTBL", number_of("HEIGHTBL"), unit="cm"),
    ]
    return Table(tuple(group.heading for group in groups), tuple(rows))


def transplants(analysis: Analysis) -> Table:
    """T-2.3: the transplants before the study and the last allogeneic one. Percentages are of known values."""
    group = analysis.group(PRIOR)
    groups = (group,)

    def levels(label: str, column: str, words: Sequence[tuple[str, str]], of: Group = group) -> list[Row]:
        return level_rows(label, (of,), column, _present(analysis, column, words), known_only=True)

    # not: a grade "not known" for those who never had GVHD
    had_acute, had_chronic = group.only(group.flagged("PRAGVFL")), group.only(group.flagged("PRCGVFL"))

    rows = [
        heading("Allogeneic transplants before the first dose"),
        count_row("1", groups, "NALLO", having("NALLO", 1), level="1", indent=1),
        count_row("2 or more", groups, "NALLO", from_to("NALLO", 2), level=">=2", indent=1),
        *level_rows("Donor", groups, "DONORGR", DONOR_GROUPS, known_only=True),
        *levels("Donor in detail", "DONOR", codes.DONOR),
        *levels("HLA match", "HLA", codes.HLA_MATCH),
        *levels("Graft", "GRAFT", codes.GRAFT),
        *levels("Conditioning", "CONDINT", codes.CONDITIONING),
        *levels("Total body irradiation", "TBI", codes.TBI),
        *_prophylaxis(group),
        *level_rows("Donor lymphocyte infusion afterwards", groups, "DLIFL", YES_NO, known_only=True),
        *level_rows("Earlier acute GVHD", groups, "PRAGVFL", YES_NO, known_only=True),
        *levels("Highest grade, of those with acute GVHD", "PRAGVGR", codes.ACUTE_GVHD_GRADE, of=had_acute),
        *level_rows("Earlier chronic GVHD", groups, "PRCGVFL", YES_NO, known_only=True),
        *levels(
            "Highest severity, of those with chronic GVHD", "PRCGVSEV", codes.CHRONIC_GVHD_SEVERITY, of=had_chronic
        ),
        *summary_rows("Last donor chimerism (%)", groups, "CHIM", number_of("CHIM"), unit="percent"),
        *level_rows("Salvage between last alloHSCT and first dose", groups, "SALVHSFL", YES_NO, known_only=True),
    ]
    return Table((group.heading,), tuple(rows))


def intervals(analysis: Analysis) -> Table:
    """T-2.4: months from the last allogeneic transplant to relapse and to the first dose, and from relapse to first dose."""
    group = analysis.group(PRIOR)
    rows: list[Row] = []
    for label, column in (
        ("Last alloHSCT to relapse (months)", "TTRELHS"),
        ("Last alloHSCT to first dose (months)", "TTDOSE"),
        ("Relapse to first dose (months)", "TTRELDOS"),
    ):
        rows += summary_rows(label, (group,), column, number_of(column), unit="months")
        rows += [
            count_row(words, (group,), column, from_to(column, *limits), level=level, among=known(column), indent=1)
            for words, level, *limits in INTERVALS
        ]
    return Table((group.heading,), tuple(rows))


def _present(analysis: Analysis, column: str, words: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The levels of a code list that some treated patient has, in the order of the list."""
    found = set(analysis.adsl.loc[analysis.adsl["FASFL"] == "Y", column].dropna())
    return {code: label for code, label in words if code in found}


def _races(analysis: Analysis) -> dict[str, str]:
    """The single races in the order of their list, then every combination that was recorded."""
    single = dict(codes.RACE)
    found = set(analysis.adsl.loc[analysis.adsl["FASFL"] == "Y", "RACE"].dropna())
    several = {race: " and ".join(single.get(one, one) for one in race.split("; ")) for race in found if "; " in race}
    return _present(analysis, "RACE", codes.RACE) | dict(sorted(several.items()))


def _performance(groups: Sequence[Group]) -> list[Row]:
    grades = sorted({grade for group in groups for grade in group.adsl["ECOGBL"].dropna()})
    return level_rows("ECOG", groups, "ECOGBL", {int(grade): f"{grade:.0f}" for grade in grades})


def _prophylaxis(group: Group) -> list[Row]:
    """Prophylaxis of GVHD: a patient may have had several, so the rows do not add up to the column."""
    given = {
        str(patient): set(text.split("; ")) - {"UNKNOWN"}
        for patient, text in group.adsl["GVPX"].items()
        if isinstance(text, str)
    }
    answered = [patient for patient, kinds in given.items() if kinds]
    rows = [heading("GVHD prophylaxis (several may apply)")]
    for code, label in codes.GVHD_PROPHYLAXIS:
        had = [patient for patient, kinds in given.items() if code in kinds]
        if had:
            rows.append(count_row(label, (group,), "GVPX", those(had), level=code, among=those(answered), indent=1))
    return rows
