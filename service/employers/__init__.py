"""What an employer sees of tickets whose applicants let it follow."""
