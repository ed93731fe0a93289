"""A field that files are dropped on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel as pn

_DROPPER = """
.filepond--root {
  font-size: 13px; margin: 0; background: none !important; box-shadow: none !important;
}
.filepond--panel-root {
  background: var(--lrp-wash); border: 1.5px dashed var(--lrp-line); border-radius: 8px;
  box-shadow: none;
}
.filepond--drop-label { background: none !important; min-height: 68px; }
.filepond--drop-label, .filepond--drop-label label { color: var(--lrp-ink); font-size: 13px; }
.filepond--root:focus-within .filepond--panel-root { border-color: var(--lrp-ink); }
"""


def dropper(take: Callable[[list[tuple[str, bytes]]], object], **options: Any) -> Any:
    """A field that files are dropped on; each is handed over once, and not kept here.

    Parameters
    ----------
    take : callable(list of (name, content))
    """
    field = pn.widgets.FileDropper(
        sizing_mode="stretch_width",
        margin=0,
        previews=[],
        stylesheets=[_DROPPER],
        **{"height": 76, **options},
    )

    def given(event: Any) -> None:
        files = [
            (name, content.encode() if isinstance(content, str) else bytes(content))
            for name, content in (event.new or {}).items()
        ]
        if files:
            field.value = {}
            take(files)

    field.param.watch(given, "value")
    return field
