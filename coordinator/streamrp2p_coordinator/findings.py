"""What `coordinator doctor` finds, and what keeps `run` from starting: judgements of plain facts, with what to do."""

import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from streamrp2p.api import SignerFacts
from streamrp2p.errors import StreamrP2PError
from streamrp2p.keys import is_open_to_others
from streamrp2p.numbers import Address
from streamrp2p.typed_data import Domain
from streamrp2p_coordinator.chain import Book
from streamrp2p_coordinator.repositories.leaders import Term
from streamrp2p_coordinator.troubles import LOW_DISK_BYTES

Level = Literal["ok", "warn", "fail"]

TOO_FEW_BYTES = 64 * 10**6
"""With less room than this a single epoch's bundle may not fit."""
CERTIFICATE_DAYS = 14
"""A certificate that is not renewed so long before its end will not be renewed by itself."""
GAS_RESERVE = 2_100_000
"""What a bond, a commit, a finality and the dearest answer to a demand take together (docs/gas.md)."""

LOCAL_CHAINS = frozenset({1337, 31337})
"""The ids of chains for development, which reorganise only when they are told to."""

SHOWN = 10
"""So many epochs are named."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `todo` says what to do, and is empty where all is well."""

    check: str
    level: Level
    says: str
    todo: str = ""
    may_pass: bool = False
    """Whether a failure may pass without a change."""

    @property
    def advice(self) -> str:
        """What it says, and what to do."""
        return f"{self.says}; {self.todo}" if self.todo else self.says

    @classmethod
    def of(cls, check: str, error: StreamrP2PError) -> "Finding":
        """Make the finding of a failure, whose text says what to do itself."""
        return cls(check, "fail", str(error), may_pass=error.retryable)


def exit_code(findings: Sequence[Finding]) -> int:
    """Return 0 without a failure, 2 when something must be changed, 3 when all failures may pass by themselves."""
    failures = [finding for finding in findings if finding.level == "fail"]
    if not failures:
        return 0
    return 3 if all(finding.may_pass for finding in failures) else 2


def judge_private_file(check: str, path: Path, mode: int | None) -> Finding:
    """Judge a file with a secret by its mode; None: it is not there."""
    if mode is None:
        return Finding(check, "fail", f"{path} does not exist", "restore it, or correct its path")
    if is_open_to_others(mode):
        shown = f"{stat.S_IMODE(mode):o}"
        return Finding(check, "fail", f"others may read {path} (mode {shown})", f"chmod 600 {path}")
    return Finding(check, "ok", f"{path} is its owner's alone")


def judge_poster(key: Address, book: Book) -> Finding:
    """Judge whether the keystore's key is the book's poster."""
    if key == book.poster:
        return Finding("poster", "ok", f"0x{key.hex()} is the book's poster")
    return Finding(
        "poster",
        "fail",
        f"the keystore's key is 0x{key.hex()}, but the book's poster is 0x{book.poster.hex()}",
        "use its keystore, or the deployment file of the right chain",
    )


def judge_confirmations(blocks: int, chain_id: int) -> Finding:
    """Judge after how many blocks one counts: a chain that is not of this machine may take any back."""
    if blocks or chain_id in LOCAL_CHAINS:
        return Finding("confirmations", "ok", f"a block counts once {blocks} follow it")
    return Finding(
        "confirmations",
        "warn",
        f"each block counts at once, and chain {chain_id} may take some back",
        "set confirmations to as many blocks as its reorganisations have at most",
    )


def judge_ticket_signer(
    pool_id: int,
    facts: SignerFacts,
    domain: Domain,
    asker: Address,
    current: Address | None,
    coming: Address | None,
) -> Finding:
    """Judge what a streamer's signer says of itself by the pool's ticket signers on chain, in this epoch and the next.

    None: the pool is not open then.
    """
    check = f"ticket signer of pool {pool_id}"
    own = Address(facts.ticket_signer)
    if (facts.chain_id, facts.epoch_book) != (domain.chain_id, domain.epoch_book):
        return Finding(
            check,
            "fail",
            f"it signs for chain {facts.chain_id} and the book 0x{facts.epoch_book.hex()}",
            "let the streamer make it with this deployment file, or correct ticket_signers",
        )
    if pool_id not in facts.pools or asker not in facts.askers:
        missing = f"[pools.{pool_id}]" if asker in facts.askers else f"the asker 0x{asker.hex()}"
        return Finding(
            check,
            "fail",
            f"its signer.toml lacks {missing}",
            "let the streamer add that and start it again",
        )
    if own not in (current, coming):
        named = "nobody" if current is None else f"0x{current.hex()}"
        return Finding(
            check,
            "fail",
            f"it has the key of 0x{own.hex()}, but the pool's terms name {named}",
            "let the streamer change them: streamrp2p pool terms --ticket-signer",
        )
    if own != current:
        return Finding(check, "warn", "the pool's terms name it from the next epoch on", "wait")
    return Finding(check, "ok", f"answers, and has the key of 0x{own.hex()}")


