"""What tests of the audit core ask again and again about the tables of the test app."""

from django.db import connection

from tests.audit_app.models import Weighing

FIRST = (1, "+", 70, [])  # of the weighing that most tests begin with


def sql(statement: str, *parameters: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def story(record_id: int) -> list[tuple[int, str, int, list[str]]]:
    """Version, kind, kilograms and changed fields of a weighing's history, oldest first."""
    rows = Weighing.history.filter(id=record_id).order_by("version")
    return [(row.version, row.history_type, row.kilograms, row.changed) for row in rows]


def create_with_sql(columns: str = "", values: str = "", verb: str = "INSERT") -> None:
    sql(
        f"{verb} INTO audit_app_weighing (label, kilograms, unit, details, changed_on, version{columns}) "
        f"VALUES ('w2', 80, 'kg', '{{}}', '2020-01-01', 1{values})"
    )
