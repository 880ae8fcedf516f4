"""The metrics of the platform, as they are declared, against the conventions and the code."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import HistogramDataPoint

import platform_lib
from platform_lib.telemetry import _catalogue
from platform_lib.telemetry._attributes import meanings, stability_of
from platform_lib.telemetry._durations import Durations
from platform_lib.telemetry._groups import attributes_of_duration
from platform_lib.telemetry._instruments import SERVICE, Metric, declared

platform = [metric for metric in declared().values() if metric.source != SERVICE]


def conventions() -> dict[str, tuple[str, str, str]]:
    """Instrument, unit and description of every metric of the installed conventions, by name."""
    from opentelemetry.semconv._incubating.metrics import (  # noqa: PLC0415
        cpython_metrics,
        db_metrics,
        http_metrics,
        messaging_metrics,
        process_metrics,
    )

    found: dict[str, tuple[str, str, str]] = {}

    class Meter:
        def __getattr__(self, create: str) -> object:
            def note(name: str, description: str, unit: str, **_: object) -> None:
                found[name] = create.removeprefix("create_"), unit, description

            return note

    for module in (cpython_metrics, db_metrics, http_metrics, messaging_metrics, process_metrics):
        for name, make in vars(module).items():
            if name.startswith("create_"):
                arguments = (Meter(), None) if make.__code__.co_argcount > 1 else (Meter(),)
                make(*arguments)
    return found


def test_the_catalogue_is_not_empty() -> None:
    assert len(platform) > 30


@pytest.mark.parametrize("metric", platform, ids=lambda metric: metric.name)
def test_a_metric_of_the_conventions_is_what_they_say(metric: Metric) -> None:
    """The observable form of an instrument reports the same data."""
    known = conventions()
    if metric.stability == "platform":
        assert metric.name not in known
        assert metric.name.startswith("platform.")
        return

    kind, unit, description = known[metric.name]
    assert metric.kind.removeprefix("observable ").replace("-", "_").replace(" ", "_") == kind
    assert (metric.unit, metric.description) == (unit, description)


@pytest.mark.parametrize("metric", platform, ids=lambda metric: metric.name)
def test_a_metric_is_described_and_can_be_read(metric: Metric) -> None:
    assert re.fullmatch(r"[A-Z].*\.", metric.description)
    assert metric.unit
    assert metric.source
    assert bool(metric.bounds) == (metric.kind == "histogram")
    assert list(metric.bounds) == sorted(metric.bounds)
    assert len(set(metric.attributes)) == len(metric.attributes)


@pytest.mark.parametrize("attribute", meanings)
def test_an_attribute_of_the_conventions_is_one_and_as_settled_as_they_say(attribute: str) -> None:
    stable, development = (
        names_of("opentelemetry.semconv.attributes"),
        names_of("opentelemetry.semconv._incubating.attributes"),
    )

    known = "stable" if attribute in stable else "development" if attribute in development else "platform"

    assert stability_of(attribute) == known


def names_of(package: str) -> set[str]:
    """Return every attribute name in the modules of *package*."""
    modules = pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}.")
    return {
        value
        for module in modules
        for value in vars(importlib.import_module(module.name)).values()
        if isinstance(value, str)
    }


def test_no_metric_of_the_library_is_made_past_the_catalogue() -> None:
    """So that none is without an allow-list and a cap."""
    makers = re.compile(r"\.create_(observable_)?(counter|up_down_counter|histogram|gauge)\b")
    library = Path(platform_lib.__file__).parent

    found = {
        str(path.relative_to(library))
        for path in library.rglob("*.py")
        if makers.search(path.read_text(encoding="utf-8"))
    }

    assert found == {"telemetry/_instruments.py"}


def test_the_servers_histogram_of_plain_integers_is_the_declared_one() -> None:
    metric = declared()["http.server.request.duration"]

    widest = attributes_of_duration("GET", "/v1/payments", 200, "http", "1.1", "TimeoutError")
    narrowest = attributes_of_duration("GET", None, None, "http", "1.1", None)

    assert set(widest) == set(metric.attributes)
    assert set(metric.required) <= set(narrowest)
    durations = Durations({})
    durations.waiting.append(1)
    assert tuple(HistogramDataPoint.FromString(durations.data_point(1, 2)).explicit_bounds) == metric.bounds
    assert _catalogue.server_request_duration is not None
