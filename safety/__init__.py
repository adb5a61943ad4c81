"""What went wrong, and who must be told."""
