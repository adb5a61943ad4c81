"""A coordinator's way from consent to the first response, in a real browser at both widths; and the report that follows it.

The study is empty at first, so that each number of the report is one patient's.
"""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from patients.codes import CRITERION
from patients.laboratory_tests import TESTS, panel_of
from patients.models import InfusionInterval, MrdAssay, NormalRange
from safety.models import CytokineRelease
from tests.browser.coordinating import Answers, Coordinator, answers
from tests.cast import Cast
from trial.audit import recording
from trial.models import Query

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TODAY = date(2013, 4, 12)
# The days of the visits, as a coordinator types them: first dose on Monday 11 March, the marrow on day 30.
DAYS = {
    "SCR": "4mar2013",
    "C1D1": "11mar2013",
    "C1D2": "12mar2013",
    "C1D3": "13mar2013",
    "C1D8": "18mar2013",
    "C1D15": "25mar2013",
    "C1D22": "1apr2013",
    "C1EOC": "9apr2013",
}
NOTHING = ("MH", "CM", "TRF", "PR")  # the logs of a patient to whom little else happened
RESULTS = answers("""
    WBC      4.1
    NEUT     2.4
    LYM      0.9
    BLAST    0
    BLASTLE  0
    HGB      112
    PLAT     164
    ALT      31
    AST      28
    GGT      40
    ALP      80
    BILI     9
    CREAT    70
    URATE    240
    K        4.1
    SODIUM   139
    CA       2.3
    PHOS     1.1
    LDH      210
    ALB      40
    GLUC     5.4
    CRP      3
    INR      1.1
    APTT     30
    FIBRINO  3.1
    IGG      8
""")
CONSENT = answers("""
    consented_on                 1mar2013
    consent_version              1.0
    agrees_to_survival_follow_up yes
    agrees_to_samples            yes
    screened_on                  1mar2013
    cohort                       MAIN
""")
# The forms that belong to no visit, each record of a log in the order in which it is entered.
LOGS: dict[str, list[Answers]] = {
    "IE": [
        answers("""
            protocol_version    2.0
            qualifying_features RELAPSE <=12 MO AFTER ALLOHSCT
        """)
        | {f"IE.CRITERION.{code}-is_met": "yes" if code.startswith("IN") else "no" for code, _ in CRITERION}
    ],
    "DM": [
        answers("""
            born_on   17may1980
            sex       M
            races     WHITE
            ethnicity NOT REPORTED
        """)
    ],
    "ALLH": [
        answers("""
            diagnosed_on               feb2011
            immunophenotype            COMMON
            is_cd19_positive           yes
            cytogenetics               NORMAL
            philadelphia               NEGATIVE
            has_reached_cr             yes
            first_cr_on                apr2011
            relapses                   1
            first_relapse_on           20nov2012
            salvage_therapies          0
            status                     UNTREATED FIRST RELAPSE
            last_relapse_on            20nov2012
            had_extramedullary_disease no
            had_cns_disease            no
            had_neurologic_events      no
            had_cranial_irradiation    no
        """)
    ],
    "HSCT": [
        answers("""
            number                  1
            kind                    ALLOGENEIC
            transplanted_on         14may2012
            status                  CR1
            donor                   MATCHED SIBLING
            hla_match               10/10
            graft                   PBSC
            conditioning            MYELOABLATIVE
            had_lymphocyte_infusion no
            had_acute_gvhd          no
            had_chronic_gvhd        no
            active_gvhd             NONE
            is_immunosuppressed     no
            has_relapsed            yes
            relapsed_on             20nov2012
            relapse_site            MARROW
        """)
    ],
    "PTX": [
        answers("""
            kind                 INDUCTION
            timing_to_transplant BEFORE
            regimen              GMALL 07/2003
            started_on           feb2011
            ended_on             apr2012
            best_response        CR
            responded_on         apr2011
            relapsed_on          20nov2012
            is_blinatumomab      no
            is_cd19_directed     no
        """)
    ],
    "BDIS": [
        answers("""
            cytogenetics               NORMAL
            philadelphia               NEGATIVE
            cns_status                 CNS1
            has_extramedullary_disease no
            has_mrd_marker             yes
            may_live_12_weeks          yes
        """)
    ],
    "CYC": [
        answers("""
            kind           INDUCTION
            meets_criteria yes
        """)
    ],
    # nine micrograms for a week, the step to 28, an interruption of a day for the event, and on to the end
    "EX": [
        answers("""
            cycle           1
            started_at      11mar2013 10:00
            ended_at        18mar2013 10:00
            dose_ug_per_day 9
            change          START
        """),
        answers("""
            cycle           1
            started_at      18mar2013 10:00
            ended_at        19mar2013 08:00
            dose_ug_per_day 28
            change          STEP-UP
            change_reason   STEP-UP
        """),
        answers("""
            cycle           1
            started_at      19mar2013 08:00
            ended_at        20mar2013 08:00
            dose_ug_per_day 0
            change          INTERRUPTION
            change_reason   ADVERSE EVENT
            event_number    1
        """),
        answers("""
            cycle           1
            started_at      20mar2013 08:00
            ended_at        9apr2013 10:00
            dose_ug_per_day 28
            change          RESTART
            change_reason   PER PROTOCOL
        """),
    ],
    "DEX": [
        {"purpose": purpose, "given_at": at, "dose_mg": dose, "frequency": "ONCE", "route": "INTRAVENOUS"} | event
        for purpose, at, dose, event in (
            ("PREMEDICATION", "11mar2013 09:00", "20", {}),
            ("PREMEDICATION", "18mar2013 09:00", "20", {}),
            ("CRS TREATMENT", "18mar2013 22:00", "8", {"event_number": "1"}),
            ("PREMEDICATION", "20mar2013 07:00", "20", {}),
        )
    ],
    "HO": [
        answers("""
            admitted_on   11mar2013
            discharged_on 20mar2013
            reason        PROTOCOL-REQUIRED
        """)
    ],
    "AE": [
        answers("""
            term               Cytokine release syndrome
            started            18mar2013
            is_ongoing         no
            ended              20mar2013
            grade              2
            is_serious         no
            relation           RELATED
            action             DRUG INTERRUPTED
            other_actions      MEDICATION
            outcome            RECOVERED/RESOLVED
            is_treated         yes
            special_interest   CRS
            was_present_before no
        """)
    ],
}
DETAIL_OF_THE_EVENT = answers("""
    temperature_c    39.2
    had_hypotension  no
    vasopressor      NONE
    oxygen           NONE
    organs           NONE
    fever_is_masked  no
    treatments       ANTIPYRETIC; STEROID
    stopped_infusion yes
""")
VISITS: dict[str, Answers] = {
    "SV": answers("""
        visited_on day
        contact    ON SITE
        is_missed  no
    """),
    "PS": answers("""
        assessed_on      day
        ecog             1
        weight_kg        71.5
        did_writing_test no
    """),
    "VS": answers("""
        measured_at       day 07:30
        time_point        PRE-DOSE
        temperature_c     36.8
        systolic_mmhg     124
        diastolic_mmhg    78
        heart_rate        72
        oxygen_saturation 98
        oxygen            NONE
        vasopressor       NONE
    """),
    "BM": answers("""
        sampled_on     day
        reader         CENTRAL
        specimens      ASPIRATE
        is_adequate    yes
        cellularity    NORMOCELLULAR
        blasts_percent 80
    """),
    "EMD": answers("""
        assessed_on day
        methods     EXAM
        status      NO EVIDENCE
    """),
    "MRD": answers("""
        marrow      last
        method      PCR IG/TR
        laboratory  CENTRAL-MRD
        sensitivity 0.00001
        result      NEGATIVE
    """),
    "RS": answers("""
        assessed_on    day
        cycle          1
        assessor       LOCAL
        marrow         last
        count          last
        extramedullary last
        response       CR
    """),
    "GVA": answers("""
        assessed_on day
        has_signs   no
    """),
    "GVC": answers("""
        assessed_on day
        has_signs   no
    """),
}
CHANGED = {
    ("VS", "C1D8"): {"temperature_c": "39.2"},  # the fever that is asked about
    ("BM", "C1EOC"): {"blasts_percent": "2"},
}


