"""The independent implementation recomputes every golden vector."""

from typing import Any

import pytest
from eth_abi.abi import decode
from eth_account import Account

from tests.differential.oracle import messages, rules, trees
from tests.differential.oracle.bundle import (
    HEADER,
    PoolTerms,
    cut,
    header_bytes,
    header_of,
    is_consistent,
    settle,
)
from tests.differential.oracle.hashing import keccak
from tests.differential.vectors import NAMES, load


def cases(name: str) -> list[Any]:
    found: list[Any] = load(name)["cases"]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_each_file_has_as_many_cases_as_it_says(name: str) -> None:
    vectors = load(name)
    assert vectors["caseCount"] == len(vectors["cases"]) > 0


def test_typed_data_agrees_with_eth_account() -> None:
    shared = load("typed-data.json")
    chain = (shared["chainId"], shared["epochBook"])
    for case in shared["cases"]:
        primary, message = case["primaryType"], case["message"]
        fields = ",".join(f"{kind} {name}" for kind, name in messages.TYPES[primary])
        assert case["typeString"] == f"{primary}({fields})"
        assert case["typeHash"] == keccak(case["typeString"].encode())
        assert case["structHash"] == messages.struct_hash(primary, message)
        assert case["digest"] == messages.digest(primary, message, *chain)
        signed = messages.signable(primary, message, *chain)
        assert shared["domainSeparator"] == signed.header
        assert case["signature"] == Account.sign_message(signed, case["privateKey"]).signature
        assert case["signer"] == messages.signer(primary, message, case["signature"], *chain)


def test_every_message_of_the_document_has_a_vector() -> None:
    files = ("typed-data.json", "relay-paths.json")
    found = {case["primaryType"] for name in files for case in cases(name)}
    assert found == set(messages.TYPES)
    assert len(messages.TYPES) == 9


def test_session_records_agree() -> None:
    for case in cases("session-record.json"):
        parts = (case["ticket"], case["ticketSignature"], case["receipt"], case["receiptSignature"])
        assert case["encoded"] == messages.encode_record(*parts)
        assert messages.decode_record(case["encoded"]) == parts
        assert case["sessionId"] == messages.struct_hash("SessionTicket", case["ticket"])
        assert case["weight"] == rules.weight_of_record(case["encoded"])
        assert case["digest"] == keccak(case["encoded"])
        assert case["batchLeaf"] == keccak(keccak(case["encoded"]))


def test_weights_agree() -> None:
    for case in cases("weights.json"):
        assert case["weight"] == rules.weight_of(case["bytesDelivered"], case["bytesOnTime"])


def test_plain_trees_agree() -> None:
    for case in cases("plain-trees.json"):
        leaves = [keccak(number.to_bytes(32, "big")) for number in range(case["count"])]
        assert case["leaves"] == leaves
        assert case["root"] == trees.plain_root(leaves)
        for path in case["paths"]:
            assert path["siblings"] == trees.plain_path(leaves, path["index"])
        for part in case["ranges"]:
            assert part["path"] == trees.range_path(leaves, part["first"], part["width"])


def test_sum_trees_agree() -> None:
    for case in cases("sum-trees.json"):
        leaves = [trees.sum_leaf(*pair) for pair in zip(case["digests"], case["sums"], strict=True)]
        assert case["leafHashes"] == [leaf for leaf, _ in leaves]
        assert (case["root"], case["total"]) == trees.sum_root(leaves)
        for path in case["paths"]:
            siblings = list(zip(path["siblingHashes"], path["siblingSums"], strict=True))
            assert siblings == trees.sum_path(leaves, path["index"])


