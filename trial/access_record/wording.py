"""The access record in words: `Read the form AE of SYN-012-001`. What a page's name stands for is said here, once."""

from collections.abc import Sequence
from dataclasses import dataclass

from trial.access_record.models import AccessEvent, AccessKind

# What each page, call and command shows, by the name that the event keeps. {what} is what the address said beside the
# study and the patient, {first} its first word. Names stay when a page goes: its events are still read.
PAGES = {
    "patient-list": "the list of patients",
    "patient-list-csv": "the list of patients as CSV",
    "patient": "the casebook",
    "patient-grid": "the visits",
    "patient-story": "the story",
    "patient-screen-again": "the page that screens the patient again",
    "patient-transfer": "the page that transfers the patient",
    "casebook-pdf": "the casebook as PDF",
    "blank-casebook": "the empty forms with the number",
    "study-blank-casebook": "the empty forms",
    "grid": "the visits of patients",
    "today": "what is to be done",
    "enrol": "the form that enrols a patient",
    "queries": "the queries",
    "queries-answer-all": "the list on which an answer to several queries was refused",
    "queries-decide-all": "the list on which a decision about several queries was refused",
    "queries-ask-all": "the list on which a question about several places was refused",
    "queries-run": "a query to go through",
    "queries-figures": "the figures about queries",
    "queries-figures-csv": "the figures about queries as CSV",
    "query": "the query {what}",
    "query-ask": "the page on which a query is asked",
    "query-answer": "the query {what}, of which an answer was refused",
    "query-decide": "the query {what}, of which a decision was refused",
    "queries-answer": "the list on which an answer to a query was refused",
    "form": "the form {what}",
    "record": "the record {what}",
    "record-history": "the history of the record {what}",
    "entry": "the page that changes the record {what}",
    "entry-new": "the page that fills the form {what}",
    "entry-without": "the page that leaves the form {what} empty",
    "entry-draft": "the draft of the form {what}",
    "entry-remove": "the page that removes the record {what}",
    "entry-move": "the page that moves the record {what}",
    "entry-version": "the page that brings the record {what} to another version of its form",
    "patient-access": "the accounting of who saw the data",
    "patient-access-csv": "the accounting of who saw the data as CSV",
    "changes": "the changes",
    "changes-csv": "the changes as CSV",
    "changes-act": "the changes of act {what}",
    "report": "the report",
    "report-output": "the output {what}",
    "report-patients": "the patients behind a number of {first}",
    "report-figure-json": "a figure of {first}",
    "report-figure-svg": "a figure of {first}",
    "report-export": "the datasets {what}",
    "search": "the answers of the search",
    "access": "the access record",
    "access-csv": "the access record as CSV",
    "access-event": "event {what} of the access record",
    "access-people": "who could see what",
    "access-people-csv": "who could see what as CSV",
    "people": "the list of people",
    "people-csv": "the list of people as CSV",
    "people-invite": "the form that invites a person",
    "people-add": "the form that gives a known person a role",
    "people-review": "the list of people, to confirm it",
    "people-reviews": "the reviews of access",
    "person": "the access of person {what}",
    "person-role-add": "the form that gives person {what} a role",
    "person-role-end": "the form that ends a role of person {first}",
    "person-role-dates": "the form that changes the dates of a role of person {first}",
    "person-disable": "the form that disables person {what}",
    "person-enable": "the form that enables person {what}",
    "person-link": "the form that makes a password link for person {what}",
    "person-factor": "the form that removes a second factor of person {what}",
    "api-report": "the report",
    "export_trail command": "the audit trail {what}",
    "export command": "the datasets {what}",
    "report command": "the report {what}",
    "print_casebook command": "the file {what}",
}
BEFORE_IT_LEAVES = {"report-export": "the form that takes datasets away"}  # a page to read, until a file is taken
OF_A_PATIENT = {
    *("patient", "form", "record", "record-history", "patient-access", "patient-access-csv"),
    *("casebook-pdf", "blank-casebook", "query", "query-ask", "query-answer", "query-decide"),
    *("patient-grid", "patient-story", "entry", "entry-new", "entry-without", "entry-draft", "entry-remove"),
    *("entry-version", "entry-move", "patient-transfer", "patient-screen-again"),
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """One event in words, cut where the patients stand so that a page can lead to them; `whose` may be empty."""

    before: str
    whose: str
    after: str

    def __str__(self) -> str:
        return " ".join(part for part in (self.before, self.whose) if part) + self.after


def word_page(page: str, what: str = "") -> str:
    """What the page shows. A page that is not known any more is called by its name."""
    words = PAGES.get(page, f"the page {page}" if page else "")
    return words.format(what=what, first=what.split(" ", 1)[0]).strip()


def word_event(event: AccessEvent, numbers: Sequence[str]) -> Sentence:
    """One event in words, with the numbers of those of its patients whom the reader may see."""
    did = AccessKind(event.kind).label if event.kind in AccessKind.values else event.kind.capitalize()
    if event.kind not in (AccessKind.READ, AccessKind.EXPORTED):
        return Sentence(f"{did}: {event.what}" if event.what else did, "", "")
    whose = numbers[0] if len(numbers) == 1 else f"{len(numbers)} patients" if numbers else ""
    joined = " of" if event.page in OF_A_PATIENT or event.kind == AccessKind.EXPORTED else ":"
    page = BEFORE_IT_LEAVES.get(event.page) if event.kind == AccessKind.READ else None
    return Sentence(
        f"{did} {page or word_page(event.page, event.what)}{joined if whose else ''}", whose, _purpose(event)
    )


def _purpose(event: AccessEvent) -> str:
    recipient = f", for {event.recipient}" if event.recipient else ""
    purpose = f", purpose: {event.purpose}" if event.purpose else ""
    return recipient + purpose
