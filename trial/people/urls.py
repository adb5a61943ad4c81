"""Where the pages of people are found."""

from django.urls import path

from trial.people import views

urlpatterns = [
    path("<str:study>/people/", views.people, name="people"),
    path("<str:study>/people.csv", views.people_csv, name="people-csv"),
    path("<str:study>/people/invite/", views.invite, name="people-invite"),
    path("<str:study>/people/add/", views.add_existing, name="people-add"),
    path("<str:study>/people/reviews/", views.review_list, name="people-reviews"),
    path("<str:study>/people/review/", views.review, name="people-review"),
    path("<str:study>/people/<int:person>/", views.person, name="person"),
    path("<str:study>/people/<int:person>/roles/add/", views.add_role, name="person-role-add"),
    path("<str:study>/people/<int:person>/roles/<int:membership>/end/", views.end_role, name="person-role-end"),
    path("<str:study>/people/<int:person>/roles/<int:membership>/dates/", views.change_dates, name="person-role-dates"),
    path("<str:study>/people/<int:person>/disable/", views.disable, name="person-disable"),
    path("<str:study>/people/<int:person>/enable/", views.enable, name="person-enable"),
    path("<str:study>/people/<int:person>/password-link/", views.new_link, name="person-link"),
    path("<str:study>/people/<int:person>/second-factor/", views.remove_factor, name="person-factor"),
]
