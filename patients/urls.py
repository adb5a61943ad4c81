"""Where the casebook is found."""

from django.urls import include, path

from patients import story_page, views

urlpatterns = [
    path("", include("patients.grid.urls")),  # first: "visits" is no form
    path("", include("patients.querying.urls")),  # nor is "ask"
    path("", include("patients.mending.urls")),  # nor is "transfer"
    path("", include("patients.printing.urls")),
    path("<str:study>/patients/", views.patient_list, name="patient-list"),
    path("<str:study>/patients.csv", views.patient_list_csv, name="patient-list-csv"),
    path("<str:study>/patients/<str:patient>/", views.patient_page, name="patient"),
    path("<str:study>/patients/<str:patient>/story/", story_page.patient_story, name="patient-story"),
    path("<str:study>/patients/<str:patient>/<str:form>/", views.form_page, name="form"),
    path("<str:study>/patients/<str:patient>/<str:form>/<int:record>/", views.record_page, name="record"),
    path(
        "<str:study>/patients/<str:patient>/<str:form>/<int:record>/history/",
        views.record_history,
        name="record-history",
    ),
    path("", include("patients.entry.urls")),
]
