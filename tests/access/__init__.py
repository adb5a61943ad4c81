"""The sweep of access: every page, asked by everybody for what is theirs and for what is not."""
