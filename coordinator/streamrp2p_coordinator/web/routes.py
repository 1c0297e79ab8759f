"""The routes: they translate HTTP, use cases decide. Blocking work, so none is async: FastAPI gives each a thread."""

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response
from fastapi.responses import FileResponse

from streamrp2p import api
from streamrp2p.monitoring import Checks
from streamrp2p_coordinator.errors import (
    BatchConflictError,
    ChainBehindError,
    DeadlineError,
    ForeignTicketSignerError,
    InvalidBatchError,
    InvalidSignatureError,
    NonceError,
    NoRelayError,
    NotFinalError,
    NotFoundError,
    PoolExhaustedError,
    PoolNotOpenError,
    RequestError,
    StorageError,
    TicketSignerError,
    TooLargeError,
    TooOftenError,
    UnavailableError,
)
from streamrp2p_coordinator.health import health, readiness
from streamrp2p_coordinator.networks import network_of
from streamrp2p_coordinator.services import Services
from streamrp2p_coordinator.use_cases.accept_batch import accept_batch
from streamrp2p_coordinator.use_cases.check_reachability import check_reachability
from streamrp2p_coordinator.use_cases.explain_epoch import explain_epoch
from streamrp2p_coordinator.use_cases.file_appeal import file_appeal, shown_appeal
from streamrp2p_coordinator.use_cases.open_session import open_session
from streamrp2p_coordinator.use_cases.register_node import register_node
from streamrp2p_coordinator.use_cases.show_claim import show_claim
from streamrp2p_coordinator.use_cases.show_earnings import show_earnings
from streamrp2p_coordinator.use_cases.show_epochs import show_epochs
from streamrp2p_coordinator.use_cases.show_pools import show_pools
from streamrp2p_coordinator.web import examples, parameters
from streamrp2p_coordinator.web.parts import Parts, answers, shown_node
from streamrp2p_coordinator.web.problems import responses

EARNINGS_ROWS = 1000
"""How many of an account's newest rows are shown."""
APPEALS_ROWS = 1000
"""How many of a node's newest appeals are shown."""
BUNDLE_TYPE = "application/octet-stream"


router = APIRouter()


@router.get("/v1/config", tags=["network"], responses=answers(examples.config()))
def get_config(services: Parts) -> api.Config:
    """Tell what a node, viewer or auditor must know."""
    network = services.network
    return api.Config(
        chain_id=network.domain.chain_id,
        epoch_book=network.domain.epoch_book,
        reward_pools=network.reward_pools,
        node_registry=network.node_registry,
        poster=services.poster.address,
        ticket_signer=services.ticket_signer.address,
        genesis=network.epochs.genesis,
        epoch_seconds=network.epochs.epoch_seconds,
        intake_grace_seconds=network.epochs.intake_grace_seconds,
        challenge_seconds=network.challenge_seconds,
        rate_slack_seconds=services.policy.rate_slack_seconds,
        max_batch_records=services.policy.max_batch_records,
        time=services.clock(),
    )


@router.get("/v1/pools", tags=["network"], responses=answers(examples.pools(), StorageError))
def get_pools(services: Parts) -> api.Pools:
    """List every pool, as the chain has it."""
    return api.Pools(pools=_show_pools(services))


@router.get("/v1/pools/{poolId}", tags=["network"], responses=answers(examples.pool(), NotFoundError, RequestError, StorageError))
def get_pool(pool_id: parameters.PoolId, services: Parts) -> api.Pool:
    """Show one pool with its stream record and its terms of the current epoch."""
    return _show_pools(services, pool_id)[0]


@router.get("/v1/nodes", tags=["nodes"], responses=answers(examples.nodes(), StorageError))
def get_nodes(services: Parts) -> api.Nodes:
    """List every registered node."""
    with services.database.read() as store:
        return api.Nodes(nodes=[shown_node(node) for node in store.nodes.all(services.clock())])


@router.get("/v1/nodes/{node}", tags=["nodes"], responses=answers(examples.node(), NotFoundError, RequestError, StorageError))
def get_node(node: parameters.AddressText, services: Parts) -> api.Node:
    """Show one node."""
    with services.database.read() as store:
        found = store.nodes.find(parameters.address(node), services.clock())
    if found is None:
        raise NotFoundError(f"{node} never registered here; register with POST /v1/nodes")
    return shown_node(found)


