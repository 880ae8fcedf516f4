"""Wait for the end of the parent, then remove its containers.

A container is no child of this process, so nothing ends it when its owner is killed. This small process is
one (see `_launch.py`): it gets SIGTERM when the parent dies, and removes what carries the label given as
argument. Run by its path; the parent ends it with SIGKILL when it has removed its containers itself.
"""

import signal
import sys


def _main() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # from here on it waits, and is not lost
    print("ready", flush=True)  # noqa: T201  # what the parent waits for
    signal.sigwait({signal.SIGTERM})
    import docker  # noqa: PLC0415  # most reapers end without having needed it

    client = docker.from_env()
    for container in client.containers.list(all=True, filters={"label": sys.argv[1]}, ignore_removed=True):
        container.remove(force=True, v=True)


if __name__ == "__main__":
    _main()