def test_claims_trees_agree() -> None:
    for case in cases("claims-trees.json"):
        leaves = [trees.claim_leaf(one["account"], one["entries"]) for one in case["claims"]]
        assert case["root"] == trees.plain_root(leaves)
        for index, claim in enumerate(case["claims"]):
            assert claim["leaf"] == leaves[index]
            assert claim["path"] == trees.plain_path(leaves, index)
            pairs = zip(claim["poolIds"], claim["cumulativeRewards"], strict=True)
            assert claim["entries"] == [pool * 2**128 + reward for pool, reward in pairs]


def test_absence_is_shown_by_neighbours_that_are_there() -> None:
    shared = load("absence.json")
    leaves = [keccak(key) for key in shared["keys"]]
    assert shared["root"] == trees.plain_root(leaves)
    for case in shared["cases"]:
        assert case["missing"] not in shared["keys"]
        below = [index for index, key in enumerate(shared["keys"]) if key < case["missing"]][-1:]
        above = [index for index, key in enumerate(shared["keys"]) if key > case["missing"]][:1]
        assert case["indices"] == below + above
        for path in case["paths"]:
            assert path["siblings"] == trees.plain_path(leaves, path["index"])


def test_headers_agree() -> None:
    for case in cases("headers.json"):
        assert case["encoded"] == header_bytes(case)
        assert len(case["encoded"]) == 160
        assert case["headerHash"] == keccak(case["encoded"])


def test_allocations_agree() -> None:
    for case in cases("allocation.json"):
        weights, previous = case["nodeWeights"], case["previousCumulativeSpend"]
        spend = rules.spend_of(
            sum(weights), case["pricePerGB"], case["epochBudget"], case["funded"], previous
        )
        assert case["spend"] == spend
        assert case["cumulativeSpend"] == previous + spend
        assert case["rewards"] == rules.rewards_of(spend, weights)


def test_ledger_agrees() -> None:
    for case in cases("ledger.json"):
        assert (case["kept"], case["codes"]) == rules.ledger(case["records"]), case["name"]


def test_intake_agrees() -> None:
    shared = load("verify.json")
    for case in shared["cases"]:
        pools = zip(
            case["poolIds"],
            case["poolIsOpen"],
            case["poolTicketSigners"],
            case["poolMaxBytesPerSecond"],
            strict=True,
        )
        facts = rules.Facts(
            shared["chainId"],
            shared["epochBook"],
            shared["genesis"],
            shared["epochSeconds"],
            shared["intakeGraceSeconds"],
            shared["rateSlackSeconds"],
            case["now"],
            case["node"],
            case["epoch"],
            case["nodeIsRegistered"],
            {pool_id: rules.Pool(*values) for pool_id, *values in pools},
            frozenset(case["earningPools"]),
        )
        assert case["code"] == rules.code_of(case["record"], facts), case["name"]


def test_every_code_of_intake_has_a_vector() -> None:
    codes = {case["code"] for case in cases("verify.json")}
    codes |= {code for case in cases("ledger.json") for code in case["codes"]}
    assert codes == set(range(16)), "0 is accepted; codes from 100 on are policy and have no vector"


def test_bundles_lead_to_their_headers_from_the_bytes_alone() -> None:
    for case in cases("bundles.json"):
        parts = cut(case["encoded"])
        assert is_consistent(parts)
        assert header_bytes(header_of(case["encoded"])) == case["header"]["encoded"]
        assert [row["encoded"] for row in case["poolRows"]] == parts.pool_rows
        assert [row["encoded"] for row in case["nodeRows"]] == parts.node_rows
        assert [rules.weight_of_record(one) for one in parts.records] == case["sessionWeights"]
        assert [account for account, _ in parts.claims] == case["claimAccounts"]
        assert parts.rejections == case["rejections"]


