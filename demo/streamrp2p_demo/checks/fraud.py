"""Whether the poster that lied was caught, and whether the honest chain went on."""

from streamrp2p.amounts import format_ether
from streamrp2p_demo.checks.outcome import Failed, Outcome, Passed
from streamrp2p_demo.facts import Challenge, EpochFacts, Facts, FraudFacts, Inflation

BAD_SESSION = "Challenges.badSession"


def inflation_is_voided(facts: Facts) -> Outcome:
    """Demand that the watchman voided the inflated header in time and was paid, and that the honest one stands."""
    fraud = facts.fraud
    if fraud is None or fraud.inflation is None:
        return Failed("the inflating poster posted no wrong header")
    inflation = fraud.inflation
    challenge = next(
        (one for one in fraud.challenges if one.header_hash == inflation.header_hash), None
    )
    if challenge is None:
        return Failed(f"the inflated header of epoch {inflation.epoch} was not voided")
    honest = next((one for one in facts.epochs if one.epoch == inflation.epoch), None)
    failure = _challenge_failure(fraud, challenge) or _chain_failure(fraud, inflation, honest)
    if failure is not None:
        return Failed(failure)
    return Passed(
        f"epoch {inflation.epoch} settled {inflation.settled_bytes:,} bytes where "
        f"{inflation.signed_bytes:,} were signed for; voided by 0x{challenge.transaction_hash.hex()} "
        f"{challenge.seconds_left} s before its window's end; {format_ether(challenge.reward_wei)} of the bond "
        f"credited to the watchman, {format_ether(challenge.burned_wei)} burned; "
        "bonded again, and the honest header is final",
        f"BadSession ({BAD_SESSION})",
    )


def _challenge_failure(fraud: FraudFacts, challenge: Challenge) -> str | None:
    if challenge.function != BAD_SESSION:
        return f"voided by {challenge.function}, not by {BAD_SESSION}"
    if challenge.challenger != fraud.watcher:
        return f"0x{challenge.challenger.hex()} was credited, not the watchman"
    if challenge.seconds_left <= 0:
        return f"voided {-challenge.seconds_left} s after the end of its window"
    slashed = challenge.reward_wei + challenge.burned_wei
    if (slashed, challenge.reward_wei) != (fraud.required_bond_wei, slashed // 2):
        return (
            f"{format_ether(challenge.reward_wei)} of {format_ether(slashed)} credited, "
            f"expected half of {format_ether(fraud.required_bond_wei)}"
        )
    if fraud.credit_wei != challenge.reward_wei:
        return f"the book owes the watchman {format_ether(fraud.credit_wei)}"
    return None


def _chain_failure(
    fraud: FraudFacts, inflation: Inflation, honest: EpochFacts | None
) -> str | None:
    if len(fraud.challenges) != 1:
        return f"{len(fraud.challenges)} headers were voided, expected one"
    if fraud.bond_wei < fraud.required_bond_wei:
        return f"the poster has bonded {format_ether(fraud.bond_wei)} since"
    if honest is None or not honest.is_final:
        return f"epoch {inflation.epoch} has no final header"
    paid = [one for one in honest.records() if one.session_id == inflation.session_id]
    if [one.receipt.bytes_delivered for one in paid] != [inflation.signed_bytes]:
        return f"epoch {inflation.epoch} does not pay what the viewer signed for"
    return None
