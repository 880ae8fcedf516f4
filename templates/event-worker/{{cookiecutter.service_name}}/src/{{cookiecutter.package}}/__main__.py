"""The commands: `serve`, `migrate`, and `replay`, which handles the dead letters again.

Settings may follow each, such as `serve --http.port 8081`; the command line wins.
"""

import argparse
import asyncio
import sys

from platform_lib.config import load_or_exit
from platform_lib.migrations import MigrationFailed, upgrade
from platform_lib.service import no_api, serve

from {{ cookiecutter.package }}.settings import WorkerSettings
from {{ cookiecutter.package }}.wiring import Wired, wire


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit code of the process."""
    parser = argparse.ArgumentParser(prog="{{ cookiecutter.package }}", description=__doc__)
    parser.add_argument("command", choices=["serve", "migrate", "replay"])
    options, settings_given = parser.parse_known_args(arguments)
    settings = load_or_exit(WorkerSettings, arguments=settings_given)
    match options.command:
        case "serve":
            return serve(wire(settings).service, no_api)
        case "migrate":
            try:
                applied = upgrade(
                    settings.database.url.reveal(),
                    "{{ cookiecutter.package }}.migrations",
                )
            except MigrationFailed as error:
                sys.exit(f"cannot migrate: {error}")
            sys.stdout.write(f"migrated: {', '.join(applied) or 'nothing to do'}\n")
        case "replay":
            return asyncio.run(replay(wire(settings)))
    return 0


async def replay(wired: Wired) -> int:
    """Handle the dead letters again; those that fail stay, and make the exit code 1."""
    async with wired.store.database:
        handled, failed = await wired.consumer.replay()
    sys.stdout.write(f"replayed: {handled} handled, {failed} failed again\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
