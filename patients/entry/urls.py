"""Where forms are entered. The address of a new one says the visit; `LOG` is what belongs to no visit."""

from django.urls import path

from patients.entry import views

FORM = "<str:study>/patients/<str:patient>/<str:form>/"

urlpatterns = [
    path(f"{FORM}at/<str:visit>/", views.new_entry, name="entry-new"),
    path(f"{FORM}at/<str:visit>/without/", views.without_record, name="entry-without"),
    path(f"{FORM}draft/", views.keep_entry_draft, name="entry-draft"),
    path(f"{FORM}<int:record>/edit/", views.edit_entry, name="entry"),
    path(f"{FORM}<int:record>/remove/", views.remove_entry, name="entry-remove"),
]
