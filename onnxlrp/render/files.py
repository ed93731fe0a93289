"""Images as files."""

from __future__ import annotations

import os
from pathlib import Path

from PIL import Image

from onnxlrp.errors import OutputError
from onnxlrp.files import whole_file


def save_image(image: Image.Image, path: str | os.PathLike[str]) -> Path:
    """Write an image as a file, in the format that the suffix names.

    Parameters
    ----------
    image : PIL.Image.Image
    path : str or PathLike
        "….png" or any other suffix that Pillow writes.

    Returns
    -------
    Path
        Where it was written.

    Raises
    ------
    OutputError
        If the place cannot be written to, or Pillow writes no such format.
    """
    final = Path(path)
    if final.suffix.lower() not in Image.registered_extensions():
        raise OutputError(
            f"'{final}' cannot be written: '{final.suffix}' is no image format; use .png."
        )
    with whole_file(final) as temporary:
        image.save(temporary)
    return final
