"""The command itself: help, version, interruption, pipes, terminals without Unicode."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from onnxlrp import __version__
from onnxlrp.cli.entry import COMMANDS

COMMAND = (sys.executable, "-m", "onnxlrp")


def test_version(onnxlrp):
    assert onnxlrp("--version").out == f"onnxlrp {__version__}\n"


def test_help_lists_every_command(onnxlrp):
    outcome = onnxlrp("--help")
    assert outcome.code == 0
    for command in COMMANDS:
        assert f"  {command.name} " in outcome.out
        assert command.summary in outcome.out


def test_no_command_gets_the_help_as_a_mistake(onnxlrp):
    outcome = onnxlrp()
    assert (outcome.code, outcome.out) == (2, "")
    assert "commands:" in outcome.err


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_every_command_has_help_with_examples(onnxlrp, command):
    outcome = onnxlrp(command, "--help")
    assert outcome.code == 0
    assert "examples:" in outcome.out
    assert f"\n  onnxlrp {command}" in outcome.out


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from onnxlrp.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('numpy', 'onnx', 'onnxruntime', 'numba', 'PIL') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"


def test_warmup_compiles_the_kernels(onnxlrp):
    outcome = onnxlrp("warmup")
    assert (outcome.code, outcome.out) == (0, "The kernels are compiled.\n")


def open_when_read(pipe: Path, process: subprocess.Popen[str]) -> int:
    """Open a pipe for writing as soon as the process has opened it for reading."""
    while process.poll() is None:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            assert error.errno == errno.ENXIO  # nobody reads yet
            time.sleep(0.05)
    raise AssertionError(f"the command ended before it read anything: {process.stderr.read()}")


def interrupted(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Interrupt a process that waits for input, and return what it wrote.

    Python sees a signal that comes just before it begins to read only when it has read: so, like
    somebody at a terminal, it is interrupted again if that did nothing.
    """
    while True:
        process.send_signal(signal.SIGINT)
        try:
            return process.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            continue


def test_interruption_is_one_line(folder):
    os.mkfifo(folder / "slow.npy")
    words = ("explain", "small.onnx", "slow.npy", "-o", "out")
    with subprocess.Popen(
        [*COMMAND, *words], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # not as a shell's "&"
    ) as process:  # fmt: skip
        pipe = open_when_read(folder / "slow.npy", process)
        out, err = interrupted(process)
        os.close(pipe)
    assert process.returncode == 130
    assert (out, err) == ("", "onnxlrp: interrupted; nothing more is written.\n")
    assert not (folder / "out").exists()


@pytest.mark.parametrize("words", ["check", "explain small.onnx cat.png"])
def test_a_reader_that_has_seen_enough_is_no_error(folder, words):
    with subprocess.Popen(
        [*COMMAND, *words.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert process.returncode == 0
    results = {"cat_epsilon_plus.npz", "cat_epsilon_plus.png"} if "explain" in words else set()
    assert {path.name for path in folder.glob("*_*")} == results


def test_a_terminal_without_unicode_gets_question_marks(folder):
    run = subprocess.run(
        [*COMMAND, "check", "small.onnx"],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert b"1?4?8?8" in run.stdout
