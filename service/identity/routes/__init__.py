"""Sign-in, and one's own affairs, over HTTP."""

from service.identity.routes.own import me
from service.identity.routes.signing_in import auth

__all__ = ["auth", "me"]
