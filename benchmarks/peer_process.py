"""The peers' process as this side sees it: commands go in, answers come out (see peers.py)."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class PeerError(RuntimeError):
    """A peer could not do what it was asked."""


class Peers:
    """The process of the other environment."""

    def __init__(self, python: Path) -> None:
        script = str(Path(__file__).with_name("peers.py"))
        self.process = subprocess.Popen(
            [str(python), "-W", "ignore", script],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def ask(self, do: str, **details: str) -> dict:
        """Send a command and wait for its answer."""
        assert self.process.stdin is not None and self.process.stdout is not None
        print(json.dumps({"do": do, **details}), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise PeerError(f"the peers' process ended (exit code {self.process.wait()})")
        answer = json.loads(line)
        if "error" in answer:
            raise PeerError(answer["error"])
        return answer

    def load(self, network: str, file: Path, picture: Path, only: str = "") -> list[str]:
        """Let the process load a network; returns the methods whose name starts like ``only``."""
        answer = self.ask("load", network=network, file=str(file), input=str(picture), only=only)
        return list(answer["methods"])


@contextmanager
def peers_of(python: Path | None) -> Iterator[Peers | None]:
    """Start the peers, if there are any, and end them."""
    if python is None:
        yield None
        return
    peers = Peers(python)
    try:
        yield peers
    finally:
        peers.process.communicate()
