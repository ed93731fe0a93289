"""The design manager: all designs as cards; files, code and presets."""

from __future__ import annotations

from typing import Any

import panel as pn

from ..components.cards import DesignCards
from ..state import Design, Workbench, segments
from .parts import icon_button, section, when
from .saving import add_dialog, save_dialog


def manager_view(bench: Workbench) -> pn.Column:
    """Cards to choose, duplicate, rename and delete designs by."""
    cards = DesignCards(sizing_mode="stretch_width", margin=0)

    def show() -> None:
        cards.param.update(
            designs=[_card(design, bench) for design in bench.designs], current=bench.current
        )

    def act(kind: str, id: str, name: str = "") -> None:
        match kind:
            case "choose":
                bench.choose(id)
            case "duplicate":
                bench.duplicate(id)
            case "rename":
                bench.rename(id, name)
            case "delete":
                bench.delete(id)

    cards.on_gesture(act)
    when(bench, ["designs", "current", "network"], show)
    add, save = add_dialog(bench), save_dialog(bench)
    tools = (
        icon_button("add", "New design", lambda: setattr(add, "open", True)),
        icon_button("save_alt", "Save the design", lambda: setattr(save, "open", True)),
    )
    return section("Designs", cards, add, save, tools=tools)


def _card(design: Design, bench: Workbench) -> dict[str, Any]:
    """What a card shows of a design."""
    runs = segments(design, bench.model)
    shown = runs if len(runs) <= 8 else (*runs[:4], *runs[-4:])
    hidden = len(runs) - len(shown)
    options = [
        f"{key.replace('_', ' ')}: {value}"
        for key, value in design.composite.to_dict().items()
        if key in design.composite.options
    ]
    if hidden:
        options.insert(0, f"{hidden} more segments between")
    return {
        "id": design.id,
        "name": design.name,
        "note": " · ".join(options),
        "segments": [
            {"first": s.start, "last": s.stop - 1, "label": s.label, "colour": s.colour}
            for s in shown
        ],
    }
