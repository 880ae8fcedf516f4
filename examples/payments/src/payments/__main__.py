"""The commands: `serve`, `migrate`, and `openapi`, which prints the API's description."""

import argparse
import json
import sys

from platform_lib.config import load, load_or_exit
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
    match parser.parse_args(arguments).command:
        case "serve":
            wired = wire(load_or_exit(PaymentsSettings))
            return serve(wired.service, wired.app)
        case "migrate":
            settings = load_or_exit(PaymentsSettings)
            try:
                applied = upgrade(
                    settings.database.url.reveal(),
                    "payments.migrations",
                )
            except MigrationFailed as error:
                sys.exit(f"cannot migrate: {error}")
            sys.stdout.write(f"migrated: {', '.join(applied) or 'nothing to do'}\n")
        case "openapi":
            app = wire(load(PaymentsSettings, environ={}, overrides=ANYWHERE)).app
            sys.stdout.write(json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
