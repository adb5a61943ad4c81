"""The pages of people: the list, a person, what an administrator does to their access, and the periodic review."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import django_tables2 as tables
from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from trial.access import Permission, StaffRequest, acting, may, memberships_granting, requires
from trial.access_record.keeping import record_access, takes_away
from trial.access_record.models import AccessKind
from trial.audit import Stale
from trial.drafts import drop_draft, filled
from trial.models import Membership, Person, Study
from trial.people import actions, consequences
from trial.people.forms import (
    DatesForm,
    DisableForm,
    EnableForm,
    EndForm,
    ExistingForm,
    FactorForm,
    InviteForm,
    LinkForm,
    PeopleForm,
    ReviewForm,
    RoleForm,
)
from trial.people.history import changes_of_access
from trial.people.reading import AccountState, Held, Holding, Member, holding, members_of, people_of, word_role
from trial.people.reviews import review_due, reviews_of, statement
from trial.sign_in.letters import send_letters
from trial.sign_in.links import LINK_HOURS, password_link
from trial.sign_in.sessions import open_sessions
from trial.spreadsheets import CONTENT_TYPE, csv_lines
from trial.templatetags.marrow import icon, instant
from trial.what_for import says_what_for
from trial.wording import word_date

PEOPLE_A_PAGE = 50

views = requires(Permission.PEOPLE_VIEW, on=Study, reveals=False)
edits = requires(Permission.PEOPLE_EDIT, on=Study, reveals=False, again=True)
reviews = requires(Permission.PEOPLE_REVIEW, on=Study, reveals=False, again=True)


def today() -> date:
    """The day by which roles hold: that of UTC, as everywhere."""
    return timezone.now().date()


# The list.


class PeopleTable(tables.Table):  # type: ignore[misc]  # django-tables2 has no types
    """One row a person."""

    name = tables.Column("Name")
    organisation = tables.Column("Organisation")
    user_name = tables.Column("User name")
    roles = tables.Column("Roles", accessor="held", order_by="roles", empty_values=())
    states = tables.Column("Account", order_by="state")
    last_signed_in_at = tables.Column("Last sign-in", default="never")
    last_reviewed_on = tables.Column("Last reviewed", default="never")

    class Meta:
        attrs: dict[str, str] = {"class": "table table-sm ledger"}
        order_by = "name"
        template_name = "components/table.html"

    def __init__(self, *args: Any, study: Study, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.study = study

    def render_name(self, record: Member) -> SafeString:
        address = reverse("person", args=[self.study.code, record.person.pk])
        return format_html('<a href="{}">{}</a>', address, record.name)

    def render_roles(self, value: Sequence[Held]) -> SafeString | str:
        if not value:
            return "none: withdrawn"
        return format_html('<ul class="plain">{}</ul>', format_html_join("", "<li>{}</li>", map(word_held, value)))

    def render_states(self, value: Sequence[AccountState]) -> SafeString:
        lines = format_html_join("", '<li class="progress-mark is-{}">{} {}</li>', map(word_state, value))
        return format_html('<ul class="plain">{}</ul>', lines)

    def render_last_signed_in_at(self, value: Any) -> SafeString | str:
        return instant(value)

    def render_last_reviewed_on(self, value: date) -> str:
        return word_date(value)


def word_held(held: Held) -> tuple[SafeString]:
    """A role of the list; what holds today needs no word for it."""
    when = "" if held.when is Holding.NOW else f" ({held.when})"
    return (format_html('{}, {}<span class="by"> {}{}</span>', held.label, held.places, held.period, when),)


def word_state(state: AccountState) -> tuple[str, SafeString, str]:
    """Colour, icon and word of an account's state."""
    return state.colour, icon(state.icon), state.word


