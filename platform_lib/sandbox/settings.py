"""What can be set about a sandbox."""

from __future__ import annotations

from platform_lib.config import Seconds, Secret, Section


class SandboxSettings(Section):
    """Where the sandbox listens, whom it trusts and whom it tells."""

    host: str = "127.0.0.1"
    """The address to listen on."""

    port: int = 0
    """The port to listen on; 0 takes a free one."""

    # Public on purpose, so that a first try needs no set-up: nothing real is behind it.
    api_key: Secret = Secret("sk_test_sandbox")
    """What callers send as ``Authorization: Bearer``; every version of it is accepted."""

    webhook_url: str | None = None
    """Where webhooks go; none sends none."""

    webhook_secret: Secret | None = None
    """Signs the webhooks (``whsec_…``, Standard Webhooks); needed as soon as webhooks are sent."""

    slow: Seconds = 30.0
    """How long ``tok_slow`` and ``tok_late`` take, on the sandbox's clock."""
