"""The first administrator of a study. An install begins with nobody; who can run commands on it hands out one address.

The address is signed, good for a day, and dies with its use: it holds how often the study's administrators ever changed.
"""

import re
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from trial.access_record.keeping import record_access
from trial.access_record.models import AccessKind
from trial.audit import recording
from trial.models import Membership, Person, Role, Study
from trial.people.actions import CannotChange, first_day_without_administrator, hold_accounts, refuse_known_address
from trial.sign_in.names import checked_user_name

SALT = "marrow.first-administrator"
REASON = "First administrator of the study, appointed by who runs this server."
TAKEN_CODES = frozenset(
    {"account", "api", "reports", "sign-in", "sign-out", "static"}
)  # addresses that mean something else


class NoInvitation(Exception):
    """Nobody can become first administrator like that. The text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """The study whose first administrator somebody may become, and its title where it is not there yet."""

    code: str
    title: str
    changes: int

    @property
    def study(self) -> Study | None:
        """The study, where it is there."""
        return Study.objects.filter(code=self.code).first()


def invitation_for(code: str, title: str, today: date) -> str:
    """A token for the first administrator of a study. Raise `NoInvitation` where it has one, or cannot be made."""
    study = Study.objects.filter(code=code).first()
    if study is None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]{1,19}", code) or code.lower() in TAKEN_CODES:
            raise NoInvitation(
                f"'{code}' cannot be the code of a study. Use 2 to 20 letters, digits, '.' and '-', as in MT103-211."
            )
        if not title.strip():
            raise NoInvitation(f"There is no study '{code}' yet. Say what it is called: --title '...'")
    refuse_where_there_is_one(study, code, today)
    return signing.dumps([code, title.strip(), changes_of_administrators(code)], salt=SALT)


def read_invitation(token: str, today: date) -> Invitation:
    """What a token invites to. Raise `NoInvitation` for one that is too old, used, made up, or no longer needed."""
    try:
        invitation = Invitation(*signing.loads(token, salt=SALT, max_age=settings.PASSWORD_RESET_TIMEOUT))
    except signing.BadSignature as error:
        raise NoInvitation(
            "This address is older than 24 hours, or is not whole. Ask who runs this server for a new one."
        ) from error
    refuse_where_there_is_one(invitation.study, invitation.code, today)
    if invitation.changes != changes_of_administrators(invitation.code):
        raise NoInvitation("This address was used before. Ask who runs this server for a new one.")
    return invitation


def refuse_where_there_is_one(study: Study | None, code: str, today: date) -> None:
    """Raise `NoInvitation` when the study has an administrator today: that one invites the others."""
    if study is not None and first_day_without_administrator(study, today) != today:
        raise NoInvitation(f"The study {code} has an administrator. That person invites others, on the page People.")


def changes_of_administrators(code: str) -> int:
    """How often the administrators of the study changed, ever."""
    return Membership.history.filter(role=Role.ADMINISTRATOR, study__code=code).count()


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What the first administrator said of themselves."""

    user_name: str
    name: str
    organisation: str
    email: str
    password: str


def appoint(token: str, newcomer: Newcomer, *, request: object, today: date) -> User:
    """Make the account, the person and the role; and the study, where it is not there. Raise `NoInvitation` where refused."""
    try:
        with transaction.atomic():
            return make(token, newcomer, request=request, today=today)
    except IntegrityError:
        # A study that is not there yet cannot be held: somebody was quicker. What they made is there to see now.
        read_invitation(token, today)
        refuse_taken(newcomer)
        raise


def refuse_taken(newcomer: Newcomer) -> None:
    """Raise `NoInvitation` where somebody else has the e-mail address or the user name since the form was looked at."""
    try:
        refuse_known_address(newcomer.email)
        checked_user_name(newcomer.user_name)
    except (CannotChange, ValidationError) as refused:
        said = " ".join(refused.messages) if isinstance(refused, ValidationError) else str(refused)
        raise NoInvitation(
            f"Somebody was quicker. {said} To type something else, open this address again."
        ) from refused


def make(token: str, newcomer: Newcomer, *, request: object, today: date) -> User:
    """What `appoint` makes, in one transaction."""
    hold_accounts()
    invitation = read_invitation(token, today)  # again: somebody else may have been quicker
    refuse_taken(newcomer)
    study = invitation.study
    user = User(username=checked_user_name(newcomer.user_name), email=newcomer.email)
    user.set_password(newcomer.password)
    user.save()
    if study is None:
        with recording(by=user, reason=REASON, role=Role.ADMINISTRATOR, channel="page"):
            study = Study(code=invitation.code, title=invitation.title)
            study.save()
    organisation = newcomer.organisation
    with recording(
        by=user, reason=REASON, study=study, role=Role.ADMINISTRATOR, organisation=organisation, channel="page"
    ):
        person = Person(user=user, name=newcomer.name, organisation=organisation)
        person.save()
        Membership(person=person, study=study, role=Role.ADMINISTRATOR, starts_on=today).save()
    user = User.objects.get(pk=user.pk)  # with the person, by whose name the record knows them
    record_access(
        AccessKind.ROLE_CHANGED, request=request, by=user, study=study, what=f"{newcomer.name}: first administrator"
    )
    return user
