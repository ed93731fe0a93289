"""Photographs that come with scikit-image and scikit-learn, and square crops of the wide ones.

Nothing is downloaded and nothing of them is part of this repository. scikit-image names the source
and licence of each picture in ``skimage/data/README.txt`` (CC0, public domain or in the package's
own BSD licence); scikit-learn's two are CC BY 2.0 (china.jpg: Tieu Tieu; flower.jpg: dany13).
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from PIL import Image

FROM_SKIMAGE = (
    *("astronaut.png", "brick.png", "camera.png", "chelsea.png", "coffee.png", "coins.png"),
    *("grass.png", "gravel.png", "hubble_deep_field.jpg", "ihc.png", "moon.png"),
    *("motorcycle_left.png", "retina.jpg", "rocket.jpg"),
)
FROM_SKLEARN = ("china.jpg", "flower.jpg")

WIDE = 1.2
"""Ratio of the sides from which on a picture is also cut into two squares, at its ends."""


def photographs() -> Iterator[tuple[str, Image.Image]]:
    """Yield the photographs by name, in RGB."""
    homes: list[tuple[Traversable, tuple[str, ...]]] = [
        (files("skimage") / "data", FROM_SKIMAGE),
        (files("sklearn") / "datasets" / "images", FROM_SKLEARN),
    ]
    for home, names in homes:
        for name in names:
            with (home / name).open("rb") as file:
                yield name.partition(".")[0], Image.open(file).convert("RGB")


def pictures() -> Iterator[tuple[str, Image.Image]]:
    """Yield every photograph whole, and the two ends of the wide ones."""
    for name, photograph in photographs():
        yield name, photograph
        width, height = photograph.size
        if width >= WIDE * height:
            yield f"{name} left", photograph.crop((0, 0, height, height))
            yield f"{name} right", photograph.crop((width - height, 0, width, height))
