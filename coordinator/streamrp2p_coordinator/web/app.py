"""The application: routes, problems and limits around one set of services."""

from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from pydantic.alias_generators import to_camel
from typing_extensions import override

from streamrp2p.api import Problem
from streamrp2p.request_id import RequestIds
from streamrp2p.traced import Traced
from streamrp2p.traces import NO_TRACES
from streamrp2p_coordinator.errors import TooOftenError
from streamrp2p_coordinator.network import Policy
from streamrp2p_coordinator.services import Services
from streamrp2p_coordinator.web.admin import router as admin_router
from streamrp2p_coordinator.web.limits import BodyLimit, max_body_bytes
from streamrp2p_coordinator.web.me import router as me_router
from streamrp2p_coordinator.web.measures import Measures
from streamrp2p_coordinator.web.post_limit import PostLimit
from streamrp2p_coordinator.web.problems import add_problem_handlers, responses
from streamrp2p_coordinator.web.routes import router

DESCRIPTION = """Takes bandwidth receipts in, settles epochs and proves what accounts may claim.

Integers of at most 64 bits are numbers, wider ones decimal strings, bytes are 0x hex. Every error is a problem
(RFC 9457); one with `Retry-After` may be tried again. `POST /v1/batches` may be repeated: the same batch gets the
same answer."""


class CoordinatorApp(FastAPI):
    """FastAPI, but for the form of its problems."""

    @override
    def openapi(self) -> dict[str, Any]:
        """Describe the API, with our own problem instead of FastAPI's form of validation errors."""
        document = super().openapi()
        schemas = document["components"]["schemas"]
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        schemas["Problem"] = Problem.model_json_schema()
        for operations in document["paths"].values():
            if "post" in operations:
                # Of any, by PostLimit, which no route knows of.
                for status, answer in responses(TooOftenError).items():
                    operations["post"]["responses"].setdefault(str(status), answer)
        return document


def make_app(services: Services | None, policy: Policy | None = None) -> FastAPI:
    """Make the application. Without services it only serves to describe itself."""
    app = CoordinatorApp(
        title="StreamrP2P coordinator",
        version=version("streamrp2p"),
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        separate_input_output_schemas=False,
        generate_unique_id_function=lambda route: to_camel(route.name),
    )
    app.state.services = services
    limits = policy or (services.policy if services else Policy())
    app.add_middleware(BodyLimit, batch_bytes=max_body_bytes(limits.max_batch_records))
    if services is not None and services.posts is not None:
        app.add_middleware(PostLimit, limit=services.posts)
    # Players are web pages of many origins. Nothing here is read from a cookie, so all may ask.
    app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["GET", "POST"], allow_headers=["*"])
    if services is not None:
        app.add_middleware(Measures, metrics=services.metrics)
        if services.traces is not NO_TRACES:
            app.add_middleware(Traced, traces=services.traces)
    app.add_middleware(RequestIds)
    add_problem_handlers(app)
    app.include_router(router)
    app.include_router(me_router)
    if services is not None and services.admin_token is not None:
        app.include_router(admin_router)
    return app
