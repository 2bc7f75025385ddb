"""Who is asking: sign-in, sessions, persons and their family, departments, posts, consents.

`authenticator` is what the kernel asks for every request that carries a token.
"""

from service.identity.queries import authenticator

__all__ = ["authenticator"]
