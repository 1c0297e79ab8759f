"""Whether the epochs were settled right, and every base unit is where it belongs."""

from collections.abc import Mapping

from streamrp2p.numbers import Address
from streamrp2p_demo.checks.outcome import Failed, Outcome, Passed, listed
from streamrp2p_demo.facts import Facts


def epochs_are_final(facts: Facts) -> Outcome:
    """Demand that as many epochs as were asked for are final and paid for sessions."""
    final = [epoch.epoch for epoch in facts.epochs if epoch.is_final and epoch.spend() > 0]
    wanted = facts.epochs_wanted
    if len(final) < wanted:
        return Failed(f"{len(final)} epochs with sessions are final, wanted {wanted}: {final}")
    return Passed(f"{len(final)} epochs with sessions are committed and final: {listed(final)}")


def audits_are_identical(facts: Facts) -> Outcome:
    """Demand that the auditor calls every committed epoch byte-identical."""
    wrong = [
        f"epoch {epoch.epoch}: exit {epoch.audit_exit_code}, {epoch.audit_verdict}"
        for epoch in facts.epochs
        if epoch.audit_exit_code != 0
    ]
    if wrong or not facts.epochs:
        return Failed("; ".join(wrong) or "no epoch was committed")
    return Passed(f"{len(facts.epochs)} of {len(facts.epochs)} epochs audited byte-identical")


def claims_equal_audit(facts: Facts) -> Outcome:
    """Demand that each node's balance on chain is what the audited claims tree says, to the unit."""
    rewards = rewards_of(facts)
    for node in facts.nodes:
        reward = rewards.get(node.node, 0)
        if node.claim_exit_code != 0:
            return Failed(f"{node.name} could not claim (exit {node.claim_exit_code})")
        if not node.balance == node.claimed == reward:
            return Failed(
                f"{node.name} holds {node.balance}, the contract says it claimed {node.claimed}, "
                f"the audit says {reward}"
            )
    if not facts.nodes or not any(node.balance for node in facts.nodes):
        return Failed("no node was paid anything")
    total = sum(node.balance for node in facts.nodes)
    return Passed(
        f"{len(facts.nodes)} nodes hold {total} base units, to the unit what the audit says"
    )


def pool_is_balanced(facts: Facts) -> Outcome:
    """Demand that the pool was funded with what it paid and what it still holds."""
    pool = facts.pool
    numbers = f"funded {pool.funded}, paid {pool.paid}, remaining {pool.remaining}"
    if pool.funded != pool.paid + pool.remaining:
        return Failed(f"{numbers}: they do not add up")
    if pool.contract_balance != pool.remaining:
        return Failed(f"{numbers}, but the contract holds {pool.contract_balance}")
    claimed = sum(node.claimed for node in facts.nodes)
    if pool.paid != claimed:
        return Failed(f"{numbers}, but the nodes claimed {claimed}")
    return Passed(numbers)


def rewards_of(facts: Facts) -> Mapping[Address, int]:
    """Return each account's cumulative reward by the audit of the newest final epoch."""
    final = [epoch for epoch in facts.epochs if epoch.is_final]
    return max(final, key=lambda epoch: epoch.epoch).audited_rewards if final else {}
