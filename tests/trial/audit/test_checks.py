"""The system checks of the audit core. Each test is named after the id that it is about."""

import pytest
from django.apps.registry import Apps
from django.core.checks.registry import registry
from django.db import models

from tests.audit_app.models import Ward, Weighing
from trial.audit import AuditedModel
from trial.audit.checks import check_engine, check_model, trail_is_complete


class Untracked(models.Model):
    """The base of the untracked models below."""

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return "untracked"


def ids(model: type[models.Model]) -> list[str]:
    return [message.id for message in check_model(model)]


def options(**more: object) -> type:
    """The Meta of a model that is not among those of the project."""
    return type("Meta", (), {"app_label": "patients", "apps": Apps(), **more})


def test_the_models_of_the_project_pass():
    assert trail_is_complete in registry.registered_checks
    assert trail_is_complete(None) == []


def test_marrow_A001_a_model_with_patient_data_and_no_history():
    class Forgotten(Untracked):
        Meta = options()

    class Excused(Untracked):
        untracked_because = "It counts page views."
        Meta = options()

    class Elsewhere(Untracked):
        Meta = options(app_label="audit_app")

    class View(Untracked):
        Meta = options(managed=False)

    assert ids(Forgotten) == ["marrow.A001"]
    assert ids(Excused) == ids(Elsewhere) == ids(View) == []


def test_marrow_A002_a_proxy_of_a_tracked_model():
    class Proxy(Ward):
        Meta = options(app_label="audit_app", proxy=True)

    assert ids(Proxy) == ["marrow.A002"]


@pytest.mark.parametrize("on_delete", [models.SET_NULL, models.SET_DEFAULT, models.SET(None)])
def test_marrow_A003_a_reference_that_is_changed_when_another_row_goes(on_delete):
    class Changed(AuditedModel):
        ward = models.ForeignKey(Ward, on_delete, null=True, default=None, related_name="+")
        Meta = options()

    assert ids(Changed) == ["marrow.A003"]


@pytest.mark.parametrize("on_delete", [models.PROTECT, models.RESTRICT, models.CASCADE])
def test_a_reference_that_protects_or_cascades_is_allowed(on_delete):
    class Kept(AuditedModel):
        ward = models.ForeignKey(Ward, on_delete, related_name="+")
        Meta = options()

    assert ids(Kept) == []


def test_marrow_A004_a_plain_many_to_many_field_from_either_side():
    apps = Apps(["patients"])  # relations from the other side are looked for among installed apps

    class Left(AuditedModel):
        Meta = options(apps=apps)

    class Right(AuditedModel):
        lefts = models.ManyToManyField(Left)
        Meta = options(apps=apps)

    class Pointing(Untracked):
        untracked_because = "A test."
        lefts = models.ManyToManyField(Left)
        Meta = options(apps=apps)

    assert ids(Right) == ["marrow.A004"]
    assert ids(Left) == ["marrow.A004", "marrow.A004"]


def test_a_relation_with_a_tracked_model_of_its_own_is_allowed():
    apps = Apps()

    class Left(AuditedModel):
        Meta = options(apps=apps)

    class Right(AuditedModel):
        lefts = models.ManyToManyField(Left, through="patients.Between")
        Meta = options(apps=apps)

    class Between(AuditedModel):
        left = models.ForeignKey(Left, models.CASCADE)
        right = models.ForeignKey(Right, models.CASCADE)
        Meta = options(apps=apps)

    assert ids(Left) == ids(Right) == ids(Between) == []


def test_marrow_A005_a_table_whose_history_could_not_be_found():
    class Elsewhere(AuditedModel):
        Meta = options(db_table="somewhere_else")

    class Unmanaged(AuditedModel):
        Meta = options(managed=False)

    class OwnName(AuditedModel):
        Meta = options(db_table="patients_own_name")

    assert ids(Elsewhere) == ["marrow.A005"]
    assert ids(Unmanaged) == ["marrow.A005"]
    assert ids(OwnName) == []


def test_marrow_A005_a_tracked_model_in_two_tables():
    class Child(Weighing):
        Meta = options(app_label="audit_app")

    assert "marrow.A005" in ids(Child)


def test_marrow_A006_history_that_is_switched_off(settings):
    settings.SIMPLE_HISTORY_ENABLED = False

    assert [message.id for message in trail_is_complete([])] == ["marrow.A006"]


def test_marrow_A007_a_database_whose_engine_makes_no_triggers():
    (message,) = check_engine("archive", "django.db.backends.sqlite3")

    assert message.id == "marrow.A007"
    assert message.msg.startswith("The database 'archive' has the engine django.db.backends.sqlite3")
    assert list(check_engine("default", "trial.db.sqlite3")) == []


def test_history_models_are_not_checked_themselves():
    assert ids(Ward.history.model) == []
