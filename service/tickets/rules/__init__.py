"""What is decided about tickets, items and tasks: values in, values out."""
