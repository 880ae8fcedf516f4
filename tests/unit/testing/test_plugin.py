"""The plugin, in test runs of its own."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from platform_lib.clock import ManualClock
from platform_lib.ids import SequentialIds

_no_engine = "unix:///nonexistent/docker.sock"


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch, pytester: pytest.Pytester) -> None:
    monkeypatch.setenv("DOCKER_HOST", _no_engine)
    for name in ("PAYPATH_ENGINE", "PAYPATH_REQUIRE_CONTAINERS", "PAYPATH_NATS_URL"):
        monkeypatch.delenv(name, raising=False)
    pytester.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")


def test_loading_the_plugin_loads_no_framework_driver_or_engine() -> None:
    heavy = {
        "fastapi",
        "starlette",
        "asyncpg",
        "nats",
        "docker",
        "testcontainers",
        "httpx2",
        "opentelemetry.sdk",
    }
    code = f"import sys, platform_lib.testing.plugin; print(*sorted({heavy!r} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == ""


def test_time_stands_still_and_ids_count(clock: ManualClock, ids: SequentialIds) -> None:
    assert clock.now() == datetime(2026, 1, 1, tzinfo=UTC)
    assert ids.new().int & 0xFFFF == 1


def test_a_container_test_without_an_engine_is_skipped_and_counted_in_the_summary(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile("""
        import pytest

        @pytest.mark.container
        @pytest.mark.parametrize("n", [1, 2])
        def test_containers(n): pass
    """)

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")

    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(
        [f"engines: 2 container tests could not run: no container engine at {_no_engine}: no such socket"]
    )


def test_a_container_test_without_an_engine_fails_where_containers_are_required(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAYPATH_REQUIRE_CONTAINERS", "1")
    pytester.makepyfile("""
        import pytest

        @pytest.mark.container
        def test_containers(): pass

        def test_broker(broker_url): pass
    """)

    result = pytester.runpytest_subprocess()

    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(
        [
            f"*PAYPATH_REQUIRE_CONTAINERS is set, but no container engine at {_no_engine}: no such socket",
            f"*EngineUnavailable: nats: no container engine at {_no_engine}: no such socket",
        ]
    )


def test_requiring_containers_and_asking_for_embedded_is_refused(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAYPATH_REQUIRE_CONTAINERS", "1")

    result = pytester.runpytest_subprocess("--engine", "embedded")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: --engine embedded: PAYPATH_REQUIRE_CONTAINERS is set; drop one of the two"]
    )


def test_an_engine_that_does_not_exist_is_refused(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAYPATH_ENGINE", "podman")

    result = pytester.runpytest_subprocess()

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: PAYPATH_ENGINE=podman: no such engine; use auto, embedded, container"]
    )


def test_the_summary_says_which_engine_ran_and_why(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_broker(broker_url): assert broker_url.startswith('nats://127.0.0.1:')")

    result = pytester.runpytest_subprocess()

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "engines: auto",
            f"engines: nats embedded (*; container is not available: no container engine at {_no_engine}: *)",
        ]
    )


def test_the_summary_collects_from_the_workers_of_xdist(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import pytest

        @pytest.mark.parametrize("n", range(4))
        def test_broker(broker_url, n): pass

        @pytest.mark.container
        def test_containers(): pass
    """)

    result = pytester.runpytest_subprocess("-n", "2", "--engine", "embedded")

    result.assert_outcomes(passed=4, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "engines: nats embedded (*; asked for)",
            "engines: 1 container test could not run: --engine embedded asks for none",
        ]
    )


def test_a_failed_test_shows_its_traces(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        from opentelemetry import trace

        def test_traces(spans):
            tracer = trace.get_tracer("t")
            with tracer.start_as_current_span("pay"), tracer.start_as_current_span("authorise"):
                pass
            assert False
    """)

    result = pytester.runpytest_subprocess()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*captured spans*", "pay", "  authorise"])


def test_an_app_that_no_project_defined_is_asked_for_by_name(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("async def test_client(client): pass")

    result = pytester.runpytest_subprocess()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*app: no such fixture in this project; define it in tests/conftest.py"])
