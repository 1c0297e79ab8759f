"""The HTTP side: the signed playlists, held until they have what is asked for, and the objects that they name."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from streamrp2p.byte_range import RangeError, byte_range, content_range
from streamrp2p.errors import MalformedError
from streamrp2p.playlist import MULTIVARIANT_NAME, read_reload, rendition_of
from streamrp2p_origin.blocking import HOLD_TARGETS, held
from streamrp2p_origin.ingest import Ingest
from streamrp2p_origin.publisher import Publisher
from streamrp2p_origin.rendition import Rendition, Signed

PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
_TYPES = {".mp4": "video/mp4", ".m4s": "video/iso.segment", ".jpg": "image/jpeg"}
_OBJECT_CACHING = "public, max-age=31536000, immutable"
"""An object's name is never used for other bytes."""


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
        reload = read_reload(request.query_params.multi_items())
    except MalformedError as error:
        return _problem(400, "bad-directive", str(error))
    if reload.is_blocking and rendition.signed is not None:
        window = rendition.window
        if reload.is_too_far_for(window.edge):
            return _problem(
                400, "too-far-ahead", "ask for what comes next: the playlist's last number and one"
            )
        hold_seconds = HOLD_TARGETS * window.target_seconds
        if not await held(
            lambda: reload.is_met_by(rendition.window.edge), rendition.change, hold_seconds
        ):
            return _problem(
                503, "not-there-yet", f"nothing new came within {hold_seconds} s; no encoder sends"
            )
    return _playlist(rendition.signed, is_delta=reload.is_delta)


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
