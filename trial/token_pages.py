"""The pages of a person's own API tokens: the list, a new one, and the end of one."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from trial.access import Permission, StaffRequest, requires, requires_sign_in
from trial.drafts import drop_draft, filled
from trial.models import ApiToken, Membership
from trial.token_actions import MOST_DAYS, USUAL_DAYS, make_token, memberships_for_tokens, revoke_token, why_ended


class TokenForm(forms.Form):
    """What a token is called, what it may see and how long."""

    name = forms.CharField(label="What it is for", max_length=60, help_text="For example: monthly report.")
    scope = forms.ChoiceField(
        label="Study and role", help_text="It sees what this role of yours sees, and nothing else."
    )
    days = forms.IntegerField(
        label="Days until it expires",
        initial=USUAL_DAYS,
        min_value=1,
        max_value=MOST_DAYS,
        help_text=f"At most {MOST_DAYS}.",
        error_messages=dict.fromkeys(
            ("min_value", "max_value"), f"%(show_value)s is not a number of days from 1 to {MOST_DAYS}."
        ),
    )

    def __init__(self, *args: Any, owner: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.owner = owner
        self.memberships = {f"{held.study.code} {held.role}": held for held in memberships_for_tokens(owner)}
        scope = self.fields["scope"]
        assert isinstance(scope, forms.ChoiceField)
        scope.choices = [
            (key, f"{held.study.code}, {held.get_role_display()}") for key, held in self.memberships.items()
        ]

    def clean_name(self) -> str:
        """A name that no other token of this person has. It also keeps a page that is sent twice from making two."""
        name: str = self.cleaned_data["name"]
        if ApiToken.objects.filter(user=self.owner, name=name).exists():
            raise ValidationError(f"You have a token called '{name}' already. Give this one another name.")
        return name

    @property
    def membership(self) -> Membership:
        """The membership that was chosen. Call it on a valid form."""
        return self.memberships[self.cleaned_data["scope"]]


@requires(Permission.TOKENS_EDIT)
def tokens(request: StaffRequest) -> HttpResponse:
    """The person's own tokens, and what became of each."""
    own = ApiToken.objects.filter(user=request.user).select_related("study", "user")
    return render(request, "trial/tokens.html", {"tokens": [(token, why_ended(token)) for token in own]})


@requires(Permission.TOKENS_EDIT, again=True)
def new_token(request: StaffRequest) -> HttpResponse:
    """Make a token. Its text is on the answer to the form and nowhere else, so there is no page to come back to."""
    form = filled(request, TokenForm, owner=request.user)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        token, text = make_token(request, form.membership, name=given["name"], days=given["days"])
        address = f"{request.build_absolute_uri(reverse('api-report'))}?{urlencode({'study': token.study.code})}"
        return render(request, "trial/token_made.html", {"token": token, "text": text, "address": address})
    return render(request, "trial/token_new.html", {"form": form})


@requires(Permission.TOKENS_EDIT)
@require_POST
def end_token(request: StaffRequest, token: str) -> HttpResponse:
    """Revoke one of the person's own tokens, found by its first characters."""
    found = ApiToken.objects.filter(user=request.user, token_key=token).select_related("study").first()
    if found is None:
        raise Http404("You have no such token. It may be revoked already.")
    revoke_token(request, found)
    return redirect("api-tokens")


@requires_sign_in
@require_POST
def forget_draft(request: HttpRequest) -> HttpResponse:
    """Forget what the person typed into a page, and show the page empty."""
    page = request.POST.get("page", "")
    return redirect(page if drop_draft(request.user, page) else "home")


urlpatterns = [
    path("account/tokens/", tokens, name="api-tokens"),
    path("account/tokens/new/", new_token, name="api-token-new"),
    path("account/tokens/<str:token>/revoke/", end_token, name="api-token-revoke"),
    path("account/drafts/forget/", forget_draft, name="draft-forget"),
]
