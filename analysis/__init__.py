"""What it all shows: extracts, derivations, estimates and the outputs of the report."""
