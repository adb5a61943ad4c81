"""What is refused before any page is asked, whoever asks."""

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse


class RefuseNul:
    """Middleware that answers an address with a NUL in it with 400: nothing is called so, and PostgreSQL stores none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked = [request.path, *(text for name, texts in request.GET.lists() for text in (name, *texts))]
        if any("\0" in text for text in asked):
            raise BadRequest("The address has a character in it that no name can have (NUL). Take %00 out of it.")
        return self.get_response(request)
