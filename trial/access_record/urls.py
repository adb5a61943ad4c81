"""Where the access record is found."""

from django.urls import path

from trial.access_record import views

urlpatterns = [
    path("<str:study>/access/", views.access_list, name="access"),
    path("<str:study>/access.csv", views.access_csv, name="access-csv"),
    path("<str:study>/access/people/", views.access_people, name="access-people"),
    path("<str:study>/access/people.csv", views.access_people_csv, name="access-people-csv"),
    path("<str:study>/access/<int:event>/", views.access_event, name="access-event"),
    path("<str:study>/patients/<str:patient>/access/", views.patient_access, name="patient-access"),
    path("<str:study>/patients/<str:patient>/access.csv", views.patient_access_csv, name="patient-access-csv"),
]
