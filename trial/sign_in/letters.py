"""Letters by mail, where this install has a mail server. No patient is ever named in one."""

import logging
import threading
from collections.abc import Iterable
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

logger = logging.getLogger(__name__)


def send_letters(to: Iterable[str], subject: str, text: str) -> None:
    """Hand a letter for each address to the mail server, in a thread of its own.

    A page must not wait for a slow mail server, and must not take longer for an account that is there than for none.
    """
    if not settings.HAS_MAIL:
        return
    connection = get_connection()
    letters = [EmailMessage(f"Marrow: {subject}", text, to=[address], connection=connection) for address in set(to)]
    threading.Thread(target=hand_over, args=(letters,), name="letters").start()


def hand_over(letters: list[EmailMessage]) -> None:
    """Send the letters. One that cannot be sent leaves a line in the log, without the address and without the text."""
    for letter in letters:
        try:
            letter.send()
        except (OSError, SMTPException) as error:
            logger.error("A letter could not be sent: %s. Check MARROW_MAIL.", type(error).__name__)
