"""API keys: made, stored as hashes, rotated, and checked before anything else sees the request."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import httpx2
import pytest

from platform_lib.config import Settings, load
from platform_lib.errors import ConfigError
from platform_lib.redaction import redact
from platform_lib.security import (
    ApiKeys,
    ApiKeySettings,
    ListedKeys,
    NewKey,
    StoredKey,
    hash_of,
    new_key,
)
from platform_lib.security.__main__ import main
from platform_lib.testing import Canaries, CapturedLogs, CapturedSpans, assert_no_secret

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class App:
    """Says whom it takes the caller for."""

    def __init__(self) -> None:
        self.seen: list[Message] = []

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        del receive
        self.seen.append(scope)
        merchants = [value.decode() for name, value in scope["headers"] if name.lower() == b"merchant-id"]
        body = json.dumps({"header": merchants, "state": scope["state"].get("merchant_id")}).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
def inner() -> App:
    return App()


@pytest.fixture
def acme() -> NewKey:
    return new_key("acme")


def client_of(inner: App, *keys: NewKey, public: tuple[str, ...] = ()) -> httpx2.AsyncClient:
    app = ApiKeys(inner, ListedKeys(str(key.stored) for key in keys), public=public)
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://service.test")


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


# Keys


def test_a_key_names_itself_by_its_public_part_and_is_stored_as_a_hash() -> None:
    made = new_key("acme", random=lambda count: b"\xff" * count)

    assert made.key == "pk_live_ffffffffffffffff_" + "_" * 42 + "8"
    assert made.stored == StoredKey("pk_live_ffffffffffffffff", "acme", hash_of(made.key))
    assert StoredKey.parse(str(made.stored)) == made.stored
    assert made.key not in repr(made)


def test_the_secret_has_256_random_bits_and_no_two_keys_are_alike() -> None:
    asked: list[int] = []

    def random(count: int) -> bytes:
        asked.append(count)
        return bytes(count)

    new_key("acme", random=random)

    assert asked == [8, 32]
    assert len({new_key("acme").key for _ in range(50)}) == 50


def test_only_the_key_itself_matches(acme: NewKey) -> None:
    other = "A" if acme.key[-2] != "A" else "B"

    assert acme.stored.matches(acme.key)
    assert not acme.stored.matches(acme.key[:-2] + other + acme.key[-1])
    assert not acme.stored.matches("")


def test_a_key_in_a_log_line_keeps_its_public_part_only(acme: NewKey) -> None:
    assert redact(f"refused {acme.key}.") == f"refused {acme.stored.id}_[redacted]."
    assert redact(str(acme.stored)) == str(acme.stored)


@pytest.mark.parametrize("merchant", ["", "ACME", "a" * 65, "acme:x", "acme\n"])
def test_a_merchant_of_another_form_gets_no_key(merchant: str) -> None:
    with pytest.raises(ValueError, match="1 to 64 of a-z"):
        new_key(merchant)


# The list


def test_two_keys_of_a_merchant_are_valid_during_rotation_and_a_third_is_too_many() -> None:
    keys = [str(new_key("acme").stored) for _ in range(3)]

    ListedKeys([*keys[:2], str(new_key("other").stored)])
    with pytest.raises(ValueError, match="acme has 3 API keys; keep at most 2"):
        ListedKeys(keys)


def test_a_key_is_listed_once(acme: NewKey) -> None:
    with pytest.raises(ValueError, match="listed twice"):
        ListedKeys([str(acme.stored)] * 2)


@pytest.mark.parametrize(
    "change", [str.upper, lambda entry: entry + "0", lambda entry: entry.partition(":")[2]]
)
def test_an_entry_of_another_form_is_refused(acme: NewKey, change: Callable[[str], str]) -> None:
    with pytest.raises(ValueError, match="is not merchant:pk_live_<id>:<SHA-256>"):
        ListedKeys([change(str(acme.stored))])


class TellerSettings(Settings, prefix="TELLER"):
    api: ApiKeySettings = ApiKeySettings()


async def test_the_list_comes_from_the_settings(acme: NewKey) -> None:
    other = new_key("other", mode="test")
    settings = load(TellerSettings, environ={"TELLER_API_KEYS": f"{acme.stored},{other.stored}"})

    assert await settings.api.store().find(other.stored.id) == other.stored
    assert await settings.api.store().find("pk_live_0000000000000000") is None


def test_a_key_in_place_of_its_entry_is_refused_and_not_repeated(acme: NewKey) -> None:
    with pytest.raises(ConfigError) as caught:
        load(TellerSettings, environ={"TELLER_API_KEYS": acme.key})

    assert "TELLER_API_KEYS" in str(caught.value)
    assert acme.key.split("_", 3)[3][:20] not in str(caught.value)


# The middleware


async def test_a_valid_key_becomes_the_merchant_whatever_the_caller_claims(inner: App, acme: NewKey) -> None:
    async with client_of(inner, acme, new_key("other")) as client:
        answer = await client.get("/", headers=[*bearer(acme.key).items(), ("Merchant-Id", "other")])

    assert answer.json() == {"header": ["acme"], "state": "acme"}


async def test_the_old_and_the_new_key_work_until_the_old_one_is_dropped(inner: App) -> None:
    old, new = new_key("acme"), new_key("acme")

    async with client_of(inner, old, new) as client:
        assert [(await client.get("/", headers=bearer(key.key))).status_code for key in (old, new)] == [
            200,
            200,
        ]
    async with client_of(inner, new) as client:
        assert [(await client.get("/", headers=bearer(key.key))).status_code for key in (old, new)] == [
            401,
            200,
        ]


def _wrong_secret(key: str) -> str:
    return key[:-43] + "A" * 43


@pytest.mark.parametrize(
    ("header", "error"),
    [
        (lambda _: [], None),
        (lambda _: [("Merchant-Id", "acme")], None),
        (lambda key: [("Authorization", key)], "invalid_token"),
        (lambda key: [("Authorization", f"Basic {key}")], "invalid_token"),
        (lambda _: [("Authorization", "Bearer ")], "invalid_token"),
        (lambda key: [("Authorization", f"Bearer {_wrong_secret(key)}")], "invalid_token"),
        (lambda key: [("Authorization", f"Bearer {key}x")], "invalid_token"),
        (lambda key: [("Authorization", f"Bearer {key[:24]}")], "invalid_token"),
        (lambda _: [("Authorization", f"Bearer {new_key('acme').key}")], "invalid_token"),
        (lambda key: [("Authorization", f"Bearer {key}"), ("Authorization", "Bearer x")], "invalid_request"),
    ],
)
async def test_anything_else_is_answered_401_and_reaches_nothing(
    inner: App, acme: NewKey, header: Callable[[str], list[tuple[str, str]]], error: str | None
) -> None:
    async with client_of(inner, acme) as client:
        answer = await client.get("/", headers=header(acme.key))

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == 'Bearer realm="merchants"' + (
        f', error="{error}"' if error else ""
    )
    assert acme.key not in answer.text
    assert inner.seen == []


async def test_the_scheme_may_be_written_in_any_case(inner: App, acme: NewKey) -> None:
    async with client_of(inner, acme) as client:
        answer = await client.get("/", headers={"Authorization": f"bearer  {acme.key}"})

    assert answer.status_code == 200


async def test_a_public_path_needs_no_key_and_gets_no_merchant_from_a_stranger(
    inner: App, acme: NewKey
) -> None:
    async with client_of(inner, acme, public=("/v1/provider-events",)) as client:
        answer = await client.post("/v1/provider-events", headers={"Merchant-Id": "acme"})
        below = await client.post("/v1/provider-events/x")

    assert answer.json() == {"header": [], "state": None}
    assert below.status_code == 401


async def test_a_store_that_finds_another_key_is_not_believed(inner: App, acme: NewKey) -> None:
    class Confused:
        async def find(self, key_id: str) -> StoredKey | None:
            del key_id
            return StoredKey("pk_live_0000000000000000", "other", hash_of(acme.key))

    transport = httpx2.ASGITransport(app=ApiKeys(inner, Confused()))
    async with httpx2.AsyncClient(transport=transport, base_url="http://service.test") as client:
        assert (await client.get("/", headers=bearer(acme.key))).status_code == 401


async def test_a_websocket_without_a_key_is_closed_before_it_opens(inner: App) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/", "headers": []}
    await ApiKeys(inner, ListedKeys([]))(scope, receive, send)

    assert sent == [{"type": "websocket.close", "code": 1008}]
    assert inner.seen == []


async def test_no_key_comes_out_of_a_refusal(
    inner: App, acme: NewKey, canaries: Canaries, spans: CapturedSpans, logs: CapturedLogs
) -> None:
    canaries.add("key", acme.key)
    async with client_of(inner) as client:
        answer = await client.get("/", headers=bearer(acme.key))

    assert_no_secret(canaries, answer=answer, spans=spans, logs=logs)


# The command


@pytest.mark.parametrize(("arguments", "prefix"), [([], "pk_live_"), (["--test"], "pk_test_")])
async def test_the_command_prints_a_key_and_the_entry_that_accepts_it(
    capsys: pytest.CaptureFixture[str], inner: App, arguments: list[str], prefix: str
) -> None:
    assert main(["new-key", "acme", *arguments]) == 0

    key, entry = capsys.readouterr().out.splitlines()
    assert key.startswith(prefix)
    assert key not in entry
    made = NewKey(key, StoredKey.parse(entry))
    async with client_of(inner, made) as client:
        assert (await client.get("/", headers=bearer(key))).json()["state"] == "acme"


def test_the_command_refuses_a_merchant_of_another_form(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new-key", "Acme Ltd"]) == 2

    output = capsys.readouterr()
    assert output.out == ""
    assert "1 to 64 of a-z, 0-9, _ and -" in output.err
