"""Write a file whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from onnxlrp.errors import OutputError


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path to write to; on success it takes the final name in one step.

    Missing folders are made. After an error the final name holds what it held before.

    Parameters
    ----------
    path : str or PathLike
        Where the file shall be in the end; an older one is replaced.

    Yields
    ------
    Path
        A new empty file in the same folder, with the same suffix.

    Raises
    ------
    OutputError
        If the folder cannot be made or written to, or the disk is full.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with whole_file(Path(folder, "note.txt")) as temporary:
    ...         size = temporary.write_text("relevance")
    ...     Path(folder, "note.txt").read_text()
    'relevance'
    """
    final = Path(path)
    temporary = final.with_name(f".{final.stem}-{secrets.token_hex(4)}{final.suffix}")
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch(exist_ok=False)
        yield temporary
        temporary.replace(final)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"'{final}' cannot be written: {reason}. Choose another place or free it."
        ) from error
    finally:
        with suppress(OSError):  # the folder itself may be what is missing or forbidden
            temporary.unlink(missing_ok=True)