def at_visit(form: str, visit: str) -> Answers:
    """What is answered at a visit."""
    if form in ("LBH", "LBC", "LBO"):
        results = {
            f"{form}.RESULT.{test.code}-value_text": RESULTS[test.code] for test in panel_of(form) if test.required
        }
        usual = {"taken_at": "day 07:30", "laboratory": "LAB-012"} | results
    else:
        usual = VISITS[form] | CHANGED.get((form, visit), {})
    return {name: re.sub(r"^day\b", DAYS[visit], typed) for name, typed in usual.items()}


def enter_all_that_is_expected(desk: Coordinator) -> list[tuple[str, str]]:
    """Answer the form that is open and each that opens next, until no more is expected; give the forms in their order."""
    entered = []
    while desk.where not in entered and desk.where[1]:
        form, visit = desk.where
        entered.append((form, visit))
        if form in NOTHING:
            desk.says_there_is_nothing()
        elif visit == "LOG":
            *others, last = LOGS[form]
            for row in others:
                desk.answer(row)
                desk.save_and_add_another()
            desk.answer(last)
            desk.save_and_go_on()
        else:
            desk.answer(at_visit(form, visit))
            desk.save_and_go_on()
    return entered


@pytest.fixture
def report(page: Page, live_server: LiveServer) -> Callable[[str], dict[str, str]]:
    """The numbers of an output of the report in its first column, by the words of their row: `report("T-4.1")`."""

    def shown(number: str) -> dict[str, str]:
        page.goto(f"{live_server.url}/MT103-211/report/{number}/")
        heads, *rows = page.locator(".results tr").evaluate_all(
            "rows => rows.map(row => [...row.cells].slice(0, 2).map(cell => cell.innerText.trim()))"
        )
        found = {"patients": heads[1]}
        for label, *numbers in rows:
            found.setdefault(label, "".join(numbers))  # below the first heading, where labels come again
        return found

    return shown


