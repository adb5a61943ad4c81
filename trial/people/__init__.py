"""The people of a study and their roles: the administrator's pages, and the periodic review of who has access."""
