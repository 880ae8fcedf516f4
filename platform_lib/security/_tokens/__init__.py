"""Access tokens: JSON Web Tokens of an identity provider, verified with the keys it publishes."""

from platform_lib.security._tokens._caller import Caller
from platform_lib.security._tokens._issuer import TokenIssuer
from platform_lib.security._tokens._middleware import AccessTokens
from platform_lib.security._tokens._settings import TokenSettings

__all__ = ["AccessTokens", "Caller", "TokenIssuer", "TokenSettings"]
