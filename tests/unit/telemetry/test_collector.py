"""How a collector is reached: by a proxy, with a credential provider's session, and what its answers mean."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from platform_lib.errors import ConfigError
from platform_lib.telemetry._collector import Collector, deliver_to
from platform_lib.telemetry._plan import Destination
from tests.unit.telemetry.sink import collector, run

SPAN = """
from platform_lib.telemetry import TelemetrySettings, client_span, start_telemetry
telemetry = start_telemetry(TelemetrySettings(), service_name="payments", version="1", environment="test")
with client_span("call"): pass
print("taken", telemetry.shutdown(20))
"""


@pytest.fixture(autouse=True)
def no_proxy_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def posted(url: str) -> str:
    reached = Collector(Destination(url))
    try:
        return reached.post(b"")
    finally:
        reached.close()


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "taken"), (202, "taken"), (429, "later"), (502, "later"), (503, "later"), (504, "later")]
    + [(status, "refused") for status in (301, 400, 401, 404, 413, 500)],
)
def test_only_the_statuses_of_the_protocol_may_be_sent_again(status: int, outcome: str) -> None:
    with collector(status) as sink:
        assert posted(f"{sink.url}/v1/traces") == outcome


def test_why_it_was_not_taken_is_told_without_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    with collector(401) as sink:
        posted(f"{sink.url}/v1/traces?token=hunter2")
    posted(f"{sink.url}/v1/traces")

    assert f"{sink.url}/v1/traces?token=***: status 401" in caplog.messages
    assert f"{sink.url}/v1/traces: ConnectionRefusedError" in caplog.messages


def test_the_environments_proxy_is_used_and_told_who_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    with collector() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("//", "//user:p%40ss@"))
        reached = posted("http://collector.test:4318/v1/traces")

    assert reached == "taken"
    assert proxy.paths == ["http://collector.test:4318/v1/traces"]
    assert proxy.headers[0]["Proxy-Authorization"] == f"Basic {base64.b64encode(b'user:p@ss').decode()}"
    assert proxy.headers[0]["Host"] == "collector.test:4318"


def test_no_proxy_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    with collector() as proxy, collector() as sink:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        reached = posted(f"{sink.url}/v1/traces")

    assert reached == "taken"
    assert proxy.paths == []


def test_a_credential_providers_session_sends(tmp_path: Path) -> None:
    (tmp_path / "shop_credentials.py").write_text("""
import requests
def session():
    made = requests.Session()
    made.headers["Authorization"] = "Bearer fresh"
    return made
""")
    information = tmp_path / "shop_credentials-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: shop-credentials\nVersion: 1\n")
    (information / "entry_points.txt").write_text(
        "[opentelemetry_otlp_credential_provider]\nshop = shop_credentials:session\n"
    )
    with collector() as sink:
        done = run(
            SPAN,
            OTEL_EXPORTER_OTLP_ENDPOINT=sink.url,
            OTEL_PYTHON_EXPORTER_OTLP_HTTP_CREDENTIAL_PROVIDER="shop",
            PYTHONPATH=str(tmp_path),
        )

    assert "taken True" in done.stdout, done.stderr
    assert [span.name for span in sink.spans] == ["call"]
    assert sink.headers[0]["Authorization"] == "Bearer fresh"


def test_a_credential_provider_that_is_not_installed_is_refused() -> None:
    with pytest.raises(ConfigError, match="'nobody' is not installed; install a package with an entry point"):
        deliver_to(Destination("http://c:4318/v1/traces", credential_provider="nobody"))
