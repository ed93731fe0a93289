"""What is on the screen at one moment, as a value that results can be told apart by."""

from __future__ import annotations

from collections.abc import Hashable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.composites import Composite
from onnxlrp.evaluate.judge import picture_seed

from .designs import Design
from .networks import Network, Picture
from .scores import Question
from .segments import rules_of
from .session import Workbench


class Subject:
    """A network, a picture, a question about it, and the design that answers.

    Two are equal if they must give the same numbers, whatever their designs are called.

    Parameters
    ----------
    network : Network
    picture : Picture
    question : Question
    design : Design
    """

    def __init__(
        self, network: Network, picture: Picture, question: Question, design: Design
    ) -> None:
        self.network, self.picture = network, picture
        self.question, self.design = question, design

    @classmethod
    def of(cls, bench: Workbench, design: Design | None = None) -> Subject | None:
        """What is on the screen; None while there is no picture or no design."""
        if bench.network is None or bench.shown is None or not bench.designs:
            return None
        return cls(bench.opened, bench.shown, bench.question, design or bench.design)

    @cached_property
    def picture_key(self) -> Hashable:
        """Of all but the design."""
        labels = self.network.model.labels
        return self.network.sha256, labels, self.picture.key, self.question

    @cached_property
    def key(self) -> Hashable:
        """Of everything that numbers depend on."""
        rules = rules_of(self.composite, self.network.model)
        options = tuple(self.composite.options.values())
        return self.picture_key, options, tuple(rules.items())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Subject) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def composite(self) -> Composite:
        """Of the design."""
        return self.design.composite

    @property
    def x(self) -> NDArray[Any]:
        """The network's input: the picture, as often as a fixed batch wants it."""
        return np.repeat(self.picture.x, self.network.model.fixed_batch or 1, axis=0)

    @property
    def target(self) -> int | str:
        """What is asked for, as the functions of :mod:`onnxlrp.evaluate` take it."""
        text = self.question.target
        return int(text) if text.isdecimal() else text

    @property
    def seed(self) -> int:
        """Of the picture's random numbers: the command line's, which go by the picture's name."""
        stem, dot, _ = self.picture.name.rpartition(".")
        return picture_seed(stem if dot else self.picture.name)
