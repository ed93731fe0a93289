"""Commands that other packages add: the designer's ``serve``."""

from __future__ import annotations

import pytest

from onnxlrp.cli import main
from onnxlrp.cli.entry import COMMANDS, commands


def test_serve_is_found_by_its_entry_point(capsys):
    assert {c.name for c in commands()} - {c.name for c in COMMANDS} == {"serve"}
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    assert "--models FOLDER" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--models", "no-such-folder"], "is no folder"),
        (["--port", "70000"], "0 to 65535"),
        (["--address", "203.0.113.1"], "cannot listen on 203.0.113.1"),
    ],
)
def test_mistakes_are_told_in_one_line(words, said, capsys):
    assert main(["serve", *words]) == 2
    assert said in capsys.readouterr().err
