"""The legend of a chart: samples that show dash and mark, and buttons that hide curves."""

from __future__ import annotations

from typing import ClassVar

import param
from panel.custom import JSComponent

from .script import script, style


class CurveNames(JSComponent):
    """Names beside samples of their lines; clicked or pressed, a name hides its curve.

    What is called …Legend, panel-material-ui takes for Bokeh's and breaks by its theme.
    """

    items = param.List([], doc="[{name, colour, dash, mark}].")
    hidden = param.List([], doc="Names of the curves that are hidden.")

    _esm = script("legend")
    _stylesheets: ClassVar[list[str]] = [style("legend")]
