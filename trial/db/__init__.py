"""Thin database backends: they keep the audit triggers true while tables change."""
