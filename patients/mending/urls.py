"""Where something is put right."""

from django.urls import path

from patients.mending import views

RECORD = "<str:study>/patients/<str:patient>/<str:form>/<int:record>/"

urlpatterns = [
    path("<str:study>/patients/<str:patient>/screen-again/", views.patient_screen_again, name="patient-screen-again"),
    path("<str:study>/patients/<str:patient>/transfer/", views.patient_transfer, name="patient-transfer"),
    path(f"{RECORD}move/", views.entry_move, name="entry-move"),
    path(f"{RECORD}version/", views.entry_version, name="entry-version"),
]
