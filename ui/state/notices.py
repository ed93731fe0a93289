"""Lines for the user, on what went well, what did not, and why; and files to take along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import param

from onnxlrp.errors import OnnxLrpError

from .jobs import as_line

Level = Literal["error", "warning", "success", "info"]


@dataclass(frozen=True, slots=True, eq=False)
class Notice:
    """A line for the user, shown as a toast."""

    text: str
    level: Level = "error"


@dataclass(frozen=True, slots=True, eq=False)
class File:
    """Something for the user to keep, downloaded by the browser."""

    name: str
    content: bytes = field(repr=False)


class Noticing(param.Parameterized):
    """State that tells the user lines; what cannot be done changes nothing and is told."""

    notice = param.ClassSelector(class_=Notice, doc="The last line for the user.")
    file = param.ClassSelector(class_=File, doc="What is handed over, for the moment that takes.")

    def tell(self, text: str, level: Level = "error") -> None:
        """Show the user a line."""
        self.notice = Notice(text, level)

    def hand_over(self, name: str, content: str | bytes) -> None:
        """Give the user a file; a text is written as UTF-8."""
        self.file = File(name, content if isinstance(content, bytes) else content.encode())
        self.file = None

    def tell_error(self, error: Exception) -> None:
        """Show the user what went wrong."""
        self.tell(as_line(error))

    def _try(self, action: Callable[[], object]) -> bool:
        """Do something; show the user what is wrong with it if it cannot be done."""
        try:
            action()
        except OnnxLrpError as error:
            self.tell_error(error)
            return False
        return True
