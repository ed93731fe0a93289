"""Files are written whole or not at all."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from onnxlrp.errors import OutputError
from onnxlrp.files import whole_file
from onnxlrp.render import save_image

IMAGE = Image.new("RGB", (3, 2), "red")


def test_an_image_is_written_into_new_folders_and_nothing_else_remains(tmp_path):
    written = save_image(IMAGE, tmp_path / "a" / "b" / "map.png")
    with Image.open(written) as read:
        assert read.size == (3, 2)
    assert [path.name for path in written.parent.iterdir()] == ["map.png"]


def test_arrays_can_be_written_too(tmp_path):
    with whole_file(tmp_path / "relevance.npz") as temporary:
        np.savez(temporary, relevance=np.ones(3))
    with np.load(tmp_path / "relevance.npz") as read:
        assert read["relevance"].sum() == 3.0


def test_after_an_error_the_old_file_is_still_there(tmp_path):
    target = tmp_path / "notes.txt"
    target.write_text("old")

    def write_half():
        with whole_file(target) as temporary:
            temporary.write_text("ne")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_where_a_folder_should_be_is_one_clear_error(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(OutputError, match=r"map\.png' cannot be written: "):
        save_image(IMAGE, tmp_path / "taken" / "map.png")


def test_a_folder_where_the_file_should_be_is_one_clear_error(tmp_path):
    (tmp_path / "map.png").mkdir()
    with pytest.raises(OutputError, match=r"map\.png' cannot be written: Is a directory"):
        save_image(IMAGE, tmp_path / "map.png")
    assert [path.name for path in tmp_path.iterdir()] == ["map.png"]


def test_an_unknown_format_writes_nothing(tmp_path):
    with pytest.raises(OutputError, match=r"'\.heat' is no image format"):
        save_image(IMAGE, tmp_path / "map.heat")
    assert list(tmp_path.iterdir()) == []


def test_the_file_gets_the_rights_of_any_new_file(tmp_path):
    (tmp_path / "plain.txt").touch()
    written = save_image(IMAGE, tmp_path / "map.png")
    assert written.stat().st_mode == (tmp_path / "plain.txt").stat().st_mode
