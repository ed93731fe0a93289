"""The command itself: a page where it says it is, and an end when it is told to."""

from __future__ import annotations

import os
import subprocess
import sys

from playwright.sync_api import expect


def test_serve_says_where_the_page_is_and_shows_it(visit, tmp_path):
    words = ["serve", "--port", "0", "--no-show", "--store", str(tmp_path)]
    # What asks for files from elsewhere is not heard: the page is made of this machine's.
    elsewhere = {**os.environ, "BOKEH_RESOURCES": "cdn"}
    server = subprocess.Popen(
        [sys.executable, "-m", "onnxlrp", *words],
        stdout=subprocess.PIPE,
        text=True,
        env=elsewhere,
    )
    try:
        assert server.stdout is not None
        address = next(w for w in server.stdout.readline().split() if w.startswith("http"))
        page = visit(address)
        expect(page.get_by_role("button", name="Egyptian cat")).to_be_visible(timeout=60_000)
        page.close()
    finally:
        server.terminate()
        server.wait(timeout=60)
        server.stdout.close()
