"""Law 9: the context goes along into a thread."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.laws.source import Breach, calls, imports, modules, plant, report, repository

watched = ("platform_lib", "examples")
pool = re.compile(r"(executor|pool|thread)", re.IGNORECASE)


def breaches_of_going_along(root: Path) -> list[Breach]:
    found: list[Breach] = []
    for module in modules(root):
        if module.path.parts[0] not in watched:
            continue
        has_executors = any(name.startswith("concurrent.futures") for _, name in imports(module))
        for call, name in calls(module):
            receiver, _, method = name.rpartition(".")
            loses = method == "run_in_executor" or (
                method == "submit" and (has_executors or pool.search(receiver) is not None)
            )
            if loses and not module.opted_out(call, 9):
                found.append(
                    module.breach(
                        call,
                        f"{name}() leaves the context behind: the thread has no span, no deadline, and may "
                        "call a provider inside a transaction; await run_in_thread(function) of "
                        "platform_lib.service (or `# law-9: why`)",
                    )
                )
    return found


def test_the_context_goes_along_into_every_thread() -> None:
    breaches = breaches_of_going_along(repository)
    assert not breaches, report(breaches)


@pytest.mark.parametrize(
    "text",
    [
        "await asyncio.get_running_loop().run_in_executor(None, load)\n",
        "await loop.run_in_executor(executor, load)\n",
        "executor.submit(load)\n",
        "self._pool.submit(load)\n",
        "from concurrent.futures import ThreadPoolExecutor\nThreadPoolExecutor().submit(load)\n",
        "import concurrent.futures\nconcurrent.futures.ThreadPoolExecutor().submit(load)\n",
    ],
)
@pytest.mark.parametrize("folder", ["platform_lib", "examples/payments/src"])
def test_work_that_leaves_its_context_behind_is_found(tmp_path: Path, folder: str, text: str) -> None:
    plant(tmp_path, f"{folder}/report.py", text)

    assert len(breaches_of_going_along(tmp_path)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "await asyncio.to_thread(load)\n",
        "await run_in_thread(load)\n",
        "await provider.submit(payment)\n",
        "executor.submit(load)  # law-9: at start-up, where nobody asked\n",
    ],
)
def test_what_keeps_its_context_is_let_be(tmp_path: Path, text: str) -> None:
    plant(tmp_path, "platform_lib/report.py", text)

    assert not breaches_of_going_along(tmp_path)
