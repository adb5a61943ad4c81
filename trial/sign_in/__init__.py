"""Who is there: signing in and out, passwords, second factors, one-time links, single sign-on, and what is put on record of it.

allauth does the work, on pages of our own. Nobody signs up: accounts come from the pages of people, or from one command.
"""
