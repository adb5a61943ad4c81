"""A small app with tracked models of its own, to write, to break and to migrate."""
