"""``python -m onnxlrp`` is the command ``onnxlrp``."""

from __future__ import annotations

import sys

from onnxlrp.cli import main

if __name__ == "__main__":
    sys.exit(main())
