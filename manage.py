#!/usr/bin/env python3
"""Run a command of Marrow: `manage.py report`, `manage.py migrate`. The launcher `./marrow` does the set-up first."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trial.settings")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
