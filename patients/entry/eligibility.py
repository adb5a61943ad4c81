"""The criteria of a screening as they are entered: numbered as in the protocol, the including ones apart from the excluding ones."""

from patients.entry.sheet import Block, Row
from trial.records import PatientRecord

HEADINGS = {
    "IN": "Inclusion criteria: Yes where the patient meets it",
    "EX": "Exclusion criteria: Yes where it is present",
}


class CriterionBlock(Block):
    """The criteria of a screening."""

    def codes(self, record: PatientRecord) -> list[tuple[str, str]]:
        """Each criterion with its number in its group."""
        return [(code, f"{int(code[2:])}. {label}") for code, label in super().codes(record)]

    def heading_of(self, row: Row) -> str:
        """What stands above the first criterion of a group."""
        record: object = row.record
        code = str(getattr(record, "criterion", ""))
        return HEADINGS[code[:2]] if code[2:] == "01" else ""
