"""What all contract wrappers share: typed reads in batches, calls, and logs in bounded block ranges."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from eth_abi.exceptions import DecodingError
from web3 import Web3

from streamrp2p.chain.abi_codec import Artifact, Value, artifact
from streamrp2p.chain.errors import NoContractError, RpcRefusedError
from streamrp2p.chain.rpc import (
    Block,
    block_parameter,
    data_of,
    quantity,
    request,
    request_many,
)
from streamrp2p.chain.transactions import Call, Log, Receipt, call_object, log_of
from streamrp2p.numbers import Address, fixed

LOG_RANGE_BLOCKS = 2_000
"""Blocks in one request for logs: what the strictest hosted RPCs allow."""


class Contract:
    """A contract at an address. Reads raise NoContractError where none is, RpcUnavailableError or RpcRefusedError."""

    ARTIFACT: ClassVar[str]

    def __init__(self, web3: Web3, address: Address, *, from_block: int = 0) -> None:
        """Take the address and the block of the deployment, before which there are no logs."""
        self.web3 = web3
        self.address = Address(fixed(bytes(address), 20, "contract address"))
        self.from_block = from_block

    @property
    def artifact(self) -> Artifact:
        """The compiled contract."""
        return artifact(self.ARTIFACT)

    def latest_block(self) -> int:
        """Return the newest block's number: pin several reads to it, and they are of one state."""
        return quantity(request(self.web3, "eth_blockNumber", []))

    def _read(self, name: str, *arguments: object, block: Block | None = None) -> Value:
        return self._read_many([(name, *arguments)], block=block)[0]

    def _read_many(
        self, reads: Sequence[tuple[Any, ...]], *, block: Block | None = None
    ) -> list[Value]:
        """Each read is `(function, *arguments)`; each result the function's value, or a tuple of several."""
        where = block_parameter(block)
        results = request_many(
            self.web3,
            [
                ("eth_call", [call_object(self._call(name, *arguments)), where])
                for name, *arguments in reads
            ],
        )
        return [self._decoded(read[0], result) for read, result in zip(reads, results, strict=True)]

    def _call(self, name: str, *arguments: object, value: int = 0) -> Call:
        function = self.artifact.functions[name]
        return Call(self.address, function.selector + function.inputs.encode(arguments), value)

    def _decoded(self, name: str, result: object) -> Value:
        data = data_of(result)
        if not data:
            raise NoContractError(
                f"there is no {self.ARTIFACT} at 0x{self.address.hex()} on this chain; "
                "check the RPC URL and the deployment file"
            )
        try:
            values = self.artifact.functions[name].outputs.decode(data)
        except DecodingError as error:
            raise NoContractError(
                f"what is at 0x{self.address.hex()} is no {self.ARTIFACT}: {name} gave something else; "
                "check the deployment file"
            ) from error
        return values[0] if len(values) == 1 else values

    def _logs(
        self, events: Sequence[str], *, from_block: int | None = None, to_block: int | None = None,
        first_topics: Sequence[bytes] = (),
    ) -> Iterator[Log]:  # fmt: skip
        """Yield logs of these events in the chain's order; `first_topics` are the values of the first indexed field."""
        topics: list[Any] = [["0x" + self.artifact.events[name].topic.hex() for name in events]]
        if first_topics:
            topics.append(["0x" + topic.hex() for topic in first_topics])
        start = self.from_block if from_block is None else from_block
        last = self.latest_block() if to_block is None else to_block
        step = LOG_RANGE_BLOCKS
        while start <= last:
            end = min(start + step - 1, last)
            try:
                found = request(self.web3, "eth_getLogs", [self._filter(topics, start, end)])
            except RpcRefusedError:
                # Some RPCs bound the answer's size instead of the range.
                if step == 1:
                    raise
                step = max(step // 4, 1)
                continue
            if not isinstance(found, list):
                raise RpcRefusedError("the RPC sent no list of logs; name another RPC")
            yield from sorted(map(log_of, found), key=lambda log: (log.block, log.index))
            start = end + 1

    def _filter(self, topics: list[Any], start: int, end: int) -> dict[str, Any]:
        return {
            "address": "0x" + self.address.hex(),
            "topics": topics,
            "fromBlock": hex(start),
            "toBlock": hex(end),
        }

    def _event(self, log: Log) -> tuple[str, dict[str, Any]] | None:
        """Return an own event's name and fields, or None for another's log."""
        if log.address != self.address or not log.topics:
            return None
        for event in self.artifact.events.values():
            if event.topic != log.topics[0]:
                continue
            try:
                fields = event.indexed.named(b"".join(log.topics[1:]))
                return event.name, fields | event.inputs.named(log.data)
            except DecodingError as error:
                raise RpcRefusedError(
                    f"the RPC sent a malformed {event.name} log; name another RPC"
                ) from error
        return None

    def _events_in(self, receipt: Receipt, name: str) -> list[dict[str, Any]]:
        found = (self._event(log) for log in receipt.logs)
        return [event[1] for event in found if event is not None and event[0] == name]
