"""The table of Django's database cache: what all workers must know of each other (guessing limits, codes used once)."""

from typing import ClassVar

from django.db import models


class CacheEntry(models.Model):
    """One entry, in the columns that Django's `DatabaseCache` works on. Nothing else writes here."""

    untracked_because: ClassVar = "It is a cache: it can be emptied at any time."

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        app_label = "trial"
        db_table = "marrow_cache"

    def __str__(self) -> str:
        return self.cache_key
