"""What is expected of patients and how far it is: the entries that the schedule asks for, the grid, the day's work."""
