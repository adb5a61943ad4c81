"""The app `trial` as Django sees it."""

from django.apps import AppConfig


class TrialConfig(AppConfig):
    name = "trial"
    verbose_name = "Trial"
