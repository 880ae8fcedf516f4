"""Access tokens: real keys from an issuer on a real socket, and every forgery that we know of."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx2
import pytest

from platform_lib import ManualClock
from platform_lib.config import Settings, load
from platform_lib.errors import ConfigError, PlatformError, Unavailable
from platform_lib.security import AccessTokens, Caller, Forbidden, TokenIssuer, TokenSettings, Unauthenticated
from platform_lib.service import Message, Receive, Scope, Send
from platform_lib.testing import Canaries, CapturedLogs, CapturedSpans, assert_no_secret
from tests.integration.http_peer import Behaviour, Peer, Writer, answer, in_turn, peer
from tests.integration.security.tokens import (
    audience,
    claims,
    ec,
    good,
    header,
    hmac_signed,
    issuer,
    jwk,
    key_set,
    okp,
    rsa,
    segment,
    sign,
)

Open = Callable[..., AbstractAsyncContextManager[tuple[TokenIssuer, Peer]]]
published = key_set(jwk(rsa(), use="sig", alg="RS256"), jwk(ec(), use="sig"), jwk(okp(), use="sig"))


@pytest.fixture
def open_issuer(clock: ManualClock) -> Open:
    @asynccontextmanager
    async def open_issuer(
        behave: Behaviour | bytes = published, **settings: Any
    ) -> AsyncIterator[tuple[TokenIssuer, Peer]]:
        behaviour = answer(200, behave) if isinstance(behave, bytes) else behave
        async with peer(behaviour) as it:
            given = {"issuer": issuer, "audience": audience, "jwks_url": f"{it.url}/keys?v=1", **settings}
            async with TokenIssuer(TokenSettings(**given), clock=clock, random=lambda: 0.0) as opened:
                yield opened, it

    return open_issuer


async def refusal_of(issuer: TokenIssuer, token: str) -> str:
    with pytest.raises(Unauthenticated) as caught:
        await issuer.verify(token)
    assert caught.value.headers == {"WWW-Authenticate": 'Bearer realm="callers", error="invalid_token"'}
    return str(caught.value).rpartition(": ")[2]


# What is accepted


async def test_a_good_token_says_who_calls(open_issuer: Open) -> None:
    async with open_issuer(merchant_claim="merchant") as (it, _):
        caller = await it.verify(good())

    assert (caller.subject, caller.client_id, caller.merchant_id) == ("checkout", "checkout", "acme")
    assert caller.scopes == {"payments:read", "payments:write"}
    assert (caller.token_id, caller.expires_at.isoformat()) == ("token-1", "2026-01-01T00:05:00+00:00")
    caller.require("payments:read")
    with pytest.raises(Forbidden, match="payments:admin"):
        caller.require("payments:read", "payments:admin")


ps = rsa("ps")


@pytest.mark.parametrize(
    ("algorithm", "key", "in_set"),
    [
        ("RS256", rsa(), {"alg": "RS256"}),
        ("PS256", ps, {"alg": "PS256"}),
        ("PS256", ps, {}),
        ("ES256", ec(), {"use": "sig"}),
        ("EdDSA", okp(), {}),
        ("EdDSA", okp(), {"alg": "EdDSA"}),
        ("EdDSA", okp(), {"alg": "Ed25519"}),  # its name since RFC 9864
    ],
)
async def test_every_signature_that_a_public_key_verifies(
    open_issuer: Open, algorithm: str, key: Any, in_set: dict[str, str]
) -> None:
    token = sign(header(algorithm, key.kid), claims(), key, algorithm)
    async with open_issuer(key_set(jwk(key, **in_set))) as (it, _):
        assert (await it.verify(token)).subject == "checkout"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [audience, "https://other.example.com"]},
        {"exp": 1_767_225_600 - 29},  # inside the leeway of 30 s
        {"nbf": 1_767_225_600 + 30},
        {"nbf": None},
        {"iat": 1_767_225_600.5},
        {"scope": None},
    ],
)
async def test_what_a_token_may_say(open_issuer: Open, changes: dict[str, Any]) -> None:
    async with open_issuer() as (it, _):
        assert (await it.verify(good(**changes))).merchant_id is None


async def test_an_issuer_that_knows_no_access_token_profile_is_taken_where_that_is_set(
    open_issuer: Open,
) -> None:
    token = sign(header(typ=None), claims(client_id=None, jti=None, iat=None), rsa(), "RS256")
    async with open_issuer(profile="plain") as (it, _):
        assert (await it.verify(token)).client_id is None


async def test_a_token_without_a_key_id_is_taken_where_there_is_no_choice(open_issuer: Open) -> None:
    token = sign(header(kid=None), claims(), rsa(), "RS256")
    async with open_issuer(key_set(jwk(rsa(), kid=None), jwk(ec()))) as (it, _):
        assert (await it.verify(token)).subject == "checkout"
    async with open_issuer(key_set(jwk(rsa()), jwk(rsa("other")))) as (it, _):
        assert await refusal_of(it, token) == "key"


# What is refused


def _flipped(token: str) -> str:
    head, body, signature = token.split(".")
    return f"{head}.{body}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


def _other_end(token: str) -> str:
    """Change the bits of the last character that no byte is made of: another text, the same bytes."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]


