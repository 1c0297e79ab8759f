"""What a streamer does with pools, one method per command; each returns what to show to a person and to a machine."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from web3 import Web3

from streamrp2p import api
from streamrp2p.allocation import Terms
from streamrp2p.amounts import parse_amount
from streamrp2p.chain import (
    Call,
    Deployment,
    EpochBookContract,
    PoolRecord,
    Receipt,
    RewardPoolsContract,
    Stream,
    StreamTokenContract,
    connect,
    send,
)
from streamrp2p.chain.funding import check_balance, deposit
from streamrp2p.client import CoordinatorClient
from streamrp2p.errors import StreamrP2PError
from streamrp2p.foreign_text import printable
from streamrp2p.http_api import check_base_url
from streamrp2p.numbers import Address
from streamrp2p.pool_view import (
    Shown,
    deposit_lines,
    deposit_shown,
    hex_of,
    sent_shown,
    state_of,
    stream_lines,
    stream_shown,
    terms_lines,
    terms_shown,
    tokens,
)
from streamrp2p.refund import RefundProof, prove_refund
from streamrp2p.signatures import address_of

MAX_LISTED_URL = 60


class UnknownPoolError(StreamrP2PError):
    """There is no such pool on this chain."""


class NotStreamerError(StreamrP2PError):
    """The wallet does not own the pool."""


@dataclass(frozen=True, slots=True)
class PreparedRefund:
    """A refund that is proven and not sent."""

    pool: PoolRecord
    proof: RefundProof
    to: Address
    question: str


@dataclass(frozen=True)
class Desk:
    """A chain's pools, as one deployment has them."""

    web3: Web3
    book: EpochBookContract
    pools: RewardPoolsContract
    stream_token: Address
    _tokens: dict[Address, StreamTokenContract] = field(default_factory=dict)

    @classmethod
    def open(cls, rpc: str, deployment_file: Path) -> "Desk":
        """Connect; raises DeploymentError, WrongChainError or RpcUnavailableError."""
        deployment = Deployment.load(deployment_file)
        web3 = connect(rpc, deployment.chain_id)
        block = deployment.block
        return cls(
            web3,
            EpochBookContract(web3, deployment.epoch_book, from_block=block),
            RewardPoolsContract(web3, deployment.reward_pools, from_block=block),
            deployment.stream_token,
        )

    def create(
        self,
        key: bytes,
        *,
        token: Address | None,
        price_per_gb: str,
        epoch_budget: str,
        ticket_signer: Address,
        origin_key: Address,
        origin_url: str,
        max_bytes_per_second: int,
        amount: str | None,
        base_units: bool,
        use_permit: bool,
    ) -> Shown:
        """Create a pool and, with `amount`, fund it."""
        paid_in = self._token(token or self.stream_token)
        read = partial(parse_amount, decimals=paid_in.decimals, base_units=base_units)
        wanted = Terms(read(price_per_gb), read(epoch_budget), ticket_signer)
        first_deposit = read(amount) if amount is not None else 0
        # Before the pool is made: its id must not be lost to a failure that was to be foreseen.
        check_balance(paid_in, address_of(key), first_deposit)
        record = Stream(origin_key, max_bytes_per_second, check_base_url(origin_url))
        receipt = self._send(self.pools.create_call(paid_in.address, wanted, record), key)
        pool_id = self.pools.created_pool_id(receipt)
        shown: dict[str, object] = {"poolId": pool_id, **sent_shown(receipt)}
        lines: dict[str, object] = {"pool": pool_id, "created by": hex_of(receipt.transaction_hash)}
        if first_deposit:
            made = deposit(self.pools, paid_in, pool_id, first_deposit, key, use_permit=use_permit)
            shown["deposit"] = deposit_shown(made)
            lines |= deposit_lines(made, paid_in)
        return Shown(shown, lines)

    def deposit(
        self, key: bytes, pool_id: int, amount: str, *, base_units: bool, use_permit: bool
    ) -> Shown:
        """Fund a pool."""
        token = self._token(self._pool(pool_id).token)
        wanted = parse_amount(amount, token.decimals, base_units=base_units)
        made = deposit(self.pools, token, pool_id, wanted, key, use_permit=use_permit)
        return Shown(
            {"poolId": pool_id, **deposit_shown(made)},
            {"pool": pool_id, **deposit_lines(made, token)},
        )

    def change_terms(
        self,
        key: bytes,
        pool_id: int,
        *,
        price_per_gb: str | None,
        epoch_budget: str | None,
        ticket_signer: Address | None,
        from_epoch: int | None,
        base_units: bool,
    ) -> Shown:
        """Change terms from a coming epoch on; None keeps what would hold then."""
        pool = self._own_pool(key, pool_id)
        token = self._token(pool.token)
        read = partial(parse_amount, decimals=token.decimals, base_units=base_units)
        epoch = from_epoch or self.book.current_epoch() + 1
        held = self.pools.terms_at(pool_id, epoch)
        wanted = Terms(
            held.price_per_gb if price_per_gb is None else read(price_per_gb),
            held.epoch_budget if epoch_budget is None else read(epoch_budget),
            ticket_signer or held.ticket_signer,
        )
        receipt = self._send(self.pools.set_terms_call(pool_id, wanted, epoch), key)
        shown = {"poolId": pool_id, "fromEpoch": epoch, "terms": terms_shown(wanted)}
        return Shown(
            shown | sent_shown(receipt),
            {"pool": pool_id, "from epoch": epoch, **terms_lines(wanted, token)},
        )

    def change_stream(
        self,
        key: bytes,
        pool_id: int,
        *,
        origin_key: Address | None,
        origin_url: str | None,
        max_bytes_per_second: int | None,
    ) -> Shown:
        """Change the stream record; None keeps what is there."""
        held = self._own_pool(key, pool_id).stream
        wanted = Stream(
            origin_key or held.origin_key,
            max_bytes_per_second or held.max_bytes_per_second,
            held.uri if origin_url is None else check_base_url(origin_url),
        )
        receipt = self._send(self.pools.set_stream_call(pool_id, wanted), key)
        return Shown(
            {"poolId": pool_id, **stream_shown(wanted), **sent_shown(receipt)},
            {"pool": pool_id, **stream_lines(wanted)},
        )

    def close(self, key: bytes, pool_id: int) -> Shown:
        """Close a pool from the next epoch on."""
        self._own_pool(key, pool_id)
        receipt = self._send(self.pools.close_call(pool_id), key)
        epoch = self.pools.closed_from_epoch(receipt)
        return Shown(
            {"poolId": pool_id, "closedFromEpoch": epoch, **sent_shown(receipt)},
            {"pool": pool_id, "closed from epoch": epoch},
        )

    def prepare_refund(
        self, key: bytes, pool_id: int, coordinator_url: str, to: Address | None
    ) -> PreparedRefund:
        """Prove what no node earned; raises RefundNotYetError while that is not final."""
        pool = self._own_pool(key, pool_id)
        with CoordinatorClient(coordinator_url) as coordinator:
            proof = prove_refund(self.book, self.pools, coordinator, pool)
        receiver = to or pool.streamer
        token = self._token(pool.token)
        amount = tokens(proof.amount, token)
        return PreparedRefund(
            pool, proof, receiver, f"Refund {amount} of pool {pool_id} to {hex_of(receiver)}"
        )

    def refund(self, key: bytes, ready: PreparedRefund) -> Shown:
        """Send a prepared refund."""
        receipt = self._send(ready.proof.call(self.pools, ready.to), key)
        amount = self.pools.refunded(receipt)
        token = self._token(ready.pool.token)
        pool_id = ready.pool.pool_id
        shown = {"poolId": pool_id, "to": hex_of(ready.to), "refunded": str(amount)}
        return Shown(
            shown | sent_shown(receipt),
            {
                "pool": pool_id,
                "refunded": tokens(amount, token),
                "to": hex_of(ready.to),
            },
        )

    def show(self, pool_id: int) -> Shown:
        """Return a pool with its terms and deposits now."""
        at = self.pools.latest_block()
        pool = self._pool(pool_id)
        epoch = self.book.current_epoch(at)
        held = self.pools.terms_at(pool_id, epoch, at)
        funded = self.pools.funded_at(pool_id, epoch, at)
        token = self._token(pool.token)
        wire = api.Pool(
            pool_id=pool_id,
            streamer=pool.streamer,
            token=pool.token,
            origin_key=pool.stream.origin_key,
            origin_url=pool.stream.uri,
            max_bytes_per_second=pool.stream.max_bytes_per_second,
            created_epoch=pool.created_epoch,
            closed_from_epoch=pool.closed_from_epoch,
            terms=api.Terms(
                price_per_gb=held.price_per_gb,
                epoch_budget=held.epoch_budget,
                ticket_signer=held.ticket_signer,
            ),
            funded=funded,
        )
        more = {
            "remaining": str(pool.remaining),
            "state": state_of(pool, epoch),
            "currentEpoch": epoch,
            "symbol": token.symbol,
            "decimals": token.decimals,
        }
        return Shown(
            wire.dump() | more,
            {
                "pool": pool_id,
                "state": state_of(pool, epoch),
                "streamer": hex_of(pool.streamer),
                "token": f"{token.symbol} {hex_of(pool.token)}",
                "funded": tokens(funded, token),
                "remaining": tokens(pool.remaining, token),
                **terms_lines(held, token),
                **stream_lines(pool.stream),
            },
        )

    def list_all(self, streamer: Address | None) -> Shown:
        """Return every pool, or those of one streamer."""
        at = self.pools.latest_block()
        epoch = self.book.current_epoch(at)
        found = [
            pool
            for pool in self.pools.pools(block=at)
            if streamer is None or pool.streamer == streamer
        ]
        rows = [
            {
                "poolId": pool.pool_id,
                "streamer": hex_of(pool.streamer),
                "token": hex_of(pool.token),
                "remaining": str(pool.remaining),
                "createdEpoch": pool.created_epoch,
                "closedFromEpoch": pool.closed_from_epoch,
                "state": state_of(pool, epoch),
                "originUrl": pool.stream.uri,
            }
            for pool in found
        ]
        return Shown(
            {"currentEpoch": epoch, "pools": rows},
            {str(pool.pool_id): self._listed(pool, epoch) for pool in found}
            or {"no pools": "to create one: streamrp2p pool create"},
        )

    def _listed(self, pool: PoolRecord, epoch: int) -> str:
        token = self._token(pool.token)
        held = tokens(pool.remaining, token)
        url = printable(pool.stream.uri)[:MAX_LISTED_URL]
        return f"{state_of(pool, epoch):<8}  {held:<24}  {url}"

    def _pool(self, pool_id: int) -> PoolRecord:
        pool = self.pools.pool(pool_id)
        if pool is None:
            raise UnknownPoolError(
                f"there is no pool {pool_id} on this chain; see: streamrp2p pool list"
            )
        return pool

    def _own_pool(self, key: bytes, pool_id: int) -> PoolRecord:
        pool = self._pool(pool_id)
        sender = address_of(key)
        if pool.streamer != sender:
            raise NotStreamerError(
                f"pool {pool_id} belongs to {hex_of(pool.streamer)}, this wallet is {hex_of(sender)}; use its own"
            )
        return pool

    def _token(self, address: Address) -> StreamTokenContract:
        if address not in self._tokens:
            self._tokens[address] = StreamTokenContract(self.web3, address)
        return self._tokens[address]

    def _send(self, call: Call, key: bytes) -> Receipt:
        return send(self.web3, call, key)
