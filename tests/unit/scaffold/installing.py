"""This tool as an installer would lay it out: in a site of its own, with an archive and no checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

import paypath
from paypath.scaffold import _carried
from tests.unit.scaffold.conftest import write


def install_at(site: Path, monkeypatch: pytest.MonkeyPatch, *, metadata: str = "", direct: str = "") -> Path:
    """Make the tool in *site*, of version 1.0, this one; return where its archive is to be."""
    described = f"Metadata-Version: 2.1\nName: paypath\nVersion: 1.0\n{metadata}"
    write(site, {"paypath-1.0.dist-info/METADATA": described, "paypath/__init__.py": ""})
    if direct:
        write(site, {"paypath-1.0.dist-info/direct_url.json": direct})
    archive = site / "released.tar.xz"
    monkeypatch.syspath_prepend(site)
    monkeypatch.setattr(paypath, "__file__", str(site / "paypath" / "__init__.py"))
    monkeypatch.setattr(_carried, "archive", archive)
    return archive
