"""``onnxlrp operators``: what happens to relevance at each ONNX operator, from the registry."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from onnxlrp.cli.command import Command

_DESCRIPTION = """\
List the ONNX operators that can be explained, by what happens to relevance
there, as a Markdown table. A network with any other operator on its way is
refused, with every such node named."""

_EXAMPLES = """\
  onnxlrp operators
  onnxlrp operators --all > operators.md"""


def configure(parser: ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument(
        "--all",
        action="store_true",
        help="every ONNX operator, one a line, also those that are refused, and why",
    )


def run(arguments: Namespace) -> int:
    """Print the table."""
    print(operators_page() if arguments.all else operators_table())
    return 0


def operators_table() -> str:
    """Write a Markdown table of all operators in the registry, those of one treatment together."""
    from onnxlrp.ops import OPERATIONS

    by_treatment: dict[str, list[str]] = {}
    for name, factory in sorted(OPERATIONS.items()):
        by_treatment.setdefault(_treatment(factory), []).append(name)
    rows = [f"| {', '.join(names)} | {line} |" for line, names in by_treatment.items()]
    return "\n".join(["| operators | what happens to relevance |", "|---|---|", *rows])


def operators_page() -> str:
    """Write a Markdown page with one line for every operator of the installed ONNX, and ours."""
    from onnx import defs

    from onnxlrp.graph.proto import SPELLED_OUT
    from onnxlrp.graph.refusals import UNSIGNALLED, refusal
    from onnxlrp.ops import OPERATIONS

    standard = {s.name for s in defs.get_all_schemas() if s.domain == "" and not s.deprecated}
    lines = []
    for name in sorted(standard | set(OPERATIONS), key=str.casefold):
        if name in OPERATIONS:
            line = _treatment(OPERATIONS[name])
        elif name in SPELLED_OUT:
            line = "written out as ONNX defines it, each step as this table says"
        elif name in UNSIGNALLED:
            line = "makes shapes, masks or constants: held fixed, no relevance reaches it"
        else:
            line = f"**refused**: {refusal(name)}"
        lines.append(f"| {name} | {line} |")
    return "\n".join([_PAGE, *lines])


_PAGE = """\
# What happens to relevance at each ONNX operator

Made by `onnxlrp operators --all`. What is refused matters only on the way from the picture to the
explained output; If and Loop are written out where constants or fixed sizes settle them, lists of
tensors (SplitToSequence, SequenceAt, …) are replaced by the tensors, and functions and
normalisations that are spelled out in several nodes are treated as one.

| operator | what happens to relevance |
|---|---|"""


def _treatment(factory: object) -> str:
    """Return an operation's line; a function that chooses among several says it as its summary."""
    line = str(getattr(factory, "treatment", None) or (factory.__doc__ or "").splitlines()[0])
    line = line.removesuffix(".").replace("|", r"\|")
    return line if line[:2].isupper() else f"{line[:1].lower()}{line[1:]}"


COMMAND = Command(
    "operators", "list the ONNX operators and their treatment", configure, run,
    _DESCRIPTION, _EXAMPLES,
)  # fmt: skip
