"""What verifies tokens is an extra: loaded by those who take tokens, and named where it is missing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from platform_lib.errors import PlatformError
from platform_lib.security import TokenIssuer, TokenSettings

settings = TokenSettings(
    issuer="https://id.example.com", audience="payments", jwks_url="https://id.example.com/keys"
)


def test_a_service_without_the_extra_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "joserfc", None)

    with pytest.raises(PlatformError, match=r"joserfc is not installed; depend on paypath\[service,jwt\]"):
        TokenIssuer(settings)


def test_a_service_that_takes_no_tokens_loads_no_cryptography() -> None:
    program = (
        "import sys\n"
        "import platform_lib.security\n"
        "print(sorted(name for name in ('joserfc', 'cryptography') if name in sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
