"""The ASGI application that a web server serves."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trial.settings")

application = get_asgi_application()
