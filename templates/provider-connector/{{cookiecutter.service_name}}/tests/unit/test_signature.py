"""Webhooks are believed only if the processor signed exactly these bytes, lately."""

import pytest
from platform_lib import ManualClock
from platform_lib.config import Secret
from platform_lib.payments import InvalidWebhook, WebhookSignatureMismatch

from {{ cookiecutter.package }}.adapters.signature import ProcessorSignature, signature

BODY = b'{"eventId":"ev_1"}'


@pytest.fixture
def verifier(clock: ManualClock) -> ProcessorSignature:
    return ProcessorSignature(Secret("new", "old"), clock)


def now(clock: ManualClock) -> int:
    return int(clock.now().timestamp())


@pytest.mark.parametrize("secret", ["new", "old"])
def test_both_secrets_of_a_rotation_are_accepted(
    verifier: ProcessorSignature, clock: ManualClock, secret: str
) -> None:
    verifier.verify(signature(secret, now(clock), BODY), BODY)


@pytest.mark.parametrize(("secret", "body"), [("other", BODY), ("new", BODY + b" ")])
def test_another_secret_or_body_is_refused(
    verifier: ProcessorSignature, clock: ManualClock, secret: str, body: bytes
) -> None:
    with pytest.raises(WebhookSignatureMismatch):
        verifier.verify(signature(secret, now(clock), BODY), body)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_too_old_and_too_far_ahead_are_refused(
    verifier: ProcessorSignature, clock: ManualClock, seconds: int
) -> None:
    with pytest.raises(InvalidWebhook, match="check the clocks"):
        verifier.verify(signature("new", now(clock) + seconds, BODY), BODY)


@pytest.mark.parametrize("header", ["", "t=1", "t=x,v1=y", "v1=" + "a" * 64, f"t=1,v1={'a' * 63}", "\u00e9"])
def test_a_malformed_header_is_refused_and_nothing_else_happens(
    verifier: ProcessorSignature, header: str
) -> None:
    with pytest.raises(InvalidWebhook):
        verifier.verify(header, BODY)
