"""`streamrp2p pool` as a streamer runs it, against a real chain."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from streamrp2p import keys
from streamrp2p.allocation import Terms
from streamrp2p.cli_options import UsageError, exit_code_of, parse_address
from streamrp2p.http_api import UnreachableError
from streamrp2p.pool_cli import app
from streamrp2p.settlement import GENESIS, Settlement, settle
from streamrp2p.signatures import address_of
from streamrp2p.verify import Checked
from tests.support.chain import (
    NODE,
    ONE_TOKEN,
    POSTER,
    STRANGER,
    STREAMER,
    TICKET_SIGNER,
    WALLET_TOKENS,
    DeployedChain,
)
from tests.support.ports import find_free_port
from tests.support.sessions import known_key, make_record, make_ticket

ORIGIN = "0x" + "0a" * 20
SIGNER = "0x" + address_of(TICKET_SIGNER).hex()
STREAMER_ADDRESS = address_of(STREAMER)
integration = pytest.mark.integration


class Wallet:
    """Runs the command with one wallet and one chain."""

    def __init__(self, chain: DeployedChain, folder: Path, key: bytes, name: str) -> None:
        self.chain = chain
        self.key_file = folder / f"{name}.key"
        self.key_file.touch(mode=0o600)
        self.key_file.write_text("0x" + key.hex())

    def run(self, command: str, *options: str, rpc: str | None = None, answer: str = "") -> Result:
        arguments = [command, "--rpc", rpc or self.chain.rpc_url]
        arguments += ["--deployment", str(self.chain.deployment_file)]
        if command not in ("show", "list"):
            arguments += ["--key-file", str(self.key_file)]
        return CliRunner().invoke(app, [*arguments, *options], input=answer)

    def json(self, command: str, *options: str) -> dict[str, object]:
        result = self.run(command, *options, "--json")
        assert result.exit_code == 0, result.stderr
        shown: dict[str, object] = json.loads(result.stdout)
        return shown

    def create(self, *options: str) -> int:
        shown = self.json(
            "create", "--price-per-gb", "10.5", "--epoch-budget", "100", "--ticket-signer", SIGNER,
            "--origin-key", ORIGIN, "--origin-url", "http://127.0.0.1:8100/",
            "--max-bytes-per-second", "2000000", *options,
        )  # fmt: skip
        pool_id = shown["poolId"]
        assert isinstance(pool_id, int)
        return pool_id


@pytest.fixture
def streamer(deployed: DeployedChain, tmp_path: Path) -> Wallet:
    return Wallet(deployed, tmp_path, STREAMER, "streamer")


@pytest.fixture
def stranger(deployed: DeployedChain, tmp_path: Path) -> Wallet:
    return Wallet(deployed, tmp_path, STRANGER, "stranger")


@contextmanager
def coordinator_with(bundle: bytes) -> Iterator[str]:
    """Serve one bundle under every name."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(bundle)))
            self.end_headers()
            self.wfile.write(bundle)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def settle_epoch_0(chain: DeployedChain) -> Settlement:
    """Settle epoch 0, in which NODE delivered a gigabyte for pool 1, and commit it."""
    clock, viewer = chain.epoch_book.clock(), known_key(1)
    domain = chain.epoch_book.domain()
    ticket = make_ticket(node=address_of(NODE), viewer_key=viewer, issued_at=clock.start(0))
    record = make_record(
        ticket, domain=domain, ticket_key=TICKET_SIGNER, viewer_key=viewer, delivered=10**9
    )
    inputs = chain.reward_pools.pool_inputs(0)
    settlement = settle(domain, 0, GENESIS, inputs, [Checked(record)])
    chain.travel_to(clock.intake_end(0))
    chain.send(chain.epoch_book.commit_call(settlement.header), POSTER)
    return settlement


def finalise_epoch_0(chain: DeployedChain) -> None:
    chain.travel_to(chain.epoch_book.status(0).challenge_ends_at or 0)
    chain.send(chain.epoch_book.finalise_call(0), STRANGER)


