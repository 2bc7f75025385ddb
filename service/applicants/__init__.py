"""What an applicant sees of their tickets and does about them after filing."""
