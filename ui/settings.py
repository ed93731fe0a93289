"""What a server is started with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """Where networks come from and uploads go.

    Attributes
    ----------
    models : Path or None
        A folder on the server whose .onnx files can be opened without an upload.
    store : Path or None
        Where uploads and long links are kept; None for the user's cache.
    """

    models: Path | None = None
    store: Path | None = None
