"""System checks of the audit core: what a reviewer would otherwise have to remember."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.db import models

from trial.db.tables import table_of_history

APPS_WITH_PATIENT_DATA = frozenset({"trial", "patients", "safety"})
ENGINES = ("trial.db.sqlite3", "trial.db.postgresql")
WRITES_BEHIND_THE_ROW = (models.SET_NULL, models.SET_DEFAULT)


@register
def trail_is_complete(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Errors marrow.A001 to A007: what would be written without history, or could not be."""
    chosen = None if app_configs is None else {config.label for config in app_configs}
    found: list[CheckMessage] = []
    for model in apps.get_models(include_auto_created=True):
        if chosen is None or model._meta.app_label in chosen:
            found.extend(check_model(model))
    if getattr(settings, "SIMPLE_HISTORY_ENABLED", True) is not True:
        found.append(
            Error(
                "SIMPLE_HISTORY_ENABLED is not True. The audit trail cannot be switched off.",
                hint="Remove the setting.",
                id="marrow.A006",
            )
        )
    for alias, database in settings.DATABASES.items():
        found.extend(check_engine(alias, database["ENGINE"]))
    return found


def check_engine(alias: str, engine: str) -> Iterator[CheckMessage]:
    """The error of a database whose backend makes no triggers, so that nothing would be recorded or refused."""
    if engine not in ENGINES:
        yield Error(
            f"The database '{alias}' has the engine {engine}, which makes no audit triggers.",
            hint=f"Use {' or '.join(ENGINES)}.",
            id="marrow.A007",
        )


def is_tracked(model: type[models.Model]) -> bool:
    """True for a model that has a history."""
    return hasattr(model._meta.concrete_model or model, "history") and not hasattr(model, "history_id")


def check_model(model: type[models.Model]) -> Iterator[CheckMessage]:
    """The errors of one model."""
    meta = model._meta
    name = meta.label
    if hasattr(model, "history_id"):
        return
    if not is_tracked(model):
        needs_history = meta.app_label in APPS_WITH_PATIENT_DATA and meta.managed and not meta.auto_created
        if needs_history and not getattr(model, "untracked_because", ""):
            yield Error(
                f"{name} is in an app with patient data and has no history.",
                hint="Let it inherit from AuditedModel, or say why not in `untracked_because`.",
                obj=model,
                id="marrow.A001",
            )
        return
    if meta.proxy:
        yield Error(
            f"{name} is a proxy of a tracked model.",
            hint="Give the model itself the method, or a queryset.",
            obj=model,
            id="marrow.A002",
        )
        return
    if not meta.managed or [parent for parent in meta.parents if is_tracked(parent)]:
        yield Error(
            f"{name} does not have all of its columns in one table that Marrow makes.",
            hint="Inherit from an abstract model.",
            obj=model,
            id="marrow.A005",
        )
    elif table_of_history(model.history.model._meta.db_table) != meta.db_table:  # type: ignore[attr-defined]
        yield Error(
            f"{name} has the table '{meta.db_table}', whose history could not be found by its name.",
            hint="Remove `db_table`, or name it app_model without '_historical'.",
            obj=model,
            id="marrow.A005",
        )
    for field in meta.get_fields(include_hidden=True):
        on_delete = getattr(getattr(field, "remote_field", None), "on_delete", None)
        if field.concrete and (on_delete in WRITES_BEHIND_THE_ROW or hasattr(on_delete, "deconstruct")):
            yield Error(
                f"{name}.{field.name} is changed by the deletion of another row, with no version of its own.",
                hint="Use on_delete=PROTECT, RESTRICT or CASCADE.",
                obj=model,
                id="marrow.A003",
            )
        if field.many_to_many:
            relation: Any = field if isinstance(field, models.ManyToManyRel) else field.remote_field
            if relation.through._meta.auto_created:
                yield Error(
                    f"{name} has a plain many-to-many field, whose rows have no history.",
                    hint="Write a sorted list into a JSON column, or give the relation a tracked model of its own.",
                    obj=model,
                    id="marrow.A004",
                )
