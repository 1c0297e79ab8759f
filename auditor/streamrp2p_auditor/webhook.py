"""Hands alerts to a URL. What is secret in it, such as its path, is shown to nobody."""

import json
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx

from streamrp2p.deadline import EXTENSION, DeadlineTransport
from streamrp2p_auditor.errors import WebhookError, WebhookUrlError

TIMEOUT_SECONDS = 5.0
MAX_SECONDS = 10.0
"""For the whole of an answer."""


class Webhook:
    """One receiver of alerts. Closes its connections as a context manager."""

    def __init__(self, url: str, *, transport: httpx.BaseTransport | None = None) -> None:
        """Take a URL of http or https; raises WebhookUrlError for any other."""
        self.shown = _shown(url)
        self._url = url
        # A redirect could hand the alert, and its sender, to another host: none is followed.
        self._client = httpx.Client(
            timeout=TIMEOUT_SECONDS,
            transport=transport or (None if _has_proxy() else DeadlineTransport()),
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def post(self, body: Mapping[str, object]) -> None:
        """Hand one alert over; returns once it was acknowledged with 2xx, else raises WebhookError."""
        try:
            request = self._client.build_request(
                "POST",
                self._url,
                content=json.dumps(body).encode(),
                headers={"Content-Type": "application/json"},
            )
            request.extensions[EXTENSION] = time.monotonic() + MAX_SECONDS
            # What it answers is of no interest, and may have no end.
            response = self._client.send(request, stream=True)
            response.close()
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            # The library's own words may hold the URL.
            raise WebhookError(self.shown, type(error).__name__) from None
        if not response.is_success:
            raise WebhookError(self.shown, f"HTTP {response.status_code}")


def _shown(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
        is_plain = url.isprintable() and " " not in url and bool(httpx.URL(url).host.encode("idna"))
    except (ValueError, httpx.InvalidURL):
        raise WebhookUrlError from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not is_plain:
        raise WebhookUrlError
    return f"{parts.scheme}://{parts.hostname}{port}"


def _has_proxy() -> bool:
    return bool(getproxies().keys() & {"http", "https", "all"})
