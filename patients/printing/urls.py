"""Where the casebook is printed."""

from django.urls import path

from patients.printing import views

urlpatterns = [
    path("<str:study>/blank-casebook.pdf", views.empty_forms_of_study_pdf, name="study-blank-casebook"),
    path("<str:study>/patients/<str:patient>/casebook.pdf", views.casebook_pdf, name="casebook-pdf"),
    path("<str:study>/patients/<str:patient>/blank-casebook.pdf", views.empty_forms_pdf, name="blank-casebook"),
]
