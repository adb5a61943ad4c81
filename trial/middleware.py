"""What is on every answer, and what is refused before any page is asked, whoever asks."""

import re
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from whitenoise.middleware import WhiteNoiseFileResponse  # type: ignore[import-untyped]  # it publishes no types

from trial.audit.recording import request_number
from trial.error_pages import is_for_a_program, wrong_method

Answer = Callable[[HttpRequest], HttpResponse]

# Django's SecurityMiddleware sends three of these too, but not on what it refuses itself.
ON_EVERY_ANSWER = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Reporting-Endpoints": 'csp="/reports/"',  # where `report-to` of the content security policy leads
}
OF_PAGES = ("GET", "HEAD", "POST")
OF_THE_API = (*OF_PAGES, "OPTIONS", "PUT", "PATCH", "DELETE")


class HeadersOfEveryAnswer:
    """Middleware for the headers that no view may forget. It stands first, so that refusals of the others have them too."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        number = request_number()  # asked before anything can fail, so that every line of the log has it
        response = self.get_response(request)
        response["X-Request-ID"] = number
        for name, value in ON_EVERY_ANSWER.items():
            response.headers.setdefault(name, value)
        if not isinstance(response, WhiteNoiseFileResponse):
            response["Cache-Control"] = "no-store"  # a shared computer must not keep a patient's page
        return response


class DropDamagedCookies:
    """Middleware that takes out a session's or form mark's cookie that we cannot have set, before anything looks it up.

    Its sender counts as signed out. A quoted cookie can hold any character, also NUL, which PostgreSQL would refuse.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME):
            if not re.fullmatch(r"[A-Za-z0-9]+", request.COOKIES.get(name, "")):
                request.COOKIES.pop(name, None)
        return self.get_response(request)


class RefuseMethods:
    """Middleware that takes from a page and the API only the methods that they can have; a bare 405 gets its words."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        allowed = OF_THE_API if is_for_a_program(request) else OF_PAGES
        if request.method not in allowed:
            return wrong_method(request, ", ".join(allowed))
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and not response.content:
            return wrong_method(request, response["Allow"])
        return response


class RefuseNul:
    """Middleware that answers an address with a NUL in it with 400: nothing is called so, and PostgreSQL stores none."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked = [request.path, *(text for name, texts in request.GET.lists() for text in (name, *texts))]
        if any("\0" in text for text in asked):
            raise BadRequest("The address has a character in it that no name can have (NUL). Take %00 out of it.")
        return self.get_response(request)