@pytest.fixture
def study_of_2013(cast: Cast) -> None:
    """The study on a day of the past, and a laboratory that has told its normal ranges."""
    with recording(by=cast["data manager"], reason="The study begins.", study=cast.study):
        cast.study.today = TODAY
        cast.study.save()
        NormalRange.objects.bulk_create(
            NormalRange(
                site=cast.here,
                laboratory="LAB-012",
                test=code,
                unit=TESTS[code].unit,
                low=Decimal(typed) / 2,
                high=Decimal(typed) * 2 + 1,
                valid_from=date(2010, 1, 1),
            )
            for code, typed in RESULTS.items()
        )


@pytest.mark.usefixtures("study_of_2013")
@pytest.mark.parametrize("width", [1360, 390])
def test_a_coordinator_enters_a_patient_from_consent_to_response_and_the_report_follows(
    width: int,
    page: Page,
    live_server: LiveServer,
    sign_in: Callable[[User], None],
    cast: Cast,
    report: Callable[[str], dict[str, str]],
):
    sign_in(cast["coordinator"])
    page.set_viewport_size({"width": width, "height": 900})
    desk = Coordinator(page)
    before = report("T-4.1")

    # Consent and screening
    page.goto(f"{live_server.url}/MT103-211/patients/")
    page.get_by_role("link", name="Enrol a patient").click()
    desk.answer(CONSENT)
    page.get_by_role("button", name="Give a number").click()
    expect(page.get_by_text("The patient has the number SYN-012-001.")).to_be_visible()
    grid = page.url
    page.get_by_role("link", name="Enter the next form").click()
    screening = enter_all_that_is_expected(desk)
    page.goto(grid)
    page.get_by_role("link", name="Enrolment and consent", exact=True).click()
    desk.answer({"is_enrolled": "yes", "enrolled_on": "8mar2013"})
    desk.save()
    screened = report("T-4.1")

    # Cycle 1: the infusion, and all that is asked for because of it, to the marrow at its end
    page.goto(grid)
    page.get_by_role("link", name="Enter the first infusion").click()
    for interval in LOGS["EX"]:
        desk.answer(interval)
        desk.save_and_add_another()
    page.goto(grid)
    page.get_by_role("link", name="Enter the next form").click()
    treatment = enter_all_that_is_expected(desk)

    # The event has a form of its own
    page.goto(grid)
    page.get_by_role("link", name="Adverse event", exact=True).click()
    expect(page.get_by_text("The event is of special interest. Fill in its form: CRS.")).to_be_visible()
    page.get_by_role("link", name="Enter CRS detail").click()
    desk.answer(DETAIL_OF_THE_EVENT)
    desk.save()

    # The day's work: one question is left, and answered on its form
    page.goto(f"{live_server.url}/MT103-211/today/")
    expect(page.locator(".count")).to_have_text("1 asked. Oldest first.")
    page.get_by_role("link", name="Vital signs").click()
    expect(page.get_by_text("Temperature 39.2 °C is above 37.9.")).to_be_visible()
    page.get_by_label("If it is right as it is, say why").fill("The fever of the event of 18 March.")
    desk.save()
    page.goto(f"{live_server.url}/MT103-211/today/")
    expect(page.get_by_text("No form is due, none is overdue, and no question waits for an answer.")).to_be_visible()

    # What was entered is complete, and nothing but the answered question was left behind
    page.goto(grid)
    words = page.locator(".visit-grid tbody td a").all_inner_texts()
    assert len(screening) == 18
    assert [visit for form, visit in treatment if form == "SV"] == list(DAYS)[1:]
    assert len(words) == len([visit for _, visit in (*screening, *treatment) if visit != "LOG"])
    assert {word.strip() for word in words} == {"Complete"}
    doses = InfusionInterval.objects.order_by("started_at").values_list("dose_ug_per_day", flat=True)
    assert list(doses) == [9, 28, 0, 28]
    assert (CytokineRelease.objects.get().event.grade, MrdAssay.objects.get().result) == (2, "NEGATIVE")
    left = Query.objects.exclude(state="closed").values_list("check_code", "state", "answer")
    assert list(left) == [("SL-VS.TEMP", "answered", "The fever of the event of 18 March.")]

    # The report counts the patient: screened is not treated yet
    assert before["patients"] == screened["patients"] == "Prior alloHSCT (N=0)"
    assert before["CR/CRh"] == screened["CR/CRh"] == "0/0"
    response, residual, events, release = map(report, ("T-4.1", "T-4.3", "T-6.1", "T-6.5"))
    assert response["patients"] == "Prior alloHSCT (N=1)"
    assert response["CR/CRh"] == response["CR"] == "1/1 (100.0 %)"
    assert response["CRh"] == "0/1 (0.0 %)"
    assert events["Leading to interruption"] == events["Grade 2"] == "1/1 (100.0 %)"
    assert events["Grade 3 or more"] == "0/1 (0.0 %)"
    assert residual["MRD response (below 1e-4)"] == "1/1 (100.0 %)"
    assert release["Any cytokine release syndrome"] == "1/1 (100.0 %)"
