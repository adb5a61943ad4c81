"""Every edit check fires on a demo patient whose casebook was changed, and was silent on that patient before.

The patients are those of the small demo. A change is tried on each of them in turn, because not everybody has every form.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from statistics import median

import pytest

from analysis.demo.build import plan_study
from analysis.demo.write import write_study
from patients.anchors import as_partial, baseline_marrow, doses, first_dose_on, last_before_first_dose
from patients.checking import casebook_for, edit_checks
from patients.edit_checks import CHECKS
from tests.casebooks import row
from trial.edit_checks import Casebook, Record, Severity, find
from trial.models import Patient, Study
from trial.partial_dates import parse

Change = Callable[[Casebook], Casebook]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def put(book: Casebook, form: str, *records: Record) -> Casebook:
    """The casebook with these records of a form and no others."""
    return replace(book, records={**book.records, form: list(records)})


def without(book: Casebook, *forms: str) -> Casebook:
    """The casebook without these forms."""
    return replace(book, records={form: rows for form, rows in book.records.items() if form not in forms})


def change(book: Casebook, form: str, where=None, **answers) -> Casebook:
    """The casebook with other answers in the first record of a form that fits; a patient without one cannot be changed."""
    found = next((record for record in book.all(form) if where is None or where(record)), None)
    if found is None:
        raise LookupError(form)
    new = replace(found, answers={**found.answers, **answers})
    return put(book, form, *(new if record is found else record for record in book.all(form)))


def change_all(book: Casebook, form: str, where=None, **answers) -> Casebook:
    """The casebook with other answers in every record of a form that fits."""
    for record in book.all(form):
        if where is None or where(record):
            book = change(book, form, lambda each, key=record.key: each.key == key, **answers)
    return book


def result(book: Casebook, form: str, where=None, **values) -> Casebook:
    """The casebook with other results in the first sample of a form that fits: value, or (value, unit, upper limit)."""
    new = {}
    for test, given in values.items():
        value, unit, high = given if isinstance(given, tuple) else (given, "", 20)
        new[test] = row(f"{form}.RESULT", test=test, value=value, value_text=str(value), unit_text=unit, high=high)
    return change(book, form, where, **new)


def results(book: Casebook, form: str, where=None, **values) -> Casebook:
    """The same in every sample that fits."""
    for record in book.all(form):
        if where is None or where(record):
            book = result(book, form, lambda each, key=record.key: each.key == key, **values)
    return book


def at(visit: str) -> Callable[[Record], bool]:
    return lambda record: record.visit == visit


def fd(book: Casebook, days: int = 0) -> date:
    """The day so many days after the first dose."""
    first = first_dose_on(book)
    if first is None:
        raise LookupError("EX")
    return first + days * DAY


def pd(book: Casebook, days: int = 0):
    return as_partial(fd(book, days))


def infusion(book: Casebook, number: int, *, cycle: int = 1) -> Record:
    """The n-th interval with a dose of a cycle."""
    return [record for record in doses(book) if record.cycle == cycle][number]


def infused(book: Casebook, number: int, *, cycle: int = 1, **answers) -> Casebook:
    key = infusion(book, number, cycle=cycle).key
    return change(book, "EX", lambda record: record.key == key, **answers)


def start_later(book: Casebook, number: int, by: timedelta, *, cycle: int = 1, **answers) -> Casebook:
    start = infusion(book, number, cycle=cycle).started_at + by
    return infused(book, number, cycle=cycle, started_at=start, started_on=start.date(), **answers)


def end_later(book: Casebook, number: int, by: timedelta) -> Casebook:
    end = infusion(book, number).ended_at + by
    return infused(book, number, ended_at=end, ended_on=end.date())


def of_baseline(book: Casebook) -> Callable[[Record], bool]:
    marrow = baseline_marrow(book)
    if marrow is None:
        raise LookupError("BM")
    return lambda record: record.sampled_on == marrow.sampled_on


def assessed(book: Casebook, response: str, **answers) -> Casebook:
    """The casebook with another response of an assessment that names its marrow and its count."""
    used = {"response": response, "adjudicated_response": None, **answers}
    return change(book, "RS", lambda record: record.marrow_id and record.count_id, **used)


def count_of(book: Casebook) -> Callable[[Record], bool]:
    assessment = next(record for record in book.all("RS") if record.count_id)
    return lambda record: record.key == assessment.count_id


def neuro(book: Casebook, *, grade: int = 3, resolved=None, seizures: int | None = None) -> Casebook:
    """The casebook with one neurologic event, which began the day after the first dose."""
    event = row("AE", number=1, started=fd(book, 1).isoformat(), grade=grade, special_interest=["NEUROLOGIC"])
    detail = row("NEU", event_id=event.key, resolved=resolved, seizures_to_date=seizures)
    return put(put(book, "AE", event), "NEU", detail)


def dead(book: Casebook, day: str, **answers) -> Casebook:
    return put(book, "DTH", row("DTH", died_on=day, **answers))


def signs(book: Casebook, **answers) -> Casebook:
    """Signatures come with monitoring."""
    return put(book, "SIGN", *([Record("SIGN", 1, 1, "LOG", answers)] if answers else []))


def qualified(book: Casebook, feature: str, **history) -> Casebook:
    return change(change(book, "IE", qualifying_features=[feature]), "ALLH", **history)


def graft(book: Casebook, **answers) -> Casebook:
    return change(book, "HSCT", **answers)


def last_graft(book: Casebook, **answers) -> Casebook:
    last = max((record for record in book.all("HSCT")), key=lambda record: record.transplanted_on.latest, default=None)
    return change(book, "HSCT", lambda record: record is last, **answers)


def same_line(book: Casebook) -> Casebook:
    first = book.one("PTX")
    if first is None:
        raise LookupError("PTX")
    dates = {"started_on": first.started_on, "ended_on": first.ended_on}
    return change(book, "PTX", lambda record: record.line == 2, kind="SALVAGE", **dates)


def first(book: Casebook, form: str) -> Record:
    """The first record of a form; a patient without one is no example."""
    found = book.one(form)
    if found is None:
        raise LookupError(form)
    return found


def consented_earlier(book: Casebook) -> Casebook:
    """The casebook with a later consent that was signed before the first."""
    found = first(book, "ENR")
    early = row("ENR.CONSENT", consented_on=found.consented_on - timedelta(days=1))
    return put(book, "ENR", replace(found, rows={"ENR.CONSENT": [early]}))


def criterion(book: Casebook) -> Casebook:
    sheet = first(book, "IE")
    rows = [replace(each, answers={**each.answers, "is_met": False}) for each in sheet.rows["IE.CRITERION"][:1]]
    return put(book, "IE", replace(sheet, rows={"IE.CRITERION": rows}))


def moved(book: Casebook, form: str, visit: str, name: str, days: int) -> Casebook:
    """The casebook with one date of a visit's form so many days later."""
    found = next((record for record in book.all(form) if record.visit == visit), None)
    if found is None:
        raise LookupError(form)
    return change(book, form, at(visit), **{name: getattr(found, name) + days * DAY})


