"""A payment processor to test against: real HTTP, a ledger of its own, faults on demand, signed webhooks.

`Sandbox` serves it inside a test or a demo, ``python -m platform_lib.sandbox`` as a process.
`docs/reference/sandbox.md` lists the API and the test tokens.
"""

from platform_lib.sandbox.ledger import Authorisation, Entry, Ledger, Operation
from platform_lib.sandbox.server import Sandbox
from platform_lib.sandbox.settings import SandboxSettings
from platform_lib.sandbox.tokens import TOKENS, Reaction, Token, tokens_table
from platform_lib.sandbox.webhooks import Attempt, Delivery, WebhookSender

__all__ = [
    "TOKENS",
    "Attempt",
    "Authorisation",
    "Delivery",
    "Entry",
    "Ledger",
    "Operation",
    "Reaction",
    "Sandbox",
    "SandboxSettings",
    "Token",
    "WebhookSender",
    "tokens_table",
]
