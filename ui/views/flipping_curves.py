"""The settings of pixel flipping, the curves of all designs, and the table of their areas."""

from __future__ import annotations

from typing import Any

import pandas as pd
import panel as pn
import panel_material_ui as pmui

from onnxlrp.evaluate.ordering import LERF, MORF, RANDOM
from onnxlrp.evaluate.scoring import SCORES

from ..components.curves import CurveChart, Dash, Line
from ..state.flipping import PixelFlipping
from .parts import section, stop_button, when
from .tables import csv_text, download_button, number_table

ORDERS = {"most relevant": MORF, "least relevant": LERF, "random": RANDOM}
FILLS = ("mean", "zero", "blur", "uniform", "inpaint", "min", "max")
_UNITS = {"1 pixel": 1, "4 × 4": 4, "8 × 8": 8, "16 × 16": 16, "32 × 32": 32}
_DASHES: dict[str, Dash] = {MORF: "solid", LERF: "dashed"}
_AREAS = {
    "auc_morf": "AUC most",
    "auc_lerf": "AUC least",
    "aopc_morf": "AOPC most",
    "aopc_lerf": "AOPC least",
    "abpc": "ABPC",
}
_EMPTY = (
    "Flip the pixels of the picture in the order of their relevance, and watch the score: it falls "
    "fast under a design that has found what matters. <b>Flip</b> begins."
)


def settings_view(flipping: PixelFlipping) -> pn.Column:
    """How pictures are flipped, and the button that starts it."""
    how = flipping.settings
    wide: dict[str, Any] = {"sizing_mode": "stretch_width", "size": "small", "margin": (4, 0)}
    fields: dict[str, Any] = {
        "unit": pmui.Select(label="Region", options=_UNITS, value=how.unit, **wide),
        "fill": pmui.Select(
            label="Flipped pixels become", options=[*FILLS], value=how.fill, **wide
        ),
        "score": pmui.Select(
            label="Score of the target",
            options={name.replace("_", " "): name for name in SCORES},
            value=how.score,
            **wide,
        ),
        "steps": pmui.IntInput(label="Steps", value=how.steps, start=1, end=1000, **wide),
        "repeats": pmui.IntInput(
            label="Runs of what is random", value=how.repeats, start=1, end=100, **wide
        ),
    }
    orders = pmui.CheckBoxGroup(
        label="Orders", options=ORDERS, value=[*how.orders], inline=False, margin=(4, 0)
    )
    for name, field in fields.items():
        field.param.watch(lambda event, name=name: flipping.set(**{name: event.new}), "value")
    orders.param.watch(lambda event: flipping.set(orders=tuple(event.new)), "value")

    def follow(*events: Any) -> None:
        for name, field in fields.items():
            field.value = getattr(flipping.settings, name)

    flipping.param.watch(follow, "settings")
    start = pmui.Button(
        label="Flip",
        icon="play_arrow",
        color="primary",
        variant="contained",
        sizing_mode="stretch_width",
        margin=(4, 0),
        on_click=lambda event: flipping.run(),
    )
    stop = stop_button(flipping.cancel)

    def show(*events: Any) -> None:
        start.disabled = flipping.running or not flipping.settings.orders
        stop.visible = flipping.running

    flipping.param.watch(show, ["running", "settings"])
    show()
    return section("Settings", *fields.values(), orders, pn.Row(start, stop, margin=0))


def curves_view(flipping: PixelFlipping) -> pn.Column:
    """All curves in one chart, with the cursor of the film, above the table of their areas."""
    chart = CurveChart("share of pixels flipped", "score", height=380)
    hint = pn.pane.HTML(f"<p>{_EMPTY}</p>", sizing_mode="stretch_width")
    table = number_table(_areas(flipping), _AREAS.values())
    scores = download_button(flipping.bench, "scores.csv", lambda: _scores_csv(flipping))
    curves = download_button(flipping.bench, "curves.csv", lambda: _curves_csv(flipping))

    def show() -> None:
        there = bool(flipping.curves)
        chart.show(_lines(flipping), _score_label(flipping))
        table.value = _areas(flipping)
        hint.visible = not there
        for each in (chart.pane, areas):
            each.visible = there

    def point(*events: Any) -> None:
        film = flipping.film
        chart.point(None if film is None else float(film.fractions[flipping.step]))

    areas = section("Areas", table, tools=(scores, curves))
    flipping.param.watch(lambda event: show(), "curves")
    flipping.param.watch(point, ["film", "step"])
    when(flipping.bench, ["designs", "explained"], show)
    return section("Curves", hint, chart.pane, areas)


def _lines(flipping: PixelFlipping) -> list[Line]:
    """The curves that are there, in the order of the designs."""
    lines = []
    for number, design in enumerate(flipping.bench.designs):
        for order, dash in _DASHES.items():
            found = flipping.curve(design.id, order)
            if found is not None:
                words = "most" if order == MORF else "least"
                name = f"{design.name}, {words} relevant"
                band = found.low, found.high
                lines.append(Line(name, found.fraction, found.mean, number, dash, *band))
    found = flipping.curve("", RANDOM)
    if found is not None:
        name = f"random, {flipping.settings.repeats} runs"
        lines.append(Line(name, found.fraction, found.mean, None, "dotted", found.low, found.high))
    return lines


def _areas(flipping: PixelFlipping) -> pd.DataFrame:
    """A row a design, and one for the random order."""
    rows = [(design.name, flipping.scores(design.id)) for design in flipping.bench.designs]
    random = flipping.scores("")
    if random:
        rows.append(
            ("random", {f"{area}_morf": random[f"{area}_random"] for area in ("auc", "aopc")})
        )
    values = [
        [name, *(scores.get(area, None) for area in _AREAS)] for name, scores in rows if scores
    ]
    return pd.DataFrame(values, columns=["design", *_AREAS.values()], dtype=object)


def _score_label(flipping: PixelFlipping) -> str:
    """What the vertical axis shows."""
    score, explained = flipping.settings.score, flipping.bench.explained
    if score.startswith("top") or explained is None:
        return score.replace("_", " ")
    name = explained.aim or flipping.bench.model.label(explained.target)
    return f"{score} of {name}"


def _scores_csv(flipping: PixelFlipping) -> str:
    """The areas, as the command line writes them."""
    picture = flipping.bench.shown.name if flipping.bench.shown else ""
    rows = (
        (picture, design.name, metric, value)
        for design in flipping.bench.designs
        for metric, value in flipping.scores(design.id).items()
    )
    return csv_text(("image", "design", "metric", "value"), rows)


def _curves_csv(flipping: PixelFlipping) -> str:
    """The curves, as the command line writes them."""
    picture = flipping.bench.shown.name if flipping.bench.shown else ""
    rows = (
        (picture, design.name, order, step, fraction, score)
        for design in flipping.bench.designs
        for order in flipping.settings.orders
        if (found := flipping.curve(design.id, order)) is not None
        for step, (fraction, score) in enumerate(zip(found.fraction, found.mean, strict=True))
    )
    return csv_text(("image", "design", "order", "step", "fraction", "score"), rows)
