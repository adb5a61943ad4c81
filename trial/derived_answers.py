"""Which derived answers the forms have: those of the module `derived` of each app. A new one is found by being declared."""

from functools import cache
from importlib import import_module

from django.apps import apps
from django.utils.module_loading import module_has_submodule

from trial.derivations import Derivation


@cache
def derivations_of(form: str) -> tuple[Derivation, ...]:
    """The derived answers of one form, in the order in which they are declared."""
    return tuple(
        each
        for config in apps.get_app_configs()
        if config.module is not None and module_has_submodule(config.module, "derived")
        for each in getattr(import_module(f"{config.name}.derived"), "DERIVATIONS", ())
        if each.form == form
    )
