"""The film of one curve: the flipped picture step by step, and what the network sees in it."""

from __future__ import annotations

from html import escape
from typing import Any

import panel as pn
import panel_material_ui as pmui

from onnxlrp.evaluate.ordering import LERF, MORF, RANDOM

from ..components.changes import ChangesTable, number
from ..state.flipping import PixelFlipping
from .images import picture_url
from .parts import section

_WORDS = {MORF: "most relevant first", LERF: "least relevant first", RANDOM: "random"}

FRAME = """
:host { margin: 0; }
img { display: block; width: 100%; max-width: 340px; border-radius: 6px; margin: 0 auto;
  border: 1px solid var(--lrp-line); image-rendering: pixelated; }
p { margin: 6px 0 0; font-size: 12px; color: var(--lrp-faint); text-align: center;
  font-variant-numeric: tabular-nums; }
"""


def film_view(flipping: PixelFlipping) -> pn.Column:
    """Which curve, its pictures, a player, and the leading classes at each step."""
    choice = pmui.Select(
        label="Curve", options={}, size="small", sizing_mode="stretch_width", margin=(4, 0)
    )
    frame = pn.pane.HTML("", stylesheets=[FRAME], sizing_mode="stretch_width", margin=0)
    player = pmui.Player(
        label="Step",
        start=0,
        end=1,
        interval=300,
        show_loop_controls=False,
        sizing_mode="stretch_width",
        margin=0,
    )
    classes = ChangesTable()
    parts: list[Any] = [frame, player, classes.pane]
    choices: dict[str, tuple[str, str]] = {}

    def offer(*events: Any) -> None:
        nonlocal choices
        choices = _choices(flipping)
        choice.options = [*choices]
        if flipping.film is None and choices and not flipping.running:
            flipping.play(*(choices[choice.value] if choice.value in choices else _first(choices)))

    def pick(event: Any) -> None:
        if event.new in choices:
            flipping.play(*choices[event.new])

    def change(*events: Any) -> None:
        film = flipping.film
        for part in parts:
            part.visible = film is not None
        if film is None:
            return
        player.param.update(end=len(film.frames) - 1, value=flipping.step)
        name = next((n for n, of in choices.items() if of == (film.design, film.order)), None)
        if name is not None:
            choice.value = name
        step()

    def step(*events: Any) -> None:
        film = flipping.film
        if film is None:
            return
        at, last = min(flipping.step, len(film.frames) - 1), len(film.frames) - 1
        player.value = at
        share = f"{100 * film.fractions[at]:.0f} % of the pixels flipped"
        curve = flipping.curve(film.design, film.order)
        score = "" if curve is None else f", score {number(float(curve.mean[at]))}"
        url = picture_url(film.frames[at])
        frame.object = (
            f'<img src="{url}" alt="The picture after step {at}">'
            f"<p>step {at} of {last}: {share}{escape(score)}</p>"
        )
        explained = flipping.bench.explained
        target = -1 if explained is None else explained.target
        classes.show(film.playback.top(at), target, "Leading classes, beside the whole picture")

    player.param.watch(lambda event: setattr(flipping, "step", event.new), "value")
    choice.param.watch(pick, "value")
    flipping.param.watch(offer, ["curves", "running"])
    flipping.param.watch(change, "film")
    flipping.param.watch(step, "step")
    offer()
    change()
    return section("Film of a curve", choice, *parts)


def _choices(flipping: PixelFlipping) -> dict[str, tuple[str, str]]:
    """The curves that are there, by what they are called: (design's id, order)."""
    designs = flipping.bench.designs
    found = {
        f"{design.name}, {_WORDS[order]}": (design.id, order)
        for order in (MORF, LERF)
        for design in designs
        if (design.id, order) in flipping.curves
    }
    if ("", RANDOM) in flipping.curves and designs:
        found[_WORDS[RANDOM]] = (designs[0].id, RANDOM)
    return found


def _first(choices: dict[str, tuple[str, str]]) -> tuple[str, str]:
    """The curve whose film is made first."""
    return next(iter(choices.values()))
