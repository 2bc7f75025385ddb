"""Working calendars: local dates and working-day arithmetic, the only place that knows either."""
