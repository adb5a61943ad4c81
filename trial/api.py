"""What every endpoint of the API does: who asks, how often, of which study, whether they may, and the reading on record.

An answer that is not the asked one is `{"detail": sentence, "request": number}`.
"""

from typing import Any, ClassVar

from django.conf import settings
from django.http import Http404
from rest_framework.exceptions import NotAuthenticated, ParseError, PermissionDenied, Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView, exception_handler

from trial.access import Permission, find_place, keep_reading, keep_refusal, studies_visible_to
from trial.access_record.keeping import client_address, network_of
from trial.audit.recording import request_number
from trial.models import Study
from trial.sign_in.confirmation import ASKED, confirmed_recently


class AddressThrottle(SimpleRateThrottle):
    """The limit for one address, counted before anybody is known: it slows down the guessing of tokens too."""

    scope = "address"

    def get_rate(self) -> str:
        return f"{settings.API_PER_ADDRESS}/minute"

    def get_cache_key(self, request: Request, view: APIView) -> str:
        return self.cache_format % {"scope": self.scope, "ident": network_of(client_address(request))}


class PersonThrottle(SimpleRateThrottle):
    """The limit for one person, by whatever tokens and sessions."""

    scope = "person"

    def get_rate(self) -> str:
        return f"{settings.API_PER_PERSON}/minute"

    def get_cache_key(self, request: Request, view: APIView) -> str:
        return self.cache_format % {"scope": self.scope, "ident": request.user.pk}


class StudyAPIView(APIView):
    """An endpoint about one study: the `study` of the path or of the query, else the only one that the person has.

    `permission` is tested in that study, which the handler finds as `self.study`. The handler says whose data it answers
    with (`shows(request, patients)`), unless the endpoint `reveals` nothing of any single one. Where it asks `again`, the
    person must have confirmed who they are within the last ten minutes; a token cannot.
    """

    permission: ClassVar[Permission]
    reveals: ClassVar[bool] = True
    again: ClassVar[bool] = False
    metadata_class = None
    throttle_classes = [PersonThrottle]
    study: Study

    def perform_authentication(self, request: Request) -> None:
        """Find out who asks, unless too many calls came from there."""
        throttle = AddressThrottle()
        if not throttle.allow_request(request, self):
            raise Throttled(throttle.wait())
        super().perform_authentication(request)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """All that comes before the handler."""
        super().initial(request, *args, **kwargs)
        try:
            code = kwargs.get("study") or request.query_params.get("study") or self.only_study(request)
        except Http404:
            keep_refusal(request, None)
            raise
        arguments: dict[str, Any] = {"study": code}
        find_place(request, self.permission, Study, arguments)
        self.study = arguments["study"]  # found there
        if self.again and (request.auth is not None or not confirmed_recently(request)):
            raise PermissionDenied(ASKED)

    def only_study(self, request: Request) -> str:
        """The code of the study where the person has but one."""
        codes = list(studies_visible_to(request.user).order_by("code").values_list("code", flat=True))
        if not codes:
            raise Http404("There is no study for you here yet.")
        if len(codes) > 1:
            raise ParseError(f"You have a role in several studies. Say which: study={', study='.join(codes)}.")
        return codes[0]

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Put the reading on record before the answer leaves."""
        if response.status_code == 200:
            keep_reading(request, self.permission, self.study, reveals=self.reveals)
        return super().finalize_response(request, response, *args, **kwargs)


def word_refusal(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's answer to an exception, with a sentence and the number of the request; None for what is no refusal."""
    response = exception_handler(error, context)
    if response is None:
        return None
    ended = getattr(context["request"], "marrow_ended", None)
    if isinstance(error, NotAuthenticated) and ended:
        said = ended.said
    elif isinstance(error, NotAuthenticated):
        said = "Say who you are: send the header 'Authorization: Token ...' with one of your API tokens."
    elif isinstance(error, Throttled):
        said = f"These were too many calls. Try again in {response.get('Retry-After', '60')} seconds."
    else:
        said = str(response.data["detail"])
    response.data = {"detail": said, "request": request_number()}
    return response
