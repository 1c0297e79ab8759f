"""One RTMP connection of an encoder, without a socket. Source: RTMP 1.0, sections 5.2 and 7."""

from collections.abc import Iterator
from dataclasses import dataclass

from streamrp2p_origin.errors import RtmpError
from streamrp2p_origin.rtmp import amf0
from streamrp2p_origin.rtmp.chunks import (
    DEFAULT_CHUNK_SIZE,
    SET_CHUNK_SIZE,
    ChunkReader,
    Message,
    encode_message,
)

APPLICATION = "live"
"""The first part of the RTMP path; the stream key is the second."""

AUDIO, VIDEO = 8, 9
"""Message types, and FLV's tag types as well."""
_ACKNOWLEDGEMENT, _USER_CONTROL, _WINDOW, _PEER_BANDWIDTH = 3, 4, 5, 6
_COMMAND = 20
_STREAM_BEGIN, _PING, _PONG = 0, 6, 7

_VERSION = 3
_HANDSHAKE_BYTES = 1536
_WINDOW_BYTES = 2_500_000
_CONTROL_CHUNKS, _COMMAND_CHUNKS = 2, 3
_STREAM_ID = 1
MAX_STRANGER_MESSAGE_BYTES = 64 * 1024
"""Before the stream key was accepted."""
MAX_MESSAGE_BYTES = 8 * 1024 * 1024
"""One frame; a key frame of 8 MB every second would be 64 Mbit/s."""


@dataclass(frozen=True, slots=True)
class PublishRequest:
    """The encoder names its stream key; answer with `accept` or `refuse` before anything else is fed."""

    stream_key: str


@dataclass(frozen=True, slots=True)
class MediaTag:
    """One frame or codec header. `kind` is AUDIO or VIDEO, `payload` an FLV tag's body."""

    kind: int
    timestamp_ms: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class PublishEnded:
    """The encoder said that it stops."""


Event = PublishRequest | MediaTag | PublishEnded


class RtmpSession:
    """The server's side. Feed what arrives, send what `output` returns, act on the events."""

    def __init__(self) -> None:
        self._chunks = ChunkReader(MAX_STRANGER_MESSAGE_BYTES)
        self._handshake = bytearray()
        self._greeted = self._handshake_is_done = self._is_publishing = False
        self._received = self._acknowledged = 0
        self._output = bytearray()

    def output(self) -> bytes:
        """Return the bytes to send, once."""
        data = bytes(self._output)
        self._output.clear()
        return data

    def receive(self, data: bytes) -> Iterator[Event]:
        """Take bytes from the encoder and yield what they mean; raises RtmpError for what is not RTMP."""
        self._received += len(data)
        if self._received - self._acknowledged >= _WINDOW_BYTES // 2:
            self._acknowledged = self._received
            self._control(_ACKNOWLEDGEMENT, (self._received % (1 << 32)).to_bytes(4))
        if not self._handshake_is_done:
            data = self._shake_hands(data)
        self._chunks.feed(data)
        for message in self._chunks.messages():
            yield from self._events(message)

    def accept(self) -> None:
        """Let the encoder publish."""
        self._is_publishing = True
        self._chunks.max_message_bytes = MAX_MESSAGE_BYTES
        self._control(_USER_CONTROL, _STREAM_BEGIN.to_bytes(2) + _STREAM_ID.to_bytes(4))
        self._status("status", "NetStream.Publish.Start", "The stream is on.")

    def refuse(self, reason: str) -> None:
        """Tell the encoder that it may not publish; close the connection after the output is sent."""
        self._status("error", "NetStream.Publish.BadName", reason)

    def _shake_hands(self, data: bytes) -> bytes:
        """Answer C0 and C1, skip C2; return what follows. The old, unsigned handshake: every encoder speaks it."""
        self._handshake += data
        first = 1 + _HANDSHAKE_BYTES
        if self._handshake and self._handshake[0] != _VERSION:
            raise RtmpError("the peer does not speak RTMP: check the scheme rtmp:// and the port")
        if not self._greeted and len(self._handshake) >= first:
            self._greeted = True
            ours = bytes(_HANDSHAKE_BYTES)
            self._output += bytes([_VERSION]) + ours + self._handshake[1:first]
        if len(self._handshake) < first + _HANDSHAKE_BYTES:
            return b""
        self._handshake_is_done = True
        return bytes(self._handshake[first + _HANDSHAKE_BYTES :])

    def _events(self, message: Message) -> Iterator[Event]:
        match message.type_id:
            case 8 | 9:
                if not self._is_publishing:
                    raise RtmpError("the encoder sent media before its stream key was accepted")
                yield MediaTag(message.type_id, message.timestamp_ms, message.payload)
            case 20:
                yield from self._command(message.payload)
            case 17:  # AMF3 commands of this kind hold AMF0 after one byte.
                yield from self._command(message.payload[1:])
            case 4 if message.payload[:2] == _PING.to_bytes(2):
                self._control(_USER_CONTROL, _PONG.to_bytes(2) + message.payload[2:6])

    def _command(self, payload: bytes) -> Iterator[Event]:
        nothing: list[amf0.Value] = [None, None]
        name, transaction, *arguments = amf0.decode(payload) + nothing
        number = transaction if isinstance(transaction, float) else 0.0
        match name:
            case "connect":
                self._connect(number, arguments[0])
            case "createStream":
                self._send(_COMMAND, amf0.encode("_result", number, None, float(_STREAM_ID)))
            case "publish":
                key = arguments[1] if len(arguments) > 1 else None
                if not isinstance(key, str) or self._is_publishing:
                    raise RtmpError("the encoder asked to publish without a stream key, or twice")
                yield PublishRequest(key)
            case "FCUnpublish" | "deleteStream" | "closeStream":
                yield PublishEnded()

    def _connect(self, number: float, arguments: amf0.Value) -> None:
        application = arguments.get("app") if isinstance(arguments, dict) else None
        if not isinstance(application, str) or application.strip("/") != APPLICATION:
            raise RtmpError(
                f"the encoder's server URL must end in /{APPLICATION}, "
                f"such as rtmp://127.0.0.1:1935/{APPLICATION}"
            )
        self._control(_WINDOW, _WINDOW_BYTES.to_bytes(4))
        self._control(_PEER_BANDWIDTH, _WINDOW_BYTES.to_bytes(4) + b"\x02")
        self._control(SET_CHUNK_SIZE, DEFAULT_CHUNK_SIZE.to_bytes(4))
        properties: dict[str, float | bool | str | None] = {
            "fmsVer": "FMS/3,5,7,7009",
            "capabilities": 31.0,
        }
        information: dict[str, float | bool | str | None] = {
            "level": "status",
            "code": "NetConnection.Connect.Success",
            "description": "Connection succeeded.",
            "objectEncoding": 0.0,
        }
        self._send(_COMMAND, amf0.encode("_result", number, properties, information))

    def _status(self, level: str, code: str, description: str) -> None:
        information: dict[str, float | bool | str | None] = {
            "level": level,
            "code": code,
            "description": description,
        }
        self._send(_COMMAND, amf0.encode("onStatus", 0.0, None, information), _STREAM_ID)

    def _control(self, type_id: int, payload: bytes) -> None:
        message = Message(type_id, 0, 0, payload)
        self._output += encode_message(message, _CONTROL_CHUNKS, DEFAULT_CHUNK_SIZE)

    def _send(self, type_id: int, payload: bytes, stream_id: int = 0) -> None:
        message = Message(type_id, stream_id, 0, payload)
        self._output += encode_message(message, _COMMAND_CHUNKS, DEFAULT_CHUNK_SIZE)
