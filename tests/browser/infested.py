"""A study in which every text that a page can show is an attack: each column of text, in old and new rows, with its history.

A column of text that nobody fills here, and that is not left alone with a reason, fails the test.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from allauth.mfa.webauthn.internal.auth import WebAuthn
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib.auth.models import User
from django.db import models
from django.urls import reverse
from django.utils import timezone

from patients.models import NormalRange
from tests import make
from tests.browser.payloads import Cycle
from tests.cast import FIRST_DAY, Cast
from tests.passkeys import credential_of
from trial.access_record.models import AccessKind
from trial.audit import recording
from trial.audit.models import Recording
from trial.fields import PartialDateField
from trial.models import (
    AccessedPatient,
    AccessEvent,
    AccessReview,
    ApiToken,
    Draft,
    Membership,
    Patient,
    Person,
    Query,
    QueryMessage,
    Role,
    Site,
    Study,
)
from trial.records import record_models
from trial.sign_in.first_administrator import invitation_for

SHORTEST = 18  # characters: below that hardly anything can be written
# What is left as it is, and why.
LEFT_ALONE = {
    "trial.Study.code": "part of each address; the second study has one",
    "trial.Site.time_zone": "pages reckon with it: another text is no time zone",
    "trial.AccessEvent.request_id": "a number of ours",
    "trial.AccessEvent.content_hash": "a digest of ours",
    "trial.Draft.page": "the address of the page that is filled with the draft",
    "trial.Query.form": "a form's code: pages look it up",
    "trial.ApiToken.digest": "a digest of ours",
    "trial.ApiToken.token_key": "characters of ours",
    "trial.ApiToken.rights": "a digest of ours",
    "auth.User.password": "a digest of ours",
    "usersessions.UserSession.session_key": "characters of ours",
}
# Tables that no page shows: the cache, the seals, mail addresses that allauth would keep, other places to sign in at, Django's own.
NEVER_SHOWN = {
    *("trial.CacheEntry", "account.EmailAddress", "account.EmailConfirmation", "socialaccount.SocialApp"),
    *("socialaccount.SocialAccount", "socialaccount.SocialToken", "auth.Permission", "auth.Group"),
    *("contenttypes.ContentType", "sessions.Session", "knox.AuthToken", "trial.Seal", "trial.SealedColumns"),
}


def columns_of_text(model: type[models.Model]) -> list[Any]:
    """The columns of a table that take any text with room for an attack."""
    return [
        column
        for column in model._meta.concrete_fields
        if isinstance(column, models.CharField | models.TextField)
        and not column.choices
        and not isinstance(column, PartialDateField)
        and (column.max_length is None or column.max_length >= SHORTEST)
    ]


def every_column_of_text() -> set[str]:
    """All of them, by name. A history table is written by the triggers with its table."""
    shown = [
        model
        for model in apps.get_models()
        if model._meta.label not in NEVER_SHOWN
        and not model._meta.object_name.startswith("Historical")
        and not model.__module__.startswith("tests.")
    ]
    return {f"{model._meta.label}.{column.name}" for model in shown for column in columns_of_text(model)} - set(
        LEFT_ALONE
    )


@dataclass
class Infested:
    """What was written, into which columns, and the pages that show it beside those that everybody finds."""

    cycle: Cycle = field(default_factory=Cycle)
    filled: set[str] = field(default_factory=set)
    pages: list[str] = field(default_factory=list)

    def attacks(self, model: type[models.Model], *, without: Iterable[str] = ()) -> dict[str, str]:
        """A text for each column of text of a table."""
        found = {}
        for column in columns_of_text(model):
            name = f"{model._meta.label}.{column.name}"
            text = None if name in LEFT_ALONE or column.name in without else self.cycle.text(column.max_length, name)
            if text is not None:
                found[column.name] = text
                self.filled.add(name)
        return found

    def sentence(self) -> str:
        """One text of any length."""
        return self.cycle.text(None) or ""


def infest(cast: Cast, viewer: User, patients: int) -> Infested:
    """Write attacks into everything, twice, so that the first is in the history of the second."""
    attacked = Infested()
    everything = {"by": viewer, "study": cast.study}
    for _ in range(2):
        with recording(
            **everything, reason=attacked.sentence(), field_reasons={"name": attacked.sentence()}, **act(attacked)
        ):
            for thing in (cast.study, cast.here, cast.elsewhere, *Person.objects.all()):
                overwrite(thing, attacked.attacks(type(thing)))
    for number in range(patients):
        is_first = number == 0
        patient = Patient(study=cast.study, site=cast.here, number=f"SYN-012-{number + 1:03}")
        with recording(**everything, reason=attacked.sentence(), **act(attacked)):
            patient.save()
        infest_forms(attacked, patient, everything, ("record-history", "entry") if is_first else ("record-history",))
    infest_what_is_said(attacked, cast, Patient.objects.all()[0], everything)
    infest_accounts(attacked, cast, viewer)
    infest_addresses(attacked, cast, viewer)
    return attacked


def act(attacked: Infested) -> dict[str, str]:
    """What an act says of itself beside its reason."""
    attacked.filled |= {f"trial.Recording.{column.name}" for column in columns_of_text(Recording)}
    return {name: attacked.sentence() for name in ("role", "organisation", "channel", "request_id")}


def overwrite(thing: models.Model, texts: dict[str, str]) -> None:
    """Change the columns of one row and save it."""
    for name, text in texts.items():
        setattr(thing, name, text)
    thing.save()


def infest_forms(attacked: Infested, patient: Patient, everything: dict[str, Any], pages: tuple[str, ...]) -> None:
    """A record of every form, entered with attacks and corrected to others."""
    for model in record_models():
        record: Any = make.record(model, patient, **attacked.attacks(model))
        with recording(**everything, reason=attacked.sentence(), **act(attacked)):
            overwrite(record, attacked.attacks(model))
            overwrite(record.entry, attacked.attacks(type(record.entry)))
        where = {"study": patient.study.code, "patient": patient.number, "form": model.form.code}
        if columns_of_text(model):
            attacked.pages.append(reverse("form", kwargs=where))
            attacked.pages += [reverse(name, kwargs=where | {"record": record.pk}) for name in pages]


def infest_what_is_said(attacked: Infested, cast: Cast, patient: Patient, everything: dict[str, Any]) -> None:
    """Queries, reviews, ranges of a laboratory, and one event of each kind in the access record."""
    with recording(**everything, reason=attacked.sentence(), **act(attacked)):
        entry = patient.entries.filter(form="AE")[0]
        query = Query(patient=patient, entry=entry, form="AE", severity="E", **attacked.attacks(Query))
        query.save()
        QueryMessage(patient=patient, query=query, step="asked", **attacked.attacks(QueryMessage)).save()
        names = {"study": cast.study.code, "patient": patient.number, "query": query.pk}
        attacked.pages.append(reverse("query", kwargs=names))
        AccessReview(
            study=cast.study, reviewed_as_of=FIRST_DAY, people_count=1, **attacked.attacks(AccessReview)
        ).save()
        for sex in ("F", "M"):
            NormalRange(
                site=cast.here,
                test="PLAT",
                sex=sex,
                valid_from=FIRST_DAY,
                low=150,
                high=400,
                **attacked.attacks(NormalRange),
            ).save()
    for kind in AccessKind:
        event = AccessEvent.objects.create(
            kind=kind, study=cast.study, by=everything["by"], **attacked.attacks(AccessEvent)
        )
        AccessedPatient.objects.create(event=event, patient=patient)
        AccessEvent.objects.create(kind=kind, **attacked.attacks(AccessEvent))


def infest_accounts(attacked: Infested, cast: Cast, viewer: User) -> None:
    """Accounts, tokens, passkeys and the browsers of sessions."""
    for user in User.objects.all():
        User.objects.filter(pk=user.pk).update(**attacked.attacks(User))
    ApiToken.objects.create(
        viewer, expiry=timedelta(days=1), study=cast.study, role=Role.MONITOR, **attacked.attacks(ApiToken)
    )
    TOTP.activate(viewer, "JBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(viewer)
    WebAuthn.add(viewer, attacked.sentence(), credential_of(b"key"))
    attacked.filled |= {f"usersessions.UserSession.{column.name}" for column in columns_of_text(UserSession)}


def infest_addresses(attacked: Infested, cast: Cast, viewer: User) -> None:
    """A study and a patient whose own names, which are part of addresses, are attacks."""
    with recording(by=viewer, reason=attacked.sentence()):
        study = Study(code="<script>_x(2)", title=attacked.sentence(), is_synthetic=True)
        study.save()
        site = Site(study=study, number="<b>", name=attacked.sentence()[:100], country="DEU", time_zone="Europe/Berlin")
        site.save()
        patient = Patient(study=study, site=site, number="<script>_x(2)")
        patient.save()
        Membership(person=viewer.person, study=study, role=Role.DATA_MANAGER, starts_on=FIRST_DAY).save()
    make.record(record_models()[0], patient)
    attacked.pages += [reverse(name, kwargs={"study": study.code}) for name in ("patient-list", "changes", "report")]
    attacked.pages.append(f"{reverse('api-report')}?study={cast.study.code}")
    attacked.pages.append(reverse("patient", kwargs={"study": study.code, "patient": patient.number}))
    invitation = invitation_for("NEW-2", attacked.sentence(), timezone.now().date())
    attacked.pages.append(reverse("first-administrator", kwargs={"token": invitation}))


def draft_everything(attacked: Infested, viewer: User, fields: dict[str, set[str]]) -> None:
    """A draft with attacks for each page that has a form, by the names of its fields."""
    for page, names in fields.items():
        Draft.objects.update_or_create(
            user=viewer, page=page, defaults={"typed": {name: [attacked.sentence()] for name in sorted(names)}}
        )
