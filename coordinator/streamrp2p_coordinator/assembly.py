"""Put a coordinator together from its settings, checking each part before it is used."""

import time
from functools import partial

import structlog

from streamrp2p.chain import Deployment, Fees, connect
from streamrp2p.keys import load_keystore, load_private_text, read_password
from streamrp2p.notifications import Notifier, sender
from streamrp2p.traces import traces_to
from streamrp2p_coordinator.bundles import Bundles
from streamrp2p_coordinator.chain import Chain
from streamrp2p_coordinator.database import open_database
from streamrp2p_coordinator.errors import ConfigurationError
from streamrp2p_coordinator.findings import judge_clock, judge_poster
from streamrp2p_coordinator.leadership import Leadership
from streamrp2p_coordinator.metrics import Metrics
from streamrp2p_coordinator.migrate import migrate
from streamrp2p_coordinator.network import Clock, Signer
from streamrp2p_coordinator.outside.look import Outside
from streamrp2p_coordinator.outside.rate_limit import RateLimit
from streamrp2p_coordinator.probing.prober import ProbePlan, Prober
from streamrp2p_coordinator.probing.routes import routes
from streamrp2p_coordinator.remote_signer import remote_signers
from streamrp2p_coordinator.sdk_chain import SdkChain
from streamrp2p_coordinator.services import Services, address_if_up, system_clock
from streamrp2p_coordinator.settings import Settings

MIN_TOKEN_CHARACTERS = 32

log = structlog.get_logger()


def assemble(settings: Settings, clock: Clock = system_clock) -> Services:
    """Open keys, chain and database; migrates the database.

    Raises ConfigurationError and others of StreamrP2PError, each saying what to change; retryable ones if the chain
    or the database does not answer.
    """
    deployment = Deployment.load(settings.deployment)
    chain = SdkChain(
        connect(settings.rpc_url, deployment.chain_id),
        deployment,
        settings.confirmations,
        ceiling=Fees(settings.max_fee_wei, settings.max_priority_fee_wei),
        urgent_ceiling=Fees(settings.max_answer_fee_wei, settings.max_answer_fee_wei),
    )
    network = chain.network()
    poster, ticket_signer = load_signers(settings)
    check_clock(chain, clock, settings.max_clock_skew_seconds)
    check_poster(chain, poster)
    database = open_database(settings.database_url)
    migrate(database)
    metrics = Metrics()
    database.writing = metrics.writing
    leadership = Leadership(database, clock)
    metrics.leads = lambda: leadership.term is not None
    policy = settings.policy()
    return Services(
        database=database,
        leadership=leadership,
        chain=chain,
        network=network,
        policy=policy,
        bundles=Bundles(settings.bundle_dir),
        poster=poster,
        ticket_signer=ticket_signer,
        look=Outside(network.domain, clock, settings.allow_local_networks).look,
        remote_signers=remote_signers(
            settings.ticket_signers, poster, network.domain, clock, metrics.asked
        ),
        clock=clock,
        probe=partial(address_if_up, allow_local_networks=settings.allow_local_networks),
        health_seconds=settings.health_seconds,
        metrics=metrics,
        prober=Prober(
            probe_plan(settings), database, network, policy, ticket_signer, clock, metrics
        ),
        notifier=notifier(settings),
        low_balance_wei=settings.low_balance_wei,
        posts=post_limit(settings),
        traces=traces_to(settings.traces_endpoint, "coordinator"),
        admin_token=admin_token(settings),
        dashboard_origins=settings.dashboard_origins,
    )


def load_signers(settings: Settings) -> tuple[Signer, Signer]:
    """Open both keystores: the poster's and the ticket signer's."""
    poster = read_password(
        file=settings.poster_password_file, prompt="Password of the poster's keystore: "
    )
    ticket_signer = read_password(
        file=settings.ticket_signer_password_file,
        prompt="Password of the ticket signer's keystore: ",
    )
    return (
        Signer.of(load_keystore(settings.poster_keystore, poster)),
        Signer.of(load_keystore(settings.ticket_signer_keystore, ticket_signer)),
    )


def notifier(settings: Settings) -> Notifier | None:
    """Make what tells the operator of troubles."""
    file = settings.notify_urls_file
    return None if file is None else Notifier("coordinator", sender(file), time.monotonic)


def probe_plan(settings: Settings) -> ProbePlan:
    """Return how probes are sent; raises ConfigurationError, or KeystoreError for a file that others may read."""
    file = settings.probe_proxies_file
    proxies = () if file is None else load_private_text(file).split()
    return ProbePlan(
        routes(proxies, allow_local_networks=settings.allow_local_networks),
        settings.probe_site,
        settings.probe_seconds,
        settings.probe_watch_seconds,
        settings.max_probes,
    )


def post_limit(settings: Settings) -> RateLimit | None:
    """Return how often one address may post."""
    if not settings.posts_per_second:
        return None
    return RateLimit(settings.post_burst, 1 / settings.posts_per_second)


def admin_token(settings: Settings) -> str | None:
    """Read the operator's token; raises KeystoreError for a file that others may read."""
    if settings.admin_token_file is None:
        return None
    token = load_private_text(settings.admin_token_file)
    if len(token) < MIN_TOKEN_CHARACTERS or not token.isascii():
        raise ConfigurationError(
            f"{settings.admin_token_file} must hold a token of at least {MIN_TOKEN_CHARACTERS} letters and digits; "
            "make one with: openssl rand -hex 32"
        )
    return token


def check_clock(chain: Chain, clock: Clock, max_skew_seconds: int) -> None:
    """Refuse a clock that is behind the chain: it would judge by yesterday's rules. Warn of one that is ahead."""
    now, newest = clock(), chain.newest().time
    found = judge_clock(now, newest, max_skew_seconds)
    if found.level == "fail":
        raise ConfigurationError(found.advice)
    if found.level == "warn":
        log.warning("clock_ahead_of_chain", seconds=now - newest, advice=found.todo)


def check_poster(chain: Chain, poster: Signer) -> None:
    """Refuse a key that is not the book's poster: what it acknowledged, nobody would have to pay."""
    found = judge_poster(poster.address, chain.book())
    if found.level == "fail":
        raise ConfigurationError(found.advice)