def _with_payload(token: str, **changes: Any) -> str:
    head, _, signature = token.split(".")
    return f"{head}.{segment(claims(**changes))}.{signature}"


def _unsigned(algorithm: str) -> str:
    return f"{segment(header(algorithm))}.{segment(claims())}."


_pem = rsa().as_pem(private=False)
_own = rsa("attacker")


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        # no signature, or one that anybody could have made
        (_unsigned("none"), "malformed"),
        (_unsigned("none") + "AA", "algorithm"),
        (_unsigned("nOnE") + "AA", "algorithm"),
        (_unsigned("RS256"), "malformed"),
        (_unsigned("RS256") + "AA", "signature"),
        (hmac_signed(header("HS256"), claims(), _pem), "algorithm"),
        (hmac_signed(header("HS256"), claims(), rsa().as_der(private=False)), "algorithm"),
        (hmac_signed(header("HS256"), claims(), json.dumps(jwk(rsa())).encode()), "algorithm"),
        (hmac_signed(header("RS256"), claims(), _pem), "signature"),
        (sign(header(), claims(), _own, "RS256"), "signature"),
        (_flipped(good()), "signature"),
        (_with_payload(good(), sub="admin"), "signature"),
        (_with_payload(good(), exp=9_999_999_999), "signature"),
        # another algorithm than the key is for
        (sign(header("RS512"), claims(), rsa(), "RS512"), "algorithm"),
        (sign(header("PS256"), claims(), rsa(), "PS256"), "key"),
        (sign(header("ES256"), claims(), ec(), "ES256"), "key"),  # under the id of the RSA key
        (sign(header("ES256", "ec"), claims(), ec("x"), "ES256"), "signature"),
        (f"{segment(header('ES256', 'ec'))}.{segment(claims())}.{segment(bytes(64))}", "signature"),
        (f"{segment(header('EdDSA', 'okp'))}.{segment(claims())}.{segment(bytes(64))}", "signature"),
        # the key's id
        (sign(header(kid="unknown"), claims(), rsa(), "RS256"), "key"),
        (sign(header(kid="../../dev/null"), claims(), rsa(), "RS256"), "key"),
        (sign(header(kid="x' UNION SELECT 'key"), claims(), rsa(), "RS256"), "key"),
        (sign(header(kid="RSA"), claims(), rsa(), "RS256"), "key"),
        (sign(header(kid=""), claims(), rsa(), "RS256"), "malformed"),
        (sign(header(kid="k" * 256), claims(), rsa(), "RS256"), "malformed"),
        (sign({**header(), "kid": ["rsa"]}, claims(), rsa(), "RS256"), "malformed"),
        (sign({**header(), "kid": {"rsa": 1}}, claims(), rsa(), "RS256"), "malformed"),
        # a key that the token brings along
        (sign(header(jwk=jwk(_own)), claims(), _own, "RS256"), "signature"),
        (sign(header(jku="https://evil.example.com/keys"), claims(), _own, "RS256"), "signature"),
        (sign(header(x5u="https://evil.example.com/cert"), claims(), _own, "RS256"), "signature"),
        (sign(header(x5c=["MIIB"]), claims(), _own, "RS256"), "signature"),
        (sign(header(kid="attacker", jwk=jwk(_own)), claims(), _own, "RS256"), "key"),
        # extensions that would change what is verified
        (sign(header(crit=["exp"]), claims(), rsa(), "RS256"), "critical_extension"),
        (sign(header(crit=[]), claims(), rsa(), "RS256"), "critical_extension"),
        (sign(header(crit=["b64"], b64=False), claims(), rsa(), "RS256"), "critical_extension"),
        (sign(header(b64=False), claims(), rsa(), "RS256"), "critical_extension"),
        # another kind of token
        (sign(header(typ="JWT"), claims(), rsa(), "RS256"), "type"),
        (sign(header(typ=None), claims(), rsa(), "RS256"), "type"),
        (sign(header(typ="id+jwt"), claims(), rsa(), "RS256"), "type"),
        (sign(header(typ=["at+jwt"]), claims(), rsa(), "RS256"), "type"),
        # two meanings in one text
        (
            sign(b'{"alg":"none","alg":"RS256","kid":"rsa","typ":"at+jwt"}', claims(), rsa(), "RS256"),
            "malformed",
        ),
        (sign(header(), b'{"sub":"a",' + json.dumps(claims()).encode()[1:], rsa(), "RS256"), "malformed"),
        (sign(header(), b'{"exp":NaN}', rsa(), "RS256"), "malformed"),
        (sign(header(), b"\xff\xfe", rsa(), "RS256"), "malformed"),
        (sign(header(), b"[]", rsa(), "RS256"), "malformed"),
        (sign(header(), b"[" * 5000, rsa(), "RS256"), "malformed"),
        (sign(b"[" * 500, claims(), rsa(), "RS256"), "malformed"),
        (sign(b'"RS256"', claims(), rsa(), "RS256"), "malformed"),
        # the text of the token
        ("", "malformed"),
        ("a.b", "malformed"),
        ("..", "malformed"),
        (good() + ".", "malformed"),
        (good() + ".AAAA", "malformed"),
        (good() + "=", "malformed"),
        (good() + "\n", "malformed"),
        (good().replace(".", " .", 1), "malformed"),
        (good().replace(".", "+.", 1), "malformed"),
        (good().replace(".", "=.", 1), "malformed"),
        (good() + "é", "malformed"),
        (_other_end(good()), "signature"),
        ("A" + good(), "malformed"),
        (good(padding="x" * 8000), "malformed"),
        ("A" * 1_000_000, "malformed"),
        # time
        (good(exp=1_767_225_600 - 30), "expired"),
        (good(exp=0), "expired"),
        (good(exp=None), "malformed"),
        (good(exp="9999999999"), "malformed"),
        (good(exp=True), "malformed"),
        (good(exp=-1), "malformed"),
        (good(exp=10**18), "malformed"),
        (good(nbf=1_767_225_600 + 31), "not_yet_valid"),
        (good(iat=1_767_225_600 + 31), "not_yet_valid"),
        (good(iat=None), "malformed"),
        (good(nbf="soon"), "malformed"),
        # for whom, and of whom
        (good(iss="https://id.example.com"), "issuer"),
        (good(iss=None), "issuer"),
        (good(iss=["https://id.example.com/"]), "issuer"),
        (good(aud="https://other.example.com"), "audience"),
        (good(aud=[]), "audience"),
        (good(aud=[["https://payments.example.com"]]), "audience"),
        (good(aud={"https://payments.example.com": 1}), "audience"),
        (good(aud=None), "audience"),
        (good(aud="https://payments.example.com/"), "audience"),
        (good(sub=None), "malformed"),
        (good(sub=""), "malformed"),
        (good(sub=7), "malformed"),
        (good(client_id=None), "malformed"),
        (good(jti=None), "malformed"),
        (good(scope=["payments:read"]), "malformed"),
    ],
)
async def test_a_token_that_is_not_right_is_refused(open_issuer: Open, token: str, reason: str) -> None:
    async with open_issuer() as (it, _):
        assert await refusal_of(it, token) == reason
        assert (await it.verify(good())).subject == "checkout"  # the control: the keys were there


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256"])
async def test_an_algorithm_that_is_not_listed_is_refused(open_issuer: Open, algorithm: str) -> None:
    key = ec() if algorithm == "ES256" else rsa()
    token = sign(header(algorithm, key.kid), claims(), key, algorithm)
    async with open_issuer(algorithms=("EdDSA",)) as (it, _):
        assert await refusal_of(it, token) == "algorithm"


