"""Where the casebook is found."""

from django.urls import path

from patients import views

urlpatterns = [
    path("<str:study>/patients/", views.patient_list, name="patient-list"),
    path("<str:study>/patients/<str:patient>/", views.patient_page, name="patient"),
    path("<str:study>/patients/<str:patient>/<str:form>/", views.form_page, name="form"),
    path("<str:study>/patients/<str:patient>/<str:form>/<int:record>/", views.record_page, name="record"),
    path(
        "<str:study>/patients/<str:patient>/<str:form>/<int:record>/history/",
        views.record_history,
        name="record-history",
    ),
]