@views
def people(request: StaffRequest, study: Study) -> HttpResponse:
    """Who works on the study, in what role, and how their accounts stand."""
    form = PeopleForm(request.GET, study=study)
    context = {
        "study": study,
        "form": form,
        "due": review_due(study, today()),
        "may_edit": may(request.user, Permission.PEOPLE_EDIT, study),
        "may_review": may(request.user, Permission.PEOPLE_REVIEW, study),
        "may_see_access": may(request.user, Permission.ACCESS_VIEW, study),
    }
    if not form.is_valid():
        return render(request, "trial/people/list.html", context | {"table": None}, status=400)
    table = PeopleTable(narrowed(study, form), study=study)
    tables.RequestConfig(request, paginate=False).configure(table)
    table.paginate(per_page=PEOPLE_A_PAGE)  # not from the address: it would lift the limit
    table.page = table.paginator.get_page(request.GET.get("page"))
    return render(request, "trial/people/list.html", context | {"table": table})


def narrowed(study: Study, form: PeopleForm) -> list[Member]:
    """The people whom the form asks for."""
    return form.narrow(members_of(study, today()), today())


COLUMNS = (
    *("Name", "Organisation", "User name", "Role", "Sites", "First day", "Last day", "Holds", "Account"),
    *("Last sign-in (UTC)", "Last reviewed"),
)