@router.post("/v1/nodes", tags=["nodes"], responses=answers(
        examples.node(),
        NonceError,
        DeadlineError,
        TooLargeError,
        RequestError,
        InvalidSignatureError,
        UnavailableError,
        StorageError,
    ))
def post_node(
    registration: Annotated[
        api.SignedRegistration,
        Body(openapi_examples={"first": {"value": examples.registration()}}),
    ],
    services: Parts,
) -> api.Node:
    """Register a node, or change its endpoint or payout address. The coordinator relays it to the chain."""
    return shown_node(
        register_node(
            registration,
            database=services.database,
            chain=services.chain,
            network=services.network,
            clock=services.clock,
        )
    )


@router.post(
    "/v1/appeals",
    tags=["nodes"],
    responses=answers(
        examples.filed_appeal(),
        NotFoundError,
        TooLargeError,
        RequestError,
        InvalidSignatureError,
        StorageError,
    ),
)
def post_appeal(
    appeal: Annotated[
        api.SignedAppeal, Body(openapi_examples={"appeal": {"value": examples.appeal()}})
    ],
    services: Parts,
) -> api.FiledAppeal:
    """Object to a rejection, with the node's signature. To a rejection there is one appeal: the first stands."""
    return file_appeal(
        appeal,
        database=services.database,
        domain=services.network.domain,
        clock=services.clock,
    )


@router.get(
    "/v1/nodes/{node}/appeals",
    tags=["nodes"],
    responses=answers(examples.filed_appeals(), RequestError, StorageError),
)
def get_appeals(node: parameters.AddressText, services: Parts) -> api.FiledAppeals:
    """List a node's newest appeals with the operator's answers, newest first."""
    with services.database.read() as store:
        found = store.suspicions.appeals_of(parameters.address(node), APPEALS_ROWS)
    return api.FiledAppeals(appeals=list(map(shown_appeal, found)))


@router.post(
    "/v1/reachability",
    tags=["nodes"],
    responses=answers(
        examples.reachability(),
        TooLargeError,
        RequestError,
        InvalidSignatureError,
        TooOftenError,
        UnavailableError,
        StorageError,
    ),
)
def post_reachability(
    check: Annotated[
        api.SignedNodeCheck, Body(openapi_examples={"node": {"value": examples.node_check()}})
    ],
    request: Request,
    services: Parts,
) -> api.Reachability:
    """Look at a node's endpoint from outside, registered or not, and say what to fix. Takes half a minute at most."""
    return check_reachability(
        check,
        request.client.host if request.client else None,
        look=services.look,
        checks=services.checks,
        database=services.database,
        domain=services.network.domain,
        clock=services.clock,
    )


@router.post(
    "/v1/sessions",
    tags=["viewers"],
    responses=answers(
        examples.session(),
        NotFoundError,
        PoolNotOpenError,
        ForeignTicketSignerError,
        PoolExhaustedError,
        TooLargeError,
        RequestError,
        TooOftenError,
        NoRelayError,
        TicketSignerError,
        StorageError,
    ),
)
def post_session(
    request: Annotated[
        api.SessionRequest, Body(openapi_examples={"viewer": {"value": examples.session_request()}})
    ],
    asker: Request,
    services: Parts,
) -> api.Session:
    """Admit a viewer to the least loaded healthy relay, with a ticket signed here or by the streamer's own signer."""
    return open_session(
        request,
        database=services.database,
        network=services.network,
        policy=services.policy,
        ticket_signer=services.ticket_signer,
        remote_signers=services.remote_signers,
        clock=services.clock,
        viewer_network=network_of(asker.client.host if asker.client else None),
    )


@router.post(
    "/v1/batches",
    tags=["nodes"],
    response_model=api.BatchAnswer,
    responses=answers(
        examples.batch_answer(),
        BatchConflictError,
        TooLargeError,
        RequestError,
        InvalidBatchError,
        InvalidSignatureError,
        ChainBehindError,
        StorageError,
    ),
)
def post_batch(
    batch: Annotated[
        api.Batch, Body(openapi_examples={"two records": {"value": examples.batch()}})
    ],
    services: Parts,
) -> Response:
    """Take session records in. What the answer acknowledges is durable and will be paid."""
    answer = accept_batch(
        batch,
        database=services.database,
        network=services.network,
        policy=services.policy,
        poster=services.poster,
        clock=services.clock,
        refresh=services.refresh,
        judged=services.metrics.judged,
    )
    return Response(answer, media_type="application/json")