@pytest.mark.parametrize("scopes", [("payments:admin",), ("payments:read", "payments:admin")])
async def test_a_token_without_what_every_caller_needs_is_forbidden(
    open_issuer: Open, scopes: tuple[str, ...]
) -> None:
    async with open_issuer(scopes=scopes) as (it, _):
        with pytest.raises(Forbidden) as caught:
            await it.verify(good())

    assert caught.value.headers["WWW-Authenticate"] == (
        f'Bearer realm="callers", error="insufficient_scope", scope="{" ".join(scopes)}"'
    )


@pytest.mark.parametrize("merchant", [None, "", "ACME", "a" * 65, 7, ["acme"], "acme\n"])
async def test_a_token_that_must_name_a_merchant_and_does_not_is_forbidden(
    open_issuer: Open, merchant: Any
) -> None:
    async with open_issuer(merchant_claim="merchant") as (it, _):
        with pytest.raises(Forbidden, match="names no merchant"):
            await it.verify(good(merchant=merchant))


# The issuer's keys


@pytest.mark.parametrize(
    "key",
    [
        jwk(rsa("rsa", 1024)),
        jwk(rsa(), use="enc"),
        jwk(rsa(), key_ops=["encrypt"]),
        jwk(rsa(), alg="RS512"),
        jwk(rsa(), alg="RSA-OAEP"),
        jwk(rsa(), n="AQAB"),
        jwk(rsa(), n=7),
        jwk(rsa(), kty="RSASSA"),
        jwk(rsa(), kid=7),
        jwk(ec("ec", "P-384")),
        jwk(okp("okp", "Ed448")),
        jwk(okp("okp", "X25519")),
        {"kty": "oct", "k": "c2VjcmV0", "kid": "rsa"},
        "a text",
    ],
)
async def test_keys_that_can_verify_no_token_are_passed_over(open_issuer: Open, key: Any) -> None:
    token = sign(header("ES256", "good"), claims(), ec("good"), "ES256")
    async with open_issuer(key_set(key, jwk(ec("good")))) as (it, _):
        assert (await it.verify(token)).subject == "checkout"
        assert await refusal_of(it, good()) == "key"


