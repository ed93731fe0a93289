"""Designs as YAML and JSON files: errors name the line; written whole or not at all."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from onnxlrp.errors import CompositeError, OutputError
from onnxlrp.files import whole_file

SUFFIXES = (".yaml", ".yml", ".json")

_UNREADABLE = "holds something no design holds: {}."


def read_file(path: str | os.PathLike[str]) -> Any:
    """Read what a YAML or JSON file holds.

    Parameters
    ----------
    path : path of a .yaml, .yml or .json file

    Raises
    ------
    CompositeError
        Unreadable, or not well formed; names the file and the line.
    """
    path = Path(path)
    suffix = _suffix(path, CompositeError)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CompositeError(f"{path}: cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise CompositeError(f"{path}: is no text in UTF-8 (byte {error.start}).") from error
    try:
        return read_json(text) if suffix == ".json" else read_yaml(text)
    except CompositeError as error:
        raise CompositeError(f"{path}: {error}") from error


def read_json(text: str) -> Any:
    """Read JSON; a key given twice is an error."""
    try:
        return json.loads(text, object_pairs_hook=_without_duplicates)
    except json.JSONDecodeError as error:
        raise CompositeError(f"line {error.lineno}, column {error.colno}: {error.msg}.") from error
    except (RecursionError, ValueError) as error:
        raise CompositeError(_UNREADABLE.format(error)) from error


def read_yaml(text: str) -> Any:
    """Read YAML; a key given twice and an alias are errors, and 1e-6 is a number."""
    try:
        return yaml.load(text, Loader=_Loader)  # a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise CompositeError(f"{where}{error.problem or error.context}.") from error
    except yaml.YAMLError as error:
        raise CompositeError(f"no YAML: {' '.join(str(error).split())}.") from error
    except (RecursionError, ValueError) as error:
        raise CompositeError(_UNREADABLE.format(error)) from error


def as_json(data: Any) -> str:
    """Write data as JSON."""
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def as_yaml(data: Any) -> str:
    """Write data as YAML."""
    text: str = yaml.dump(
        data,
        Dumper=_Dumper,  # a SafeDumper
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=100,
    )
    return text


def write_file(path: str | os.PathLike[str], data: Any, overwrite: bool = False) -> None:
    """Write data as YAML or JSON, by the file's ending; the file appears whole or not at all.

    Parameters
    ----------
    path : path of a .yaml, .yml or .json file
    data : dicts, lists, strings and numbers
    overwrite : bool
        Whether a file that is already there may be replaced.

    Raises
    ------
    OutputError
        Another ending, a file that is there already, or a place that cannot be written.
    """
    path = Path(path)
    in_json = _suffix(path, OutputError) == ".json"
    text = as_json(data) if in_json else as_yaml(data)
    if path.exists() and not overwrite:
        raise OutputError(f"{path}: is there already; pass overwrite=True, or another name.")
    with whole_file(path) as part:
        part.write_bytes(text.encode())


def _suffix(path: Path, error: type[CompositeError] | type[OutputError]) -> str:
    """Return the file's ending, if it is one of a design."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise error(f"{path}: a design is a file that ends in {', '.join(SUFFIXES)}.")
    return suffix


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make a JSON object; refuse a key that stands in it twice."""
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise CompositeError(f"key {twice!r} is given twice.")
    return made


class _Loader(yaml.SafeLoader):
    """YAML without its traps: no aliases, no key given twice."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse an alias: it could blow a few lines up to any size."""
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # PyYAML's own
            raise yaml.MarkedYAMLError(
                problem="a word beginning with * is an alias; put quotes around a glob",
                problem_mark=mark,
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Refuse a key that stands in the mapping twice."""
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.MarkedYAMLError(
                        problem=f"key {key.value!r} is given twice", problem_mark=key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):
    """YAML that is read back as it was, whatever is written in a description."""


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Quote text with a line break of Unicode's, which YAML reads as a line break of its own."""
    style = '"' if _UNICODE_BREAK.search(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_UNICODE_BREAK = re.compile(r"[\x85\u2028\u2029]")
_Dumper.add_representer(str, _write_text)
# YAML 1.1, which PyYAML reads, wants a dot in 1e-6; people and YAML 1.2 do not. The dumper must
# know as well, or it would leave the text "1e-6" without quotes.
for _side in (_Loader, _Dumper):
    _side.add_implicit_resolver(
        "tag:yaml.org,2002:float",
        re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$"),
        list("-+0123456789"),
    )
