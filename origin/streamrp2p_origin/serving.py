"""The HTTP side: the signed playlist and the segments that it lists, and nothing else of the folder."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from streamrp2p_origin.ingest import Ingest
from streamrp2p_origin.publisher import PLAYLIST_FILE, Publisher

PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
SEGMENT_TYPE = "video/mp2t"
_SEGMENT_CACHING = "public, max-age=31536000, immutable"
"""A segment's name is never used for other bytes."""


def create_app(publisher: Publisher, ingest: Ingest, pool_id: int) -> Starlette:
    """Return the ASGI application of one pool's stream."""

    async def stream(request: Request) -> Response:
        name = request.path_params["name"]
        if request.path_params["pool_id"] != pool_id:
            return _problem(404, "pool-unknown", f"this origin serves pool {pool_id}")
        published = publisher.published
        if published is None:
            return _problem(
                503, "not-started", "no encoder has sent a segment yet: try again in a few seconds"
            )
        if name == PLAYLIST_FILE:
            return Response(
                published.playlist, media_type=PLAYLIST_TYPE, headers={"Cache-Control": "no-store"}
            )
        path = published.files.get(name)
        if path is None:
            return _problem(
                404, "segment-unknown", f"the playlist {PLAYLIST_FILE} lists what there is"
            )
        return FileResponse(
            path, media_type=SEGMENT_TYPE, headers={"Cache-Control": _SEGMENT_CACHING}
        )

    async def health(_: Request) -> Response:
        published = publisher.published
        if publisher.fault is not None:
            return _problem(503, "not-publishing", publisher.fault)
        if not ingest.is_ready:
            return _problem(503, "starting", "the RTMP port is not open yet: try again in a second")
        return JSONResponse(
            {
                "status": "ok",
                "encoder": "connected" if ingest.is_publishing else "waiting",
                "nextSequence": publisher.next_sequence,
                "publishedAt": published.published_at if published else None,
            },
            headers={"Cache-Control": "no-store"},
        )

    return Starlette(
        routes=[
            Route("/v1/streams/{pool_id:int}/{name}", stream),
            Route("/healthz", health),
        ],
        # Players in browsers fall back to the origin; what it serves is public and signed.
        middleware=[Middleware(CORSMiddleware, allow_origins=["*"])],
    )


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
