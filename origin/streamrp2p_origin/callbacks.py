"""What ingest servers ask when somebody wants to publish or play: three dialects, one meaning; pure.

- nginx's RTMP module posts forms: `ngx_rtmp_notify_module.c` of github.com/arut/nginx-rtmp-module, and "Notify" in the
  directives of its wiki. A publisher's own query string is appended, so no field that counts may come twice.
- SRS posts JSON, the same shape for each hook: https://ossrs.net/lts/en-us/docs/v6/doc/http-callback.
- MediaMTX posts JSON for each thing that it must permit: its docs/2-features/06-authentication.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, StrictInt, StrictStr, ValidationError

from streamrp2p_origin.errors import MalformedCallbackError

_MOST_FIELDS = 64


class Wish(Enum):
    """What the server's client wants to do, or did."""

    PUBLISH = "publish"
    GO_ON = "go on publishing"
    LEAVE = "leave"
    PLAY = "play"


@dataclass(frozen=True, slots=True)
class Callback:
    """A question of an ingest server. `client` is the server's name for a connection, `address` its peer's IP."""

    wish: Wish
    app: str
    name: str = field(repr=False)
    client: str
    address: str


Reader = Callable[[bytes], Callback]
"""Reads a request's body; raises MalformedCallbackError."""

_NGINX = {
    "publish": Wish.PUBLISH,
    "update_publish": Wish.GO_ON,
    "publish_done": Wish.LEAVE,
    "play": Wish.PLAY,
    "update_play": Wish.PLAY,
}
_SRS = {"on_publish": Wish.PUBLISH, "on_unpublish": Wish.LEAVE, "on_play": Wish.PLAY}
_MEDIAMTX = {"publish": Wish.PUBLISH, "read": Wish.PLAY}


def nginx(body: bytes) -> Callback:
    """Read a form of nginx's RTMP module."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        raise MalformedCallbackError("this is no form of nginx's RTMP module") from None
    fields: dict[str, str] = {}
    for key, value in pairs:
        if key in fields and key in {"call", "app", "name", "clientid", "addr"}:
            raise MalformedCallbackError(
                f"the form has {key} twice: leave it out of the stream key"
            )
        fields[key] = value
    return Callback(
        _wish(_NGINX, fields.get("call", "")),
        fields.get("app", ""),
        fields.get("name", ""),
        fields.get("clientid", ""),
        fields.get("addr", ""),
    )


class _Srs(BaseModel):
    model_config = ConfigDict(extra="ignore")

    action: StrictStr
    client_id: StrictStr | StrictInt
    ip: StrictStr
    app: StrictStr
    stream: StrictStr


def srs(body: bytes) -> Callback:
    """Read a hook of SRS."""
    try:
        hook = _Srs.model_validate_json(body)
    except ValidationError:
        raise MalformedCallbackError("this is no publish or play hook of SRS") from None
    return Callback(_wish(_SRS, hook.action), hook.app, hook.stream, str(hook.client_id), hook.ip)


class _MediaMtx(BaseModel):
    model_config = ConfigDict(extra="ignore")

    action: StrictStr
    ip: StrictStr
    path: StrictStr
    id: StrictStr | None = None


def mediamtx(body: bytes) -> Callback:
    """Read a question of MediaMTX; its path is `app/name`."""
    try:
        question = _MediaMtx.model_validate_json(body)
    except ValidationError:
        raise MalformedCallbackError("this is no authentication request of MediaMTX") from None
    app, _, name = question.path.rpartition("/")
    wish = _wish(_MEDIAMTX, question.action)
    return Callback(wish, app, name, question.id or "", question.ip)


READERS: Mapping[str, Reader] = {"nginx": nginx, "srs": srs, "mediamtx": mediamtx}
"""By the name of the server, which is the path that it posts to."""


def _wish(wishes: Mapping[str, Wish], name: str) -> Wish:
    try:
        return wishes[name]
    except KeyError:
        raise MalformedCallbackError(
            f"this origin answers {', '.join(wishes)}: take other callbacks out of the server's settings"
        ) from None
