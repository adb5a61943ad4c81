"""How a model is declared tracked. django-simple-history makes the history model and reads it; the triggers write it."""

from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Exists, OuterRef
from django.db.models.signals import post_delete, post_save, pre_delete
from simple_history.manager import SIMPLE_HISTORY_REVERSE_ATTR_NAME, HistoricalQuerySet, HistoryManager
from simple_history.models import HistoricalRecords


class HistoryQuerySet(HistoricalQuerySet):  # type: ignore[misc]  # simple-history has no types
    """History rows. What is later is told by `history_id`: equal instants would give a record once per version."""

    def latest_of_each(self) -> Self:
        """The last row of each record among these, deletions included."""
        key = self._pk_attr
        later = self.order_by().filter(**{key: OuterRef(key)}, history_id__gt=OuterRef("history_id"))
        return self.filter(~Exists(later))


class HistoryReader(HistoryManager):  # type: ignore[misc]  # simple-history has no types
    """`Model.history` and `record.history`."""

    def rows_as_of(self, instant: datetime) -> HistoryQuerySet:
        """The history rows that say what each record was at an instant, that instant included; deleted records are left out."""
        return self.get_queryset().filter(history_date__lte=instant).latest_of_each().exclude(history_type="-")


class HistoryReference(models.ForeignKey):
    """A reference from a history row, with no constraint: what it points to may be gone.

    For migrations it is the number that its column holds. As references, the histories would double the models that Django
    renders again at each step, and a first `migrate` would take three times as long.
    """

    def as_number(self) -> models.BigIntegerField:
        """The column as migrations know it."""
        return models.BigIntegerField(
            null=self.null,
            blank=self.blank,
            db_column=f"{self.name}_id",
            db_index=bool(self.db_index),  # type: ignore[attr-defined]  # not in the stubs
        )

    def clone(self) -> Any:
        """What the state of a migration holds."""
        return self.as_number()


class HistoryRow(models.Model):
    """What every history row has beside the columns of its record."""

    recording = HistoryReference("trial.Recording", models.DO_NOTHING, related_name="+", db_constraint=False)
    changed = models.JSONField(
        default=list
    )  # the columns that differ from the row before; empty when created or deleted
    # What the digest of the row begins with, so that a value that was removed cannot be guessed from it (`trial.audit.seals`).
    salt = models.BinaryField(null=True, max_length=16)  # NULL in rows that are older than seals

    tracked_fields: ClassVar[list[Any]]  # set by simple-history

    class Meta:
        abstract = True

    @cached_property
    def changed_fields(self) -> tuple[str, ...]:
        """The names of the fields that this change altered, in the order of the form."""
        return tuple(field.name for field in self.tracked_fields if field.column in self.changed)


class AuditedRecords(HistoricalRecords):  # type: ignore[misc]  # simple-history has no types
    """Declares a model tracked: `history = AuditedRecords()`. It writes nothing itself, and nothing can switch it off."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            history_id_field=models.BigAutoField(),
            history_change_reason_field=models.TextField(),
            history_user_id_field=models.BigIntegerField(),
            history_manager=HistoryReader,
            historical_queryset=HistoryQuerySet,
            bases=[HistoryRow],
            **options,
        )

    def add_extra_methods(self, cls: type[models.Model]) -> None:
        """Nothing: there is no saving without history."""

    def finalize(self, sender: type[models.Model], **kwargs: Any) -> None:
        """Make the history model, and take back the signal handlers that would write rows of their own."""
        if sender._meta.proxy or sender._meta.abstract:
            return  # a proxy writes its model's table, whose triggers do not ask which class wrote
        super().finalize(sender, **kwargs)
        post_save.disconnect(self.post_save, sender=sender)
        post_delete.disconnect(self.post_delete, sender=sender)
        pre_delete.disconnect(self.pre_delete, sender=sender)

    def copy_fields(self, model: type[models.Model]) -> "dict[str, models.Field[Any, Any]]":
        """The fields of the model for its history. Only references keep an index: a page of history asks by them."""
        fields: dict[str, Any] = super().copy_fields(model)
        for field in fields.values():
            field.db_index = isinstance(field, models.ForeignKey)
            if isinstance(field, models.ForeignKey):
                field.__class__ = HistoryReference
        return fields

    def get_extra_fields(self, model: type[models.Model], fields: dict[str, Any]) -> dict[str, Any]:
        """Neighbours by version: simple-history's go by date, and two changes can have one instant."""
        extra: dict[str, Any] = super().get_extra_fields(model, fields)
        key = model._meta.pk.attname

        def neighbour(row: Any, step: int) -> Any:
            beside = {key: getattr(row, key), "version": row.version + step}
            return type(row)._default_manager.filter(**beside).first()

        extra["next_record"] = property(lambda row: neighbour(row, 1))
        extra["prev_record"] = property(lambda row: neighbour(row, -1))
        return extra

    def get_meta_options(self, model: type[models.Model]) -> dict[str, Any]:
        """Newest first by number. That each version is there once is an index that the triggers bring (`trial.db`)."""
        options: dict[str, Any] = super().get_meta_options(model)
        app = model._meta.app_label
        name = model._meta.db_table.removeprefix(f"{app}_")
        return {
            **options,
            "apps": model._meta.apps,
            "app_label": app,
            "db_table": f"{app}_historical{name}",  # what `trial.db.tables` finds it by
            "ordering": ("-history_id",),
            "get_latest_by": ("history_id",),
        }

    @property
    def _date_indexing(self) -> bool:
        return False  # instants are looked up in the recordings


HISTORY_OF_INSTANCE = SIMPLE_HISTORY_REVERSE_ATTR_NAME
