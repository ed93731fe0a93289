"""How pictures become a network's input: guessed, shown, and corrected here."""

from __future__ import annotations

from html import escape
from typing import Any

import panel as pn
import panel_material_ui as pmui

from onnxlrp.preprocess import Preprocessing

from ..state.opening import Opening
from .parts import section, when

_NOTE = """
:host { margin: 0; font-size: 12.5px; line-height: 1.45; color: var(--lrp-faint); }
.bad { color: var(--lrp-bad); }
"""


def preprocessing_form(opening: Opening) -> pn.Column:
    """One field for each part of the preprocessing; a change makes a candidate of the network."""
    note = pn.pane.HTML(stylesheets=[_NOTE], sizing_mode="stretch_width")
    fields: dict[str, Any] = {
        "size": _text("Height × width", "224 × 224"),
        "channels": _choice("Channels", ["RGB", "BGR", "L"]),
        "layout": _choice("Layout", ["NCHW", "NHWC"]),
        "resize": _choice("Fit", ["crop", "stretch"]),
        "scale": _text("Divide pixels by", "255"),
        "mean": _text("Subtract (mean)", "0.485, 0.456, 0.406"),
        "std": _text("Divide by (deviation)", "0.229, 0.224, 0.225"),
    }
    showing = False

    def show(*events: Any) -> None:
        nonlocal showing
        model = opening.network.model
        guessed, _, _ = model.preprocessing_note.partition(" If that is wrong")
        note.object = escape(f"{guessed} Correct it here where it is wrong.")
        showing = True
        for name, value in _texts(model.preprocessing or Preprocessing()).items():
            fields[name].value = value
        showing = False

    def change(name: str, text: str) -> None:
        if showing:
            return
        value = _read(name, text)
        if value is _WRONG:
            opening.problem = f"{fields[name].label}: {text!r} is no number, or not so many."
            opening.bench.tell(opening.problem)
        elif not opening.see_as(**{name: value}):
            note.object = f'<span class="bad">{escape(opening.problem)}</span>'

    for name, field in fields.items():
        field.param.watch(lambda event, n=name: change(n, event.new), "value")
    opening.param.watch(show, ["candidate"])
    when(opening.bench, ["network"], show)
    grid = pn.GridBox(*fields.values(), ncols=2, sizing_mode="stretch_width", margin=0)
    return section("Preprocessing", note, grid)


def _text(label: str, example: str) -> Any:
    return pmui.TextInput(
        label=label, placeholder=example, size="small", width=158, margin=(4, 8, 4, 0)
    )


def _choice(label: str, options: list[str]) -> Any:
    return pmui.Select(label=label, options=options, size="small", width=158, margin=(4, 8, 4, 0))


def _texts(preprocessing: Preprocessing) -> dict[str, str]:
    """The fields as text."""
    size = preprocessing.size
    return {
        "size": "" if size is None else f"{size[0]} × {size[1]}",
        "channels": preprocessing.channels,
        "layout": preprocessing.layout,
        "resize": preprocessing.resize,
        "scale": f"{preprocessing.scale:g}",
        "mean": ", ".join(f"{v:g}" for v in preprocessing.mean),
        "std": ", ".join(f"{v:g}" for v in preprocessing.std),
    }


_WRONG = object()


def _read(name: str, text: str) -> Any:
    """A field's value from its text; `_WRONG` if it is none."""
    try:
        match name:
            case "size":
                sizes = [int(part) for part in text.replace("x", "×").split("×") if part.strip()]
                return None if not sizes else (sizes * 2)[:2] if len(sizes) < 3 else _WRONG
            case "scale":
                return float(text)
            case "mean" | "std":
                return [float(part) for part in text.replace(";", ",").split(",")]
        return text
    except ValueError:
        return _WRONG
