"""Names of results: distinct, and fit for every file system."""

from __future__ import annotations

import re
from collections.abc import Iterable

_LONGEST = 100


def distinct(names: Iterable[str]) -> list[str]:
    """Number the names that stand there twice; case does not tell names apart on every system.

    Examples
    --------
    >>> distinct(["cat", "dog", "Cat"])
    ['cat', 'dog', 'Cat_2']
    """
    taken: set[str] = set()
    found = []
    for name in names:
        number, free = 1, name
        while free.casefold() in taken:
            number += 1
            free = f"{name}_{number}"
        taken.add(free.casefold())
        found.append(free)
    return found


def as_file_name(text: str) -> str:
    """Replace what file systems or shells do not like in a name, and cut what is too long.

    Examples
    --------
    >>> as_file_name("gamma:gamma=0.1")
    'gamma-gamma=0.1'
    """
    return re.sub(r"[^\w.=+,-]+", "-", text).strip("-.")[:_LONGEST] or "result"
