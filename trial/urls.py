"""Where every page is found. What belongs to a study begins with its code."""

from django.urls import URLPattern, URLResolver, include, path

from trial import views
from trial.browser_reports import take_report

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.home, name="home"),
    path("", include("trial.sign_in.urls")),
    path("", include("trial.token_pages")),
    path("<str:study>/changes/", views.changes, name="changes"),
    path("<str:study>/changes.csv", views.changes_csv, name="changes-csv"),
    path("<str:study>/changes/<int:act>/", views.changes_of_act, name="changes-act"),
    path("reports/", take_report, name="browser-reports"),
    path("", include("trial.access_record.urls")),  # before the patients': "access" is no form
    path("", include("trial.people.urls")),
    path("", include("patients.urls")),
    path("", include("analysis.urls")),
]

handler400 = "trial.error_pages.bad_request"
handler403 = "trial.error_pages.forbidden"
handler404 = "trial.error_pages.not_found"
handler500 = "trial.error_pages.server_error"
