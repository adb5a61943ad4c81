#!/usr/bin/env python3
"""Run a command of Marrow: `manage.py report`, `manage.py migrate`. The launcher `./marrow` does the set-up first."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trial.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))  # the sentence says what to do; where in the program it was found helps nobody


if __name__ == "__main__":
    main()
