"""Where the report is found."""

from django.urls import path

from analysis import views
from analysis.api import ReportView

urlpatterns = [
    path("<str:study>/search/", views.search, name="search"),
    path("api/v1/report", ReportView.as_view(), name="api-report"),
    path("<str:study>/report/", views.report_page, name="report"),
    path("<str:study>/report/export/", views.export_datasets, name="report-export"),
    path("<str:study>/report/<str:output>/", views.output_page, name="report-output"),
    path("<str:study>/report/<str:output>/patients/<str:cell>/", views.patients_behind, name="report-patients"),
    path("<str:study>/report/<str:output>/figure-<int:number>.json", views.figure_json, name="report-figure-json"),
    path("<str:study>/report/<str:output>/figure-<int:number>.svg", views.figure_svg, name="report-figure-svg"),
]
