"""What a player in a browser, which comes from another site, may ask and read. There are no cookies to misuse."""

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from streamrp2p import api


def cross_origin(app: ASGIApp) -> CORSMiddleware:
    """Return the application as other sites may use it."""
    return CORSMiddleware(
        app,
        allow_origins=["*"],
        allow_methods=["GET", "POST"],
        allow_headers=["Content-Type", "Range", api.SESSION_HEADER],
        expose_headers=["Content-Range", api.DRAINING_HEADER],
        max_age=3600,
    )
