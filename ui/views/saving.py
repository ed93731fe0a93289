"""Designs in and out: presets and files to begin with; files, code and a link to take along."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import panel as pn
import panel_material_ui as pmui

from onnxlrp.errors import OnnxLrpError

from ..components.choices import Choices
from ..components.copy import Copy
from ..state import Workbench
from ..state.opening import Opening
from ..state.saving import as_python, design_text, file_name, read_design
from .files import dropper
from .rule_options import WHOLE_DESIGNS, options

_NOTE = ":host { margin: 0; font-size: 12.5px; color: var(--lrp-faint); }"

_COMMAND = (
    "The command line takes the same file: <code>onnxlrp explain model.onnx cat.png "
    "-c design.yaml</code>"
)
_CUTS = (
    " A file holds which layer gets which rule: a bound between two segments of one rule is not in "
    "it. A share link keeps such bounds, too."
)


def add_dialog(bench: Workbench) -> pmui.Dialog:
    """Begin a design: from a preset, or from a file of one's own."""
    presets = Choices(
        heading="From a preset",
        options=options(WHOLE_DESIGNS),
        columns=2,
        sizing_mode="stretch_width",
        margin=0,
    )
    note = pn.pane.HTML(
        "Or from a file: .yaml or .json, those of VisLRPDesigner as well.", stylesheets=[_NOTE]
    )
    field = pn.Column(sizing_mode="stretch_width", margin=0)
    dialog = _dialog("New design", presets, note, field)

    def preset(kind: str, key: str) -> None:
        if bench.add_preset(key):
            dialog.open = False

    def take(files: list[tuple[str, bytes]]) -> None:
        for name, content in files:
            try:
                design = read_design(content, name, bench.model)
            except OnnxLrpError as error:
                bench.tell_error(error)
                continue
            named = replace(
                design, composite=replace(design.composite, name=bench.free_name(design.name))
            )
            if bench.add(named, f"Open {name}"):
                dialog.open = False

    presets.on_gesture(preset)
    field.append(dropper(take, multiple=True))
    return dialog


def save_dialog(bench: Workbench) -> pmui.Dialog:
    """Take the current design along as a file or as code."""
    code = Copy(label="Python", rows=14, sizing_mode="stretch_width", margin=0)
    files = pn.Row(
        *(_download(bench, suffix) for suffix in (".yaml", ".json")),
        margin=0,
        styles={"gap": "8px"},
    )
    note = pn.pane.HTML("", stylesheets=[_NOTE])
    dialog = _dialog("Save the design", files, note, code)

    def show(*events: Any) -> None:
        note.object = _COMMAND + (_CUTS if bench.design.cuts else "")
        if dialog.open and bench.shown is not None:
            code.text = as_python(bench.design, bench.opened, bench.shown, bench.question)

    dialog.param.watch(show, "open")
    return dialog


def share_dialog(bench: Workbench) -> pmui.Dialog:
    """A link that restores what is on the screen."""
    link = Copy(label="Link to exactly this", rows=4, sizing_mode="stretch_width", margin=0)
    note = pn.pane.HTML(
        "It holds network, pictures, target, designs, selection and view. Uploads stay on this "
        "server: the link works wherever its page does.",
        stylesheets=[_NOTE],
    )
    dialog = _dialog("Share", note, link)

    def show(*events: Any) -> None:
        if dialog.open:
            try:
                link.text = f"{_address()}?{LINK}={Opening(bench).link()}"
            except OnnxLrpError as error:
                bench.tell_error(error)

    dialog.param.watch(show, "open")
    return dialog


LINK = "state"
"""The part of the address that holds a state."""


def _address() -> str:
    """The page's address without what follows it."""
    location = pn.state.location
    if location is None:
        return ""
    return f"{location.protocol}//{location.hostname}:{location.port}{location.pathname}"


def _download(bench: Workbench, suffix: str) -> pmui.Button:
    """A button that hands the current design over as a file."""
    return pmui.Button(
        label=suffix[1:].upper(),
        icon="download",
        variant="contained",
        size="small",
        margin=0,
        on_click=lambda event: bench.hand_over(
            file_name(bench.design, suffix), design_text(bench.design, suffix)
        ),
    )


def _dialog(title: str, *objects: Any) -> pmui.Dialog:
    body = pn.Column(*objects, sizing_mode="stretch_width", margin=0, styles={"gap": "12px"})
    return pmui.Dialog(
        body,
        title=title,
        open=False,
        show_close_button=True,
        close_on_click=True,
        width_option="sm",
        styles={"position": "absolute"},  # closed, it takes no room
        margin=0,
    )
