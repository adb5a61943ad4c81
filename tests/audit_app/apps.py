"""The test app as Django sees it."""

from django.apps import AppConfig


class AuditAppConfig(AppConfig):
    name = "tests.audit_app"
    label = "audit_app"
