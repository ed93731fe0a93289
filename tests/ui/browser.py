"""Which browser the tests drive: a Chromium or Chrome that is installed.

Run as a program it prints the browser's path, or says in one line what to do and exits with 1.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

COMMANDS = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
"""Where to look, in this order: on the PATH, then where macOS keeps it."""

ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    "--force-color-profile=srgb",
    # Nothing but this machine can be reached: what asks for more fails here as without a network.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)
"""No sandbox, for root may not have one; no graphics card; no request of the browser's own."""

MISSING = (
    "The browser tests need Chromium or Chrome on the PATH: install one "
    "(on Debian: apt-get install chromium)."
)


def find_browser() -> str:
    """Return the path of the first browser found.

    Raises
    ------
    FileNotFoundError
        None is installed; says what to do.
    """
    for command in COMMANDS:
        path = shutil.which(command)
        if path is not None:
            return str(Path(path))
    raise FileNotFoundError(MISSING)


if __name__ == "__main__":
    try:
        print(find_browser())
    except FileNotFoundError as error:
        sys.exit(str(error))
