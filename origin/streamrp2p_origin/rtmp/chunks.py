"""RTMP's chunk stream: messages cut into interleaved chunks. Source: RTMP 1.0, section 5.3."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from streamrp2p_origin.errors import RtmpError

DEFAULT_CHUNK_SIZE = 128
MAX_CHUNK_STREAMS = 32
"""Encoders use four or five; each may hold one unfinished message."""

SET_CHUNK_SIZE, ABORT = 1, 2
_EXTENDED = 0xFFFFFF
_FIELDS_BYTES = (11, 7, 3, 0)
"""Of a message header, by the chunk's format."""
_FULL, _CONTINUED = 0, 3
_CONTROL_BYTES = 4


@dataclass(frozen=True, slots=True)
class Message:
    """One whole message. `timestamp_ms` wraps at 2^32."""

    type_id: int
    stream_id: int
    timestamp_ms: int
    payload: bytes


def encode_message(message: Message, chunk_stream_id: int, chunk_size: int) -> bytes:
    """Cut a message into chunks; `chunk_stream_id` is 2 to 63, the time below 0xFFFFFF ms."""
    payload = message.payload
    head = (
        bytes([chunk_stream_id])
        + message.timestamp_ms.to_bytes(3)
        + len(payload).to_bytes(3)
        + bytes([message.type_id])
        + message.stream_id.to_bytes(4, "little")
    )
    chunks = [payload[at : at + chunk_size] for at in range(0, len(payload), chunk_size)]
    return head + bytes([_CONTINUED << 6 | chunk_stream_id]).join(chunks)


class _Header(NamedTuple):
    """A message header with the fields that a chunk left out filled in from the chunk before."""

    timestamp_field: int
    is_extended: bool
    length: int
    type_id: int
    stream_id: int


@dataclass(slots=True)
class _ChunkStream:
    header: _Header | None = None
    timestamp_ms: int = 0
    body: bytearray = field(default_factory=bytearray)


class _IncompleteError(Exception):
    """The chunk's rest has not arrived."""


class ChunkReader:
    """Puts messages together again. `max_message_bytes` may be raised once the sender is trusted."""

    def __init__(self, max_message_bytes: int) -> None:
        self.max_message_bytes = max_message_bytes
        self._chunk_size = DEFAULT_CHUNK_SIZE
        self._streams: dict[int, _ChunkStream] = {}
        self._data = bytearray()

    def feed(self, data: bytes) -> None:
        """Add bytes from the peer."""
        self._data += data

    def messages(self) -> Iterator[Message]:
        """Yield each message that is complete; raises RtmpError for bytes that are no chunk stream."""
        while True:
            try:
                message = self._take_chunk()
            except _IncompleteError:
                return
            if message is not None and not self._obeyed(message):
                yield message

    def _take_chunk(self) -> Message | None:
        """Take one chunk off the data and return the message that it completes, if it does."""
        form, chunk_stream_id, at = self._basic_header()
        stream = self._streams.get(chunk_stream_id) or _ChunkStream()
        header, at = self._message_header(form, stream, at)
        if header.length > self.max_message_bytes:
            raise RtmpError(
                f"the encoder sent a message of {header.length} bytes, "
                f"at most {self.max_message_bytes} are taken here"
            )
        end = at + min(self._chunk_size, header.length - len(stream.body))
        self._need(end)
        self._streams[chunk_stream_id] = stream
        if len(self._streams) > MAX_CHUNK_STREAMS:
            raise RtmpError(f"the encoder uses more than {MAX_CHUNK_STREAMS} chunk streams")
        if not stream.body:
            before_ms = 0 if form == _FULL else stream.timestamp_ms
            stream.timestamp_ms = (before_ms + header.timestamp_field) % (1 << 32)
            stream.header = header
        stream.body += self._data[at:end]
        del self._data[:end]
        if len(stream.body) < header.length:
            return None
        payload, stream.body = bytes(stream.body), bytearray()
        return Message(header.type_id, header.stream_id, stream.timestamp_ms, payload)

    def _basic_header(self) -> tuple[int, int, int]:
        self._need(1)
        form, short_id = self._data[0] >> 6, self._data[0] & 0x3F
        if short_id > 1:
            return form, short_id, 1
        self._need(2 + short_id)
        return form, 64 + int.from_bytes(self._data[1 : 2 + short_id], "little"), 2 + short_id

    def _message_header(self, form: int, stream: _ChunkStream, at: int) -> tuple[_Header, int]:
        before = stream.header
        if form != _FULL and before is None:
            raise RtmpError("the encoder sent a chunk that continues nothing")
        if form != _CONTINUED and stream.body:
            raise RtmpError("the encoder began a message inside another one")
        end = at + _FIELDS_BYTES[form]
        self._need(end)
        fields = self._data[at:end]
        header = before or _Header(0, False, 0, 0, 0)
        if form != _CONTINUED:
            time = int.from_bytes(fields[:3])
            header = header._replace(timestamp_field=time, is_extended=time == _EXTENDED)
        if form <= 1:
            header = header._replace(length=int.from_bytes(fields[3:6]), type_id=fields[6])
        if form == _FULL:
            header = header._replace(stream_id=int.from_bytes(fields[7:11], "little"))
        # Chunks of form 3 repeat an extended time too (section 5.3.1.3).
        if header.is_extended:
            self._need(end + 4)
            extended = int.from_bytes(self._data[end : end + 4])
            return header._replace(timestamp_field=extended), end + 4
        return header, end

    def _need(self, length: int) -> None:
        if len(self._data) < length:
            raise _IncompleteError

    def _obeyed(self, message: Message) -> bool:
        """Tell whether the message was for the chunk stream itself, and do what it says."""
        if message.type_id not in (SET_CHUNK_SIZE, ABORT):
            return False
        if len(message.payload) < _CONTROL_BYTES:
            raise RtmpError("the encoder sent a control message that is too short")
        value = int.from_bytes(message.payload[:_CONTROL_BYTES])
        if message.type_id == ABORT:
            if value in self._streams:
                self._streams[value].body.clear()
        elif not 1 <= value <= _EXTENDED:
            raise RtmpError(f"the encoder asked for chunks of {value} bytes")
        else:
            self._chunk_size = value
        return True
