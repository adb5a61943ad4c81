"""The recorded act, and the base of every tracked model."""

import copy
from collections.abc import Collection, Iterable
from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import F
from django.db.models.expressions import BaseExpression

from trial.audit.records import AuditedRecords
from trial.db.refusals import NotRecorded, Stale


class Recording(models.Model):
    """One act: a person, a role, a reason, an instant. The triggers write it with the first row that the act changes."""

    untracked_because: ClassVar = "It is the trail itself: the triggers write it, once."

    at = models.DateTimeField(editable=False)  # UTC, by the database's clock
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    person_name = models.TextField()  # as it was on that day
    role = models.TextField(blank=True)
    organisation = models.TextField(blank=True)
    reason = models.TextField()
    field_reasons = models.JSONField(default=dict, blank=True)
    channel = models.TextField()
    request_id = models.TextField(blank=True)
    study = models.ForeignKey("trial.Study", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    is_dated = models.BooleanField(default=False, editable=False)  # by the demo, and not by the clock
    salt = models.BinaryField(null=True, max_length=16)  # as that of a history row

    class Meta:
        app_label = "trial"
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [models.Index(fields=["at"], name="recording_at")]

    def __str__(self) -> str:
        return f"{self.person_name}: {self.reason}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Never: the triggers write recordings."""
        raise NotRecorded("A recording is written by the database alone. Use `with recording(by=..., reason=...)`.")


class AuditedQuerySet(models.QuerySet[Any]):
    """Rows of a tracked model. What is written through it leaves complete and true history."""

    def update(self, **values: Any) -> int:
        """Django's, and each row becomes one version older."""
        values.setdefault("version", F("version") + 1)
        return super().update(**values)

    update.alters_data = True  # type: ignore[attr-defined]  # Django's mark for templates

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Django's, without `update_conflicts`: it would overwrite rows that nobody looked at, with no new version."""
        if kwargs.get("update_conflicts"):
            raise NotRecorded(
                "bulk_create(update_conflicts=True) was refused: it overwrites rows unseen. Use update_or_create()."
            )
        created = list(objs)
        for record in created:
            record.version = 1
        super().bulk_create(created, *args, **kwargs)
        for record in created:
            record.remember()
        return created

    bulk_create.alters_data = True  # type: ignore[attr-defined]  # Django's mark for templates

    def bulk_update(self, objs: Iterable[Any], fields: Iterable[str], batch_size: int | None = None) -> int:
        """Django's, if no row was changed since it was read. Raise `Stale` otherwise, with nothing written."""
        records = tuple(objs)
        names = list(fields)
        with transaction.atomic(using=self.db, savepoint=False):
            now = dict(
                self.model._base_manager.using(self.db)
                .filter(pk__in=[record.pk for record in records])
                .select_for_update()
                .values_list("pk", "version")
            )
            for record in records:
                if record.pk is not None and now.get(record.pk) != record.version:
                    raise Stale(
                        f"{record} was changed or deleted since it was read. Read it again and repeat the change."
                    )
            count = super().bulk_update(records, names, batch_size)
        for record in records:
            record.version += 1
            record.remember()
        return count

    bulk_update.alters_data = True  # type: ignore[attr-defined]  # Django's mark for templates


class AuditedManager(models.Manager.from_queryset(AuditedQuerySet)):  # type: ignore[misc]  # made at run time
    """The manager of tracked models."""


class AuditedModel(models.Model):
    """A tracked model. Every change of a row raises its version by one, and that is also the optimistic lock."""

    version = models.PositiveIntegerField(default=1, editable=False)

    history = AuditedRecords(inherit=True)
    objects: Any = AuditedManager()  # each model may have a manager of its own

    class Meta:
        abstract = True
        base_manager_name = "objects"  # so that related managers raise the version too

    def save(
        self,
        *,
        force_insert: bool = False,  # type: ignore[override]  # no positional arguments, as from Django 6
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Insert the row, or write the fields that changed and raise the version by one; write nothing when nothing changed.

        Raise `Stale` when somebody else changed or deleted the row since it was read, and `NotRecorded` outside `recording()`.
        """
        if self._state.adding or self.pk is None or force_insert:
            self.version = 1
            super().save(force_insert=True, using=using)
            self.remember()
            return
        changed = self.changed_fields()
        if update_fields is not None:
            asked = set(update_fields)
            changed = [name for name in changed if {name, f"{name}_id"} & asked]
        if not changed:
            return
        always = [field.name for field in self._meta.concrete_fields if getattr(field, "auto_now", False)]
        read_version = self.version
        self.version = read_version + 1
        try:
            super().save(using=using, update_fields={*changed, *always, "version"})
        except BaseException:
            self.version = read_version
            raise
        self.remember([*changed, *always, "version"])

    @classmethod
    def from_db(cls, db: str | None, field_names: Collection[str], values: Collection[Any], **options: Any) -> Self:
        """Django's, and the values are remembered to see later what changed."""
        record = super().from_db(db, field_names, values, **options)
        record.remember()
        return record

    def refresh_from_db(
        self, using: str | None = None, fields: Iterable[str] | None = None, from_queryset: Any = None
    ) -> None:
        """Django's, and what was read again counts as unchanged."""
        names = None if fields is None else list(fields)
        super().refresh_from_db(using=using, fields=names, from_queryset=from_queryset)
        self.remember(names)

    def remember(self, names: Iterable[str] | None = None) -> None:
        """Note the values of these fields (all when None) as those of the database."""
        stored: dict[str, Any] = self.__dict__.setdefault("_stored", {})
        if names is None:
            stored.clear()
        wanted = None if names is None else set(names)
        for field in self._meta.concrete_fields:
            if field.attname in self.__dict__ and (wanted is None or {field.name, field.attname} & wanted):
                value = self.__dict__[field.attname]
                if not isinstance(value, BaseExpression):
                    stored[field.attname] = copy.deepcopy(value) if isinstance(value, dict | list) else value

    def changed_fields(self) -> list[str]:
        """The names of the fields whose values differ from those read or last written, in the order of the form."""
        stored: dict[str, Any] = self.__dict__.get("_stored", {})
        return [
            field.name
            for field in self._meta.concrete_fields
            if not field.primary_key
            and field.name != "version"
            and field.attname in self.__dict__
            and (field.attname not in stored or not same(field, self.__dict__[field.attname], stored[field.attname]))
        ]

    def _do_update(self, *args: Any, **kwargs: Any) -> Any:
        """Django's step that updates the row: when it does not find one that was read, somebody deleted it."""
        found = super()._do_update(*args, **kwargs)
        if not found and not self._state.adding:
            raise Stale(f"{self} was deleted since it was read, so the change was refused.")
        return found


def same(field: "models.Field[Any, Any]", value: Any, stored: Any) -> bool:
    """True when a value is what is stored already, even if it was given as text or as another kind of number."""
    if isinstance(value, BaseExpression):
        return False
    try:
        return bool(field.to_python(value) == stored)
    except ValidationError:
        return False