async def test_two_keys_of_one_id_are_none(open_issuer: Open) -> None:
    async with open_issuer(key_set(jwk(rsa()), jwk(rsa("other"), kid="rsa"), jwk(ec(), kid="rsa"))) as (
        it,
        _,
    ):
        assert await refusal_of(it, good()) == "key"


@pytest.mark.parametrize(
    "behave",
    [
        answer(500),
        answer(404),
        answer(200, b""),
        answer(200, b"<html>"),
        answer(200, b"[]"),
        answer(200, b'{"keys": []}'),
        answer(200, b'{"keys": {"rsa": 1}}'),
        answer(200, b'{"keys": [], "keys": []}'),
        answer(200, key_set(*[jwk(rsa())] * 101)),
        answer(200, published + b" " * 300_000),
        answer(302, b"", "Location: http://127.0.0.1:1/keys\r\n"),
    ],
)
async def test_keys_that_cannot_be_had_are_unavailable_and_not_the_caller_s_fault(
    open_issuer: Open, behave: Behaviour, logs: CapturedLogs
) -> None:
    async with open_issuer(behave) as (it, _):
        with pytest.raises(Unavailable) as caught:
            await it.verify(good())
        with pytest.raises(Exception, match=r"."):
            await it.check()

    assert caught.value.headers == {"Retry-After": "10"}
    assert "the token issuer's keys could not be fetched" in logs.text()


