"""One HTTP exchange with a StreamrP2P server: bounded in size and time, typed answers, errors that say what to do."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx
from pydantic import BaseModel, ValidationError

from streamrp2p.api import Problem
from streamrp2p.deadline import EXTENSION, DeadlineTransport
from streamrp2p.errors import MalformedError, StreamrP2PError
from streamrp2p.foreign_text import printable, shown_url
from streamrp2p.validation import first_fault

__all__ = [
    "ApiError",
    "BadAnswerError",
    "HttpApi",
    "UnreachableError",
    "check_base_url",
    "check_plain",
    "printable",
    "problem_error",
]

Model = TypeVar("Model", bound=BaseModel)

MAX_JSON_BYTES = 16 * 1024 * 1024
"""Larger than any list that an API gives; a server that sends more is broken or hostile."""
PROBLEM_PREFIX = "urn:streamrp2p:problem:"
RETRY_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
"""The same request may succeed later."""
BACKOFF_SECONDS = 0.25
MAX_RETRY_AFTER_SECONDS = 5.0
PLAIN = {"Accept-Encoding": "identity"}
"""Asks for bytes as they are. A bound on a body is none when a kilobyte on the wire may become a gigabyte here."""
NO_ANSWER = (httpx.HTTPError, httpx.InvalidURL, UnicodeError)
"""What httpx raises when no answer comes; UnicodeError, also for a redirect, where a host's name is none."""


class ApiError(StreamrP2PError):
    """The server refused: HTTP `status`, problem `slug` and `detail`; `retryable` tells whether later may be better.

    `expected_nonce` comes with the slug `wrong-nonce` alone.
    """

    def __init__(
        self,
        status: int,
        slug: str,
        detail: str,
        *,
        retryable: bool = False,
        expected_nonce: int | None = None,
    ) -> None:
        super().__init__(f"{detail} ({slug}, HTTP {status})")
        self.status = status
        self.slug = slug
        self.detail = detail
        self.retryable = retryable
        self.expected_nonce = expected_nonce


class BadAnswerError(ApiError):
    """The server's answer is not one of this API: too large, malformed or a redirect."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(status, "bad-answer", detail)


class UnreachableError(StreamrP2PError):
    """No answer came: the server is down, the network is, or it is too slow."""

    retryable = True


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx answer; names of `headers` are compared without case."""

    body: bytes
    headers: Mapping[str, str]


