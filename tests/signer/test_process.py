"""A real signer: made on a real chain, killed between its log and its answer, started again."""

import stat
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from streamrp2p import api
from streamrp2p.client import UnreachableError
from streamrp2p.http_api import ApiError
from streamrp2p.numbers import Address
from streamrp2p.signatures import address_of, check_signer
from streamrp2p.signer_client import SignerClient
from streamrp2p.typed_data import SessionTicket
from streamrp2p_signer.folder import Folder
from tests.signer import world
from tests.signer.process import DYING, Signer, signer_over
from tests.support.chain import POSTER, SHORT_EPOCHS, DeployedChain, running_chain

pytestmark = pytest.mark.integration

TICKET_BYTES = 10**8


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployedChain]:
    """Run a chain whose first epoch is not over before the tests are."""
    folder = tmp_path_factory.mktemp("chain")
    with running_chain(folder, replace(SHORT_EPOCHS, epoch_seconds=3_600)) as chain:
        yield chain


@pytest.fixture(scope="module")
def signer(deployed: DeployedChain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signer]:
    """Make a signer with a budget of two tickets of pool 1."""
    with signer_over(deployed, tmp_path_factory.mktemp("signer")) as signer:
        budgets = {"epoch_budget": "20", "day_budget": "20"}
        signer.serve_pool(1, price_per_gb="100", max_ticket_bytes=TICKET_BYTES, **budgets)
        yield signer


def wanted(chain: DeployedChain, nonce: int) -> SessionTicket:
    """Return a ticket of the current epoch, which lasts long enough for the test."""
    now = int(time.time())
    epochs = chain.epoch_book.clock()
    epoch = epochs.at(now)
    node, viewer = Address(b"\x01" * 20), Address(b"\x02" * 20)
    return SessionTicket(1, epoch, node, viewer, TICKET_BYTES, now, epochs.end(epoch), nonce)


def ask(chain: DeployedChain, ticket: SessionTicket) -> api.TicketAsk:
    domain = chain.epoch_book.domain()
    return world.ask(ticket, int(time.time()), key=POSTER, domain=domain)


def test_killed_between_log_and_answer_it_has_spent_a_tickets_budget_once(
    deployed: DeployedChain, signer: Signer
) -> None:
    first = wanted(deployed, 1)
    with SignerClient(signer.url, timeout_seconds=60) as client:
        signer.start(DYING)
        with pytest.raises(UnreachableError):
            client.sign(ask(deployed, first))
        assert signer.wait_for_death() == -9
        (pool,) = signer.status()["pools"]
        assert (pool["epochWorth"], pool["dayWorth"], pool["openSessions"]) == ("10", "10", 1)

        signer.start()
        signed = client.sign(ask(deployed, first))
        digest = first.digest(deployed.epoch_book.domain())
        check_signer(digest, signed.signature, signer.address, "the signer")
        assert client.sign(ask(deployed, first)) == signed
        client.sign(ask(deployed, replace(first, nonce=2)))
        with pytest.raises(ApiError) as refused:
            client.sign(ask(deployed, replace(first, nonce=3)))
    assert refused.value.slug in {"over-epoch-budget", "over-day-budget"}
    status = signer.status()
    assert status["ticketSigner"] == "0x" + signer.address.hex()
    assert status["pools"][0]["epochWorth"] == "20"
    assert [ticket["sessionId"] for ticket in status["newestTickets"]][1:] == [
        "0x" + first.session_id.hex()
    ]
    assert signer.stop() == 0
    assert "Traceback" not in (signer.folder / "output").read_text()


def test_init_reads_the_chain_and_makes_a_key_for_its_owner_alone(
    deployed: DeployedChain, signer: Signer
) -> None:
    folder = Folder(signer.folder)
    settings = folder.load_settings()
    assert settings.domain() == deployed.epoch_book.domain()
    assert settings.epochs().genesis == deployed.epoch_book.rules.genesis
    assert settings.askers == [address_of(POSTER)]
    assert stat.S_IMODE(folder.key.stat().st_mode) == 0o600
    assert address_of(folder.load_key()) == signer.address
