"""The legend of a chart: samples that show dash and mark, and buttons that hide curves."""

from __future__ import annotations

from typing import ClassVar

import param
from panel.custom import JSComponent

from .script import script, style


class ChartLegend(JSComponent):
    """Names beside samples of their lines; clicked or pressed, a name hides its curve."""

    items = param.List([], doc="[{name, colour, dash, mark}].")
    hidden = param.List([], doc="Names of the curves that are hidden.")

    _esm = script("legend")
    _stylesheets: ClassVar[list[str]] = [style("legend")]
