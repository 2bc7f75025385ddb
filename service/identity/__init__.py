"""Who there is, in four parts: accounts and sign-in, people, departments and posts, consents."""
