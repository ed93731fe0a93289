"""Where pictures may lie: folders, CSV files, archives, iterables."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from onnxlrp.errors import InputError
from onnxlrp.evaluate.items import open_data


def pixels(seed):
    return np.random.default_rng(seed).integers(0, 256, (5, 4, 3), np.uint8)


def test_a_folder_is_read_in_the_order_of_its_paths(tmp_path):
    for name in ("b/2.png", "a/x/1.png", "3.png", ".hidden/4.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels(0)).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    data = open_data(tmp_path)
    found = [(item.name, item.label) for item in data.items]
    assert found == [("3.png", None), ("a/x/1.png", "a"), ("b/2.png", "b")]
    assert data.count == 3 and data.labelled


def test_a_table_names_pictures_beside_it(tmp_path):
    (tmp_path / "list.csv").write_text("label,image\ncat,1.png\n,2.png\n", encoding="utf-8-sig")
    data = open_data(tmp_path / "list.csv")
    found = [(item.name, item.image, item.label) for item in data.items]
    assert found == [("1.png", tmp_path / "1.png", "cat"), ("2.png", tmp_path / "2.png", None)]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_archive_gives_its_pictures_one_by_one(tmp_path, save):
    x = np.stack([pixels(i) for i in range(3)])
    save(tmp_path / "x.npz", x=x, labels=[2, 0, 1], names=["a", "b", "c"])
    data = open_data(tmp_path / "x.npz")
    for _ in range(2):  # it can be gone through again
        items = list(data.items)
        assert [(item.name, item.label) for item in items] == [("a", 2), ("b", 0), ("c", 1)]
        assert np.array_equal(np.stack([item.image for item in items]), x)
    assert data.count == 3


def test_an_iterable_is_not_read_ahead():
    def endless():
        number = 0
        while True:
            yield f"{number}", pixels(number), number
            number += 1

    items = iter(open_data(endless()).items)
    assert [next(items).label for _ in range(3)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"y": np.zeros((2, 3))}, "holds y"),
        ({"x": np.zeros(3)}, "no stack of pictures"),
        ({"x": np.asfortranarray(np.zeros((2, 3)))}, "ascontiguousarray"),
        ({"x": np.zeros((2, 3)), "names": ["a"]}, "one entry for each of 2"),
    ],
)
def test_archives_that_do_not_hold_pictures(tmp_path, arrays, message):
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(InputError, match=message):
        open_data(tmp_path / "x.npz")


def test_damaged_files_are_one_line(tmp_path):
    (tmp_path / "x.npz").write_bytes(b"no archive")
    (tmp_path / "empty.csv").write_text("image,label\n")
    (tmp_path / "other.csv").write_text("imgae\n1.png\n")
    for name, message in (
        ("x.npz", "cannot be"),
        ("empty.csv", "no picture"),
        ("other.csv", "Did"),
    ):
        with pytest.raises(InputError, match=message):
            open_data(tmp_path / name)
