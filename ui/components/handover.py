"""Files that are handed to the person in front of the page."""

from __future__ import annotations

from base64 import b64encode

from panel.custom import JSComponent

from .script import script


class Handover(JSComponent):
    """Invisible; downloads what it is given, as often as it is."""

    _esm = script("handover")

    def give(self, name: str, content: bytes) -> None:
        """Start a download."""
        self._send_msg({"name": name, "content": b64encode(content).decode("ascii")})
