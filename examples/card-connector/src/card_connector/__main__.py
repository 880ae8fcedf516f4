"""The commands: `serve`, and `openapi`, which prints the API's description.

Settings may follow `serve`, such as `serve --http.port 8081`; the command line wins.
"""

import argparse
import json
import sys

from platform_lib.config import load_or_exit
from platform_lib.service import serve

from card_connector.settings import ConnectorSettings
from card_connector.wiring import wire

# The description depends on no setting; these let it be made where nothing is configured.
ANYWHERE = {
    "api_key": "none",
    "processor.url": "http://localhost",
    "processor.api_key": "none",
    "processor.webhook_secret": "none",
    "receiver.url": "http://localhost",
    "receiver.webhook_secret": "whsec_" + "A" * 32,
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit code of the process."""
    parser = argparse.ArgumentParser(prog="card_connector", description=__doc__)
    parser.add_argument("command", choices=["serve", "openapi"])
    options, settings_given = parser.parse_known_args(arguments)
    if options.command == "serve":
        wired = wire(load_or_exit(ConnectorSettings, arguments=settings_given))
        return serve(wired.service, wired.app)
    anywhere = load_or_exit(ConnectorSettings, environ={}, arguments=settings_given, overrides=ANYWHERE)
    sys.stdout.write(json.dumps(wire(anywhere).app.openapi(), indent=2, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
