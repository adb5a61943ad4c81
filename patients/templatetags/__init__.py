"""What templates ask about patients."""
