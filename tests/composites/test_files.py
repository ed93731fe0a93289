from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

from onnxlrp.composites import Composite, Entry, Selector
from onnxlrp.errors import CompositeError, OutputError
from onnxlrp.rules import Epsilon, Gamma
from tests.composites.strategies import composites

DESIGN = Composite("design", (Entry(Selector(index=(0, 7)), Gamma(0.1)),), max_pool="average")


@given(composites())
@settings(max_examples=60)
def test_files_give_back_the_same_design(
    tmp_path_factory: pytest.TempPathFactory, composite: Composite
) -> None:
    for name in ("design.yaml", "design.json"):
        path = tmp_path_factory.getbasetemp() / name
        composite.save(path, overwrite=True)
        assert Composite.load(path) == composite


@pytest.mark.parametrize("text", ["\x85", "a\u2028b", "two\nlines", "- not: a list", "1e-6", ""])
def test_any_description_survives(tmp_path: Path, text: str) -> None:
    composite = Composite("design", description=text)
    composite.save(tmp_path / "a.yaml")
    assert Composite.load(tmp_path / "a.yaml") == composite


def test_a_file_reads_like_the_design(tmp_path: Path) -> None:
    DESIGN.save(tmp_path / "a.yaml")
    assert (tmp_path / "a.yaml").read_text(encoding="utf-8") == (
        "schema: 1\n"
        "name: design\n"
        "max_pool: average\n"
        "entries:\n"
        "- select:\n"
        "    index: [0, 7]\n"
        "  rule: gamma\n"
        "  gamma: 0.1\n"
    )


def test_a_file_written_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_text(
        "schema: 1\nname: by hand\nentries:\n"
        "  - {rule: epsilon, epsilon: 1e-3}  # everywhere\n"
        '  - {select: {name: "*_5"}, rule: gamma}\n'
    )
    composite = Composite.load(path)
    assert composite.entries[0] == Entry(Selector(), Epsilon(0.001))
    assert composite.entries[1] == Entry(Selector(name="*_5"), Gamma())


def test_refuses_to_replace_a_file_unasked(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("precious")
    with pytest.raises(OutputError, match="is there already"):
        DESIGN.save(path)
    assert path.read_text() == "precious"
    DESIGN.save(path, overwrite=True)
    assert Composite.load(path) == DESIGN


def test_makes_missing_folders_and_leaves_nothing_else(tmp_path: Path) -> None:
    DESIGN.save(tmp_path / "new" / "a.yaml")
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["a.yaml"]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        DESIGN.save(tmp_path / "file" / "a.yaml")
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(OutputError, match="cannot be written"):
        DESIGN.save(tmp_path / "folder.yaml", overwrite=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder.yaml"]


def test_the_ending_must_be_known(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"ends in \.yaml, \.yml, \.json"):
        DESIGN.save(tmp_path / "a.txt")
    with pytest.raises(CompositeError, match=r"ends in \.yaml, \.yml, \.json"):
        Composite.load(tmp_path / "a.txt")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.yaml", b"schema: 1\nname: [a\nentries: []\n", "a.yaml: line 3, column 8: expected"),
        ("a.yaml", b"schema: 1\nname: a\nname: b\n", "line 3, column 1: key 'name' is given twice"),
        ("a.yaml", b"schema: 1\nname: *x\n", "line 2, column 7: .*quotes around a glob"),
        ("a.yaml", b"schema: !!python/name:os.system\n", "line 1, column 9: could not determine"),
        ("a.yaml", b"schema: 1\nname: 2020-13-45\n", "holds something no design holds"),
        ("a.yaml", b"name: \x00", "no YAML: .*special characters"),
        ("a.yaml", b"\xff\xfe", "is no text in UTF-8"),
        ("a.yaml", b"", "a design maps"),
        ("a.yaml", b"[" * 5000, "holds something no design holds"),
        ("a.yaml", b"schema: 1\nname: a\nentries:\n- rule: gama\n", "a.yaml: entry 1: rule 'gama'"),
        ("a.json", b'{"schema": 1,\n "name": }', "a.json: line 2, column 10: Expecting value"),
        ("a.json", b'{"schema": 1, "schema": 1}', "key 'schema' is given twice"),
        ("a.json", b'{"schema": NaN, "name": "a"}', "schema is nan"),
    ],
)
def test_broken_files(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CompositeError, match=message):
        Composite.load(tmp_path / name)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(CompositeError, match=r"none\.yaml: cannot be read: No such file"):
        Composite.load(tmp_path / "none.yaml")