@integration
def test_pool_is_created_and_funded_in_two_transactions(
    deployed: DeployedChain, streamer: Wallet
) -> None:
    before = deployed.epoch_book.latest_block()
    pool_id = streamer.create("--amount", "12.5")
    assert deployed.epoch_book.latest_block() == before + 2
    pool = deployed.reward_pools.pool(pool_id)
    assert pool is not None
    assert (pool.streamer, pool.remaining) == (STREAMER_ADDRESS, 12_500_000_000_000_000_000)
    assert (pool.stream.uri, pool.stream.max_bytes_per_second) == (
        "http://127.0.0.1:8100",
        2_000_000,
    )
    assert deployed.reward_pools.terms_at(pool_id, 0) == Terms(
        10_500_000_000_000_000_000, 100 * ONE_TOKEN, address_of(TICKET_SIGNER)
    )


@integration
def test_pool_is_shown_to_people_and_to_machines(streamer: Wallet) -> None:
    pool_id = streamer.create("--amount", "12.5")
    text = streamer.run("show", "--pool", str(pool_id)).stdout
    assert "state          open" in text
    assert "funded         12.5 SRP" in text
    assert "price per GB   10.5 SRP" in text
    shown = streamer.json("show", "--pool", str(pool_id))
    assert shown["funded"] == shown["remaining"] == "12500000000000000000"
    assert shown["terms"] == {
        "pricePerGB": "10500000000000000000",
        "epochBudget": "100000000000000000000",
        "ticketSigner": SIGNER,
    }
    assert (shown["state"], shown["closedFromEpoch"], shown["decimals"]) == ("open", None, 18)


@integration
def test_pools_are_listed_by_streamer(streamer: Wallet, stranger: Wallet) -> None:
    assert "no pools" in streamer.run("list").stdout
    first, second = streamer.create(), stranger.create("--amount", "1")
    everything = streamer.json("list")["pools"]
    own = streamer.json("list", "--streamer", "0x" + STREAMER_ADDRESS.hex())["pools"]
    assert isinstance(everything, list)
    assert isinstance(own, list)
    assert [pool["poolId"] for pool in everything] == [first, second]
    assert [pool["poolId"] for pool in own] == [first]
    assert "1 SRP" in streamer.run("list").stdout


@integration
def test_anyone_deposits_in_tokens_or_base_units(streamer: Wallet, stranger: Wallet) -> None:
    pool = str(streamer.create())
    by_permit = stranger.json("deposit", "--pool", pool, "--amount", "0.000000000000000005")
    assert (by_permit["credited"], by_permit["way"]) == ("5", "permit")
    approved = stranger.json(
        "deposit", "--pool", pool, "--amount", "7", "--base-units", "--no-permit"
    )
    assert (approved["credited"], approved["way"]) == ("7", "approval")
    assert streamer.json("show", "--pool", pool)["remaining"] == "12"


@integration
def test_terms_change_from_the_next_epoch_and_keep_what_is_not_named(
    deployed: DeployedChain, streamer: Wallet
) -> None:
    pool_id = streamer.create()
    shown = streamer.json("terms", "--pool", str(pool_id), "--epoch-budget", "1")
    assert shown["fromEpoch"] == 1
    terms = deployed.reward_pools.terms_at(pool_id, 1)
    assert (terms.epoch_budget, terms.price_per_gb) == (ONE_TOKEN, 10_500_000_000_000_000_000)
    assert deployed.reward_pools.terms_at(pool_id, 0).epoch_budget == 100 * ONE_TOKEN
    streamer.json("terms", "--pool", str(pool_id), "--price-per-gb", "2", "--from-epoch", "5")
    assert deployed.reward_pools.terms_at(pool_id, 5) == Terms(
        2 * ONE_TOKEN, ONE_TOKEN, address_of(TICKET_SIGNER)
    )


@integration
def test_stream_record_changes_at_once(deployed: DeployedChain, streamer: Wallet) -> None:
    pool_id = streamer.create()
    streamer.json("stream", "--pool", str(pool_id), "--origin-url", "https://live.example")
    pool = deployed.reward_pools.pool(pool_id)
    assert pool is not None
    assert (pool.stream.uri, "0x" + pool.stream.origin_key.hex()) == (
        "https://live.example",
        ORIGIN,
    )


