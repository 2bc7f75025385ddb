"""What an applicant asks of their tickets and items, over HTTP."""
