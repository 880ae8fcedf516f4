"""Law 8: nothing prompts without a terminal, nothing phones home, nothing outside the project is edited."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.laws.source import Breach, calls, imports, modules, plant, report, repository

prompts = re.compile(
    r"^(input|getpass(\.getpass)?|click\.(prompt|confirm|edit|pause)|questionary\.\w+|.*\.ask)$"
)
where_prompts_live = Path("paypath/cli/ask.py")
network_clients = {"httpx2", "httpx", "requests", "urllib", "urllib3", "http", "aiohttp", "socket"}
# Each speaks to loopback alone, with servers that the tool started itself.
loopback_only = {"demo"}
home = re.compile(r"(^|\.)(home|expanduser|user_\w+_(dir|path))$")


def breaches_of_quiet(root: Path) -> list[Breach]:
    found = []
    for module in modules(root):
        if module.path.parts[0] != "paypath":
            continue
        for call, name in calls(module):
            if module.opted_out(call, 8):
                continue
            if prompts.match(name) and module.path != where_prompts_live:
                found.append(
                    module.breach(
                        call, f"{name}() may prompt where no terminal is; ask through paypath/cli/ask.py"
                    )
                )
            if home.search(name):
                found.append(
                    module.breach(
                        call, f"{name}() leaves the project; write only to the project or the cache folder"
                    )
                )
        if module.path.parts[1] not in loopback_only:
            found.extend(
                module.breach(node, f"{name} is a network client; the tool phones nobody (or `# law-8: why`)")
                for node, name in imports(module)
                if name in network_clients and not module.opted_out(node, 8)
            )
    return found


def test_the_tool_is_quiet() -> None:
    breaches = breaches_of_quiet(repository)
    assert not breaches, report(breaches)


@pytest.mark.parametrize(
    "text",
    [
        "answer = input('name? ')\n",
        "import click\nclick.confirm('sure?')\n",
        "import httpx2\n",
        "from pathlib import Path\nPath.home().write_text('x')\n",
    ],
)
def test_a_prompt_a_call_home_or_a_write_outside_is_found(tmp_path: Path, text: str) -> None:
    assert len(breaches_of_quiet(plant(tmp_path, "paypath/cli/new.py", text))) == 1