def judge_balance(balance_wei: int, book: Book, gas_price_wei: int) -> Finding:
    """Judge whether the poster can pay what is missing of its bond, and gas for what may come at once."""
    bond_wei = max(book.required_bond_wei - book.bond_wei, 0)
    gas_wei = GAS_RESERVE * gas_price_wei
    says = f"the poster has {balance_wei} wei; {bond_wei} are missing of the bond, {gas_wei} are wise for gas"
    if balance_wei < bond_wei:
        return Finding("balance", "fail", says, "send ether to the poster: it cannot commit")
    if balance_wei < bond_wei + gas_wei:
        return Finding("balance", "warn", says, "send ether to the poster")
    return Finding("balance", "ok", says)


def judge_clock(now: int, newest_block_time: int, max_skew_seconds: int) -> Finding:
    """Judge this machine's clock by the chain's newest block, both in Unix seconds."""
    skew_seconds = now - newest_block_time
    if skew_seconds < -max_skew_seconds:
        return Finding(
            "clock",
            "fail",
            f"this machine's clock is {-skew_seconds} s behind the chain's newest block",
            "set it right (for example with NTP), or raise max_clock_skew_seconds on a private chain",
        )
    if skew_seconds > max_skew_seconds:
        return Finding(
            "clock",
            "warn",
            f"{skew_seconds} s ahead of the chain's newest block",
            "set it right with NTP; if it is right, the chain makes no blocks",
        )
    return Finding("clock", "ok", f"{skew_seconds:+} s from the chain's newest block")


def judge_revision(found: str | None, known: Sequence[str]) -> Finding:
    """Judge a database's schema by the revisions that this version knows, rising; None: no schema yet."""
    if found == known[-1]:
        return Finding("database schema", "ok", f"revision {found}")
    if found is None or found in known:
        return Finding(
            "database schema",
            "warn",
            f"revision {found or 'none'}, this version works with {known[-1]}",
            "`streamrp2p coordinator migrate`, or just `run`; make a backup first",
        )
    return Finding(
        "database schema",
        "fail",
        f"revision {found} is of a newer version",
        "install that version of the coordinator again",
    )


def judge_room(what: str, folder: Path, free_bytes: int) -> Finding:
    """Judge the room on a folder's disk."""
    check, says = f"disk of {what}", f"{free_bytes // 10**6} MB are free at {folder}"
    if free_bytes >= LOW_DISK_BYTES:
        return Finding(check, "ok", says)
    return Finding(check, "fail" if free_bytes < TOO_FEW_BYTES else "warn", says, "make room")


def judge_certificate(check: str, ends_at: int, now: int) -> Finding:
    """Judge a certificate that browsers accept today by when it ends; both in Unix seconds."""
    days = (ends_at - now) // 86_400
    says = f"its certificate ends in {days} days"
    if days >= CERTIFICATE_DAYS:
        return Finding(check, "ok", says)
    return Finding(check, "warn", says, "renew it, and see why that did not happen by itself")


def judge_bundles(folder: Path, settled: int, missing: Sequence[int]) -> Finding:
    """Judge whether the bundle of each settled epoch is there, whole; `missing` names the epochs without."""
    if not missing:
        return Finding("bundles", "ok", f"{settled} settled epochs, each with its bundle")
    shown = ", ".join(map(str, missing[:SHOWN])) + (", ..." if len(missing) > SHOWN else "")
    return Finding(
        "bundles",
        "fail",
        f"{len(missing)} of {settled} settled epochs have no whole bundle in {folder}: {shown}",
        "copy them back from a backup, a mirror or another coordinator: a demand for them could not be answered",
    )


def judge_leader(newest: Term | None, *, is_led: bool) -> Finding:
    """Judge whether a process settles and posts."""
    if newest is not None and is_led:
        return Finding("leader", "ok", f"{newest.name} leads, in term {newest.number}")
    return Finding(
        "leader",
        "warn",
        "no process settles and posts",
        "start `streamrp2p coordinator run` (without --api-only)",
    )
