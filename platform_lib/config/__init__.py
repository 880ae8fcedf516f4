"""Settings of a process: typed, from several sources, each value with its origin, and no secret ever shown.

::

    class PaymentsSettings(Settings, prefix="PAYMENTS"):
        database: PostgresSettings          # PAYMENTS_DATABASE_URL, PAYMENTS_DATABASE_POOL_MAX, …

    settings = load_or_exit(PaymentsSettings)
"""

from platform_lib.config._bytes import Bytes
from platform_lib.config._fields import Reloadable
from platform_lib.config._fingerprint import fingerprint
from platform_lib.config._load import load, load_or_exit, origins
from platform_lib.config._origins import Origin
from platform_lib.config._ratio import Ratio
from platform_lib.config._reload import Reloaded, Reloader
from platform_lib.config._seconds import Seconds
from platform_lib.config._secret import Dsn, Secret
from platform_lib.config._section import Section
from platform_lib.config._settings import Settings
from platform_lib.config._show import masked_values
from platform_lib.config._variables import Variable, environment_variables

__all__ = [
    "Bytes",
    "Dsn",
    "Origin",
    "Ratio",
    "Reloadable",
    "Reloaded",
    "Reloader",
    "Seconds",
    "Secret",
    "Section",
    "Settings",
    "Variable",
    "environment_variables",
    "fingerprint",
    "load",
    "load_or_exit",
    "masked_values",
    "origins",
]
