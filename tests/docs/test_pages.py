"""The pages of docs/ tell the truth: their examples run, and what they link to is there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from onnxlrp import assets

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(DOCS.rglob("*.md"))


def test_getting_started_runs_from_top_to_bottom(tmp_path, monkeypatch):
    shutil.copy(assets.default_model_path(), tmp_path / "model.onnx")
    shutil.copy(assets.default_images()["chelsea"], tmp_path / "cat.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    page = (DOCS / "getting_started.md").read_text(encoding="utf-8")
    names: dict[str, object] = {}
    for language, code in re.findall(r"^```(bash|python)\n(.*?)^```$", page, re.M | re.S):
        if language == "bash":
            run = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", code], capture_output=True, text=True
            )
            assert run.returncode == 0, f"{code}\n{run.stdout}{run.stderr}"
        else:
            exec(compile(code, "getting_started.md", "exec"), names)
    for folder in ("cat", "report"):
        assert "</html>" in (tmp_path / folder / "report.html").read_text(encoding="utf-8")
        with zipfile.ZipFile(tmp_path / folder / "report.zip") as archive:
            assert archive.testzip() is None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_links_to_is_there(page):
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (page.parent / link).exists(), f"{page.name}: {link}"