@router.get("/v1/epochs", tags=["epochs"], responses=answers(examples.epochs(), RequestError, StorageError))
def get_epochs(services: Parts, limit: parameters.Limit = 100) -> api.Epochs:
    """List the newest epochs, newest first."""
    epochs = services.network.epochs
    newest = epochs.at(max(services.clock(), epochs.genesis))
    return api.Epochs(epochs=_show_epochs(services, max(newest - limit + 1, 0), newest))


@router.get(
    "/v1/epochs/{epoch}", tags=["epochs"], responses=answers(examples.epoch(), NotFoundError, RequestError, StorageError)
)
def get_epoch(epoch: parameters.Epoch, services: Parts) -> api.Epoch:
    """Show where one epoch stands."""
    found = _show_epochs(services, epoch, epoch)
    if not found:
        raise NotFoundError(f"epoch {epoch} has not begun")
    return found[0]


@router.get(
    "/v1/bundles/{dataHash}",
    tags=["epochs"],
    response_class=FileResponse,
    responses={
        200: {
            "description": "The canonical bytes of section 9 of the protocol; their Keccak-256 is dataHash.",
            "content": {BUNDLE_TYPE: {"schema": {"type": "string", "format": "binary"}}},
        },
        **responses(NotFoundError, RequestError),
    },
)
def get_bundle(data_hash: parameters.HashText, services: Parts) -> Response:
    """Send a settled epoch's bundle."""
    wanted = parameters.data_hash(data_hash)
    if not services.bundles.has(wanted):
        raise NotFoundError(f"there is no bundle {data_hash}; see dataHash in /v1/epochs")
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "ETag": f'"{data_hash}"',
    }
    return FileResponse(services.bundles.path(wanted), media_type=BUNDLE_TYPE, headers=headers)


@router.get(
    "/v1/accounts/{account}/earnings",
    tags=["accounts"],
    responses=answers(examples.earnings(), RequestError, StorageError),
)
def get_earnings(account: parameters.AddressText, services: Parts) -> api.Earnings:
    """Show what an account earned, by pool and by epoch."""
    return show_earnings(
        parameters.address(account), EARNINGS_ROWS, database=services.database
    )


@router.get(
    "/v1/accounts/{account}/epochs/{epoch}",
    tags=["accounts"],
    responses=answers(examples.account_epoch(), NotFoundError, RequestError, StorageError),
)
def get_account_epoch(
    account: parameters.AddressText, epoch: parameters.Epoch, services: Parts
) -> api.AccountEpoch:
    """Explain why an account earns so much in an epoch, settled or not, and show what was refused to it."""
    return explain_epoch(
        parameters.address(account),
        epoch,
        database=services.database,
        chain=services.chain,
        network=services.network,
        clock=services.clock,
    )


@router.get(
    "/v1/accounts/{account}/claim",
    tags=["accounts"],
    responses=answers(examples.claim(), NotFoundError, NotFinalError, RequestError, StorageError),
)
def get_claim(
    account: parameters.AddressText, services: Parts, epoch: parameters.MaybeEpoch = None
) -> api.Claim:
    """Prove what an account may claim, with call data ready to send."""
    return show_claim(
        parameters.address(account),
        epoch,
        database=services.database,
        network=services.network,
        bundles=services.bundles,
    )


@router.get("/healthz", tags=["operation"], responses=answers({"status": "ok"}, UnavailableError))
def get_health(services: Parts) -> dict[str, str]:
    """Tell that the process answers and that its jobs do not hang: restart it if not."""
    _require(health(services))
    return {"status": "ok"}


@router.get(
    "/readyz",
    tags=["operation"],
    responses=answers({"status": "ready"}, UnavailableError, StorageError),
)
def get_readiness(services: Parts) -> dict[str, str]:
    """Tell that database and chain work too, and that the chain was read in the last five minutes."""
    _require(readiness(services))
    return {"status": "ready"}


def _require(checks: Checks) -> None:
    for name, trouble in checks.items():
        if trouble is not None:
            # What failed may name an RPC or a folder, which is for the operator's port and no stranger.
            raise UnavailableError(f"this coordinator cannot use its {name} now; try again")


def _show_pools(services: Services, pool_id: int | None = None) -> list[api.Pool]:
    return show_pools(
        pool_id, database=services.database, network=services.network, clock=services.clock
    )


def _show_epochs(services: Services, first: int, last: int) -> list[api.Epoch]:
    return show_epochs(
        first, last, database=services.database, network=services.network, clock=services.clock
    )