def test_bundles_settle_to_the_same_bytes_by_the_rules() -> None:
    shared = load("bundles.json")
    parent_hash, parent = bytes(32), None
    for case in shared["cases"]:
        parts = cut(case["encoded"])
        pools = [
            PoolTerms(pool_id, shared["pricePerGB"], shared["epochBudget"], funded)
            for pool_id, funded in zip(case["poolIds"], case["poolFunded"], strict=True)
        ]
        assert case["encoded"] == settle(
            parts.chain_id, parts.epoch_book, parts.epoch, parent_hash, parent, pools,
            parts.records[::-1], parts.rejections[::-1],
        )  # fmt: skip
        parent_hash, parent = case["header"]["headerHash"], parts


CLAIM_TYPES = ["uint64", "(address,uint256[])", "uint32", "bytes32[]", "uint256"]
OWN_CLAIM_TYPES = ["uint64", "uint256[]", "uint32", "bytes32[]"]


def test_claim_calls_decode_to_what_leads_to_the_header() -> None:
    shared = load("claim-calls.json")
    chain = (shared["chainId"], shared["epochBook"])
    epoch = shared["header"]["epoch"]
    for case in shared["cases"]:
        to, account = "0x" + case["to"].hex(), "0x" + case["account"].hex()
        entries, index, path = tuple(case["entries"]), case["index"], tuple(case["path"])
        pushed = (epoch, (account, entries), index, path, case["skip"])
        own = (epoch, entries, index, path)
        assert arguments(case["claim"], "claim", CLAIM_TYPES) == pushed
        assert arguments(case["claimAll"], "claimAll", OWN_CLAIM_TYPES) == own
        assert arguments(case["claimTo"], "claimTo", [*OWN_CLAIM_TYPES, "uint256", "address"]) == (
            *own,
            case["skip"],
            to,
        )
        assert arguments(
            case["claimToBySignature"],
            "claimToBySignature",
            [*CLAIM_TYPES, "address", "uint64", "bytes"],
        ) == (*pushed, to, case["deadline"], case["signature"])
        (both,) = arguments(case["opening"], "multicall", ["bytes[]"])
        assert both == (shared["openClaims"], case["claim"])
        node = trees.claim_leaf(case["account"], case["entries"])
        for level, sibling in enumerate(case["path"]):
            node = keccak(sibling + node if case["index"] >> level & 1 else node + sibling)
        assert node == shared["header"]["claimsRoot"]
        redirect = {
            "account": case["account"],
            "to": case["to"],
            "epoch": epoch,
            "deadline": case["deadline"],
        }
        signer = messages.signer("ClaimRedirect", redirect, case["signature"], *chain)
        assert signer == case["account"]


def test_claims_are_opened_by_the_header_itself() -> None:
    shared = load("claim-calls.json")
    header_type = f"({','.join(kind for kind, _ in HEADER)})"
    (header,) = arguments(shared["openClaims"], "openClaims", [header_type])
    assert header == tuple(shared["header"][name] for _, name in HEADER)


def test_pushes_decode_to_neighbouring_accounts() -> None:
    shared = load("claim-calls.json")
    entries_of = {case["account"]: tuple(case["entries"]) for case in shared["cases"]}
    leaves = [
        trees.claim_leaf(case["account"], case["entries"])
        for case in shared["cases"]
        if case["skip"] == 0
    ]
    assert trees.plain_root(leaves) == shared["header"]["claimsRoot"]
    for push in shared["pushes"]:
        types = ["uint64", "(address,uint256[])[]", "uint32", "bytes32[]", "uint256"]
        pushed = tuple(("0x" + one.hex(), entries_of[one]) for one in push["accounts"])
        assert arguments(push["claimMany"], "claimMany", types) == (
            shared["header"]["epoch"],
            pushed,
            push["first"],
            tuple(push["path"]),
            push["skip"],
        )
        assert push["path"] == trees.range_path(leaves, push["first"], len(pushed))


def arguments(data: bytes, name: str, types: list[str]) -> tuple[Any, ...]:
    """Decode the arguments of a call of that function."""
    assert data[:4] == keccak(f"{name}({','.join(types)})".encode())[:4]
    return tuple(decode(types, data[4:]))
