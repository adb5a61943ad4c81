"""Pages that tell what they should not, each in its own way: the sweep must find every one of them."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path

from trial import urls
from trial.access import open_to_everybody
from trial.models import Patient


@open_to_everybody
def by_status(request: HttpRequest, patient: str) -> HttpResponse:
    """Forbidden where there is such a patient, and missing where there is none."""
    return HttpResponse("No.", status=403 if Patient.objects.filter(number=patient).exists() else 404)


@open_to_everybody
def by_header(request: HttpRequest, patient: str) -> HttpResponse:
    """The same answer, of another age."""
    found = Patient.objects.filter(number=patient).first()
    return HttpResponse("No.", status=404, headers={"Age": str(found.version if found else 0)})


@open_to_everybody
def by_text(request: HttpRequest, patient: str) -> HttpResponse:
    """The same refusal, in other words."""
    if Patient.objects.filter(number=patient).exists():
        raise Http404("This patient is not for you.")
    raise Http404("There is no such patient.")


@open_to_everybody
def by_word(request: HttpRequest) -> HttpResponse:
    """A list of everybody."""
    return HttpResponse("\n".join(Patient.objects.values_list("number", flat=True)))


@open_to_everybody
def by_field(request: HttpRequest) -> HttpResponse:
    """A list narrowed to a patient, whoever asks."""
    narrowed = request.GET.get("patient", "")
    count = Patient.objects.filter(number=narrowed).count() if narrowed else 0
    return HttpResponse(f'<form><input name="patient"></form><p>{count} patients</p>')


@open_to_everybody
def by_failure(request: HttpRequest, patient: str) -> HttpResponse:
    """An error of ours for whoever asks for a patient that there is."""
    return HttpResponse("Sorry.", status=500 if Patient.objects.filter(number=patient).exists() else 404)


WAYS = ("by-status", "by-header", "by-text", "by-word", "by-field", "by-failure")

urlpatterns = [
    path("leaking/<str:patient>/status/", by_status, name="by-status"),
    path("leaking/<str:patient>/header/", by_header, name="by-header"),
    path("leaking/<str:patient>/text/", by_text, name="by-text"),
    path("leaking/word/", by_word, name="by-word"),
    path("leaking/field/", by_field, name="by-field"),
    path("leaking/<str:patient>/failure/", by_failure, name="by-failure"),
    *urls.urlpatterns,
]
handler404 = urls.handler404
