"""The app `trial` as Django sees it."""

from django.apps import AppConfig


class TrialConfig(AppConfig):
    name = "trial"
    verbose_name = "Trial"

    def ready(self) -> None:
        from trial import form_checks, page_checks, system_checks  # noqa: F401  (registers them)
        from trial.sign_in import accounts, record, sessions  # noqa: F401  (they hear of each sign-in, and of deletions)

        system_checks.refuse_unsafe_settings()
