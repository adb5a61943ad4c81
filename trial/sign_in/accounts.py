"""Accounts: who may sign in, and that none is ever deleted."""

from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.db.models.deletion import ProtectedError
from django.db.models.signals import pre_delete
from django.dispatch import receiver


def open_accounts() -> QuerySet[User]:
    """The accounts that are active, and whose person is."""
    return User.objects.select_related("person").filter(is_active=True).exclude(person__is_active=False)


def may_sign_in(user: Any) -> bool:
    """Whether the account and the person it belongs to are both active."""
    return open_accounts().filter(pk=user.pk).exists()


@receiver(pre_delete, sender=User)
def keep_account(instance: User, **kwargs: Any) -> None:
    """Refuse to delete an account, by whatever way Django deletes: the trail and the access record point to it."""
    raise ProtectedError(
        f"The account '{instance.username}' cannot be deleted: the trail names it. Disable it instead.", {instance}
    )
