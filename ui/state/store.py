"""Files that outlive a session, each under the SHA-256 of its content: uploads and long links."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

from onnxlrp.errors import InputError, OutputError

_LARGEST = 8 * 2**30


def default_folder() -> Path:
    """The user's cache folder: ``$XDG_CACHE_HOME/onnxlrp`` or ``~/.cache/onnxlrp``."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "onnxlrp" / "designer"


class Store:
    """A folder of files by hash; over its limit, those that were not used longest go.

    Parameters
    ----------
    folder : path, optional
        Made when something is put there.
    limit : int
        Bytes that may lie there: 8 GiB.
    """

    def __init__(self, folder: Path | None = None, limit: int = _LARGEST) -> None:
        self.folder = default_folder() if folder is None else folder
        self.limit = limit

    def put(self, content: bytes, suffix: str = "") -> Path:
        """Keep a content; the path tells its hash.

        Raises
        ------
        OutputError
            The folder cannot be written.
        """
        path = self.folder / f"{hashlib.sha256(content).hexdigest()}{suffix}"
        if path.is_file():
            path.touch()
            return path
        part = path.with_name(f".{secrets.token_hex(4)}.part")
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._make_room(len(content))
            part.write_bytes(content)
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise OutputError(
                f"{self.folder}: cannot be written: {error.strerror or error}."
            ) from error
        return path

    def find(self, sha256: str, suffix: str = "") -> Path | None:
        """The file of that hash, if it is still there."""
        if len(sha256) != 64 or set(sha256) - set("0123456789abcdef"):
            raise InputError(f"{sha256[:70]!r} is no SHA-256 hash.")
        path = self.folder / f"{sha256}{suffix}"
        if not path.is_file():
            return None
        path.touch()
        return path

    def _make_room(self, needed: int) -> None:
        """Let the files go that were not used longest."""
        files = [(p, p.stat()) for p in self.folder.iterdir() if p.is_file()]
        used = sum(status.st_size for _, status in files)
        for path, status in sorted(files, key=lambda file: file[1].st_mtime):
            if used + needed <= self.limit:
                return
            path.unlink(missing_ok=True)
            used -= status.st_size
