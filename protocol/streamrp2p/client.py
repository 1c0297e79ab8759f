"""A client of the coordinator's API. Each method is one route; shapes are those of `streamrp2p.api`."""

import time
from collections.abc import Callable

import httpx

from streamrp2p import api
from streamrp2p.errors import StreamrP2PError
from streamrp2p.http_api import (
    ApiError,
    BadAnswerError,
    HttpApi,
    UnreachableError,
)
from streamrp2p.keccak import keccak

__all__ = ["ApiError", "BadAnswerError", "CoordinatorClient", "UnreachableError"]

ATTEMPTS = 3
CHECK_SECONDS = 60.0
"""A look at a node tries each of its addresses, and waits for one that is silent."""
MAX_BUNDLE_BYTES = 1 << 30
"""About 3.9 million sessions; `bundle` takes another bound."""
BUNDLE_SECONDS = 600.0


class CoordinatorClient(HttpApi):
    """Talks to one coordinator.

    Every method raises ApiError (refused), BadAnswerError (not an answer of this API) or UnreachableError (retryable).
    GETs and `submit` are repeated after transient failures: their effect is the same however often they arrive.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeout_seconds: float = 10.0,
        transport: httpx.BaseTransport | None = None,
        attempts: int = ATTEMPTS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the coordinator's base URL; raises MalformedError when it is none."""
        super().__init__(
            base_url,
            timeout_seconds=timeout_seconds,
            attempts=attempts,
            transport=transport,
            sleep=sleep,
        )

    def config(self) -> api.Config:
        """Return the chain, contracts, keys and times that the coordinator works with."""
        return self.get("/v1/config", api.Config)

    def pools(self) -> list[api.Pool]:
        """Return every pool that the coordinator knows."""
        return self.get("/v1/pools", api.Pools).pools

    def pool(self, pool_id: int) -> api.Pool:
        """Return one pool; ApiError 404 when there is none."""
        return self.get(f"/v1/pools/{pool_id:d}", api.Pool)

    def nodes(self) -> list[api.Node]:
        """Return every registered node."""
        return self.get("/v1/nodes", api.Nodes).nodes

    def node(self, address: bytes) -> api.Node:
        """Return one node; ApiError 404 when it never registered."""
        return self.get(f"/v1/nodes/0x{address.hex()}", api.Node)

    def register(self, registration: api.SignedRegistration) -> api.Node:
        """Register a node, or change its endpoint or payout address."""
        return self.post("/v1/nodes", registration, api.Node)

    def check_node(self, check: api.SignedNodeCheck) -> api.Reachability:
        """Let the coordinator look at a node's endpoint from outside; ApiError 429 when that was asked too often."""
        answer = self.exchange(
            "POST",
            "/v1/reachability",
            body=check,
            max_seconds=CHECK_SECONDS,
            read_seconds=CHECK_SECONDS,
        )
        return self.parsed(answer.body, api.Reachability)

    def open_session(self, request: api.SessionRequest) -> api.Session:
        """Ask for a ticket to a node that relays the pool's stream."""
        return self.post("/v1/sessions", request, api.Session)

    def submit(self, batch: api.Batch) -> api.BatchAnswer:
        """Hand in session records. Sent again with the same number and root, a batch gets the same answer."""
        return self.post("/v1/batches", batch, api.BatchAnswer, repeat=True)

    def file_appeal(self, appeal: api.SignedAppeal) -> api.FiledAppeal:
        """Object to a rejection; the answer is the appeal as it is kept."""
        return self.post("/v1/appeals", appeal, api.FiledAppeal, repeat=True)

    def appeals(self, node: bytes) -> list[api.FiledAppeal]:
        """Return a node's newest appeals, newest first."""
        return self.get(f"/v1/nodes/0x{node.hex()}/appeals", api.FiledAppeals).appeals

    def epochs(self, limit: int | None = None) -> list[api.Epoch]:
        """Return the newest epochs, newest first."""
        return self.get("/v1/epochs", api.Epochs, limit=limit).epochs

    def epoch(self, epoch: int) -> api.Epoch:
        """Return one epoch; ApiError 404 when it has not begun."""
        return self.get(f"/v1/epochs/{epoch:d}", api.Epoch)

    def bundle(self, data_hash: bytes, *, max_bytes: int = MAX_BUNDLE_BYTES) -> bytes:
        """Return the bundle with that hash; BadAnswerError when the bytes have another one."""
        data = self.exchange(
            "GET",
            f"/v1/bundles/0x{data_hash.hex()}",
            headers={"Accept": "application/octet-stream, application/problem+json"},
            max_bytes=max_bytes,
            max_seconds=BUNDLE_SECONDS,
            attempts=self._attempts,
        ).body
        if keccak(data) != data_hash:
            raise BadAnswerError(
                200,
                f"{self.base_url} sent a bundle whose hash is not 0x{data_hash.hex()}; "
                "fetch it from another mirror",
            )
        return data

    def earnings(self, account: bytes) -> api.Earnings:
        """Return what an account earned, by pool and by epoch."""
        return self.get(f"/v1/accounts/0x{account.hex()}/earnings", api.Earnings)

    def explain(self, account: bytes, epoch: int) -> api.AccountEpoch:
        """Return why an account earns so much in an epoch, and its refusals; ApiError 404 when it has not begun.

        Every step is computed anew: BadAnswerError when one is wrong, or of another account or epoch.
        """
        path = f"/v1/accounts/0x{account.hex()}/epochs/{epoch:d}"
        answer = self.get(path, api.AccountEpoch)
        try:
            explained = answer.explanation.recomputed()
        except StreamrP2PError as error:
            raise BadAnswerError(200, f"{self.base_url}{path}: {error}") from error
        if (explained.account, explained.epoch) != (account, epoch):
            raise BadAnswerError(200, f"{self.base_url}{path} explains another account or epoch")
        return answer

    def claim(self, account: bytes, epoch: int | None = None) -> api.Claim:
        """Return an account's claim proof of the newest final epoch, or of `epoch`; ApiError 404 when it has none."""
        return self.get(f"/v1/accounts/0x{account.hex()}/claim", api.Claim, epoch=epoch)

    def ready(self) -> bool:
        """Tell whether the coordinator is up and able to work; never raises for a refusal or silence."""
        try:
            self.exchange("GET", "/readyz")
        except (ApiError, UnreachableError):
            return False
        return True
