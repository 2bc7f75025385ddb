"""To what a person has agreed in a district."""
