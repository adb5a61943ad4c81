"""PostgreSQL, with the audit triggers."""
