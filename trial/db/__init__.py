"""The two databases of Marrow: Django's backends, with triggers that write the audit trail and refuse what it cannot tell.

This package knows tables, columns and triggers, and no model: it must be right in the middle of a `migrate`.
"""
