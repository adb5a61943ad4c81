"""SQLite, with the audit triggers."""
