"""How an object's bytes leave: in large pieces that are not copied, with an account of those that did not leave."""

from starlette.types import Receive, Send

from streamrp2p.byte_range import content_range
from streamrp2p_node.cross_origin import cross_origin
from streamrp2p_node.pace import PIECE_BYTES, Pace
from streamrp2p_node.relay import Served

CHUNK_BYTES = 512 * 1024
"""The server holds back a sender after 64 KiB, so all but the last chunk has left when the next is handed over."""

MEDIA_TYPES = {
    ".m4s": "video/iso.segment",
    ".mp4": "video/mp4",
    ".jpg": "image/jpeg",
}


async def _nothing(*_: object) -> None:
    pass


_HEADERS = [
    (b"cache-control", b"private, no-store"),
    (b"accept-ranges", b"bytes"),
    # Written here and not by the middleware, which makes each answer's headers anew.
    *(
        (name.lower().encode(), value.encode())
        for name, value in cross_origin(_nothing).simple_headers.items()
    ),
]


def object_head(
    name: str, length_bytes: int, part: range | None
) -> tuple[int, list[tuple[bytes, bytes]]]:
    """Return the status and the headers of the answer with an object, or with the part of it that is asked for."""
    asked_bytes = length_bytes if part is None else len(part)
    headers = [
        *_HEADERS,
        (b"content-type", _media_type(name)),
        (b"content-length", str(asked_bytes).encode()),
    ]
    if part is None:
        return 200, headers
    return 206, [*headers, (b"content-range", content_range(part, length_bytes).encode())]


async def send_object(
    served: Served, name: str, receive: Receive, send: Send, pace: Pace | None = None
) -> None:
    """Answer with the object, or the part of it that is asked for, no faster than `pace` lets it go.

    When the viewer hangs up, `served.give_back` gets how many of its bytes did not leave.
    """
    status, headers = object_head(name, len(served.data), served.part)
    data = served.asked
    sent, total = 0, len(data)
    chunk_bytes = CHUNK_BYTES if pace is None else PIECE_BYTES
    try:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        while True:
            chunk = data[sent : sent + chunk_bytes]
            if pace is not None:
                await pace.turn(len(chunk))
            # Last, since it may hang up while it waits for its turn.
            if _is_gone(receive):
                break
            is_last = sent + len(chunk) == total
            await send({"type": "http.response.body", "body": chunk, "more_body": not is_last})
            sent += len(chunk)
            if is_last:
                break
    finally:
        if sent < total:
            served.give_back(total - sent)


def _media_type(name: str) -> bytes:
    _, dot, suffix = name.rpartition(".")
    return MEDIA_TYPES.get(dot + suffix, "application/octet-stream").encode()


def _is_gone(receive: Receive) -> bool:
    """Tell, without waiting, whether the viewer has hung up."""
    waiting = receive()
    try:
        # One step of the coroutine: it ends if there is a message, and waits if there is none.
        waiting.send(None)  # type: ignore[attr-defined]
    except StopIteration as message:
        return bool(message.value["type"] == "http.disconnect")
    waiting.close()  # type: ignore[attr-defined]
    return False
