"""What a person typed and has not saved. Private to them, never in an export, never in the trail.

A form that was sent when the session had ended is kept here, and the page is filled with it when the same person is back.
Where one address can be open several times, each opened page carries a mark of its own, and has a draft of its own.
"""

import json
import re
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

from django import forms
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.http import HttpRequest, QueryDict
from django.utils import timezone

DRAFT_DAYS = 30  # what nobody came back for in this time is gone
MOST_OF_AN_ADDRESS = 300  # characters
MOST_CHARACTERS = 200_000  # of one draft, as JSON
MARK = re.compile(r"[0-9a-f]{32}", re.ASCII)  # of one opened page, in its field `once`
OPENED_BY = "opened_by"  # the field of a page that says for whom it was made
# Names of fields whose content must not lie about: secrets, and the mark that Django puts into each form.
SECRET = re.compile(r"pass(word|wd|phrase|code)|secret|token|credential|otp|^codes?$|^pin$", re.IGNORECASE)


class Draft(models.Model):
    """What one person typed into one page, by the names of its fields."""

    untracked_because: ClassVar = "It was typed and not saved: it is nobody's record yet."

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    page = models.CharField(
        max_length=MOST_OF_AN_ADDRESS
    )  # the address, and the mark of the opened page where it has one
    typed = models.JSONField()  # the name of each field, and the texts given for it
    at = models.DateTimeField(auto_now=True)

    class Meta:
        app_label = "trial"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "page"], name="one_draft_a_person_and_page"),
        ]

    def __str__(self) -> str:
        return self.page


Typed = dict[str, list[str]]


def opened_page(address: str, typed: Typed) -> str:
    """The page into which this was typed: its address, and its mark where it carries one."""
    mark = next(iter(typed.get("once", [])), "")
    return f"{address}?once={mark}" if MARK.fullmatch(mark) else address


def keep_draft(user: Any, address: str, typed: Typed) -> bool:
    """Keep what this person typed into the page of this address, in the place of what they typed before. False when it cannot be kept.

    Fields that hold a secret are left out. What is larger than a form can be, or holds a NUL, is not kept at all.
    """
    kept = {name: texts for name, texts in typed.items() if name != OPENED_BY and not SECRET.search(name)}
    text = json.dumps(kept)
    page = opened_page(address, kept)
    is_odd = "\0" in page or any("\0" in part for name, texts in kept.items() for part in (name, *texts))
    if not kept or is_odd or len(text) > MOST_CHARACTERS or len(page) > MOST_OF_AN_ADDRESS:
        return False
    Draft.objects.filter(user=user, at__lt=timezone.now() - timedelta(days=DRAFT_DAYS)).delete()
    Draft.objects.update_or_create(user=user, page=page, defaults={"typed": kept})
    return True


def keep_what_was_sent(request: HttpRequest, user: Any) -> bool:
    """Keep the form that this request sent, for the page that it was sent to. False when there was none, or it cannot be kept.

    What another person typed is not kept for this one.
    """
    if request.method != "POST" or is_opened_by_another(request, user):
        return False
    return keep_draft(user, request.path, typed_in(request.POST))


def is_opened_by_another(request: HttpRequest, user: Any) -> bool:
    """Whether the page that sent this was made for somebody else, who was signed in in this browser then."""
    return request.POST.get(OPENED_BY, str(user.pk)) != str(user.pk)


def typed_in(data: QueryDict) -> Typed:
    """What a form sent, as a draft holds it."""
    return {name: list(map(str, texts)) for name, texts in data.lists()}


def find_drafts(user: Any, address: str) -> list[Draft]:
    """The drafts of this person for the page of an address, one for each opened page; the newest first. Old ones are gone."""
    oldest = timezone.now() - timedelta(days=DRAFT_DAYS)
    of_the_page = Q(page=address) | Q(page__startswith=f"{address}?once=")
    return list(Draft.objects.filter(of_the_page, user=user, at__gte=oldest).order_by("-at", "-pk"))


def find_draft(user: Any, address: str) -> Draft | None:
    """The newest draft of this person for the page of an address, or for the one opened page that it names."""
    return next(iter(find_drafts(user, address)), None)


def drop_draft(user: Any, page: str) -> bool:
    """Forget what this person typed into this page. False when there was nothing."""
    return bool(Draft.objects.filter(user=user, page=page).delete()[0])


def drop_what_was_sent(request: HttpRequest, address: str = "") -> None:
    """Forget the draft of the opened page that sent this request, and one without a mark. `address` where it was not sent to its own."""
    address = address or request.path
    pages = {address, opened_page(address, typed_in(request.POST))}
    Draft.objects.filter(user=request.user.pk, page__in=pages).delete()


AnyForm = TypeVar("AnyForm", bound=forms.BaseForm)


def filled(request: Any, form_class: type[AnyForm], **given: Any) -> AnyForm:
    """The form of a page: as it was sent, else as this person left it in a draft, else with what is `given`.

    `form.draft_at` is the moment of the draft, for `components/draft.html`, which says so and can forget it. Whatever is sent takes the
    place of the draft.
    """
    draft: datetime | None = None
    if request.method == "POST":
        drop_draft(request.user, request.path)
        form = form_class(request.POST, request.FILES, **given)
    else:
        form = form_class(**given)
        kept = find_draft(request.user, request.path)
        if kept:
            draft = kept.at
            form.initial = {**form.initial, **texts_of(form, kept.typed)}
    form.draft_at = draft  # type: ignore[attr-defined]  # ours
    form.draft_page = request.path  # type: ignore[attr-defined]  # ours
    return form


def texts_of(form: forms.BaseForm, typed: Typed) -> dict[str, Any]:
    """What each field of the form shows for the texts of a draft. A field that the draft does not know keeps its own.

    So does a hidden one: nobody typed it, and it says what the page shows now.
    """
    data = QueryDict(mutable=True)
    for name, texts in typed.items():
        data.setlist(name, texts)
    return {
        name: field.widget.value_from_datadict(data, {}, form.add_prefix(name))
        for name, field in form.fields.items()
        if not SECRET.search(name)
        and not isinstance(field.widget, forms.FileInput | forms.HiddenInput)
        and not field.widget.value_omitted_from_data(data, {}, form.add_prefix(name))
    }
