"""The app `trial` as Django sees it."""

from django.apps import AppConfig


class TrialConfig(AppConfig):
    name = "trial"
    verbose_name = "Trial"

    def ready(self) -> None:
        from trial import page_checks, system_checks  # noqa: F401  (registers them)
