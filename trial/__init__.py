"""The protocol and the ground rules: sites, people, access, audit, review. It is also the Django project."""
