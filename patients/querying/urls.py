"""Where queries are asked, read, answered and decided about."""

from django.urls import path

from patients.querying import figures, listing, views

QUERY = "<str:study>/patients/<str:patient>/queries/<int:query>/"

urlpatterns = [
    path("<str:study>/queries/", listing.query_list, name="queries"),
    path("<str:study>/queries/run/", listing.query_run, name="queries-run"),
    path("<str:study>/queries/figures/", figures.query_figures, name="queries-figures"),
    path("<str:study>/queries/figures.csv", figures.query_figures_csv, name="queries-figures-csv"),
    path("<str:study>/queries/answer/", listing.query_answer, name="queries-answer"),
    path("<str:study>/queries/answer-all/", listing.answer_all, name="queries-answer-all"),
    path("<str:study>/queries/decide-all/", listing.decide_all, name="queries-decide-all"),
    path("<str:study>/queries/ask-all/", listing.ask_all, name="queries-ask-all"),
    path("<str:study>/patients/<str:patient>/ask/", views.ask_query, name="query-ask"),
    path(QUERY, views.query_page, name="query"),
    path(f"{QUERY}answer/", views.answer_query, name="query-answer"),
    path(f"{QUERY}decide/", views.decide_query, name="query-decide"),
]
