"""Requests that ended: whichever way is taken to tell of one, the same is told."""

from __future__ import annotations

import asyncio
import logging
import os
from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import SpanContext, StatusCode

from platform_lib.telemetry import ServerSpans
from platform_lib.telemetry._access import access
from platform_lib.telemetry._ended import verdict
from platform_lib.telemetry._endings import Endings, settle_all
from platform_lib.telemetry._groups import Group, Groups, Key
from platform_lib.telemetry._pipeline import OUR_SCOPE
from platform_lib.telemetry._recorder import Recorder, install, installed, retire
from platform_lib.telemetry._request_span import RequestSpan
from platform_lib.telemetry._route import http_route

Request = tuple[dict[str, Any], int | None, str | None, StatusCode]

plain: dict[str, Any] = {
    "method": "GET",
    "path": "/a",
    "headers": [],
    "scheme": "http",
    "http_version": "1.1",
    "client": None,
    "server": None,
    "root_path": "",
    "route": SimpleNamespace(path_format="/a"),
}
empty = SimpleNamespace(path_format="")
routes = st.sampled_from([SimpleNamespace(path_format=path) for path in ("/b", "", None, 7)])
unlike = {
    "method": st.sampled_from(["POST", "get"]),
    "scheme": st.just("https"),
    "http_version": st.just("2"),
    "root_path": st.just("/api"),
    "app_root_path": st.sampled_from(["", "/api"]),
    "route": routes,
    "fastapi": st.fixed_dictionaries({}, optional={"effective_route_context": routes}),
}
requests = st.tuples(
    st.builds(
        lambda changed, missing: {name: plain[name] for name in plain if name != missing} | changed,
        st.dictionaries(st.sampled_from(list(unlike)), st.none(), max_size=2).flatmap(
            lambda chosen: st.fixed_dictionaries({name: unlike[name] for name in chosen})
        ),
        st.none() | st.sampled_from(["scheme", "http_version", "client", "server", "root_path", "route"]),
    ),
    st.sampled_from([200, 404, 500, None]),
    st.sampled_from([None, None, "ValueError"]),
    st.sampled_from([StatusCode.UNSET, StatusCode.UNSET, StatusCode.ERROR]),
)


def span_of(recorder: Recorder, code: StatusCode) -> RequestSpan:
    span = RequestSpan()
    span.recorder, span.used = recorder, False
    span.set_status(code)
    return span


def kind_of(recorder: Recorder, request: Request) -> Key:
    """Return the kind of a request from what is written about it, without a shorter way."""
    scope, status, failure, code = request
    failed = failure is not None or status is None or status >= 500
    span_code, error = verdict(span_of(recorder, code), status, failure, failed=failed)
    scheme, version = scope.get("scheme", "http"), scope.get("http_version", "1.1")
    return scope["method"], http_route(scope), status, scheme, version, error, span_code


def unusual(**scope: Any) -> list[Request]:
    return [({**plain, **scope}, 200, None, StatusCode.UNSET)]


@given(st.lists(requests, max_size=8))
@example(unusual(root_path="/api"))
@example(unusual(app_root_path=""))
@example(unusual(route=empty) + unusual(fastapi={"effective_route_context": empty}))
def test_a_request_is_of_its_kind_whatever_came_before(others: list[Request]) -> None:
    told: list[Request] = [(plain, 200, None, StatusCode.UNSET), *others]
    recorder = Recorder(sampler=ALWAYS_ON, ratio_bound=0, scope=OUR_SCOPE, put=None, groups=Groups())
    endings = Endings(recorder, linked=True)

    for scope, status, failure, code in told * 2:  # the second time every kind is known
        endings.add(span_of(recorder, code), dict(scope), status, failure, 0, 1)
    endings.settle()

    counts = {group.key: sum(group.durations.count()) for group in recorder.groups}
    # Kinds that differ in what is no attribute of the metric count together.
    series = Counter[tuple[Any, ...]]()
    for request in told:
        series[kind_of(recorder, request)[:-1]] += 2
    assert {key[:-1]: count for key, count in counts.items()} == series


