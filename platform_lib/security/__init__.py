"""Who is calling: merchants by API keys, services and merchants by access tokens, as pieces of ASGI.

A key is shown once, when it is made (``python -m platform_lib.security new-key MERCHANT``); what is
stored is its hash. A token is a JSON Web Token of an identity provider; the extra ``paypath[jwt]`` verifies
it.
"""

from platform_lib.security._api_keys import NewKey, StoredKey, hash_of, new_key
from platform_lib.security._merchants import GatewayMerchants, Merchants, MerchantSettings
from platform_lib.security._middleware import ApiKeys
from platform_lib.security._problems import Forbidden, Unauthenticated
from platform_lib.security._store import ApiKeySettings, ApiKeyStore, ListedKeys
from platform_lib.security._tokens import AccessTokens, Caller, TokenIssuer, TokenSettings

__all__ = [
    "AccessTokens",
    "ApiKeySettings",
    "ApiKeyStore",
    "ApiKeys",
    "Caller",
    "Forbidden",
    "GatewayMerchants",
    "ListedKeys",
    "MerchantSettings",
    "Merchants",
    "NewKey",
    "StoredKey",
    "TokenIssuer",
    "TokenSettings",
    "Unauthenticated",
    "hash_of",
    "new_key",
]
