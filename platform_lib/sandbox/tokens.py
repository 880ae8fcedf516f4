"""The test tokens: what a caller puts into a request to choose how the processor behaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

Kind = Literal["authorisation", "capture", "void", "refund"]

Reply = Literal[
    "prompt",  # the answer comes at once
    "slow",  # the work is done at once, the answer comes after the slow time
    "late",  # the work itself is done after the slow time
    "lost",  # the work is done, then the connection closes without a byte
    "error",  # the work is done, the answer is a 500
    "malformed",  # the work is done, the answer is JSON cut in half
    "rate_limited",  # no work is done, the answer is a 429
]

Notice = Literal[
    "after",  # the webhook leaves after the answer
    "before",  # the answer waits until the webhook was tried once
    "twice",  # the same event leaves two times
    "never",  # no webhook
]


@dataclass(frozen=True, slots=True)
class Reaction:
    """How the processor treats one kind of operation.

    Attributes:
        decline_code: why the operation is declined, or None if it is approved.
        challenge: whether the customer must first pass a 3-D Secure challenge.
        excess_minor_units: how much more is approved than was asked for.
        reply: what happens to the answer.
        notice: what happens to the webhook.
    """

    decline_code: str | None = None
    challenge: bool = False
    excess_minor_units: int = 0
    reply: Reply = "prompt"
    notice: Notice = "after"


_plain = Reaction()


@dataclass(frozen=True, slots=True)
class Token:
    """One test token.

    Attributes:
        name: what stands in the request.
        happens: one sentence for people; `docs/reference/sandbox.md` and ``GET /docs`` show it.
        reactions: what is special, by kind of operation; every other kind is approved promptly.
    """

    name: str
    happens: str
    reactions: Mapping[Kind, Reaction] = field(default_factory=dict)

    def reaction(self, kind: Kind) -> Reaction:
        """Return how an operation of *kind* is treated."""
        return self.reactions.get(kind, _plain)


def _at_authorisation(name: str, happens: str, reaction: Reaction) -> Token:
    return Token(name, happens, {"authorisation": reaction})


_tokens = (
    Token("tok_approved", "Everything is approved at once."),
    _at_authorisation(
        "tok_declined",
        "The authorisation is declined with `do_not_honour`.",
        Reaction(decline_code="do_not_honour"),
    ),
    _at_authorisation(
        "tok_insufficient_funds",
        "The authorisation is declined with `insufficient_funds`.",
        Reaction(decline_code="insufficient_funds"),
    ),
    _at_authorisation(
        "tok_expired_card",
        "The authorisation is declined with `expired_card`.",
        Reaction(decline_code="expired_card"),
    ),
    _at_authorisation(
        "tok_stolen_card",
        "The authorisation is declined with `stolen_card`.",
        Reaction(decline_code="stolen_card"),
    ),
    _at_authorisation(
        "tok_3ds_required",
        "The authorisation waits as `action_required` for the challenge; its outcome comes by webhook.",
        Reaction(challenge=True),
    ),
    _at_authorisation(
        "tok_slow",
        "The authorisation is approved and its webhook leaves at once; the answer comes after the slow time.",
        Reaction(reply="slow"),
    ),
    _at_authorisation(
        "tok_late",
        "The authorisation does not exist until the slow time has passed; then it is approved and answered.",
        Reaction(reply="late"),
    ),
    _at_authorisation(
        "tok_reply_lost",
        "The authorisation is approved, then the connection is cut: not a byte of answer.",
        Reaction(reply="lost"),
    ),
    _at_authorisation(
        "tok_error_after_success",
        "The authorisation is approved, then the answer is a 500.",
        Reaction(reply="error"),
    ),
    _at_authorisation(
        "tok_malformed_reply",
        "The authorisation is approved, then the answer is a 201 whose JSON is cut in half.",
        Reaction(reply="malformed"),
    ),
    _at_authorisation(
        "tok_rate_limited",
        "Nothing is done; the answer is a 429 with `Retry-After: 1`, every time.",
        Reaction(reply="rate_limited"),
    ),
    _at_authorisation(
        "tok_amount_mismatch",
        "The authorisation is approved for one minor unit more than was asked for.",
        Reaction(excess_minor_units=1),
    ),
    Token(
        "tok_capture_declined",
        "The authorisation is approved; each capture is declined with `authorisation_expired`.",
        {"capture": Reaction(decline_code="authorisation_expired")},
    ),
    Token(
        "tok_capture_reply_lost",
        "The authorisation is approved; each capture is done, then the connection is cut.",
        {"capture": Reaction(reply="lost")},
    ),
    Token(
        "tok_refund_declined",
        "Authorisation and captures are approved; each refund is declined with `refund_not_permitted`.",
        {"refund": Reaction(decline_code="refund_not_permitted")},
    ),
    Token(
        "tok_refund_reply_lost",
        "Authorisation and captures are approved; each refund is done, then the connection is cut.",
        {"refund": Reaction(reply="lost")},
    ),
    _at_authorisation(
        "tok_webhook_first",
        "The authorisation is approved; its webhook arrives before the answer does.",
        Reaction(notice="before"),
    ),
    _at_authorisation(
        "tok_webhook_twice",
        "The authorisation is approved; the same webhook event is sent two times.",
        Reaction(notice="twice"),
    ),
    _at_authorisation(
        "tok_webhook_lost",
        "The authorisation is approved; no webhook tells of it.",
        Reaction(notice="never"),
    ),
)

TOKENS: Mapping[str, Token] = MappingProxyType({token.name: token for token in _tokens})
"""Every test token by its name, in the order in which a reader meets them."""


def tokens_table() -> str:
    """Return the tokens as a Markdown table, in the order in which a reader meets them."""
    rows = [f"| `{token.name}` | {token.happens} |" for token in TOKENS.values()]
    return "\n".join(["| token | what happens |", "|---|---|", *rows])
