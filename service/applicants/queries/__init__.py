"""What an applicant sees."""
