"""The report over HTTP: the JSON of the `report` command, for what the person who asks may see."""

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from analysis.disclosure import patients_named
from analysis.report import NotInCatalogue, Report, report
from analysis.tables.groups import PRIOR
from trial.access import Permission
from trial.access_record.keeping import shows
from trial.api import StudyAPIView
from trial.audit.recording import request_number

PARAMETERS = ("study", "cohort", "as_of", "cutoff", "output")


class ReportView(StudyAPIView):
    """`GET /api/v1/report?study=&cohort=&as_of=&cutoff=&output=T-4.1&output=F-5.4`.

    A parameter without a value was not asked for.

    What is unknown or malformed is answered with 404 or 400 and `{"detail": sentence}`, like every other refusal here.
    """

    permission = Permission.REPORT_VIEW

    def get(self, request: Request) -> HttpResponse:
        """The report, as DESIGN 9 writes it."""
        try:
            made = self.asked_report(request)
        except NotInCatalogue as error:
            return Response({"detail": str(error), "request": request_number()}, status=error.status)
        # Each number of it comes with the patients behind it: any of those that it was made from, as they were then.
        shows(request, patients_named(made.basis, made.basis.extract.frames["SUBJ"]["patient"]))
        return HttpResponse(made.as_json(), content_type="application/json")

    def asked_report(self, request: Request) -> Report:
        """The report that the query asks for. Raises `NotInCatalogue`."""
        query = request.query_params
        unknown = sorted(set(query) - set(PARAMETERS))
        if unknown:
            raise NotInCatalogue(
                f"There is no '{', '.join(unknown)}'. Choose from {', '.join(PARAMETERS)}.", status=400
            )
        return report(
            request.user,
            study=self.study.code,
            cohort=query.get("cohort") or PRIOR.key,
            as_of=query.get("as_of"),
            cutoff=query.get("cutoff"),
            outputs=[number for number in query.getlist("output") if number],
        )