class Exported:
    """Spans that a recorder put out."""

    def __init__(self, bound: int = 1 << 64, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        self.spans: list[Span] = []
        self.recorder = Recorder(
            sampler=ALWAYS_ON,
            ratio_bound=bound,
            scope=OUR_SCOPE,
            put=self.put,
            groups=Groups(),
            random_bytes=random_bytes,
        )

    def put(self, _scope: bytes, spans: bytes, _count: int) -> None:
        self.spans += ScopeSpans.FromString(spans).spans


def test_a_line_that_goes_through_logging_names_the_exported_trace(caplog: pytest.LogCaptureFixture) -> None:
    named: list[SpanContext] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            del record
            named.append(trace.get_current_span().get_span_context())

    exported, listener = Exported(), Listener()
    endings = Endings(exported.recorder, linked=True)
    access.addHandler(listener)
    try:
        with caplog.at_level(logging.INFO, "platform_lib.access"):
            for _ in range(2):
                endings.add(span_of(exported.recorder, StatusCode.UNSET), dict(plain), 200, None, 0, 1)
            endings.settle()
    finally:
        access.removeHandler(listener)

    ids = [(span.trace_id, span.span_id) for span in exported.spans]
    assert len(set(ids)) == 2
    assert [(each.trace_id.to_bytes(16, "big"), each.span_id.to_bytes(8, "big")) for each in named] == ids
    assert all(each.trace_flags.sampled for each in named)


@given(st.lists(st.binary(min_size=24, max_size=24), min_size=1, max_size=64), st.integers(0, 1 << 64))
def test_traces_drawn_together_are_sampled_as_each_alone(ids: list[bytes], bound: int) -> None:
    def value(each: bytes) -> int:
        return int.from_bytes(each[8:16], "big")

    for edge in {bound, value(ids[0]), value(ids[-1]) + 1}:
        exported = Exported(edge, lambda size: (b"".join(ids) * 64)[:size])
        endings = Endings(exported.recorder, linked=True)
        for _ in ids:
            endings.add(span_of(exported.recorder, StatusCode.UNSET), dict(plain), 200, None, 0, 1)
        endings.settle()

        told = [span.trace_id + span.span_id for span in exported.spans]
        assert told == [each for each in ids if value(each) < edge]


def test_what_waits_is_told_by_its_own_recorder_when_another_takes_its_place() -> None:
    async def app(scope: Any, _receive: Any, send: Any) -> None:
        scope["route"] = plain["route"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(_: Any) -> None: ...

    async def request() -> None:
        await served({**plain, "type": "http"}, receive, send)

    served, first, second = ServerSpans(app), Exported(), Exported()
    try:
        for each in (first, second, second):
            install(each.recorder)
            asyncio.run(request())  # which ends before its timer
        settle_all()
    finally:
        retire(second.recorder)

    assert (len(first.spans), len(second.spans)) == (1, 2)


async def test_nothing_is_told_of_requests_that_are_forgotten(caplog: pytest.LogCaptureFixture) -> None:
    exported = Exported()
    endings = Endings(exported.recorder, linked=True)
    with caplog.at_level(logging.INFO, "platform_lib.access"):
        endings.add(span_of(exported.recorder, StatusCode.UNSET), dict(plain), 200, None, 0, 1)
        endings.forget()
        endings.settle()

    assert exported.spans == []
    assert caplog.records == []


def usual_kinds(groups: Groups, route: str) -> list[Group]:
    found: list[Group] = []
    group = groups.usual.get(route)
    while group is not None:
        found.append(group)
        group = group.other
    return found


def test_the_first_kinds_of_a_route_lead_to_each_other() -> None:
    groups = Groups()
    made = [groups.of(("GET", "/a", 200 + number, "http", "1.1", None, 0)) for number in range(12)]

    assert usual_kinds(groups, "/a") == made[:8]


def test_methods_that_a_caller_makes_up_are_no_usual_kinds() -> None:
    groups = Groups()
    for number in range(9):
        groups.of((f"GET{number}", "/a", 405, "http", "1.1", None, 0))
    good = groups.of(("GET", "/a", 200, "http", "1.1", None, 0))

    assert usual_kinds(groups, "/a") == [good]


def test_a_recorder_is_used_no_more_once_it_is_retired() -> None:
    used: list[bool] = []
    recorder = Exported().recorder
    for change in (install, retire, install):
        change(recorder)
        used.append(installed.recorder is recorder)

    assert used == [True, False, False]
