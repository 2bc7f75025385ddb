"""Who is eligible for what: criteria of offerings, asked of what is known of a person."""
