"""A running process takes changed settings as a whole or not at all."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field

from platform_lib.clock import ManualClock
from platform_lib.config import Reloadable, Reloader, Secret, Section, Settings, load, origins
from platform_lib.config._watch import identities
from platform_lib.errors import ConfigError


class Server(Section):
    port: Annotated[int, Field(ge=1)] = 8080
    level: Annotated[str, Field(pattern="^[A-Z]+$"), Reloadable()] = "INFO"


class ShopSettings(Settings, prefix="SHOP"):
    http: Server = Server()
    key: Annotated[Secret, Reloadable()]
    spare: Annotated[Secret, Reloadable()] | None = None
    fixed: Secret = Secret("none")


@pytest.fixture
def mount(tmp_path: Path) -> Path:
    """Lay a secret out as Kubernetes mounts it: files that are links into ``..data``, itself a link."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "SHOP_KEY").symlink_to("..data/SHOP_KEY")
    swap(folder, "first", "hunter2-first")
    return folder


def swap(folder: Path, version: str, key: str) -> None:
    """Put another version in place by one rename, as the kubelet does; no file is touched."""
    (folder / f"..{version}").mkdir()
    (folder / f"..{version}" / "SHOP_KEY").write_text(key)
    os.utime(folder / f"..{version}" / "SHOP_KEY", ns=(0, 0))
    (folder / "..data_tmp").symlink_to(f"..{version}")
    (folder / "..data_tmp").rename(folder / "..data")


@pytest.fixture
def settings(tmp_path: Path, mount: Path) -> ShopSettings:
    return load(ShopSettings, environ={"SHOP_SECRETS_DIR": mount.name}, directory=tmp_path)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def told() -> list[tuple[ShopSettings, ShopSettings]]:
    return []


@pytest.fixture
def reloader(
    settings: ShopSettings, clock: ManualClock, told: list[tuple[ShopSettings, ShopSettings]]
) -> Reloader[ShopSettings]:
    made = Reloader(settings, clock=clock, interval_seconds=5)
    made.subscribe(lambda old, new: told.append((old, new)))
    return made


@asynccontextmanager
async def running(reloader: Reloader[ShopSettings]) -> AsyncIterator[None]:
    task = asyncio.create_task(reloader.run())
    await asyncio.sleep(0)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(true: Callable[[], bool], clock: ManualClock | None = None) -> None:
    """Let the reloader work until *true*, moving *clock* on as long as it is not."""
    async with asyncio.timeout(10):
        while not true():
            if clock is not None:
                clock.advance(5)
            await asyncio.sleep(0.001)


async def test_nothing_changed_is_nothing_told(
    reloader: Reloader[ShopSettings], told: list[tuple[ShopSettings, ShopSettings]], settings: ShopSettings
) -> None:
    reloaded = await reloader.reload()

    assert (reloaded.changed, reloaded.refused, told) == ((), "", [])
    assert reloader.current is settings


