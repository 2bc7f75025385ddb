"""What every slice stands on and what knows no domain: settings, database, errors, events, HTTP."""