async def test_a_new_key_is_fetched_once_for_all_who_ask_for_it(
    open_issuer: Open, clock: ManualClock
) -> None:
    new = sign(header(kid="new"), claims(), rsa("new"), "RS256")
    later = in_turn(answer(200, published), answer(200, key_set(jwk(rsa()), jwk(rsa("new")))))
    async with open_issuer(later) as (it, jwks):
        clock.advance(10)
        callers = await asyncio.gather(*(it.verify(new) for _ in range(20)))

        assert {caller.subject for caller in callers} == {"checkout"}
        assert len(jwks.requests) == 2
        assert jwks.requests[0][0] == "GET /keys?v=1 HTTP/1.1"


async def test_made_up_ids_fetch_no_more_than_once_in_ten_seconds(
    open_issuer: Open, clock: ManualClock
) -> None:
    async with open_issuer() as (it, jwks):
        clock.advance(10)
        made_up = [sign(header(kid=f"made-up-{number}"), claims(), ec(), "ES256") for number in range(50)]
        for token in made_up:
            assert await refusal_of(it, token) == "key"
        assert len(jwks.requests) == 2
        clock.advance(10)
        assert await refusal_of(it, made_up[0]) == "key"
        assert len(jwks.requests) == 3


class Gate:
    """Answers the first request, and the later ones when it is opened."""

    def __init__(self, body: bytes) -> None:
        self.asked, self.opened = asyncio.Event(), asyncio.Event()
        self._answer = answer(200, body)
        self._first = True

    async def __call__(self, writer: Writer) -> None:
        if not self._first:
            self.asked.set()
            await self.opened.wait()
        self._first = False
        await self._answer(writer)


async def test_a_fetch_in_the_background_holds_up_no_one_whose_key_is_there(
    open_issuer: Open, clock: ManualClock
) -> None:
    gate = Gate(published)
    async with open_issuer(gate) as (it, jwks):
        await asyncio.sleep(0)
        clock.advance(300)
        await asyncio.wait_for(gate.asked.wait(), 5)

        assert (await it.verify(good(exp=1_767_225_600 + 900))).subject == "checkout"  # while it is under way
        gate.opened.set()
        assert len(jwks.requests) == 2


async def test_a_caller_who_gives_up_does_not_end_the_fetch_for_the_others(
    open_issuer: Open, clock: ManualClock
) -> None:
    gate = Gate(key_set(jwk(rsa("new"))))
    new = sign(header(kid="newer"), claims(), rsa("new"), "RS256")
    async with open_issuer(gate) as (it, jwks):
        clock.advance(10)
        first, second = (asyncio.ensure_future(refusal_of(it, new)) for _ in range(2))
        await asyncio.wait_for(gate.asked.wait(), 5)
        first.cancel()
        gate.opened.set()

        assert await second == "key"
        assert len(jwks.requests) == 2


async def test_old_keys_are_used_while_new_ones_cannot_be_fetched_and_not_for_ever(
    open_issuer: Open, clock: ManualClock
) -> None:
    token = good(exp=1_767_225_600 + 90_000)
    async with open_issuer(in_turn(answer(200, published), answer(503)), usable_for=3600) as (it, jwks):
        assert await it.check() is None
        await asyncio.sleep(0)
        clock.advance(300)
        await _requested(jwks, 2)
        await _says(it, "stale: token issuer: http_503")
        assert (await it.verify(token)).subject == "checkout"

        clock.advance(3300)
        assert (await it.verify(token)).subject == "checkout"  # an hour, to the second
        clock.advance(1)
        with pytest.raises(Unavailable):
            await it.verify(token)
        with pytest.raises(Exception, match="http_503"):
            await it.check()


