"""A link that restores the screen: state → text that stands in a URL, and back.

``base64url(zlib(JSON))`` with a version; what is longer than :data:`LONGEST` lies in the server's
store, and the link holds its hash.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from typing import Any

from onnxlrp.errors import InputError

from .store import Store

VERSION = 1
LONGEST = 2000
"""Characters that a link may hold: more do not survive every mail program and proxy."""
_UNPACKED = 2**22  # bytes; a link that unpacks to more is none of ours
_HASHED = "h."
_SUFFIX = ".link"


def encode(state: Mapping[str, Any]) -> str:
    """Write a state as text of letters, digits, "-" and "_".

    Examples
    --------
    >>> decode(encode({"target": "top1"}))
    {'target': 'top1'}
    """
    text = json.dumps({"v": VERSION, **state}, separators=(",", ":"), ensure_ascii=False)
    packed = zlib.compress(text.encode(), 9)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def decode(text: str) -> dict[str, Any]:
    """Read what :func:`encode` wrote.

    Raises
    ------
    InputError
        It is damaged, cut off, or of another version.
    """
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
        unpacker = zlib.decompressobj()
        content = unpacker.decompress(packed, _UNPACKED)
        if not unpacker.eof:
            raise ValueError
        state = json.loads(content)
    except (binascii.Error, zlib.error, ValueError) as error:
        raise InputError("the link is damaged or cut off: copy it whole.") from error
    if not isinstance(state, dict) or state.pop("v", None) != VERSION:
        raise InputError(f"the link is of another version; this one reads version {VERSION}.")
    return state


def to_link(state: Mapping[str, Any], store: Store) -> str:
    """Write a state for a URL; a long one goes to the store, and its hash into the URL."""
    text = encode(state)
    if len(text) <= LONGEST:
        return text
    return _HASHED + store.put(text.encode(), _SUFFIX).name.removesuffix(_SUFFIX)


def from_link(text: str, store: Store) -> dict[str, Any]:
    """Read what :func:`to_link` wrote.

    Raises
    ------
    InputError
        Damaged, or no longer in this server's store.
    """
    if not text.startswith(_HASHED):
        return decode(text)
    path = store.find(text.removeprefix(_HASHED), _SUFFIX)
    if path is None:
        raise InputError("the link's state is not on this server: it was made on another one.")
    return decode(path.read_text())
