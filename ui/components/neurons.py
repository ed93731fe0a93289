"""The neurons of one layer on screen: strips and a matrix, with one selection."""

from __future__ import annotations

from typing import ClassVar

import param
from panel.custom import JSComponent

from .script import script, style


class NeuronPlot(JSComponent):
    """Strips of Σ R⁺, Σ R⁻ and activation, and a square for each neuron; brush, click or type.

    Parameters
    ----------
    layer : str
        Its name, as a heading.
    neurons : dict of str to list of float
        "positive", "negative" and "activation", a number a neuron each.
    selected : list of int
        The selected neurons, ascending; changed by the page and by Python.
    """

    layer = param.String()
    neurons = param.Dict({"positive": [], "negative": [], "activation": []})
    selected = param.List([], item_type=int)

    _esm = script("neurons")
    _stylesheets: ClassVar[list[str]] = [style("neurons")]
