"""The picture on the screen, and a choice among all that are open."""

from __future__ import annotations

from html import escape

import panel as pn

from ..components.thumbs import Thumbs
from ..state import Workbench
from .images import picture_url
from .parts import section, when

_PICTURE = """
img { display: block; width: 100%; border-radius: 6px; border: 1px solid var(--lrp-line); }
"""


def picture_view(bench: Workbench) -> pn.Column:
    """The picture on the screen, and a choice among all that are open."""
    image = pn.pane.HTML(sizing_mode="stretch_width", margin=0, stylesheets=[_PICTURE])
    thumbs = Thumbs(sizing_mode="stretch_width", margin=0, most="98px")

    def show() -> None:
        shown = bench.shown
        if shown is None:
            return
        thumbs.param.update(
            pictures=[
                {"name": p.name, "url": picture_url(p.rgb, largest=88)} for p in bench.pictures
            ],
            current=bench.picture,
        )
        url = picture_url(shown.rgb)
        image.object = f'<img src="{url}" alt="The picture {escape(shown.name)}">'

    def act(kind: str, index: int = 0) -> None:
        match kind:
            case "pick":
                bench.picture = index
            case "remove":
                bench.remove_picture(index)
            case "add":
                bench.place = "open"

    thumbs.on_gesture(act)
    when(bench, ["pictures", "picture"], show)
    return section("Picture", image, thumbs, styles={"gap": "6px"})
