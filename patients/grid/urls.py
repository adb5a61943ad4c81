"""Where the grid, the day's work and enrolment are found."""

from django.urls import path

from patients.grid import views

urlpatterns = [
    path("<str:study>/today/", views.todays_work, name="today"),
    path("<str:study>/grid/", views.site_grid, name="grid"),
    path("<str:study>/enrol/", views.enrol_patient, name="enrol"),
    path("<str:study>/patients/<str:patient>/visits/", views.patient_grid, name="patient-grid"),
]