@views
@says_what_for("people")
def people_csv(request: StaffRequest, study: Study) -> HttpResponseBase:
    """The list as it is narrowed, one line for each role."""
    form = PeopleForm(request.GET, study=study)
    if not form.is_valid():
        return people(request, study=study.code)
    takes_away(request)
    label = "synthetic-" if study.is_synthetic else ""
    lines = csv_lines(COLUMNS, rows_of(narrowed(study, form)))
    response = StreamingHttpResponse(lines, content_type=CONTENT_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{label}{study.code}-people.csv"'
    return response


def rows_of(members: Sequence[Member]) -> Iterator[tuple[str, ...]]:
    """The lines of the file. Dates are ISO: a file is read by programs."""
    for member in members:
        who = (member.name, member.organisation, member.user_name)
        signed_in = f"{member.last_signed_in_at:%Y-%m-%d %H:%M:%S}" if member.last_signed_in_at else ""
        account = (member.state, signed_in, str(member.last_reviewed_on or ""))
        for held in member.held:
            yield (*who, held.label, held.places, str(held.starts_on), str(held.ends_on or ""), held.when, *account)
        if not member.held:
            yield (*who, "", "", "", "", "withdrawn", *account)


# A person.


def find_person(study: Study, number: int) -> Person:
    """Somebody of this study, 404 otherwise: of another study's people nothing is told here."""
    person = people_of(study).filter(pk=number).first()
    if person is None:
        raise Http404(f"There is no such person among the people of {study}.")
    return person


def find_member(study: Study, number: int) -> Member:
    """The same, with all that is shown of them."""
    (member,) = members_of(study, today(), people=people_with(find_person(study, number)))
    return member


def people_with(person: Person) -> QuerySet[Person]:
    """One person as a list."""
    return Person.objects.filter(pk=person.pk).select_related("user")


def find_role(member: Member, number: int) -> Membership:
    """A role of this person in this study."""
    for membership in member.memberships:
        if membership.pk == number:
            return membership
    raise Http404(f"{member.person} has no such role here. It may have been withdrawn.")


@views
def person(request: StaffRequest, study: Study, person: int) -> HttpResponse:
    """One person: roles now, to come and past, the account, and what became of their access."""
    member = find_member(study, person)
    periods = [
        (when, [membership for membership in member.memberships if holding(membership, today()) is when])
        for when in Holding
    ]
    context = {
        "study": study,
        "member": member,
        "periods": periods,
        "history": changes_of_access(member.person, study),
        "sessions": open_sessions(member.person.user).count(),
        "is_own": member.person.user_id == request.user.pk,
        "may_edit": may(request.user, Permission.PEOPLE_EDIT, study),
        "is_disabled": AccountState.DISABLED in member.states,
        "has_factor": AccountState.NO_SECOND_FACTOR not in member.states,
    }
    return render(request, "trial/people/person.html", context)


# What an administrator does. Each page says first what would follow.


class Done(NamedTuple):
    """What was done, to whom."""

    person: Person
    said: str


@dataclass(frozen=True)
class Act:
    """A page on which something is done: its heading, its button, what would follow, and what nobody should overlook."""

    title: str
    verb: str
    follows: Sequence[str] = ()
    member: Member | None = None


def carry_out(request: StaffRequest, study: Study, form: Any, act: Callable[[], Done]) -> Done | None:
    """Do it in the administrator's name and put it on record; or put what stands against it on the form, and do nothing."""
    if not form.is_valid():
        return None
    reason = form.full_reason()
    try:
        with acting(request, Permission.PEOPLE_EDIT, study, reason=reason):
            done = act()
            if not may(request.user, Permission.PEOPLE_EDIT, study):
                # asked again, now that nobody else changes roles: theirs may have been ended while they waited
                raise PermissionDenied("Your own role was ended meanwhile. Nothing was changed.")
            record_access(
                AccessKind.ROLE_CHANGED,
                request=request,
                membership=memberships_granting(request.user, Permission.PEOPLE_EDIT, study).order_by("pk").first(),
                study=study,
                page=str(request.resolver_match.url_name) if request.resolver_match else "",
                what=f"{done.person.user.username}: {done.said}",
                purpose=reason,
            )
    except actions.CannotChange as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        return None
    except Stale as stale:
        form.add_error(None, str(stale))
        form.is_stale = True
        return None
    drop_draft(request.user, request.path)
    return done


def answer(
    request: StaffRequest, study: Study, form: forms.Form, act: Act, done: Done | None, back: str = ""
) -> HttpResponse:
    """On to the person's page when it was done; else the page of the act with its form as it was typed."""
    if done is not None:
        messages.success(request, done.said)
        return redirect(back or reverse("person", args=[study.code, done.person.pk]))
    status = 200
    if form.is_bound:
        status = 409 if getattr(form, "is_stale", False) else 400
    return render(request, "trial/people/act.html", {"study": study, "form": form, "act": act}, status=status)


@edits
def invite(request: StaffRequest, study: Study) -> HttpResponse:
    """Somebody new: an account, a first role, and a link at which they choose a password."""
    form = filled(request, InviteForm, study=study, today=today(), can_mail=settings.HAS_MAIL)

    def act() -> Done:
        person, said = actions.invite(form.newcomer(), study, form.wanted(), by=request.user, today=today())
        return Done(person, f"{said} {word_way(form)}")

    done = carry_out(request, study, form, act)
    if done is not None:
        return hand_over_link(request, study, done, by_mail=form.by_mail())
    follows = [
        "Makes an account that nobody can sign in to, and a link at which the person chooses a password. "
        f"The link is good once, for {LINK_HOURS} hours."
    ]
    return answer(request, study, form, Act("Invite a person", "Invite", follows), done)


@edits
def add_existing(request: StaffRequest, study: Study) -> HttpResponse:
    """Somebody who has an account already, from another study."""
    form = filled(request, ExistingForm, study=study, today=today())

    def act() -> Done:
        found = actions.account_named(form.cleaned_data["account"], study)
        return Done(found, actions.give_role(found, study, form.wanted(), by=request.user, today=today()))

    done = carry_out(request, study, form, act)
    follows = ["Gives a role in this study to somebody who has an account already. Their other roles stay as they are."]
    return answer(request, study, form, Act("Add somebody who has an account", "Give the role", follows), done)


@edits
def add_role(request: StaffRequest, study: Study, person: int) -> HttpResponse:
    """Another role for somebody of the study."""
    member = find_member(study, person)
    form = filled(request, RoleForm, study=study, today=today())
    done = carry_out(
        request,
        study,
        form,
        lambda: Done(
            member.person,
            actions.give_role(member.person, study, form.wanted(), by=request.user, today=today()),
        ),
    )
    follows = [consequences.of_any_change(member.person)]
    return answer(request, study, form, Act(f"Give {member.name} a role", "Give the role", follows, member), done)


@edits
def end_role(request: StaffRequest, study: Study, person: int, membership: int) -> HttpResponse:
    """The end of a role, at once or with a day."""
    member = find_member(study, person)
    role = find_role(member, membership)
    form = filled(request, EndForm, leaving=[role], today=today(), initial={"version": role.version})
    done = carry_out(
        request,
        study,
        form,
        lambda: Done(
            member.person,
            actions.end_role(role, form.last_day(), seen=form.cleaned_data["version"], by=request.user, today=today()),
        ),
    )
    see_again(form, role)
    follows = consequences.of_ending(member, [role], study, today())
    return answer(request, study, form, Act(f"End the role {word_role(role)}", "End the role", follows, member), done)


@edits
def change_dates(request: StaffRequest, study: Study, person: int, membership: int) -> HttpResponse:
    """Another first or last day for a role."""
    member = find_member(study, person)
    role = find_role(member, membership)
    initial = {"version": role.version, "starts_on": role.starts_on, "ends_on": role.ends_on}
    form = filled(request, DatesForm, leaving=[role], today=today(), initial=initial)
    done = carry_out(
        request,
        study,
        form,
        lambda: Done(
            member.person,
            actions.change_dates(
                role,
                form.cleaned_data["starts_on"],
                form.cleaned_data["ends_on"],
                seen=form.cleaned_data["version"],
                by=request.user,
                today=today(),
            ),
        ),
    )
    see_again(form, role)
    follows = [consequences.of_any_change(member.person)]
    act = Act(f"Change the dates of the role {word_role(role)}", "Save the dates", follows, member)
    return answer(request, study, form, act, done)


def see_again(form: Any, record: Membership | Person) -> None:
    """After `Stale` was said: the next attempt is made against what there is now."""
    if getattr(form, "is_stale", False):
        now = type(record).objects.filter(pk=record.pk).values_list("version", flat=True).first()
        form.see_again(now or record.version)


@edits
def disable(request: StaffRequest, study: Study, person: int) -> HttpResponse:
    """The closing of an account."""
    member = find_member(study, person)
    version = {"version": member.person.version}
    form = filled(request, DisableForm, leaving=member.memberships, today=today(), initial=version)
    done = carry_out(
        request,
        study,
        form,
        lambda: Done(
            member.person,
            actions.disable(member.person, seen=form.cleaned_data["version"], by=request.user, today=today()),
        ),
    )
    see_again(form, member.person)
    follows = [
        *consequences.of_ending(member, member.memberships, study, today()),
        f"{member.name} cannot sign in until somebody enables the account. The roles stay as they are.",
    ]
    return answer(request, study, form, Act(f"Disable the account of {member.name}", "Disable", follows, member), done)


@edits
def enable(request: StaffRequest, study: Study, person: int) -> HttpResponse:
    """The opening of an account that was closed."""
    member = find_member(study, person)
    form = filled(request, EnableForm, initial={"version": member.person.version})
    done = carry_out(
        request,
        study,
        form,
        lambda: Done(
            member.person,
            actions.enable(member.person, seen=form.cleaned_data["version"], by=request.user, today=today()),
        ),
    )
    see_again(form, member.person)
    held = [str(held) for held in member.held if held.when is Holding.NOW]
    follows = [
        f"{member.name} can sign in again, as {'; '.join(held)}." if held else f"{member.name} has no role today."
    ]
    return answer(request, study, form, Act(f"Enable the account of {member.name}", "Enable", follows, member), done)


@edits
def new_link(request: StaffRequest, study: Study, person: int) -> HttpResponse:
    """A link at which the person chooses a new password. Nobody else learns or chooses it."""
    member = find_member(study, person)
    form = filled(request, LinkForm, can_mail=settings.HAS_MAIL and bool(member.person.user.email))

    def act() -> Done:
        said = actions.check_new_link(member.person, by=request.user, today=today())
        return Done(member.person, f"{said} {word_way(form)}")

    done = carry_out(request, study, form, act)
    if done is not None:
        return hand_over_link(request, study, done, by_mail=form.by_mail())
    follows = [
        f"Makes a link at which {member.name} chooses a new password. It is good once, for {LINK_HOURS} hours; "
        "until it is used the password of today goes on working. The second factor is asked for as before."
    ]
    return answer(
        request, study, form, Act(f"A new password link for {member.name}", "Make the link", follows, member), done
    )


def word_way(form: LinkForm) -> str:
    """How the link reached the person, for the record."""
    return "The link went by mail." if form.by_mail() else "The link was shown, to be handed over."


def hand_over_link(request: StaffRequest, study: Study, done: Done, *, by_mail: bool) -> HttpResponse:
    """Send the link to the person, or show it, this once."""
    user = done.person.user
    link = password_link(user, request)
    if by_mail:
        send_letters(
            [user.email],
            "choose your password",
            f"Dear {done.person},\n\n{request.user.person.name} asks you to choose a password for your account "
            f"'{user.username}' of study {study}:\n\n{link}\n\n"
            f"The link is good once, for {LINK_HOURS} hours. If you expected no such letter, do not open the link, and "
            "tell the administrator of your study.\n",
        )
        messages.success(request, f"{done.said} It was sent to {user.email}.")
        return redirect("person", study=study.code, person=done.person.pk)
    context = {"study": study, "person": done.person, "said": done.said, "link": link, "hours": LINK_HOURS}
    return render(request, "trial/people/link.html", context)


@edits
def remove_factor(request: StaffRequest, study: Study, person: int) -> HttpResponse:
    """The second factor of somebody who lost it."""
    member = find_member(study, person)
    form = filled(request, FactorForm)
    done = carry_out(
        request,
        study,
        form,
        lambda: Done(member.person, actions.remove_second_factor(member.person, by=request.user, today=today())),
    )
    follows = [
        consequences.of_any_change(member.person),
        f"Removes every app, passkey and recovery code of {member.name}. At the next sign-in a new one is asked for, "
        "where one is required. Be sure that it is really this person who asks.",
    ]
    act = Act(f"Remove the second factor of {member.name}", "Remove it", follows, member)
    return answer(request, study, form, act, done)


# The periodic review.


@views
def review_list(request: StaffRequest, study: Study) -> HttpResponse:
    """Every review of the study, newest first."""
    context = {
        "study": study,
        "reviews": reviews_of(study),
        "due": review_due(study, today()),
        "may_review": may(request.user, Permission.PEOPLE_REVIEW, study),
    }
    return render(request, "trial/people/reviews.html", context)


@reviews
def review(request: StaffRequest, study: Study) -> HttpResponse:
    """The list of today, to be looked through and confirmed."""
    form = filled(request, ReviewForm, statement=statement(study, today()))
    if form.is_valid():
        asked = form.cleaned_data
        try:
            with acting(request, Permission.PEOPLE_REVIEW, study, reason="Periodic review of access."):
                kept = actions.confirm_review(study, seen=asked["seen"], today=today(), remarks=asked["remarks"])
        except Stale as stale:
            form.add_error(None, str(stale))
        else:
            drop_draft(request.user, request.path)
            messages.success(request, f"Kept: {kept.people_count} people were reviewed as of {word_date(today())}.")
            return redirect("people-reviews", study=study.code)
    members = actions.list_to_review(study, today())
    digest = actions.digest(members)
    is_stale = form.is_bound and form.data.get("seen") != digest
    if is_stale:
        form.see_again(digest)
    form.initial["seen"] = digest
    context = {"study": study, "form": form, "members": members, "due": review_due(study, today())}
    status = 409 if is_stale else 400 if form.is_bound else 200
    return render(request, "trial/people/review.html", context, status=status)
