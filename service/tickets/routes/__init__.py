"""Routes of tickets: `talent` files and follows, `desk` processes, `enterprise` follows."""
