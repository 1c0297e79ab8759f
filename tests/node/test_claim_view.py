"""Amounts for a person, whatever the token's contract says of itself."""

from typing import Any

from eth_abi.abi import encode
from web3 import Web3
from web3.providers.base import BaseProvider
from web3.types import RPCEndpoint, RPCResponse

from streamrp2p.chain import StreamTokenContract
from streamrp2p.keccak import keccak
from streamrp2p.numbers import Address
from streamrp2p_node.claim_view import Tokens

Json = Any
TOKEN = Address(b"\x77" * 20)
DECIMALS, SYMBOL = ("0x" + keccak(name)[:4].hex() for name in (b"decimals()", b"symbol()"))


class Answers(BaseProvider):
    """Gives each function's result; reverts in all others."""

    def __init__(self, results: dict[str, bytes]) -> None:
        super().__init__()
        self._results = results

    def make_request(self, method: RPCEndpoint, params: Json) -> RPCResponse:
        assert method == "eth_call"
        result = self._results.get(params[0]["data"])
        if result is None:
            return {"error": {"code": 3, "message": "execution reverted", "data": "0x"}}
        return {"result": "0x" + result.hex()}

    def make_batch_request(self, batch_requests: Json) -> Json:
        return [self.make_request(*one) for one in batch_requests]


def web3(**results: bytes) -> Web3:
    named = {"decimals": DECIMALS, "symbol": SYMBOL}
    return Web3(Answers({named[name]: result for name, result in results.items()}))


def test_an_amount_is_shown_in_whole_tokens() -> None:
    chain = web3(decimals=encode(["uint8"], [2]), symbol=encode(["string"], ["SRP"]))
    assert Tokens(chain).shown(1250, TOKEN) == "12.5 SRP"


def test_a_token_that_does_not_name_its_decimals_is_shown_in_base_units() -> None:
    shown = Tokens(web3()).shown(1250, TOKEN)
    assert shown == "1250 base units of the token 0x" + "77" * 20


def test_a_symbol_cannot_write_over_the_terminal() -> None:
    hostile = b"A\x1b[2J\xff\n" + b"x" * 1000
    symbol = StreamTokenContract(web3(symbol=encode(["bytes"], [hostile])), TOKEN).symbol
    assert symbol.isprintable()
    assert len(symbol) <= 32
