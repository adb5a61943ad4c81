"""What was recorded about each patient, form by form."""
