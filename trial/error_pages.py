"""The answers to what went wrong: a sentence, what to do, and the number of the request. Never a trace, never the data.

Under `/api/` the same is said as JSON.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from django.core.exceptions import (
    BadRequest,
    DisallowedHost,
    RequestDataTooBig,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse

from trial.access import Permission
from trial.audit.recording import request_number
from trial.drafts import keep_what_was_sent

# What Django refuses before any view: its own words are for developers.
MALFORMED: Mapping[type[Exception], str] = {
    DisallowedHost: "This server does not answer to that name. Use the address that your administrator gave you.",
    RequestDataTooBig: "More was sent at once than this page takes. Send less.",
    TooManyFieldsSent: "More fields were sent than this page has. Load the page again and repeat it.",
    TooManyFilesSent: "More files were sent at once than this page takes. Send fewer.",
    MultiPartParserError: "The form arrived damaged. Load the page again and repeat it.",
}


def is_for_a_program(request: HttpRequest) -> bool:
    """Whether the answer goes to a program, by the address that was asked."""
    return request.path_info.startswith("/api/")


def answer(request: HttpRequest, template: str, status: int, said: str) -> HttpResponse:
    """One refusal: JSON for a program, a page for a person."""
    number = request_number()
    if is_for_a_program(request):
        return JsonResponse({"detail": said, "request": number}, status=status)
    return render(request, template, {"said": said, "number": number}, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: what is wrong with what was sent, and what would be right."""
    if isinstance(exception, BadRequest):
        said = str(exception)
    else:
        said = MALFORMED.get(type(exception), "The request could not be understood.")
    return answer(request, "400.html", 400, said)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: what the person's role may not do."""
    return answer(request, "403.html", 403, str(exception) or "Your role may not open this page.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: what is missing. The sentence is ours, or a general one: Django's own would list the addresses."""
    said = exception.args[0] if exception.args and isinstance(exception.args[0], str) else ""
    return answer(request, "404.html", 404, said or "There is no page at this address, or it is not for you.")


def wrong_method(request: HttpRequest, allowed: str) -> HttpResponse:
    """405: the page is there, but not for this. `allowed` is the list of what it takes, as HTTP writes it."""
    said = f"This address cannot be used with {request.method}. It takes {allowed}."
    response = answer(request, "405.html", 405, said)
    response["Allow"] = allowed
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """500: that it failed here, and the number under which the log has it. Needs nothing that could fail too."""
    number = request_number()
    if is_for_a_program(request):
        return JsonResponse({"detail": "Something failed here. Nothing was half saved.", "request": number}, status=500)
    return HttpResponse(render_to_string("500.html", {"number": number}), status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form came without the token of this visit. Django's `reason` speaks of cookies; the page says what to do."""
    said = "This form was sent without the mark of your visit, so nothing was done."
    number = request_number()
    if is_for_a_program(request):
        return JsonResponse({"detail": said, "request": number}, status=403)
    is_kept = is_of_our_own_page(request) and keep_what_was_sent(request, request.user)
    context = {"said": said, "number": number, "back": came_from(request), "is_kept": is_kept}
    return render(request, "403_csrf.html", context, status=403)


def is_of_our_own_page(request: HttpRequest) -> bool:
    """Whether somebody signed in sent this from a page about a study here. What another site sent must not fill a form of theirs."""
    match = request.resolver_match
    permission = getattr(match.func, "permission", None) if match else None
    return (
        request.user.is_authenticated
        and permission not in {None, Permission.ACCOUNT_OWN}  # passwords are typed on the pages of an account
        and request.headers.get("Sec-Fetch-Site") == "same-origin"
    )


def came_from(request: HttpRequest) -> str:
    """The page of this server that the request came from, else the first page. Never an address elsewhere."""
    page = urlsplit(request.headers.get("Referer", ""))
    if page.netloc != request.get_host() or not page.path.startswith("/") or page.path.startswith("//"):
        return reverse("home")
    return f"{page.path}?{page.query}" if page.query else page.path
