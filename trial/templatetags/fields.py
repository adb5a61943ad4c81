"""A field of a form as the pages show it: with Tabler's class, and with its own label instead of a grey one inside."""

from django import forms, template
from django.forms import BoundField
from django.utils.safestring import SafeString

register = template.Library()

CLASSES = {forms.CheckboxInput: "form-check-input", forms.Select: "form-select", forms.RadioSelect: "form-check-input"}


@register.filter
def control(field: BoundField) -> SafeString:
    """The control alone. A grey text inside would be gone with the first letter, so it is left out."""
    of_widget = (name for widget, name in CLASSES.items() if isinstance(field.field.widget, widget))
    return field.as_widget(attrs={"class": next(of_widget, "form-control"), "placeholder": False})
