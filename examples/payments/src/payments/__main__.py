"""The commands: `serve`, `migrate`, and `openapi`, which prints the API's description.

Settings may follow `serve` and `migrate`, such as `serve --http.port 8081`; the command line wins.
"""

import argparse
import json
import sys

from platform_lib.config import load_or_exit
from platform_lib.migrations import MigrationFailed, upgrade
from platform_lib.service import serve

from payments.settings import PaymentsSettings
from payments.wiring import wire

# The description depends on no setting; these let it be made where nothing is configured.
ANYWHERE = {
    "database.url": "postgresql://localhost/",
    "provider.url": "http://localhost",
    "provider.api_key": "none",
    "provider.webhook_secret": "whsec_" + "A" * 32,
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit code of the process."""
    parser = argparse.ArgumentParser(prog="payments", description=__doc__)
    parser.add_argument("command", choices=["serve", "migrate", "openapi"])
    options, settings_given = parser.parse_known_args(arguments)
    match options.command:
        case "serve":
            wired = wire(load_or_exit(PaymentsSettings, arguments=settings_given))
            return serve(wired.service, wired.app)
        case "migrate":
            settings = load_or_exit(PaymentsSettings, arguments=settings_given)
            try:
                applied = upgrade(
                    settings.database.url.reveal(),
                    "payments.migrations",
                )
            except MigrationFailed as error:
                sys.exit(f"cannot migrate: {error}")
            sys.stdout.write(f"migrated: {', '.join(applied) or 'nothing to do'}\n")
        case "openapi":
            anywhere = load_or_exit(
                PaymentsSettings, environ={}, arguments=settings_given, overrides=ANYWHERE
            )
            app = wire(anywhere).app
            sys.stdout.write(json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
