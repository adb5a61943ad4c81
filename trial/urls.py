"""Where every page is found. What belongs to a study begins with its code."""

from django.urls import URLPattern, URLResolver, include, path

from trial import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.home, name="home"),
    path("sign-in/", views.sign_in, name="sign-in"),
    path("sign-in/as/", views.sign_in_as, name="sign-in-as"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("<str:study>/changes/", views.changes, name="changes"),
    path("<str:study>/changes.csv", views.changes_csv, name="changes-csv"),
    path("<str:study>/changes/<int:act>/", views.changes_of_act, name="changes-act"),
    path("", include("patients.urls")),
    path("", include("analysis.urls")),
]

handler400 = "trial.views.bad_request"
handler403 = "trial.views.forbidden"
handler404 = "trial.views.not_found"
