"""Every problem of the library, raised inside and outside of the framework: one body, its own."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest

import platform_lib
from platform_lib.errors import Problem
from platform_lib.service import Receive, Scope, Send
from tests.unit.frameworks.orders import card, make_app, make_service
from tests.unit.service.driving import client

for module in pkgutil.walk_packages(platform_lib.__path__, "platform_lib."):
    if not module.name.endswith((".__main__", "._launch", ".env")):  # programs, run by others
        importlib.import_module(module.name)


def every_problem() -> Iterator[type[Problem]]:
    kinds = [Problem]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return (kind for kind in kinds if kind.__module__.startswith("platform_lib."))


@pytest.mark.parametrize("kind", list(every_problem()), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("framework", [True, False], ids=["FastAPI", "bare ASGI"])
async def test_a_problem_is_answered_as_its_class_says_and_repeats_nothing(
    kind: type[Problem], *, framework: bool
) -> None:
    problem = kind()
    problem.detail, problem.extensions = f"It was about {card}", {"merchant": card}

    async def bare(scope: Scope, receive: Receive, send: Send) -> None:
        del receive, send
        if scope["type"] == "http":
            raise problem
        raise NotImplementedError

    service = make_service()
    app: Any = bare
    if framework:
        app = make_app(service)

        async def raise_it() -> None:
            raise problem

        app.add_api_route("/raise", raise_it)

    async with client(service.install(app)) as http:
        response = await http.get("/raise")

    document = response.json()
    assert response.status_code == document["status"] == kind.status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    assert document["code"] == kind.code
    assert document["type"] == "urn:problem:" + kind.code.replace("_", "-")
    assert document["title"] == kind.title
    assert document["retryable"] is kind.retryable
    assert document["detail"].startswith("It was about ")
    assert card not in response.text
