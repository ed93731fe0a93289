"""Pictures become the network's input, and come back; what is no picture gets one clear line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from onnxlrp.assets import default_images
from onnxlrp.errors import InputError
from onnxlrp.preprocess import Preprocessing
from onnxlrp.preprocess.guess import METADATA_KEY

GOLDEN = Path(__file__).parent / "data" / "golden"


def random_picture(height=7, width=5, channels=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


@st.composite
def preprocessings(draw):
    channels = draw(st.sampled_from(["RGB", "BGR", "L"]))
    per_channel = {"min_size": len(channels), "max_size": len(channels)}
    scale = draw(st.sampled_from([1.0, 127.5, 255.0]))
    unit = 255.0 / scale
    return Preprocessing(
        size=draw(st.none() | st.tuples(st.integers(1, 9), st.integers(1, 9))),
        layout=draw(st.sampled_from(["NCHW", "NHWC"])),
        channels=channels,
        scale=scale,
        mean=tuple(draw(st.lists(st.floats(-unit, unit), **per_channel))),
        std=tuple(draw(st.lists(st.floats(0.1 * unit, 2.0 * unit), **per_channel))),
        resize=draw(st.sampled_from(["crop", "stretch"])),
    )


# --------------------------------------------------------------------------------------- forth


def test_golden_input_of_efficientnet_is_reproduced_exactly():
    preprocessing = Preprocessing((224, 224), scale=1.0, mean=127.0, std=128.0)
    with np.load(GOLDEN / "efficientnet_lite0.npz") as golden:
        np.testing.assert_array_equal(preprocessing.apply(default_images()["chelsea"]), golden["x"])


def test_golden_input_in_channels_last_order_is_reproduced_exactly():
    preprocessing = Preprocessing((32, 32), layout="NHWC", scale=1.0)
    with np.load(GOLDEN / "cifar10_vgglike_keras_tf2onnx.npz") as golden:
        np.testing.assert_array_equal(preprocessing.apply(default_images()["chelsea"]), golden["x"])


@given(preprocessings(), st.integers(0, 2**32 - 1))
def test_values_follow_the_formula(preprocessing, seed):
    pixels = random_picture(4, 4, seed=seed)
    same_size = Preprocessing.from_dict(preprocessing.to_dict() | {"size": None})
    x = same_size.apply(pixels)
    if preprocessing.layout == "NCHW":
        x = x.transpose(0, 2, 3, 1)
    seen = {
        "RGB": pixels,
        "BGR": pixels[..., ::-1],
        "L": np.asarray(Image.fromarray(pixels).convert("L"))[..., None],
    }[preprocessing.channels]
    expected = (seen / preprocessing.scale - preprocessing.mean) / preprocessing.std
    np.testing.assert_allclose(x[0], expected, rtol=1e-6, atol=1e-6)


@given(preprocessings(), st.integers(1, 12), st.integers(1, 12))
def test_shape_is_the_networks_and_values_stay_within_low_and_high(preprocessing, height, width):
    x = preprocessing.apply([random_picture(height, width), random_picture(height, width, seed=1)])
    size = preprocessing.size or (height, width)
    n_channels = len(preprocessing.channels)
    expected = (n_channels, *size) if preprocessing.layout == "NCHW" else (*size, n_channels)
    assert x.shape == (2, *expected)
    assert x.dtype == np.float32
    assert x.flags.c_contiguous
    assert (x >= preprocessing.low).all()
    assert (x <= preprocessing.high).all()


def test_low_is_a_black_and_high_a_white_picture():
    preprocessing = Preprocessing(channels="BGR", mean=(0.1, 0.2, 0.3), std=(1.0, 2.0, 4.0))
    black = preprocessing.apply(np.zeros((1, 1, 3), np.uint8))
    white = preprocessing.apply(np.full((1, 1, 3), 255, np.uint8))
    np.testing.assert_array_equal(black, preprocessing.low)
    np.testing.assert_array_equal(white, preprocessing.high)


def test_crop_takes_the_middle_and_stretch_takes_all():
    pixels = np.zeros((2, 6, 3), np.uint8)
    pixels[:, 2:4] = 255
    crop = Preprocessing((2, 2)).apply(pixels)
    stretch = Preprocessing((2, 2), resize="stretch").apply(pixels)
    assert crop.min() == 1.0
    assert 0.0 < stretch.mean() < 1.0


def test_a_path_a_pillow_image_and_an_array_give_the_same(tmp_path):
    pixels = random_picture()
    image = Image.fromarray(pixels)
    image.save(tmp_path / "picture.png")
    preprocessing = Preprocessing((6, 6))
    one_by_one = [
        preprocessing.apply(each)
        for each in (pixels, image, tmp_path / "picture.png", str(tmp_path / "picture.png"))
    ]
    batch = preprocessing.apply([pixels, image])
    for x in one_by_one:
        np.testing.assert_array_equal(x, one_by_one[0])
    np.testing.assert_array_equal(batch, np.concatenate(one_by_one[:2]))
    np.testing.assert_array_equal(preprocessing.apply(np.stack([pixels, pixels])), batch)


# ------------------------------------------------------------------------------- kinds of files


def test_exif_orientation_is_obeyed(tmp_path):
    upright = Image.fromarray(random_picture(8, 16))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 270 degrees to see it upright
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_array_equal(
        Preprocessing().apply(tmp_path / "turned.png"), Preprocessing().apply(upright)
    )


def test_a_palette_is_resolved(tmp_path):
    image = Image.fromarray(random_picture(4, 4)).quantize(16)
    image.save(tmp_path / "palette.png")
    np.testing.assert_array_equal(
        Preprocessing().apply(tmp_path / "palette.png"), Preprocessing().apply(image.convert("RGB"))
    )


def test_what_is_transparent_becomes_white():
    pixels = np.zeros((1, 2, 4), np.uint8)
    pixels[0, 1, 3] = 255
    np.testing.assert_array_equal(Preprocessing().apply(pixels)[0, :, 0], [[1, 0]] * 3)


def test_a_transparent_palette_colour_becomes_white(tmp_path):
    image = Image.new("P", (1, 1), 0)
    image.putpalette([10, 20, 30])
    image.save(tmp_path / "clear.png", transparency=0)
    assert Preprocessing().apply(tmp_path / "clear.png").min() == 1.0


def test_sixteen_bits_become_eight(tmp_path):
    values = np.array([[0, 257 * 100, 65535]], np.uint16)
    Image.fromarray(values).save(tmp_path / "deep.png")
    x = Preprocessing(channels="L", scale=1.0).apply(tmp_path / "deep.png")
    np.testing.assert_array_equal(x.ravel(), [0, 100, 255])


def test_a_grey_picture_fits_a_colour_network_and_the_other_way_round():
    grey = random_picture(channels=1)
    x = Preprocessing(scale=1.0).apply(grey)
    np.testing.assert_array_equal(x[0], np.repeat(grey.transpose(2, 0, 1), 3, axis=0))
    assert Preprocessing(channels="L").apply(random_picture()).shape == (1, 1, 7, 5)


# ---------------------------------------------------------------------------------------- back


@given(preprocessings())
def test_to_picture_is_the_inverse(preprocessing):
    pixels = random_picture(4, 4, channels=1 if preprocessing.channels == "L" else 3)
    x = Preprocessing.from_dict(preprocessing.to_dict() | {"size": None}).apply(pixels)
    picture = preprocessing.to_picture(x)
    assert picture.dtype == np.uint8
    np.testing.assert_array_equal(picture, np.broadcast_to(pixels, (1, 4, 4, 3)))


def test_to_picture_refuses_what_is_no_input():
    with pytest.raises(InputError, match=r"\(1, 4, 2, 2\) is no NCHW batch of RGB"):
        Preprocessing().to_picture(np.zeros((1, 4, 2, 2), np.float32))


@given(preprocessings())
def test_dict_and_json_keep_every_field(preprocessing):
    text = json.dumps(preprocessing.to_dict())
    assert Preprocessing.from_dict(json.loads(text)) == preprocessing


# ------------------------------------------------------------------------------------ mistakes


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"layout": "NCWH"}, r"layout='NCWH' is none of NCHW, NHWC\. Did you mean 'NCHW'\?"),
        ({"channels": "rgb"}, r"Did you mean 'RGB'\?"),
        ({"resize": "pad"}, "resize='pad' is none of crop, stretch"),
        ({"scale": 0}, "scale=0 must be a number greater than 0"),
        ({"scale": "255"}, "scale='255' must be a number"),
        ({"mean": [0.5, 0.5]}, r"mean=\[0.5, 0.5\] must be 3 finite numbers"),
        ({"mean": [0.5, 0.5, float("nan")]}, "must be 3 finite numbers"),
        ({"std": [1.0, 1.0, 0.0]}, "must be greater than 0 everywhere"),
        ({"size": 224}, r"size=224 must be \(height, width\)"),
        ({"size": [0, 3]}, "must be .height, width. in pixels"),
        ({"sizes": [3, 3]}, r"no field 'sizes'\. Did you mean 'size'\?"),
    ],
)
def test_a_wrong_field_is_named(fields, message):
    with pytest.raises(InputError, match=message):
        Preprocessing.from_dict(fields)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"There is no picture '.*nowhere\.png'"):
        Preprocessing().apply(tmp_path / "nowhere.png")


def test_a_folder_is_no_picture(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        Preprocessing().apply(tmp_path)


def test_a_text_is_no_picture(tmp_path):
    (tmp_path / "notes.png").write_text("not a picture")
    with pytest.raises(InputError, match=r"notes\.png' is not a picture"):
        Preprocessing().apply(tmp_path / "notes.png")


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "bmp", "tiff"])
@pytest.mark.parametrize("kept", [0.3, 0.7])
def test_a_truncated_file_is_named(tmp_path, suffix, kept):
    whole, broken = tmp_path / f"whole.{suffix}", tmp_path / f"broken.{suffix}"
    Image.fromarray(random_picture(64, 64)).save(whole)
    content = whole.read_bytes()
    broken.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(InputError, match=rf"broken\.{suffix}' is (damaged|not a picture)"):
        Preprocessing().apply(broken)


def test_a_decompression_bomb_is_one_clear_error(tmp_path, monkeypatch):
    Image.fromarray(random_picture(64, 64)).save(tmp_path / "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(InputError, match=r"bomb\.png' would unpack to more pixels"):
        Preprocessing().apply(tmp_path / "bomb.png")


@pytest.mark.parametrize(
    ("pictures", "message"),
    [
        ([], "list of pictures is empty"),
        (7, "A int is no picture"),
        ([random_picture(), None], "picture 1 is a NoneType"),
        (np.zeros((4, 4, 3), np.float32), "array of float32: pass uint8"),
        ([np.zeros((4, 4, 2), np.uint8)], r"picture 0 has shape \(4, 4, 2\)"),
        (np.zeros((4,), np.uint8), r"shape \(4,\)"),
        (np.zeros((0, 4, 3), np.uint8), "holds no pixel"),
        (Image.new("F", (2, 2)), "floating-point pixels"),
        (Image.new("I", (2, 2), 70000), "outside 0..65535"),
        ([random_picture(4, 4), random_picture(4, 5)], r"different sizes \(4×4, 4×5\)"),
    ],
)
def test_what_is_no_picture_is_named(pictures, message):
    with pytest.raises(InputError, match=message):
        Preprocessing().apply(pictures)


# ------------------------------------------------------------------------------------- guessing


@pytest.mark.parametrize(
    ("shape", "n_outputs", "expected"),
    [
        (
            ("N", 3, 224, 224),
            1000,
            Preprocessing((224, 224), mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
        ),
        (
            (1, 299, 299, 3),
            1001,
            Preprocessing((299, 299), layout="NHWC", mean=(0.5,) * 3, std=(0.5,) * 3),
        ),
        (("N", 3, 32, 32), 10, Preprocessing((32, 32))),
        ((0, 3, -1, None), 10, Preprocessing()),
        (
            (1, 1, 28, 28),
            10,
            Preprocessing((28, 28), channels="L", mean=(0.1307,), std=(0.3081,)),
        ),
        ((None, 64, 64, 1), 7, Preprocessing((64, 64), layout="NHWC", channels="L")),
    ],
)
def test_guess_from_the_shape(shape, n_outputs, expected):
    preprocessing, sentence = Preprocessing.guess(shape, n_outputs, {})
    assert preprocessing == expected
    assert sentence.startswith("Guessed preprocessing")
    assert "pass preprocessing=" in sentence


def test_guess_from_the_text_of_the_packaged_network():
    text = "RGB uint8 227x227 -> BGR float 0..255 minus (104.006,116.669,122.679), NCHW"
    preprocessing, sentence = Preprocessing.guess(("N", 3, 227, 227), 1000, {"preprocess": text})
    assert preprocessing == Preprocessing(
        (227, 227), channels="BGR", scale=1.0, mean=(104.006, 116.669, 122.679)
    )
    assert text in sentence


def test_guess_from_a_text_with_mean_and_divisor():
    text = "RGB uint8 224x224 -> (x-127)/128, NCHW"
    preprocessing, _ = Preprocessing.guess((1, 3, 224, 224), 1000, {"preprocess": text})
    assert preprocessing == Preprocessing((224, 224), scale=1.0, mean=127.0, std=128.0)


@pytest.mark.parametrize("text", ["as usual", "BGR minus (1, 2)", "(x-127)/0"])
def test_a_text_that_says_nothing_usable_falls_back_to_the_shape(text):
    preprocessing, sentence = Preprocessing.guess((1, 3, 8, 8), 2, {"preprocess": text})
    assert preprocessing == Preprocessing((8, 8))
    assert sentence.startswith("Guessed")


def test_guess_takes_the_makers_json_as_it_is():
    made = Preprocessing((12, 34), layout="NHWC", channels="BGR", std=(2.0, 3.0, 4.0))
    metadata = {METADATA_KEY: json.dumps(made.to_dict())}
    guessed, sentence = Preprocessing.guess((1, 12, 34, 3), 5, metadata)
    assert guessed == made
    assert METADATA_KEY in sentence


@pytest.mark.parametrize("text", ["{", "[1]"])
def test_broken_json_in_the_metadata_is_an_error(text):
    with pytest.raises(InputError, match=METADATA_KEY):
        Preprocessing.guess((1, 3, 8, 8), 2, {METADATA_KEY: text})


@pytest.mark.parametrize("shape", [("N", 64), (1, 12, 20, 20), None])
def test_an_input_that_is_no_picture_has_no_preprocessing(shape):
    preprocessing, sentence = Preprocessing.guess(shape, 10, {})
    assert preprocessing is None
    assert "bring your own array" in sentence
