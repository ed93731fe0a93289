"""``onnxlrp operators``: what happens to relevance at each ONNX operator, from the registry."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from onnxlrp.cli.command import Command

_DESCRIPTION = """\
List the ONNX operators that can be explained, by what happens to relevance
there, as a Markdown table. A network with any other operator on its way is
refused, with every such node named."""

_EXAMPLES = """\
  onnxlrp operators"""


def configure(parser: ArgumentParser) -> None:
    """Add nothing: this command has no arguments."""


def run(arguments: Namespace) -> int:
    """Print the table."""
    print(operators_table())
    return 0


def operators_table() -> str:
    """Write a Markdown table of all operators in the registry, those of one treatment together."""
    from onnxlrp.ops import OPERATIONS

    by_treatment: dict[str, list[str]] = {}
    for name, factory in sorted(OPERATIONS.items()):
        by_treatment.setdefault(_treatment(factory), []).append(name)
    rows = [f"| {', '.join(names)} | {line} |" for line, names in by_treatment.items()]
    return "\n".join(["| operators | what happens to relevance |", "|---|---|", *rows])


def _treatment(factory: object) -> str:
    """Return an operation's line; a function that chooses among several says it as its summary."""
    line = str(getattr(factory, "treatment", None) or (factory.__doc__ or "").splitlines()[0])
    line = line.removesuffix(".").replace("|", r"\|")
    return line if line[:2].isupper() else f"{line[:1].lower()}{line[1:]}"


COMMAND = Command(
    "operators", "list the ONNX operators and their treatment", configure, run,
    _DESCRIPTION, _EXAMPLES,
)  # fmt: skip
