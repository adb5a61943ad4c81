"""Results in, cells out: every cell holds its unrounded value, its words and the patients behind it (STUDY D.3). Pure."""
