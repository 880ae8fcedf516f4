"""The demo: generate a service, start everything it needs, play a story through it, show what happened.

`perform` puts the parts in order: `stage` runs processes, `ports` chooses where they listen, `story` plays
the payments over HTTP, `collector` and `trace` receive spans and draw them, `findings` shows what was left
behind, `teller` says it, `performance` holds it. `paypath.cli.demo` is the command.
"""

from paypath.demo.perform import perform
from paypath.demo.performance import Performance

__all__ = ["Performance", "perform"]
