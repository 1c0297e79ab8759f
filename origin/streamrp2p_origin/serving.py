"""The HTTP side: the signed playlists, held until they have what is asked for, and the objects that they name."""

import re

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from streamrp2p.byte_range import RangeError, byte_range, content_range
from streamrp2p.playlist import MULTIVARIANT_NAME, rendition_of
from streamrp2p_origin.blocking import HOLD_TARGETS, held
from streamrp2p_origin.edge import Wanted
from streamrp2p_origin.ingest import Ingest
from streamrp2p_origin.publisher import Publisher
from streamrp2p_origin.rendition import Rendition, Signed
from streamrp2p_origin.window import MICROS

PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
_TYPES = {".mp4": "video/mp4", ".m4s": "video/iso.segment", ".jpg": "image/jpeg"}
_OBJECT_CACHING = "public, max-age=31536000, immutable"
"""An object's name is never used for other bytes."""
_NUMBER = re.compile(r"[0-9]{1,15}")


def create_app(publisher: Publisher, ingest: Ingest, pool_id: int) -> Starlette:
    """Return the ASGI application of one pool's stream."""

    async def stream(request: Request) -> Response:
        name = request.path_params["name"]
        if request.path_params["pool_id"] != pool_id:
            return _problem(404, "pool-unknown", f"this origin serves pool {pool_id}")
        if name == MULTIVARIANT_NAME:
            return _playlist(publisher.multivariant)
        if (rendition := rendition_of(name)) is not None:
            return await _media_playlist(publisher.rendition(rendition), request)
        data = await publisher.read(name)
        if data is None:
            return _problem(404, "object-unknown", "the playlists name what there is")
        return _object(name, data, request.headers.get("Range"))

    async def health(_: Request) -> Response:
        if publisher.fault is not None:
            return _problem(503, "not-publishing", publisher.fault)
        if not ingest.is_ready:
            return _problem(503, "starting", "the RTMP port is not open yet: try again in a second")
        multivariant = publisher.multivariant
        return JSONResponse(
            {
                "status": "ok",
                "encoder": "connected" if ingest.is_publishing else "waiting",
                "nextSequence": publisher.next_sequence,
                "publishedAt": multivariant.published_at if multivariant else None,
            },
            headers={"Cache-Control": "no-store"},
        )

    return Starlette(
        routes=[
            Route("/v1/streams/{pool_id:int}/{name}", stream),
            Route("/healthz", health),
        ],
        # Players in browsers fall back to the origin; what it serves is public and signed.
        middleware=[
            Middleware(
                CORSMiddleware,
                allow_origins=["*"],
                allow_headers=["Range"],
                expose_headers=["Content-Range", "Content-Length"],
            )
        ],
    )


async def _media_playlist(rendition: Rendition | None, request: Request) -> Response:
    if rendition is None:
        return _problem(404, "rendition-unknown", f"{MULTIVARIANT_NAME} names what there is")
    try:
        wanted = _wanted(request)
    except ValueError as error:
        return _problem(400, "bad-directive", str(error))
    if wanted is not None and rendition.signed is not None:
        window = rendition.window
        if wanted.is_too_far(window.edge, window.part_target_micros / MICROS):
            return _problem(
                400, "too-far-ahead", "ask for what comes next: the playlist's last number and one"
            )
        hold_seconds = HOLD_TARGETS * window.target_seconds
        if not await held(
            lambda: wanted.is_listed(rendition.window.edge), rendition.change, hold_seconds
        ):
            return _problem(
                503, "not-there-yet", f"nothing new came within {hold_seconds} s; no encoder sends"
            )
    may_skip = request.query_params.get("_HLS_skip") in {"YES", "v2"}
    return _playlist(rendition.signed, is_delta=may_skip)


def _wanted(request: Request) -> Wanted | None:
    """Read the delivery directives (RFC 8216bis 6.2.5). Raises ValueError that says what is wrong."""
    texts = [request.query_params.get(name) for name in ("_HLS_msn", "_HLS_part")]
    if any(text is not None and not _NUMBER.fullmatch(text) for text in texts):
        raise ValueError("_HLS_msn and _HLS_part are numbers")
    sequence, part = (None if text is None else int(text) for text in texts)
    if sequence is None:
        if part is not None:
            raise ValueError("_HLS_part needs _HLS_msn")
        return None
    return Wanted(sequence, part)


def _playlist(signed: Signed | None, *, is_delta: bool = False) -> Response:
    if signed is None:
        return _problem(
            503, "not-started", "no encoder has sent anything yet: try again in a few seconds"
        )
    return Response(
        signed.delta if is_delta else signed.full,
        media_type=PLAYLIST_TYPE,
        headers={"Cache-Control": "no-store"},
    )


def _object(name: str, data: bytes, wanted: str | None) -> Response:
    headers = {"Cache-Control": _OBJECT_CACHING, "Accept-Ranges": "bytes"}
    media_type = next(kind for suffix, kind in _TYPES.items() if name.endswith(suffix))
    try:
        asked = byte_range(wanted, len(data))
    except RangeError as error:
        return Response(status_code=416, headers={"Content-Range": error.content_range})
    if asked is None:
        return Response(data, media_type=media_type, headers=headers)
    headers["Content-Range"] = content_range(asked, len(data))
    return Response(data[asked.start : asked.stop], 206, headers, media_type)


def _problem(status: int, slug: str, detail: str) -> Response:
    headers = {"Cache-Control": "no-store"}
    if status == 503:  # noqa: PLR2004 - the one that passes
        headers["Retry-After"] = "1"
    return JSONResponse(
        {
            "type": f"urn:streamrp2p:problem:{slug}",
            "title": slug.replace("-", " "),
            "status": status,
            "detail": detail,
        },
        status,
        headers,
        media_type="application/problem+json",
    )
