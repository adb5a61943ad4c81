"""The casebook on paper: filled and blank, as PDF."""
