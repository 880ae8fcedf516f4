"""What ``python -m platform_lib health`` does: ask a probe over HTTP, answer with an exit code.

It stands outside of `platform_lib.health`, which loads pydantic: a container asks every few seconds.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_passes, _fails, _bad_input = 0, 1, 2
_ok = 200
_largest_answer = 1024 * 1024


class _BadInput(Exception):
    """What was asked for cannot be done, in words."""


class _NoAnswer(Exception):
    """Nothing came back that a probe would say."""


def ask(options: argparse.Namespace) -> int:
    """Ask the probe and return the exit code; 1 also when there is no answer, as Docker wants it."""
    try:
        status, answer = _asked(options)
    except _BadInput as error:
        sys.stderr.write(f"health {options.command}: {error}\n")
        return _bad_input
    except _NoAnswer as error:
        if options.json:
            _write({"status": "fail", "reason": "no_answer", "url": options.url})
        sys.stderr.write(f"health {options.command}: {options.url}: {error}\n")
        return _fails
    if options.json:
        _write(answer)
    else:
        sys.stdout.write(_lines(options.command, answer))
    return _passes if status == _ok else _fails


def _asked(options: argparse.Namespace) -> tuple[int, dict[str, Any]]:
    parts = urlsplit(options.url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
        raise _BadInput("--url: give one such as http://127.0.0.1:8080, without a user")
    if options.timeout <= 0:
        raise _BadInput("--timeout: give seconds above zero")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, _port(options.url), timeout=options.timeout)
    try:
        connection.request(
            "GET", f"{parts.path.rstrip('/')}/{options.command}?verbose", headers=_headers(options)
        )
        reply = connection.getresponse()
        body = reply.read(_largest_answer)
    except (OSError, http.client.HTTPException) as error:
        raise _NoAnswer(f"no answer ({type(error).__name__}); does the service listen there?") from None
    finally:
        connection.close()
    return reply.status, _answer(reply.status, body)


def _port(url: str) -> int | None:
    try:
        return urlsplit(url).port
    except ValueError:
        raise _BadInput("--url: the port is no number from 0 to 65535") from None


def _headers(options: argparse.Namespace) -> dict[str, str]:
    if options.token_file is None:
        return {}
    try:
        lines = Path(options.token_file).read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise _BadInput(f"--token-file: cannot be read ({type(error).__name__})") from None
    token = lines[0].strip()
    if not token or not token.isascii() or not token.isprintable():
        raise _BadInput("--token-file: the first line holds no token")
    return {"Authorization": f"Bearer {token}"}


def _answer(status: int, body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or document.get("status") not in {"pass", "warn", "fail"}:
        raise _NoAnswer(
            f"{status} is no answer of a probe; is it the service's address, and the right token?"
        )
    return document


def _lines(probe: str, answer: dict[str, Any]) -> str:
    reason = f" ({answer['reason']})" if "reason" in answer else ""
    lines = [f"{probe}: {answer['status']}{reason}"]
    for name, check in answer.get("checks", {}).items():
        reason = f" ({check['reason']})" if "reason" in check else ""
        lines.append(f"  {name}: {check['status']}{reason}, {check['criticality']}")
    return "\n".join(lines) + "\n"


def _write(document: object) -> None:
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