async def test_keys_come_back_by_themselves(
    open_issuer: Open, clock: ManualClock, logs: CapturedLogs
) -> None:
    async with open_issuer(in_turn(answer(503), answer(200, published))) as (it, jwks):
        await asyncio.sleep(0)
        clock.advance(10)
        await _requested(jwks, 2)
        await _says(it, None)
        assert (await it.verify(good())).subject == "checkout"

    assert "fetched the token issuer's keys: 3 that can verify" in logs.text()


async def _says(it: TokenIssuer, word: str | None) -> None:
    """Return once the health check says *word*; fail after five seconds."""
    async with asyncio.timeout(5):
        while True:
            with contextlib.suppress(PlatformError):
                if await it.check() == word:
                    return
            await asyncio.sleep(0.005)


async def _requested(jwks: Peer, count: int) -> None:
    deadline = time.monotonic() + 5
    while len(jwks.requests) < count:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


class IssuedSettings(Settings, prefix="ISSUED"):
    tokens: TokenSettings


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://id.example.com/keys", "https://"),
        ("http://127.0.0.1.example.com/keys", "https://"),
        ("ftp://127.0.0.1/keys", "https://"),
        ("https://user:hunter2@id.example.com/keys", "neither a user nor a fragment"),
        ("https:///keys", "needs a host"),
    ],
)
def test_keys_from_where_they_could_be_changed_on_the_way_are_refused(url: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(
            IssuedSettings,
            environ={
                "ISSUED_TOKENS_ISSUER": issuer,
                "ISSUED_TOKENS_AUDIENCE": audience,
                "ISSUED_TOKENS_JWKS_URL": url,
            },
        )

    assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("algorithm", ["HS256", "none", "RS1"])
def test_no_setting_lets_a_weaker_algorithm_in(algorithm: str) -> None:
    with pytest.raises(ConfigError, match="ISSUED_TOKENS_ALGORITHMS"):
        load(
            IssuedSettings,
            environ={
                "ISSUED_TOKENS_ISSUER": issuer,
                "ISSUED_TOKENS_AUDIENCE": audience,
                "ISSUED_TOKENS_JWKS_URL": "https://id.example.com/keys",
                "ISSUED_TOKENS_ALGORITHMS": f"RS256,{algorithm}",
            },
        )


# The middleware


class App:
    """Says whom it takes the caller for."""

    def __init__(self) -> None:
        self.seen: list[Scope] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        self.seen.append(scope)
        caller: Caller | None = scope["state"].get("caller")
        merchants = [value.decode() for name, value in scope["headers"] if name.lower() == b"merchant-id"]
        said = {
            "subject": caller.subject if caller else None,
            "header": merchants,
            "merchant": scope["state"].get("merchant_id"),
        }
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(said).encode()})


@pytest.fixture
def inner() -> App:
    return App()


def client_of(inner: App, it: TokenIssuer, *public: str) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=AccessTokens(inner, it, public=public))
    return httpx2.AsyncClient(transport=transport, base_url="http://service.test")


async def test_the_application_learns_who_calls_whatever_the_caller_claims(
    open_issuer: Open, inner: App
) -> None:
    headers = [("Authorization", f"Bearer {good()}"), ("Merchant-Id", "other"), ("Merchant_Id", "other")]
    async with open_issuer(merchant_claim="merchant") as (it, _), client_of(inner, it) as http:
        answered = await http.get("/", headers=headers)

    assert answered.json() == {"subject": "checkout", "header": ["acme"], "merchant": "acme"}
    assert all(name.lower() != b"merchant_id" for name, _ in inner.seen[0]["headers"])


