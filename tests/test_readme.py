"""The README tells the truth: its examples run, its tables are current, its files exist."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from onnxlrp import assets
from onnxlrp.composites import presets
from onnxlrp.rules import RULES, parameters

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def users_folder(tmp_path, monkeypatch):
    """A folder with model.onnx and cat.png, and the command on the path."""
    shutil.copy(assets.default_model_path(), tmp_path / "model.onnx")
    shutil.copy(assets.default_images()["chelsea"], tmp_path / "cat.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def test_the_examples_run_from_top_to_bottom(users_folder):
    names: dict[str, object] = {}
    for language, code in EXAMPLES:
        if language == "bash":
            run = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", code], capture_output=True, text=True
            )
            assert run.returncode == 0, f"{code}\n{run.stdout}{run.stderr}"
        else:
            assert language == "python"
            exec(compile(code, "README.md", "exec"), names)
    written = {path.relative_to(users_folder).as_posix() for path in users_folder.rglob("*.npz")}
    assert written == {
        "out/cat_epsilon_plus.npz",
        "out/cat_gamma-gamma=0.1.npz",
        "out/cat_mine.npz",
        "corrected/cat_epsilon_plus.npz",
    }


def test_there_are_examples_in_both_languages():
    assert {language for language, _ in EXAMPLES} == {"bash", "python"}


def test_every_preset_is_listed_with_its_line():
    for name, line in presets().items():
        assert f"| `{name}` | {line} |" in README


def test_every_rule_is_listed_with_its_parameters():
    cells = [line.split("|")[1:-1] for line in README.splitlines() if line.startswith("| ")]
    rows = {row[1].strip(" `"): row[3] for row in cells if len(row) == 4}
    common = {"epsilon", "relative", "bias"}
    for name in RULES:
        assert set(parameters(name)) - common <= set(re.findall(r"`(\w+)`", rows[name]))


def test_the_two_commands_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for command in re.findall(r"`make (\w+)`", README):
        assert re.search(rf"^{command}:", makefile, re.MULTILINE)


def test_linked_and_named_files_exist():
    linked = re.findall(r"\]\(([^)#:]+)\)", README)
    named = re.findall(r"(?<=`)(?:python )?([\w/]+\.(?:md|py)|LICENSE)(?=`)", README)
    for name in (*linked, *named):
        assert (ROOT / name).is_file(), name
    for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README):
        assert (ROOT / picture).stat().st_size <= 400_000
