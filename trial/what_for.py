"""Lists that are taken away say what for and for whom, before they leave: one question for all of them."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from trial.access import StaffRequest, View
from trial.access_record.keeping import shows, taken_by, takes_away
from trial.models import Study

LONGEST = 200  # characters of a purpose or a recipient; the record keeps no more
PURPOSE_MISSING = "Say what the data are for."
RECIPIENT_MISSING = "Say who receives the data."


class WhatForForm(forms.Form):
    """What a list is for, and who receives it. Both must be said in a study of real patients."""

    purpose = forms.CharField(label="What it is for", max_length=LONGEST, error_messages={"required": PURPOSE_MISSING})
    recipient = forms.CharField(
        label="Who receives it", max_length=LONGEST, error_messages={"required": RECIPIENT_MISSING}
    )

    def __init__(self, data: Any, *, study: Study) -> None:
        super().__init__(data)
        for field in self.fields.values():
            field.required = not study.is_synthetic


def says_what_for(list_page: str) -> Callable[[View], View]:
    """Declare that a view gives a list away as a file. Goes below `requires`; `list_page` is the page that has the list.

    The address says `purpose` and `recipient`, which go on the access record with the list. Where they are missing the
    answer is 400, so that no program takes it for the file, with the form that asks for them.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: StaffRequest, **kwargs: Any) -> HttpResponseBase:
            study = kwargs["study"] if "study" in kwargs else kwargs["patient"].study
            form = WhatForForm(request.GET, study=study)
            if not form.is_valid():
                return ask_what_for(request, study, form, list_page)
            response = view(request, **kwargs)
            taken = taken_by(request)
            if taken is not None:
                takes_away(request, **taken, **form.cleaned_data)
            return response

        return guarded

    return decorate


def ask_what_for(request: StaffRequest, study: Study, form: WhatForForm, list_page: str) -> HttpResponse:
    """The page that asks. It keeps how the list is narrowed, and finds no fault before anything was said."""
    shows(request, ())
    narrowed = request.GET.copy()
    for name in form.fields:
        narrowed.pop(name, None)
    back = reverse(list_page, kwargs=request.resolver_match.kwargs)  # type: ignore[union-attr]  # an address was found
    context = {
        "study": study,
        "form": form if form.fields.keys() & request.GET.keys() else WhatForForm(None, study=study),
        "narrowed": [(name, text) for name, texts in narrowed.lists() for text in texts],
        "back": f"{back}?{narrowed.urlencode()}" if narrowed else back,
    }
    return render(request, "trial/what_for.html", context, status=400)