@pytest.mark.parametrize(
    ("headers", "challenge"),
    [
        ([], 'Bearer realm="callers"'),
        ([("Merchant-Id", "acme")], 'Bearer realm="callers"'),
        ([("Authorization", f"Basic {good()}")], 'Bearer realm="callers"'),
        ([("Authorization", "Bearer")], 'Bearer realm="callers", error="invalid_token"'),
        ([("Authorization", f"Bearer {good()}x")], 'Bearer realm="callers", error="invalid_token"'),
        (
            [("Authorization", f"Bearer {good()}"), ("Authorization", f"Bearer {good()}")],
            'Bearer realm="callers", error="invalid_request"',
        ),
    ],
)
async def test_anyone_else_is_answered_401_with_a_challenge_and_reaches_nothing(
    open_issuer: Open, inner: App, headers: list[tuple[str, str]], challenge: str
) -> None:
    async with open_issuer() as (it, _), client_of(inner, it) as http:
        answered = await http.get(f"/?access_token={good()}", headers=headers)

    assert (answered.status_code, answered.json()["code"]) == (401, "unauthenticated")
    assert answered.headers["content-type"] == "application/problem+json"
    assert answered.headers["www-authenticate"] == challenge
    assert inner.seen == []


async def test_a_token_that_is_not_enough_is_403_and_keys_that_are_away_are_503(
    open_issuer: Open, inner: App
) -> None:
    bearer = {"Authorization": f"Bearer {good()}"}
    async with open_issuer(scopes=("payments:admin",)) as (it, _), client_of(inner, it) as http:
        forbidden = await http.get("/", headers=bearer)
    async with open_issuer(answer(500)) as (it, _), client_of(inner, it) as http:
        unavailable = await http.get("/", headers=bearer)

    assert (forbidden.status_code, forbidden.json()["code"]) == (403, "forbidden")
    assert 'error="insufficient_scope", scope="payments:admin"' in forbidden.headers["www-authenticate"]
    assert (unavailable.status_code, unavailable.headers["retry-after"]) == (503, "10")
    assert inner.seen == []


async def test_a_public_path_needs_no_token_and_gets_no_caller_from_a_stranger(
    open_issuer: Open, inner: App
) -> None:
    async with open_issuer() as (it, _), client_of(inner, it, "/v1/provider-events") as http:
        answered = await http.post("/v1/provider-events", headers={"Merchant-Id": "acme"})
        below = await http.post("/v1/provider-events/x")

    assert answered.json() == {"subject": None, "header": [], "merchant": None}
    assert below.status_code == 401


@pytest.mark.parametrize(("behave", "code"), [(answer(200, published), 1008), (answer(500), 1013)])
async def test_a_websocket_without_a_caller_is_closed_before_it_opens(
    open_issuer: Open, inner: App, behave: Behaviour, code: int
) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    token = sign(header(kid="unknown"), claims(), rsa(), "RS256")
    scope = {"type": "websocket", "path": "/", "headers": [(b"authorization", f"Bearer {token}".encode())]}
    async with open_issuer(behave) as (it, _):
        await AccessTokens(inner, it)(scope, receive, send)

    assert sent == [{"type": "websocket.close", "code": code}]
    assert inner.seen == []


async def test_no_token_comes_out_of_a_refusal(
    open_issuer: Open,
    inner: App,
    canaries: Canaries,
    spans: CapturedSpans,
    logs: CapturedLogs,
) -> None:
    token = good(sub="subject-4711-of-a-test", exp=0)
    canaries.add("token", token)
    canaries.add("signature", token.rpartition(".")[2])
    canaries.add("subject", "subject-4711-of-a-test")
    async with open_issuer() as (it, _), client_of(inner, it) as http:
        answered = await http.get("/", headers={"Authorization": f"Bearer {token}"})

    assert answered.status_code == 401
    assert_no_secret(canaries, answer=answered, spans=spans, logs=logs)
