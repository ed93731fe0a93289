"""Opening a network and pictures of one's own; a network is looked at before it is used."""

from __future__ import annotations

from html import escape
from typing import Any

import panel as pn
import panel_material_ui as pmui

from ..components.thumbs import Thumbs
from ..state import Workbench
from ..state.opening import Opening
from .files import dropper
from .images import picture_url
from .inspection import STYLE, report
from .parts import section, side, when
from .preprocessing import preprocessing_form

START = "open"
"""The view's key."""

_NOTE = """
:host { margin: 0; font-size: 12.5px; line-height: 1.45; color: var(--lrp-faint); }
b { color: var(--lrp-ink); } .bad { color: var(--lrp-bad); }
"""


def start_view(bench: Workbench) -> pn.Row:
    """Network, its report, and pictures."""
    opening = Opening(bench)
    return pn.Row(
        side(_network(opening), preprocessing_form(opening), _labels(opening), width=360),
        side(_check(opening), edge=""),
        side(_pictures(opening), width=360, edge="left"),
        sizing_mode="stretch_both",
        margin=0,
        styles={"height": "100%", "overflow": "hidden"},
    )


def _network(opening: Opening) -> pn.Column:
    """Where a network comes from."""
    note = pn.pane.HTML(stylesheets=[_NOTE], sizing_mode="stretch_width")
    upload = dropper(lambda files: opening.read_upload(files[0][1], files[0][0]))
    packaged = pmui.Button(
        label="The packaged network",
        variant="outlined",
        size="small",
        margin=0,
        on_click=lambda event: opening.read_packaged(),
    )
    rows: list[Any] = [note, upload]
    if opening.offered:
        offered = pmui.Select(
            label="On the server",
            options={"Choose a network …": "", **{name: name for name in opening.offered}},
            value="",
            size="small",
            sizing_mode="stretch_width",
            margin=0,
        )
        offered.param.watch(lambda event: event.new and opening.read_offered(event.new), "value")  # type: ignore[func-returns-value]
        rows.append(offered)

    def show(*events: Any) -> None:
        shown = opening.bench.opened
        problem = f'<p class="bad">{escape(opening.problem)}</p>' if opening.problem else ""
        note.object = (
            f"In use: <b>{escape(shown.name)}</b>. Drop another ONNX file here: its layers are "
            f"looked at before anything runs.{problem}"
        )

    opening.param.watch(show, ["problem", "candidate"])
    when(opening.bench, ["network"], show)
    return section("Network", *rows, packaged)


def _check(opening: Opening) -> pn.Column:
    """The report, and the buttons that use or leave the network."""
    text = pn.pane.HTML(stylesheets=[STYLE], sizing_mode="stretch_width")
    use = pmui.Button(
        label="Use this network",
        variant="contained",
        size="small",
        margin=0,
        on_click=lambda event: opening.accept(),
    )
    leave = pmui.Button(
        label="Discard",
        variant="text",
        size="small",
        margin=0,
        on_click=lambda event: opening.dismiss(),
    )
    title = pn.pane.HTML(stylesheets=[_NOTE], sizing_mode="stretch_width")

    def show(*events: Any) -> None:
        network, candidate = opening.network, opening.candidate
        state = "not in use yet" if candidate is not None else "in use"
        title.object = f"<b>{escape(network.name)}</b>, {state}."
        text.object = report(network)
        use.visible = leave.visible = candidate is not None
        use.disabled = candidate is not None and not candidate.explainable

    opening.param.watch(show, ["candidate"])
    when(opening.bench, ["network"], show)
    buttons = pn.Row(use, leave, margin=0, styles={"gap": "8px"})
    return section("Check", title, buttons, text)


def _labels(opening: Opening) -> pn.Column:
    """Names of the classes."""
    note = pn.pane.HTML(stylesheets=[_NOTE], sizing_mode="stretch_width")
    upload = dropper(lambda files: opening.name_classes(files[0][1], files[0][0]))

    def show(*events: Any) -> None:
        model = opening.network.model
        labels, why = model.labels, escape(model.labels_note)
        known = f"{len(labels)} names, the first is “{escape(labels[0])}”." if labels else "None."
        assumed = f" <b>{why}</b>" if why else ""
        note.object = f"{known}{assumed} Drop a text file with one name a line."

    opening.param.watch(show, ["candidate"])
    when(opening.bench, ["network"], show)
    return section("Class names", note, upload)


def _pictures(opening: Opening) -> pn.Column:
    """Pictures that are open, and more of them."""
    bench = opening.bench
    thumbs = Thumbs(size=96, can_add=False, sizing_mode="stretch_width", margin=0)
    note = pn.pane.HTML(stylesheets=[_NOTE], sizing_mode="stretch_width")
    note.object = (
        "Drop one picture or several. Each is cropped and scaled as the network wants it; what it "
        "sees is shown."
    )
    upload = dropper(
        opening.add_pictures, multiple=True, max_file_size="64MB", height=110, max_files=64
    )

    def show() -> None:
        thumbs.param.update(
            pictures=[
                {"name": p.name, "url": picture_url(p.rgb, largest=192)} for p in bench.pictures
            ],
            current=bench.picture,
        )

    def act(kind: str, index: int = 0) -> None:
        if kind == "pick":
            bench.picture = index
        elif kind == "remove":
            bench.remove_picture(index)

    thumbs.on_gesture(act)
    when(bench, ["pictures", "picture"], show)
    return section("Pictures", note, upload, thumbs)
