"""Requests that ended: whichever way is taken to tell of one, the same is told."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import StatusCode

from platform_lib.telemetry._ended import verdict
from platform_lib.telemetry._endings import Endings
from platform_lib.telemetry._groups import Groups, Key
from platform_lib.telemetry._pipeline import OUR_SCOPE
from platform_lib.telemetry._recorder import Recorder
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


@given(st.lists(requests, max_size=8))
def test_a_request_is_of_its_kind_whatever_came_before(others: list[Request]) -> None:
    told: list[Request] = [(plain, 200, None, StatusCode.UNSET), *others]
    recorder = Recorder(sampler=ALWAYS_ON, ratio_bound=0, scope=OUR_SCOPE, put=None, groups=Groups())
    endings = Endings(linked=True)

    for scope, status, failure, code in told * 2:  # the second time every kind is known
        endings.add(span_of(recorder, code), dict(scope), status, failure, 0, 1)
    endings.settle()

    counts = {group.key: sum(group.durations.count()) for group in recorder.groups}
    # Kinds that differ in what is no attribute of the metric count together.
    series = Counter[tuple[Any, ...]]()
    for request in told:
        series[kind_of(recorder, request)[:-1]] += 2
    assert {key[:-1]: count for key, count in counts.items()} == series
