"""A real browser and the pages it loads from this machine."""

import mimetypes
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Browser, sync_playwright

from tests.support.loopback import http_server

CHROMIUM = Path("/usr/bin/chromium")
"""Debian's. Playwright's own download is not used: it comes from no registry."""
QUIET = (
    # Tests run as root in a container, where Chromium's sandbox cannot start.
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
)
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """Run a headless Chromium; a page gets sound only after a press, as for a person."""
    assert CHROMIUM.exists(), f"{CHROMIUM} is missing: run `make system-packages`"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(QUIET), env=dict(os.environ)
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def served_folder(folder: Path) -> Iterator[str]:
    """Serve a folder's files on the loopback interface, with ranges, as a media element asks for; the base URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            file = (folder / unquote(urlsplit(self.path).path).lstrip("/")).resolve()
            if not file.is_relative_to(folder.resolve()) or not file.is_file():
                self._answer(404, b"", "text/plain")
                return
            data = file.read_bytes()
            kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            wanted = _RANGE.fullmatch(self.headers.get("Range", ""))
            if wanted is None:
                self._answer(200, data, kind)
                return
            first = int(wanted[1])
            last = min(int(wanted[2] or len(data)), len(data) - 1)
            self._answer(206, data[first : last + 1], kind, f"bytes {first}-{last}/{len(data)}")

        def _answer(self, status: int, body: bytes, kind: str, span: str | None = None) -> None:
            try:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Accept-Ranges", "bytes")
                if span is not None:
                    self.send_header("Content-Range", span)
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                # The browser has what it wanted.
                self.close_connection = True

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    with http_server(Handler) as url:
        yield url