def without_range(book: Casebook) -> Casebook:
    sample = first(book, "LBH")
    rows = [row("LBH.RESULT", test="NEUT", value=1, value_text="1")]
    return put(book, "LBH", replace(sample, rows={"LBH.RESULT": rows}))


def excluded(book: Casebook) -> Casebook:
    last = last_before_first_dose(book, "LBC")
    return result(book, "LBC", lambda record: last is not None and record.key == last.key, ALT=(900, "U/L", 40))


# What is changed in a patient's casebook, so that the check must ask.
CHANGES: dict[str, Change] = {
    "EC-001": lambda b: change(b, "ENR", consented_on=fd(b, 1)),
    "EC-002": lambda b: change(b, "ENR", enrolled_on=fd(b, -200)),
    "EC-003": lambda b: change(b, "DM", born_on=parse("2000-01-01")),
    "EC-004": lambda b: change(b, "DM", born_on=parse("1920-01-01")),
    "EC-005": criterion,
    "EC-006": lambda b: without(change(b, "IE", has_waiver=True), "DV"),
    "EC-007": lambda b: change(b, "ENR", is_enrolled=False),
    "EC-008": lambda b: without(change(b, "IE", qualifying_features=["RELAPSE <=12 MO AFTER ALLOHSCT"]), "HSCT"),
    "EC-009": lambda b: qualified(b, "PRIMARY REFRACTORY", has_reached_cr=True),
    "EC-010": lambda b: qualified(b, "FIRST RELAPSE <=12 MO", relapses=3),
    "EC-011": lambda b: qualified(b, ">= SECOND SALVAGE", salvage_therapies=0),
    "EC-013": lambda b: change(b, "DM", may_become_pregnant=True, pregnancy_test="POS"),
    "EC-014": lambda b: change(b, "ENR", consented_on=fd(b, -40)),
    "EC-015": signs,
    "EC-016": lambda b: change(b, "ENR", cohort="ADDITIONAL"),
    "EC-017": lambda b: change(b, "ALLH", diagnosed_on=pd(b, 1)),
    "EC-021": lambda b: change(b, "DM", born_on=pd(b)),
    "EC-022": lambda b: change(b, "ALLH", lambda record: record.first_cr_on, has_reached_cr=False),
    "EC-023": lambda b: change(b, "ALLH", salvage_therapies=14),
    "EC-025": same_line,
    "EC-026": lambda b: change(b, "PTX", ended_on=pd(b, -5)),
    "EC-027": lambda b: change(b, "PTX", is_blinatumomab=True),
    "EC-029": lambda b: graft(b, transplanted_on=pd(b)),
    "EC-030": lambda b: graft(b, transplanted_on=pd(b, -30), kind="ALLOGENEIC"),
    "EC-031": lambda b: graft(b, transplanted_on=pd(b, -30), kind="AUTOLOGOUS"),
    "EC-033": lambda b: last_graft(b, has_relapsed=False, kind="ALLOGENEIC"),
    "EC-034": lambda b: graft(b, kind="ALLOGENEIC", donor=None),
    "EC-035": lambda b: graft(b, donor="CORD BLOOD", graft="PBSC"),
    "EC-036": lambda b: graft(b, donor="MATCHED SIBLING", hla_match="8/10"),
    "EC-037": lambda b: graft(b, had_acute_gvhd=True, acute_gvhd_grade=None),
    "EC-038": lambda b: graft(b, active_gvhd="CHRONIC"),
    "EC-039": lambda b: graft(b, is_immunosuppressed=True),
    "EC-040": lambda b: graft(b, last_lymphocyte_infusion_on=pd(b, -5)),
    "EC-041": lambda b: graft(b, relapsed_on=pd(b, 5)),
    "EC-042": lambda b: graft(b, number=4),
    "EC-043": lambda b: change(b, "ALLH", last_relapse_on=parse("2001-01-01")),
    "EC-044": lambda b: graft(b, conditioning="REDUCED INTENSITY", tbi=">=8 Gy"),
    "EC-045": lambda b: graft(
        change_all(b, "BM", of_baseline(b), blasts_percent=90),
        chimerism_percent=99,
        chimerism_on=as_partial(baseline_marrow(b).sampled_on),
    ),
    "EC-050": lambda b: change_all(b, "BM", of_baseline(b), blasts_percent=3),
    "EC-051": lambda b: change(b, "BDIS", philadelphia="POSITIVE"),
    "EC-052": lambda b: change(b, "BDIS", cns_status="CNS3"),
    "EC-053": lambda b: change(b, "BDIS", has_extramedullary_disease=True, extramedullary_sites=None),
    "EC-054": lambda b: change_all(b, "BM", of_baseline(b), sampled_on=fd(b, -60)),
    "EC-055": lambda b: without(change_all(b, "BM", of_baseline(b), blasts_percent=90), "DEX"),
    "EC-056": lambda b: change(b, "PS", at("SCR"), ecog=3),
    "EC-057": excluded,
    "EC-058": lambda b: change(
        change(b, "BDIS", has_extramedullary_disease=True), "ALLH", had_extramedullary_disease=False
    ),
    "EC-060": lambda b: moved(b, "SV", "C1D8", "visited_on", 4),
    "EC-061": lambda b: moved(b, "SV", "C1D1", "visited_on", 1),
    "EC-062": lambda b: dead(b, fd(b).isoformat()),
    "EC-063": lambda b: moved(b, "LBH", "C1D8", "taken_on", 5),
    "EC-064": lambda b: result(b, "LBH", NEUT=150),
    "EC-065": lambda b: result(b, "LBH", HGB=(11, "g/L", 175)),
    "EC-066": lambda b: result(b, "LBH", PLAT=0),
    "EC-067": lambda b: result(b, "LBC", BILI=(1, "µmol/L", 21)),
    "EC-068": lambda b: result(b, "LBC", CREAT=1),
    "EC-069": lambda b: result(b, "LBC", BILDIR=900),
    "EC-070": lambda b: without(result(b, "LBH", at("C1D3"), HGB=200), "TRF"),
    "EC-071": lambda b: without(result(b, "LBH", at("C1D3"), PLAT=900), "TRF"),
    "EC-072": lambda b: without(
        results(results(b, "LBH", NEUT=0), "LBH", lambda record: record.taken_on <= fd(b), NEUT=3), "AE"
    ),
    "EC-073": lambda b: without(result(b, "LBC", at("C1D2"), ALT=(900, "U/L", 40)), "AE"),
    "EC-074": lambda b: result(b, "LBC", ALT=(900, "U/L", 40), BILI=(90, "µmol/L", 20), ALP=(90, "U/L", 90)),
    "EC-075": lambda b: without(
        result(assessed(b, "CR", assessed_on=fd(b)), "LBH", lambda record: record.taken_on > fd(b), BLASTLE=5), "REL"
    ),
    "EC-076": without_range,
    "EC-078": lambda b: without(change(b, "VS", at("C1D2"), temperature_c=39), "AE"),
    "EC-079": lambda b: without(change(b, "VS", vasopressor="ONE VASOPRESSOR"), "AE"),
    "EC-080": lambda b: without(change(b, "PS", writing="UNABLE"), "NEU"),
    "EC-081": lambda b: without(change(b, "PS", ecog=5), "DTH"),
    "EC-082": lambda b: change_all(b, "PS", weight_kg=40),
    "EC-083": lambda b: result(b, "LBC", UREA=(30, "mg/dL", 50)),
    "EC-085": lambda b: without(b, "BM"),
    "EC-086": lambda b: change_all(assessed(b, "CR"), "BM", is_adequate=False),
    "EC-087": lambda b: without(assessed(b, "CR"), "LBH"),
    "EC-088": lambda b: assessed(b, "PD"),
    "EC-089": lambda b: change_all(assessed(b, "CR"), "BM", blasts_percent=50),
    "EC-090": lambda b: result(assessed(b, "CR"), "LBH", count_of(b), NEUT=1, PLAT=300),
    "EC-091": lambda b: result(assessed(b, "CRh"), "LBH", count_of(b), NEUT=5, PLAT=50),
    "EC-092": lambda b: result(assessed(b, "CRh"), "LBH", count_of(b), NEUT=5, PLAT=300),
    "EC-093": lambda b: change_all(assessed(b, "CR"), "EMD", status="NEW LESION"),
    "EC-094": lambda b: put(
        assessed(b, "CR"), "TRF", *(row("TRF", product="PLATELETS", given_on=s.taken_on) for s in b.all("LBH"))
    ),
    "EC-095": lambda b: put(b, "TRF", *(row("TRF", product="G-CSF", given_on=s.taken_on) for s in b.all("LBH"))),
    "EC-096": lambda b: change_all(b, "RS", cycle=3),
    "EC-097": lambda b: change(b, "MRD", result="NEGATIVE", sensitivity=1e-2),
    "EC-098": lambda b: change(b, "MRD", result="POSITIVE QUANTIFIED", level=None),
    "EC-099": lambda b: change(b, "MRD", level=0.9),
    "EC-100": lambda b: change_all(change_all(b, "MRD", result="NEGATIVE", sensitivity=1e-5), "BM", blasts_percent=50),
    "EC-101": lambda b: change(b, "REL", relapsed_on=pd(b)),
    "EC-102": lambda b: change(b, "REL", site="MOLECULAR ONLY", evidence=["BM BLASTS >5 %"]),
    "EC-103": lambda b: without(assessed(b, "RELAPSE"), "REL"),
    "EC-104": lambda b: change(change(b, "MRD", result="NEGATIVE"), "BDIS", has_mrd_marker=False),
    "EC-111": lambda b: start_later(b, 1, 5 * HOUR),
    "EC-112": lambda b: without(start_later(b, 1, 5 * HOUR), "DEX"),
    "EC-113": lambda b: without(b, "DEX"),
    "EC-114": lambda b: infused(b, 0, dose_ug_per_day=28),
    "EC-115": lambda b: end_later(b, 0, 5 * DAY),
    "EC-116": lambda b: infused(b, 0, cycle=2, dose_ug_per_day=9),
    "EC-117": lambda b: end_later(b, 0, -3 * DAY),
    "EC-118": lambda b: start_later(b, 1, 8 * DAY, change_reason="ADVERSE EVENT"),
    "EC-119": lambda b: change(b, "CYC", number=7, kind="CONSOLIDATION"),
    "EC-120": lambda b: end_later(b, 1, 30 * DAY),
    "EC-121": lambda b: start_later(b, 0, 40 * DAY, cycle=2),
    "EC-122": lambda b: without(change(b, "CYC", kind="CONSOLIDATION"), "RS"),
    "EC-123": lambda b: change(b, "EX", change_reason="ADVERSE EVENT", event_number=None),
    "EC-124": lambda b: dead(b, fd(b).isoformat()),
    "EC-126": lambda b: change_all(change(b, "EOT", reason="ADVERSE EVENT"), "AE", action="DOSE NOT CHANGED"),
    "EC-127": lambda b: change(b, "AE", action="DRUG WITHDRAWN", started=pd(b)),
    "EC-128": lambda b: neuro(b, grade=4),
    "EC-129": lambda b: neuro(b, seizures=2),
    "EC-130": lambda b: neuro(b),
    "EC-131": lambda b: neuro(b, resolved=fd(b, 20).isoformat()),
    "EC-132": lambda b: without(b, "HO"),
    "EC-133": lambda b: put(
        b, "DEX", row("DEX", dose_mg=40, frequency="QID", given_at=f"{fd(b)}T09:00", last_day=fd(b, 9).isoformat())
    ),
    "EC-134": lambda b: put(b, "CM", row("CM", drug="X", category="ANTICANCER", started=fd(b, 1).isoformat())),
    "EC-135": lambda b: put(b, "CM", row("CM", drug="X", category="IMMUNOSUPPRESSANT", started=fd(b, 1).isoformat())),
    "EC-190": lambda b: dead(change_all(b, "SFU", status="ALIVE WITH DISEASE"), fd(b).isoformat()),
    "EC-192": lambda b: dead(b, fd(b).isoformat()),
    "EC-193": lambda b: replace(without(b, "SFU", "DTH", "EOS"), asked_on=date(2016, 12, 31)),
    "EC-194": lambda b: without(dead(b, "2015-01-01", primary_cause="GVHD"), "HSCT", "NSCT"),
    "EC-195": lambda b: without(
        put(dead(b, "2015-01-01", disease="REMISSION"), "REL", row("REL", relapsed_on="2014-12-01", site="MARROW")),
        *("RS", "SFU", "NTX", "NSCT"),
    ),
    "EC-196": lambda b: without(change(b, "EOS", reason="DEATH"), "DTH"),
    "EC-197": lambda b: without(change(b, "NSCT", status="CR/CRh AFTER BLINATUMOMAB"), "RS"),
    "EC-198": lambda b: change(b, "NSCT", number_in_life=5),
    "EC-199": lambda b: change(b, "NTX", started_on=pd(b), kind="CHEMOTHERAPY"),
    "EC-200": lambda b: without(change_all(change(b, "NTX", reason="RELAPSE"), "RS", response="CR"), "REL"),
    "EC-201": lambda b: without(b, "EOT"),
    "EC-202": lambda b: dead(b, fd(b, 365).isoformat()[:7]),
    "EC-203": lambda b: put(b, "DV", row("DV", importance="MAJOR")),
    "EC-204": lambda b: signs(b, scope="CASEBOOK", is_void=True),
    "EC-205": lambda b: without(change(b, "SFU", disease="RELAPSE"), "REL"),
    "EC-206": lambda b: without(dead(b, "2015-01-01", disease="RELAPSED"), "REL"),
    "SL-ENR.RFICDAT": lambda b: change(b, "ENR", consented_on=date(1916, 3, 1)),
    "SL-CONSENT.RFICDAT": consented_earlier,
    "SL-WDR.WDDAT": lambda b: put(b, "WDR", row("WDR", withdrawn_on=date(2011, 1, 1))),
    "SL-ALLH.CR1DUR": lambda b: change(
        b, "ALLH", first_cr_on=parse("2001-01-01"), first_relapse_on=parse("2011-01-01")
    ),
    "SL-HSCT.ENGRDAT": lambda b: graft(b, transplanted_on=parse("2010-01-01"), engrafted_on=parse("2010-04-01")),
    "SL-PS.WEIGHT.CHANGE": lambda b: change(b, "PS", at("C1D8"), weight_kg=200),
    "SL-LBH.BLAST": lambda b: without(
        result(assessed(b, "CR", assessed_on=fd(b)), "LBH", lambda record: record.taken_on > fd(b), BLAST=5, BLASTLE=0),
        "REL",
    ),
    "SL-EX.EXDOSE": lambda b: infused(b, 0, dose_ug_per_day=15),
    "SL-DEX.DEXDOSE": lambda b: change(b, "DEX", lambda record: record.purpose == "PREMEDICATION", dose_mg=8),
    "SL-HO.HODISDAT": lambda b: change(b, "HO", admitted_on=pd(b), discharged_on=pd(b, 91)),
    "SL-DTH.DTHDAT": lambda b: without(dead(b, "2016-11-30"), "SFU"),
}


