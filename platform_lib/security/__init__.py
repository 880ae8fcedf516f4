"""Who is calling: merchants authenticated by API keys, as a piece of ASGI.

A key is shown once, when it is made (``python -m platform_lib.security new-key MERCHANT``); what is
stored is its hash.
"""

from platform_lib.security._api_keys import NewKey, StoredKey, hash_of, new_key
from platform_lib.security._middleware import ApiKeys
from platform_lib.security._problems import Unauthenticated
from platform_lib.security._store import ApiKeySettings, ApiKeyStore, ListedKeys

__all__ = [
    "ApiKeySettings",
    "ApiKeyStore",
    "ApiKeys",
    "ListedKeys",
    "NewKey",
    "StoredKey",
    "Unauthenticated",
    "hash_of",
    "new_key",
]
