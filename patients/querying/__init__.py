"""Queries as people ask, read and answer them: what one is about, its thread, the list and what is done from it.

The rule: what may be done with a query is decided in `trial.review.queries` alone; here it is shown and asked for.
"""