@pytest.fixture(scope="module")
def books(demo_of_the_module: Study, django_db_blocker) -> list[Casebook]:
    """The casebooks of the patients of the small demo."""
    with django_db_blocker.unblock():
        return [casebook_for(patient, edit_checks()) for patient in Patient.objects.filter(study=demo_of_the_module)]


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("code", CHANGES)
def test_a_check_fires_on_a_changed_demo_patient_and_not_on_the_clean_one(books, code):
    checks = [check for check in CHECKS if check.code == code]
    asked = []
    for clean in books:
        try:
            changed = CHANGES[code](clean)
        except LookupError:
            continue  # this patient has no such record
        if not find(checks, clean):
            asked += find(checks, changed)

    assert asked
    assert {found.check.code for found in asked} == {code}


def test_every_check_has_its_change_but_what_the_database_refuses():
    asking = {check.code for check in CHECKS if check.severity != Severity.HARD}

    assert set(CHANGES) == asking


@pytest.mark.slow
@pytest.mark.django_db
def test_the_demo_finds_little():
    study = write_study(plan_study(1, 60), label="Sixty patients for a test.")

    found = [
        find(edit_checks(), casebook_for(patient, edit_checks())) for patient in Patient.objects.filter(study=study)
    ]

    errors = Counter(each.check.code for of_patient in found for each in of_patient if each.severity == Severity.ERROR)
    assert median(map(len, found)) <= 3
    assert sum(errors.values()) <= len(found) / 10, errors