class HttpApi:
    """A client of one base URL. Closes its connections with `close` or as a context manager."""

    def __init__(
        self,
        base_url: str,
        *,
        timeout_seconds: float = 10.0,
        attempts: int = 1,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take a URL such as `http://127.0.0.1:8100`; raises MalformedError for anything else."""
        self.base_url = check_base_url(base_url)
        self._attempts = attempts
        self._timeout_seconds = timeout_seconds
        self._sleep = sleep
        # A redirect could lead requests, and the session they name, to another host: none is followed.
        self._client = httpx.Client(
            base_url=self.base_url,
            timeout=timeout_seconds,
            # A proxy, if the environment names one, bounds what comes through it.
            transport=transport or (None if _has_proxy() else DeadlineTransport()),
            follow_redirects=False,
            headers={"Accept": "application/json, application/problem+json", **PLAIN},
        )

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def get(self, path: str, model: type[Model], **query: int | str | None) -> Model:
        """GET an object; repeated after transient failures."""
        given = {name: str(value) for name, value in query.items() if value is not None}
        return self.parsed(
            self.exchange("GET", path, query=given, attempts=self._attempts).body, model
        )

    def post(
        self, path: str, body: BaseModel, model: type[Model], *, repeat: bool = False
    ) -> Model:
        """POST an object; repeated after transient failures only if `repeat` (the server must be idempotent)."""
        attempts = self._attempts if repeat else 1
        return self.parsed(self.exchange("POST", path, body=body, attempts=attempts).body, model)

    def exchange(
        self,
        method: str,
        path: str,
        *,
        body: BaseModel | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int = MAX_JSON_BYTES,
        max_seconds: float | None = None,
        read_seconds: float | None = None,
        attempts: int = 1,
    ) -> Answer:
        """Return a 2xx answer.

        Raises UnreachableError, ApiError, or BadAnswerError for an answer beyond `max_bytes`; `max_seconds` bounds the
        whole of one answer with its headers, by default six times the timeout of a single read. `read_seconds` is that
        timeout for a server that may think for longer than others.
        """
        content = None
        sent = dict(headers or {})
        if body is not None:
            content = body.model_dump_json(by_alias=True).encode()
            sent["Content-Type"] = "application/json"
        request = self._client.build_request(
            method,
            path,
            params=query or None,
            content=content,
            headers=sent,
            timeout=httpx.Timeout(
                self._timeout_seconds, read=read_seconds or self._timeout_seconds
            ),
        )
        seconds = 6 * self._timeout_seconds if max_seconds is None else max_seconds
        for attempt in range(1, attempts):
            try:
                return self._once(request, max_bytes, seconds)
            except _RetryLater as later:
                self._sleep(later.wait_seconds or BACKOFF_SECONDS * 2 ** (attempt - 1))
        try:
            return self._once(request, max_bytes, seconds)
        except _RetryLater as later:
            raise later.error from later.__cause__

    def _once(self, request: httpx.Request, max_bytes: int, max_seconds: float) -> Answer:
        deadline = time.monotonic() + max_seconds
        request.extensions[EXTENSION] = deadline
        try:
            response = self._client.send(request, stream=True)
            try:
                check_plain(response)
                body = _read(response, max_bytes, deadline)
            finally:
                response.close()
        except httpx.DecodingError as error:
            raise BadAnswerError(0, f"{self.base_url} sent a body that is encoded") from error
        except httpx.TimeoutException as error:
            raise _RetryLater(self._unreachable("did not answer in time")) from error
        except NO_ANSWER as error:
            raise _RetryLater(self._unreachable("is not reachable")) from error
        if response.is_success:
            return Answer(body, response.headers)
        raise self._refused(response, body)

    def _unreachable(self, what: str) -> UnreachableError:
        return UnreachableError(f"{self.base_url} {what}; check that it runs and the URL is right")

    def _refused(self, response: httpx.Response, body: bytes) -> "ApiError | _RetryLater":
        if response.is_redirect:
            where = printable(response.headers.get("Location", "nowhere"))
            return BadAnswerError(
                response.status_code,
                f"{self.base_url} redirects to {where}, which is not followed; "
                "use that server's own URL if you trust it",
            )
        error = problem_error(response.status_code, body)
        if not error.retryable:
            return error
        return _RetryLater(error, _retry_after(response))

    def parsed(self, body: bytes, model: type[Model]) -> Model:
        """Return the object that a body holds; raises BadAnswerError when it holds none."""
        try:
            return model.model_validate_json(body)
        except ValidationError as error:
            where, fault = first_fault(error, "the body")
            raise BadAnswerError(
                200,
                f"{self.base_url} sent no valid {model.__name__}: {where}: {printable(fault)}; "
                "check that it runs a compatible version",
            ) from error


def check_base_url(url: str) -> str:
    """Return the URL without trailing slash; raises MalformedError unless it is `http(s)://host[:port][/path]`."""
    try:
        parts = urlsplit(url)
        valid = (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and not (parts.username or parts.password or parts.query or parts.fragment)
            and parts.port != 0
            and url.isprintable()
            and " " not in url
            and _is_host(httpx.URL(url).host)
        )
    except (ValueError, httpx.InvalidURL):
        valid = False
    if not valid:
        raise MalformedError(
            f"a server's URL is like http://host:8100, without user, query or fragment, got {shown_url(url)!r}"
        )
    return url.rstrip("/")


def check_plain(response: httpx.Response) -> None:
    """Raise httpx.DecodingError for a body that is compressed, before any of it is read: nobody asked for that."""
    if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise httpx.DecodingError("the body is encoded", request=response.request)


def _has_proxy() -> bool:
    return bool(getproxies().keys() & {"http", "https", "all"})


def _is_host(name: str) -> bool:
    """Tell whether a name can be looked up at all; raises UnicodeError, a ValueError, when it cannot."""
    return bool(name.encode("idna"))


def problem_error(status: int, body: bytes) -> ApiError:
    """Read a problem+json body (RFC 9457); anything else becomes the slug `http-<status>` and an excerpt."""
    retryable = status in RETRY_STATUSES
    try:
        problem = Problem.model_validate_json(body)
    except ValidationError:
        excerpt = printable(body[:4000].decode(errors="replace")) or "no explanation"
        return ApiError(status, f"http-{status}", excerpt, retryable=retryable)
    slug = printable(problem.type.removeprefix(PROBLEM_PREFIX))
    return ApiError(
        status,
        slug,
        printable(problem.detail),
        retryable=retryable,
        expected_nonce=problem.expected_nonce,
    )


class _RetryLater(Exception):  # noqa: N818 - not an error to the caller, who gets `error`
    def __init__(self, error: StreamrP2PError, wait_seconds: float | None = None) -> None:
        super().__init__()
        self.error = error
        self.wait_seconds = wait_seconds


def _retry_after(response: httpx.Response) -> float | None:
    value = response.headers.get("Retry-After", "")
    return (
        min(float(value), MAX_RETRY_AFTER_SECONDS) if re.fullmatch(r"[0-9]{1,6}", value) else None
    )


def _read(response: httpx.Response, max_bytes: int, deadline: float) -> bytes:
    declared = response.headers.get("Content-Length", "")
    if re.fullmatch(r"[0-9]{1,19}", declared) and int(declared) > max_bytes:
        raise _too_large(response, max_bytes)
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > max_bytes:
            raise _too_large(response, max_bytes)
        # A read timeout alone lets a server drip one byte at a time for ever.
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("the answer takes too long", request=response.request)
    return bytes(body)


def _too_large(response: httpx.Response, max_bytes: int) -> BadAnswerError:
    return BadAnswerError(
        response.status_code,
        f"the answer of {response.request.url.host} exceeds {max_bytes} bytes; do not use this server",
    )
