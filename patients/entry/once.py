"""A page of a new record saves it once: pressing Save twice leads to what the first press saved.

The rule: the page carries a mark. The mark with all that was typed is kept beside the record in the transaction that saves it.
Whoever goes back and types something else on the same page saves another record.
"""

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.http import QueryDict

from trial.drafts import DRAFT_DAYS, MARK
from trial.records import PatientRecord

OF_THE_PAGE = frozenset({"csrfmiddlewaretoken", "save", "next", "another"})  # not typed
KEPT_FOR = timedelta(days=DRAFT_DAYS)  # as long as a draft, which carries the mark too


def new_mark() -> str:
    """A mark that no other page has."""
    return secrets.token_hex(16)


@dataclass(frozen=True)
class SentPage:
    """What one person sent from one page."""

    user: Any
    path: str
    data: QueryDict

    @property
    def _key(self) -> str:
        """Where the record is kept that was saved from it; empty where the page has no mark."""
        if not MARK.fullmatch(self.data.get("once", "")):
            return ""
        typed = sorted((name, texts) for name, texts in self.data.lists() if name not in OF_THE_PAGE)
        digest = hashlib.sha256(json.dumps([self.path, typed]).encode()).hexdigest()
        return f"marrow.once.{self.user.pk}.{digest}"

    def find(self, model: type[PatientRecord]) -> PatientRecord | None:
        """The record that was saved from this page already, and is still there. Call it with the patient locked."""
        number = cache.get(self._key) if self._key else None
        return model._default_manager.filter(pk=number).select_related("entry").first() if number else None

    def keep(self, record: PatientRecord) -> None:
        """Remember what was saved from this page. Call it in the transaction that saves it."""
        if self._key:
            cache.set(self._key, record.pk, timeout=KEPT_FOR.total_seconds())
