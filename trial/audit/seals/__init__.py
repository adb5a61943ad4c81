"""Seals: a hash chain a study over its recordings and their history rows, so that a trail rewritten as a whole is found too.

The rule: what is hashed is text, made here from the values of the columns and never by the database, so that it is the same
on both engines, and in a file that left. docs/seals.md says how the text is made; `verify_export.py` follows it with nothing of Marrow.
"""
