"""The report over HTTP: the JSON of the `report` command, for what the person who asks may see."""

from typing import Any

from django.http import HttpResponse
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analysis.report import NotInCatalogue, Report, find_study, report
from analysis.tables.groups import PRIOR
from trial.access import Permission, may

PARAMETERS = ("study", "cohort", "as_of", "cutoff", "output")


class ReportView(APIView):
    """`GET /api/v1/report?study=&cohort=&as_of=&cutoff=&output=T-4.1&output=F-5.4`.

    A parameter without a value was not asked for.

    What is unknown or malformed is answered with 404 or 400 and `{"detail": sentence}`, like every other refusal here.
    """

    permission = Permission.REPORT_VIEW

    def get(self, request: Request) -> HttpResponse:
        """The report, as DESIGN 9 writes it."""
        try:
            made = asked_report(request)
        except NotInCatalogue as error:
            return Response({"detail": str(error)}, status=error.status)
        if made is None:
            detail = "Your role does not include the report of this study."
            return Response({"detail": detail}, status=status.HTTP_403_FORBIDDEN)
        return HttpResponse(made.as_json(), content_type="application/json")


def asked_report(request: Request) -> Report | None:
    """The report that the query asks for; None when the person's role does not include it. Raises `NotInCatalogue`."""
    query = request.query_params
    unknown = sorted(set(query) - set(PARAMETERS))
    if unknown:
        raise NotInCatalogue(f"There is no '{', '.join(unknown)}'. Choose from {', '.join(PARAMETERS)}.", status=400)
    viewer: Any = request.user
    study = find_study(viewer, query.get("study") or None)
    if not may(viewer, Permission.REPORT_VIEW, study):
        return None
    return report(
        viewer,
        study=study.code,
        cohort=query.get("cohort") or PRIOR.key,
        as_of=query.get("as_of"),
        cutoff=query.get("cutoff"),
        outputs=[number for number in query.getlist("output") if number],
    )