@integration
def test_closed_pool_is_refunded_to_the_unit(deployed: DeployedChain, streamer: Wallet) -> None:
    pool = str(streamer.create("--amount", "100"))
    closed = streamer.json("close", "--pool", pool, "--yes")
    assert closed["closedFromEpoch"] == 1
    settlement = settle_epoch_0(deployed)
    with coordinator_with(settlement.bundle.encode()) as url:
        early = streamer.run("refund", "--pool", pool, "--coordinator", url, "--yes")
        assert early.exit_code == 3
        assert "epoch 0, the last in which pool 1 is open, is not final yet" in early.stderr
        finalise_epoch_0(deployed)
        to = "0x" + "0b" * 20
        refunded = streamer.json(
            "refund", "--pool", pool, "--coordinator", url, "--to", to, "--yes"
        )
        again = streamer.run("refund", "--pool", pool, "--coordinator", url, "--yes")
    assert (refunded["refunded"], refunded["to"]) == ("89500000000000000000", to)
    assert deployed.token.balance_of(parse_address(to, "")) == 89_500_000_000_000_000_000
    assert (again.exit_code, "refunded already" in again.stderr) == (1, True)
    assert streamer.json("show", "--pool", pool)["state"] == "refunded"


@integration
def test_refund_asks_with_the_amount_and_does_nothing_on_no(
    deployed: DeployedChain, streamer: Wallet
) -> None:
    pool = str(streamer.create("--amount", "100"))
    streamer.json("close", "--pool", pool, "--yes")
    settlement = settle_epoch_0(deployed)
    finalise_epoch_0(deployed)
    with coordinator_with(settlement.bundle.encode()) as url:
        refused = streamer.run("refund", "--pool", pool, "--coordinator", url, answer="n\n")
    assert "Refund 89.5 SRP of pool 1 to 0x" + STREAMER_ADDRESS.hex() in refused.stderr
    assert refused.exit_code == 2
    assert streamer.json("show", "--pool", pool)["remaining"] == "100000000000000000000"


@integration
def test_forged_bundle_gives_no_refund(deployed: DeployedChain, streamer: Wallet) -> None:
    pool = str(streamer.create("--amount", "100"))
    streamer.json("close", "--pool", pool, "--yes")
    settlement = settle_epoch_0(deployed)
    finalise_epoch_0(deployed)
    forged = bytearray(settlement.bundle.encode())
    forged[-1] ^= 1
    with coordinator_with(bytes(forged)) as url:
        result = streamer.run("refund", "--pool", pool, "--coordinator", url, "--yes")
    assert (result.exit_code, "another mirror" in result.stderr) == (1, True)


@integration
def test_closing_needs_a_yes(deployed: DeployedChain, streamer: Wallet) -> None:
    pool = str(streamer.create())
    assert streamer.run("close", "--pool", pool, answer="n\n").exit_code == 2
    unanswered = streamer.run("close", "--pool", pool)
    assert (unanswered.exit_code, "add --yes" in unanswered.stderr) == (2, True)
    assert streamer.json("show", "--pool", pool)["state"] == "open"
    assert streamer.run("close", "--pool", pool, answer="y\n").exit_code == 0
    assert streamer.json("show", "--pool", pool)["state"] == "closing"
    deployed.travel_to(deployed.epoch_book.clock().start(1))
    assert streamer.json("show", "--pool", pool)["state"] == "closed"


@integration
def test_keystore_opens_with_a_password_file(
    deployed: DeployedChain, streamer: Wallet, tmp_path: Path
) -> None:
    pool = str(streamer.create())
    keystore, password = tmp_path / "wallet.json", tmp_path / "password"
    keys.create_keystore(keystore, "correct horse", STRANGER, scrypt_n=1 << 10)
    arguments = [
        "deposit", "--rpc", deployed.rpc_url, "--deployment", str(deployed.deployment_file),
        "--pool", pool, "--amount", "1", "--keystore", str(keystore), "--password-file", str(password),
    ]  # fmt: skip
    password.write_text("wrong\n")
    refused = CliRunner().invoke(app, arguments)
    assert (refused.exit_code, "does not open" in refused.stderr) == (2, True)
    password.write_text("correct horse\n")
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert streamer.json("show", "--pool", pool)["remaining"] == str(ONE_TOKEN)