async def test_changes_are_taken_in_one_step_and_told_with_old_and_new(
    reloader: Reloader[ShopSettings],
    told: list[tuple[ShopSettings, ShopSettings]],
    settings: ShopSettings,
    mount: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "platform_lib.config")
    swap(mount, "second", "hunter2-second\nhunter2-first")
    (mount.parent / "config.toml").write_text('[http]\nlevel = "DEBUG"\n')

    reloaded = await reloader.reload()

    assert reloaded.changed == ("http.level", "key")
    assert told == [(settings, reloader.current)]
    assert reloader.current.key.all_versions() == ("hunter2-second", "hunter2-first")
    assert settings.key.reveal() == "hunter2-first"
    assert origins(reloader.current)["http.level"].location == "config.toml:2"
    assert "configuration reloaded: http.level, key; fingerprint " in caplog.text
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ('[http]\nlevel = "DEBUG"\nport = 9\n', "http.port: has a new value, but cannot change"),
        ('[http]\nlevel = "debug"\n', "http.level: 'debug' is not valid"),
        ('[http]\nlevel = "DEBUG"\nprot = 9\n', "did you mean http.port?"),
        ("[http\n", "is not valid TOML"),
        ('fixed = "hunter2-other"\n', "fixed: has a new value"),
    ],
)
async def test_all_is_refused_when_anything_is_wrong_or_may_not_change(
    file: str,
    words: str,
    reloader: Reloader[ShopSettings],
    told: list[tuple[ShopSettings, ShopSettings]],
    settings: ShopSettings,
    mount: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    swap(mount, "second", "hunter2-second")
    (mount.parent / "config.toml").write_text(file)

    for _ in range(2):
        assert words in (await reloader.reload()).refused

    assert reloader.current is settings
    assert told == []
    with pytest.raises(ConfigError, match="ShopSettings"):
        await reloader.check()
    assert caplog.text.count(words) == 1
    assert "hunter2" not in caplog.text

    (mount.parent / "config.toml").unlink()
    assert (await reloader.reload()).changed == ("key",)
    await reloader.check()


async def test_a_subscriber_that_fails_does_not_keep_the_others_from_the_news(
    settings: ShopSettings, mount: Path, caplog: pytest.LogCaptureFixture
) -> None:
    reloader = Reloader(settings)
    told: list[str] = []

    def fail(_: ShopSettings, new: ShopSettings) -> None:
        raise ValueError(new.key.reveal())

    reloader.subscribe(fail)
    reloader.subscribe(lambda _, new: told.append(new.key.reveal()))
    swap(mount, "second", "hunter2-second")
    await reloader.reload()

    assert told == ["hunter2-second"]
    assert "a subscriber raised ValueError" in caplog.text
    assert "hunter2" not in caplog.text
    with pytest.raises(ConfigError, match="a subscriber raised ValueError"):
        await reloader.check()


async def test_the_swap_of_a_mounted_secret_is_seen_on_the_clock(
    reloader: Reloader[ShopSettings],
    told: list[tuple[ShopSettings, ShopSettings]],
    mount: Path,
    clock: ManualClock,
) -> None:
    async with running(reloader):
        swap(mount, "second", "hunter2-other")  # as long as the first, with the same time
        assert told == []
        await until(lambda: len(told) == 1, clock)
        swap(mount, "third", "hunter2-third")
        await until(lambda: len(told) == 2, clock)

    assert [new.key.reveal() for _, new in told] == ["hunter2-other", "hunter2-third"]


async def test_a_file_that_appears_and_one_that_is_replaced_are_seen(
    reloader: Reloader[ShopSettings],
    told: list[tuple[ShopSettings, ShopSettings]],
    tmp_path: Path,
    clock: ManualClock,
) -> None:
    async with running(reloader):
        (tmp_path / ".env").write_text("SHOP_HTTP_LEVEL=DEBUG\n")
        await until(lambda: len(told) == 1, clock)
        (tmp_path / "new").write_text("SHOP_HTTP_LEVEL=ERROR\n")
        (tmp_path / "new").replace(tmp_path / ".env")
        await until(lambda: len(told) == 2, clock)

    assert [new.http.level for _, new in told] == ["DEBUG", "ERROR"]


def test_a_link_that_leads_elsewhere_is_another_file_though_all_else_is_equal(tmp_path: Path) -> None:
    for version in ("a", "b"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "KEY").write_text("hunter2")
        os.utime(tmp_path / version / "KEY", ns=(0, 0))
    mount = tmp_path / "mount"
    mount.mkdir()
    (mount / "KEY").symlink_to("../data/KEY")
    (tmp_path / "data").symlink_to("a")
    before = identities([mount])

    assert identities([mount]) == before

    (tmp_path / "data").unlink()
    (tmp_path / "data").symlink_to("b")
    assert identities([mount]) != before


async def test_sighup_reloads_without_waiting_and_its_old_handler_comes_back(
    reloader: Reloader[ShopSettings], told: list[tuple[ShopSettings, ShopSettings]], tmp_path: Path
) -> None:
    before = signal.getsignal(signal.SIGHUP)
    async with running(reloader):
        (tmp_path / "config.toml").write_text('[http]\nlevel = "DEBUG"\n')
        os.kill(os.getpid(), signal.SIGHUP)
        await until(lambda: len(told) == 1)

    assert signal.getsignal(signal.SIGHUP) == before


def test_settings_that_were_not_loaded_cannot_be_read_again() -> None:
    with pytest.raises(ValueError, match="were not loaded"):
        Reloader(ShopSettings(key=Secret("k")))
