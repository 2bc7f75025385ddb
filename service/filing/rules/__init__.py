"""What is decided about filings: values in, values out."""