@integration
def test_each_mistake_has_its_message_and_exit_code(
    deployed: DeployedChain, streamer: Wallet, stranger: Wallet, tmp_path: Path
) -> None:
    pool = str(streamer.create())
    dead = f"http://127.0.0.1:{find_free_port()}"

    def expect(result: Result, exit_code: int, said: str) -> None:
        assert (result.exit_code, said in result.stderr) == (exit_code, True), result.stderr
        assert result.stderr.count("\n") == 1
        assert result.stdout == ""

    more = str(WALLET_TOKENS // ONE_TOKEN + 1)
    expect(
        stranger.run("deposit", "--pool", pool, "--amount", more), 1, f"the deposit needs {more};"
    )
    expect(stranger.run("deposit", "--pool", pool, "--amount", "1e3"), 2, "an amount is like")
    expect(stranger.run("deposit", "--pool", pool, "--amount", "0"), 1, "NothingDeposited")
    expect(stranger.run("deposit", "--pool", "9", "--amount", "1"), 1, "there is no pool 9")
    expect(stranger.run("close", "--pool", pool, "--yes"), 1, "belongs to 0x")
    expect(stranger.run("terms", "--pool", pool), 2, "name at least one of")
    expect(streamer.run("terms", "--pool", pool, "--price-per-gb", "1", "--from-epoch", "1",
                        rpc=dead), 3, "does not answer")  # fmt: skip
    past = ["--price-per-gb", "1", "--from-epoch", "1"]
    deployed.travel_to(deployed.epoch_book.clock().start(1))
    expect(streamer.run("terms", "--pool", pool, *past), 1, "RewardPools_EpochBegun")
    expect(streamer.run("refund", "--pool", pool, "--coordinator", dead), 1, "close it first")

    wrong = tmp_path / "wrong.json"
    replace(deployed.deployment, chain_id=1).save(wrong)
    expect(streamer.run("show", "--pool", pool, "--deployment", str(wrong)), 2, "expected chain 1")
    wrong.write_text("{}")
    expect(streamer.run("show", "--pool", pool, "--deployment", str(wrong)), 2, "chainId")


@integration
def test_failed_deposit_of_a_new_pool_is_foreseen_before_it_is_created(
    deployed: DeployedChain, streamer: Wallet
) -> None:
    result = streamer.run(
        "create", "--price-per-gb", "1", "--epoch-budget", "1", "--ticket-signer", SIGNER,
        "--origin-key", ORIGIN, "--origin-url", "http://127.0.0.1:8100",
        "--max-bytes-per-second", "1", "--amount", "99999999",
    )  # fmt: skip
    assert (result.exit_code, "the wallet holds" in result.stderr) == (1, True)
    assert deployed.reward_pools.pool_count() == 0


def test_help_of_every_command_needs_no_chain() -> None:
    for command in ("create", "deposit", "terms", "stream", "close", "refund", "show", "list"):
        result = CliRunner().invoke(app, [command, "--help"])
        assert (result.exit_code, "--json" in result.stdout) == (0, True)


def test_no_option_takes_a_secret_itself() -> None:
    names = {
        name
        for command in ("create", "deposit", "terms", "stream", "close", "refund")
        for name in CliRunner().invoke(app, [command, "--help"]).stdout.split()
        if name.startswith("--")
    }
    assert {"--key-file", "--password-file"} <= names
    assert not {"--key", "--private-key", "--password"} & names


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "0x and 40 hex digits"),
        ("0x1234", "0x and 40 hex digits"),
        ("f39fd6e51aad88f6f4ce6ab8827279cfffb92266", "0x and 40 hex digits"),
        ("0x" + "zz" * 20, "0x and 40 hex digits"),
        ("0x" + "00" * 20, "zero address"),
        ("0xF39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "checksum"),
    ],
)
def test_address_with_a_mistake_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_address(text, "--to")


def test_address_is_read_with_its_checksum_or_without() -> None:
    expected = bytes.fromhex("f39fd6e51aad88f6f4ce6ab8827279cfffb92266")
    assert parse_address("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "--to") == expected
    assert parse_address("0x" + expected.hex(), "--to") == expected


def test_exit_codes_tell_retryable_from_wrong_use() -> None:
    assert exit_code_of(UnreachableError("down")) == 3
    assert exit_code_of(UsageError("wrong")) == 2
