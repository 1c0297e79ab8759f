// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { RewardPools } from "../../contracts/RewardPools.sol";
import { NodeRegistry } from "../../contracts/NodeRegistry.sol";
import { IEpochBook } from "../../contracts/interfaces/IEpochBook.sol";
import { Absence } from "../../contracts/libraries/Absence.sol";
import { HeaderLib } from "../../contracts/libraries/HeaderLib.sol";
import { PlainTree } from "../../contracts/libraries/PlainTree.sol";
import {
    BatchAck,
    ClaimLeaf,
    ClaimRedirect,
    EpochHeader,
    NodeRegistration,
    NodeRow,
    Playlist,
    PoolRow,
    Receipt,
    ReceiptSubmission,
    Rejection,
    SessionRecord,
    SessionTicket,
    Stream,
    SumNode,
    Terms
} from "../../contracts/libraries/ProtocolTypes.sol";
import { SessionRecordLib } from "../../contracts/libraries/SessionRecordLib.sol";
import { SettlementRule } from "../../contracts/libraries/SettlementRule.sol";
import { SumTree } from "../../contracts/libraries/SumTree.sol";
import { TypedData } from "../../contracts/libraries/TypedData.sol";
import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import { LibraryHarness } from "./utils/LibraryHarness.sol";
import { ReferenceTrees } from "./utils/ReferenceTrees.sol";
import { VectorReader } from "./utils/VectorReader.sol";
import { PlainToken } from "./utils/tokens/PlainToken.sol";

/// @notice The golden vectors that all implementations share (tests/vectors/README.md).
contract VectorsTest is VectorReader {
    LibraryHarness private harness;

    function setUp() public {
        harness = new LibraryHarness();
    }

    function test_Headers() public {
        uint256 count = _open("headers");
        for (uint256 i; i < count; ++i) {
            EpochHeader memory header = _header(_case(i));
            assertEq(HeaderLib.encode(header), _bytes(_case(i), ".encoded"));
            assertEq(harness.hashHeader(header), _bytes32(_case(i), ".headerHash"));
        }
    }

    function test_TypedData() public {
        uint256 count = _open("typed-data");
        address epochBook = _address("", ".epochBook");
        vm.chainId(_uint("", ".chainId"));
        assertEq(TypedData.DOMAIN_TYPEHASH, _bytes32("", ".domainTypeHash"));
        assertEq(TypedData.domainSeparator(epochBook), _bytes32("", ".domainSeparator"));
        for (uint256 i; i < count; ++i) {
            string memory place = _case(i);
            (bytes32 typeHash, bytes32 structHash) = _message(place);
            assertEq(typeHash, _bytes32(place, ".typeHash"));
            assertEq(keccak256(bytes(_string(place, ".typeString"))), typeHash);
            assertEq(structHash, _bytes32(place, ".structHash"));
            bytes32 digest = TypedData.digest(epochBook, structHash);
            assertEq(digest, _bytes32(place, ".digest"));
            assertEq(ECDSA.recover(digest, _bytes(place, ".signature")), _address(place, ".signer"));
        }
    }

    function test_SessionRecords() public {
        uint256 count = _open("session-record");
        vm.chainId(_uint("", ".chainId"));
        for (uint256 i; i < count; ++i) {
            string memory place = _case(i);
            SessionRecord memory record = SessionRecord({
                ticket: _ticket(string.concat(place, ".ticket")),
                ticketSignature: _bytes(place, ".ticketSignature"),
                receipt: _receipt(string.concat(place, ".receipt")),
                receiptSignature: _bytes(place, ".receiptSignature")
            });
            bytes memory encoded = _bytes(place, ".encoded");
            assertEq(SessionRecordLib.encode(record), encoded);
            assertEq(abi.encode(harness.decodeRecord(encoded)), abi.encode(record));
            assertEq(TypedData.hash(record.ticket), _bytes32(place, ".sessionId"));
            assertEq(SessionRecordLib.weightOf(record), _uint(place, ".weight"));
            assertEq(keccak256(encoded), _bytes32(place, ".digest"));
            assertEq(PlainTree.leafOf(encoded), _bytes32(place, ".batchLeaf"));
            _expectSigners(record);
        }
    }

    function test_Weights() public {
        uint256 count = _open("weights");
        for (uint256 i; i < count; ++i) {
            uint64 delivered = uint64(_uint(_case(i), ".bytesDelivered"));
            uint64 onTime = uint64(_uint(_case(i), ".bytesOnTime"));
            assertEq(SettlementRule.weightOf(delivered, onTime), _uint(_case(i), ".weight"));
        }
    }

    function test_Allocation() public {
        uint256 count = _open("allocation");
        for (uint256 i; i < count; ++i) {
            string memory place = _case(i);
            uint128 weight = uint128(_uint(place, ".weight"));
            uint256 previous = _uint(place, ".previousCumulativeSpend");
            uint128 spend = SettlementRule.spendOf(
                weight,
                uint128(_uint(place, ".pricePerGB")),
                uint128(_uint(place, ".epochBudget")),
                uint128(_uint(place, ".funded") - previous)
            );
            assertEq(spend, _uint(place, ".spend"));
            assertEq(previous + spend, _uint(place, ".cumulativeSpend"));
            uint256[] memory weights = _uints(place, ".nodeWeights");
            uint256[] memory rewards = _uints(place, ".rewards");
            assertEq(weights.length, rewards.length);
            for (uint256 node; node < weights.length; ++node) {
                assertEq(SettlementRule.rewardOf(spend, uint128(weights[node]), weight), rewards[node]);
            }
        }
    }

    function test_PlainTrees() public {
        uint256 count = _open("plain-trees");
        for (uint256 i; i < count; ++i) {
            bytes32[] memory leaves = _bytes32s(_case(i), ".leaves");
            bytes32 root = _bytes32(_case(i), ".root");
            assertEq(ReferenceTrees.root(leaves), root);
            for (uint256 j; j < leaves.length; ++j) {
                string memory place = _path(i, j);
                bytes32[] memory siblings = _bytes32s(place, ".siblings");
                assertEq(_uint(place, ".index"), j);
                assertEq(harness.plainRoot(leaves[j], j, leaves.length, siblings), root);
                assertEq(abi.encode(ReferenceTrees.path(leaves, j)), abi.encode(siblings));
            }
            _expectRanges(_case(i), leaves, root);
        }
    }

    function test_SumTrees() public {
        uint256 count = _open("sum-trees");
        for (uint256 i; i < count; ++i) {
            SumNode[] memory leaves = _sumLeaves(_case(i));
            SumNode memory root = SumNode(_bytes32(_case(i), ".root"), uint128(_uint(_case(i), ".total")));
            assertEq(abi.encode(ReferenceTrees.root(leaves)), abi.encode(root));
            for (uint256 j; j < leaves.length; ++j) {
                string memory place = _path(i, j);
                SumNode[] memory siblings = _siblings(place);
                assertEq(_uint(place, ".index"), j);
                harness.requireSumLeaf(root, leaves[j], j, leaves.length, siblings);
            }
        }
    }

    function test_ClaimsTrees() public {
        uint256 count = _open("claims-trees");
        for (uint256 i; i < count; ++i) {
            uint256 claims = _uint(_case(i), ".count");
            for (uint256 j; j < claims; ++j) {
                string memory place = string.concat(_case(i), ".claims[", vm.toString(j), "]");
                ClaimLeaf memory leaf =
                    ClaimLeaf({ account: _address(place, ".account"), entries: _uints(place, ".entries") });
                bytes32 hash = harness.claimLeafOf(leaf);
                assertEq(hash, _bytes32(place, ".leaf"));
                harness.requirePlainLeaf(
                    _bytes32(_case(i), ".root"),
                    hash,
                    _uint(place, ".index"),
                    claims,
                    _bytes32s(place, ".path")
                );
            }
        }
    }

    function test_Absences() public {
        uint256 count = _open("absence");
        uint256 leaves = _uint("", ".count");
        for (uint256 i; i < count; ++i) {
            bytes[] memory keys = _byteses(_case(i), ".keys");
            uint256[] memory indices = _uints(_case(i), ".indices");
            Absence.KeyAt[] memory shown = new Absence.KeyAt[](keys.length);
            for (uint256 j; j < keys.length; ++j) {
                string memory place = _path(i, j);
                shown[j] = Absence.KeyAt({ key: uint160(bytes20(keys[j])), index: indices[j] });
                assertEq(_uint(place, ".index"), indices[j]);
                harness.requirePlainLeaf(
                    _bytes32("", ".root"),
                    keccak256(keys[j]),
                    _uint(place, ".index"),
                    leaves,
                    _bytes32s(place, ".siblings")
                );
            }
            assertTrue(Absence.isShown(uint160(_address(_case(i), ".missing")), leaves, shown));
        }
    }

    function test_RowsOfBundles() public {
        uint256 count = _open("bundles");
        for (uint256 i; i < count; ++i) {
            assertEq(keccak256(_bytes(_case(i), ".encoded")), _bytes32(_case(i), ".dataHash"));
            EpochHeader memory header = _header(string.concat(_case(i), ".header"));
            assertEq(harness.hashHeader(header), _bytes32(_case(i), ".header.headerHash"));
            SumNode[] memory leaves = new SumNode[](header.poolCount);
            uint256 node;
            for (uint256 j; j < leaves.length; ++j) {
                PoolRow memory row = _poolRow(string.concat(_case(i), ".poolRows[", vm.toString(j), "]"));
                leaves[j] = SumTree.leafOf(row);
                node = _expectNodesRoot(_case(i), node, row);
            }
            SumNode memory root = ReferenceTrees.root(leaves);
            assertEq(root.hash, header.poolsRoot);
            assertEq(root.sum, header.weight);
        }
    }

    /// @dev The call data itself, sent to a contract whose book calls the vectors' header final.
    function test_ClaimCalls() public {
        uint256 count = _open("claim-calls");
        address epochBook = _address("", ".epochBook");
        vm.chainId(_uint("", ".chainId"));
        vm.mockCall(
            epochBook,
            abi.encodeCall(
                IEpochBook.isFinal, (uint64(_uint("", ".header.epoch")), _bytes32("", ".header.headerHash"))
            ),
            abi.encode(true)
        );
        vm.mockCall(epochBook, abi.encodeCall(IEpochBook.currentEpoch, ()), abi.encode(uint64(0)));
        PlainToken token = new PlainToken();
        RewardPools pools = new RewardPools(epochBook, address(new NodeRegistry(epochBook, 1 days)));
        token.mint(address(this), 1e36);
        token.approve(address(pools), 1e36);
        for (uint32 id = 1; id <= 7; ++id) {
            pools.create(address(token), Terms(1, 1, address(this)), Stream(address(this), 1, ""));
            pools.deposit(id, 1e28);
        }
        (bool opened,) = address(pools).call(_bytes("", ".openClaims"));
        assertTrue(opened);
        for (uint256 i; i < count; ++i) {
            address account = _address(_case(i), ".account");
            address to = _address(_case(i), ".to");
            _expectPaid(pools, token, i, ".claim", address(this), account);
            _expectPaid(pools, token, i, ".opening", address(this), account);
            _expectPaid(pools, token, i, ".claimTo", account, to);
            _expectPaid(pools, token, i, ".claimToBySignature", address(this), to);
            if (_uint(_case(i), ".skip") == 0) _expectPaid(pools, token, i, ".claimAll", account, account);
        }
        _expectPushed(pools, token);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      HELPERS
    //////////////////////////////////////////////////////////////////////////*/

    function _message(string memory place) private view returns (bytes32 typeHash, bytes32 structHash) {
        bytes32 primary = keccak256(bytes(_string(place, ".primaryType")));
        string memory message = string.concat(place, ".message");
        if (primary == keccak256("SessionTicket")) {
            return (TypedData.SESSION_TICKET_TYPEHASH, TypedData.hash(_ticket(message)));
        }
        if (primary == keccak256("Receipt")) {
            return (TypedData.RECEIPT_TYPEHASH, TypedData.hash(_receipt(message)));
        }
        if (primary == keccak256("NodeRegistration")) {
            return (TypedData.NODE_REGISTRATION_TYPEHASH, TypedData.hash(_registration(message)));
        }
        if (primary == keccak256("ReceiptSubmission")) {
            return (TypedData.RECEIPT_SUBMISSION_TYPEHASH, TypedData.hash(_submission(message)));
        }
        if (primary == keccak256("BatchAck")) {
            return (TypedData.BATCH_ACK_TYPEHASH, TypedData.hash(_ack(message)));
        }
        if (primary == keccak256("Rejection")) {
            return (TypedData.REJECTION_TYPEHASH, TypedData.hash(_rejection(message)));
        }
        if (primary == keccak256("ClaimRedirect")) {
            return (TypedData.CLAIM_REDIRECT_TYPEHASH, TypedData.hash(_redirect(message)));
        }
        assertEq(primary, keccak256("Playlist"));
        return (TypedData.PLAYLIST_TYPEHASH, TypedData.hash(_playlist(message)));
    }

    function _expectSigners(SessionRecord memory record) private view {
        address epochBook = _address("", ".epochBook");
        bytes32 ticketDigest = TypedData.digest(epochBook, TypedData.hash(record.ticket));
        assertEq(ECDSA.recover(ticketDigest, record.ticketSignature), _address("", ".ticketSigner"));
        bytes32 receiptDigest = TypedData.digest(epochBook, TypedData.hash(record.receipt));
        assertEq(ECDSA.recover(receiptDigest, record.receiptSignature), record.ticket.viewer);
    }

    /// @dev Returns the index of the next pool's first node row.
    function _expectNodesRoot(string memory place, uint256 first, PoolRow memory row)
        private
        view
        returns (uint256)
    {
        SumNode[] memory leaves = new SumNode[](row.nodeCount);
        for (uint256 i; i < leaves.length; ++i) {
            string memory rowAt = string.concat(place, ".nodeRows[", vm.toString(first + i), "]");
            NodeRow memory node = _nodeRow(rowAt);
            assertEq(SumTree.encode(node), _bytes(rowAt, ".encoded"));
            assertEq(keccak256(SumTree.encode(node)), _bytes32(rowAt, ".digest"));
            leaves[i] = SumTree.leafOf(node);
        }
        SumNode memory root = ReferenceTrees.root(leaves);
        assertEq(root.hash, row.nodesRoot);
        assertEq(root.sum, row.weight);
        return first + leaves.length;
    }

    function _expectRanges(string memory place, bytes32[] memory leaves, bytes32 root) private view {
        uint256 count = _uint(place, ".rangeCount");
        for (uint256 i; i < count; ++i) {
            string memory range = string.concat(place, ".ranges[", vm.toString(i), "]");
            uint256 first = _uint(range, ".first");
            bytes32[] memory part = new bytes32[](_uint(range, ".width"));
            for (uint256 j; j < part.length; ++j) {
                part[j] = leaves[first + j];
            }
            bytes32[] memory path = _bytes32s(range, ".path");
            assertEq(harness.rangeRoot(part, first, leaves.length, path), root);
            assertEq(abi.encode(ReferenceTrees.rangePath(leaves, first, part.length)), abi.encode(path));
        }
    }

    function _expectPaid(
        RewardPools pools,
        PlainToken token,
        uint256 index,
        string memory call,
        address sender,
        address receiver
    ) private {
        uint256 id = vm.snapshotState();
        uint256[] memory entries = _uints(_case(index), ".entries");
        uint256 skip = _uint(_case(index), ".skip");
        uint256 due;
        for (uint256 i; i < entries.length; ++i) {
            if ((skip >> i) & 1 == 0) due += uint128(entries[i]);
        }
        bytes memory data = _bytes(_case(index), call);
        vm.prank(sender);
        (bool done, bytes memory reason) = address(pools).call(data);
        if (!done) fail(string.concat(call, " failed: ", vm.toString(reason)));
        assertEq(token.balanceOf(receiver), due);
        vm.revertToState(id);
    }

    /// @dev The calls of `pushes`, each on the same state.
    function _expectPushed(RewardPools pools, PlainToken token) private {
        uint256 count = _uint("", ".pushCount");
        for (uint256 i; i < count; ++i) {
            uint256 id = vm.snapshotState();
            string memory place = string.concat(".pushes[", vm.toString(i), "]");
            (bool done, bytes memory reason) = address(pools).call(_bytes(place, ".claimMany"));
            if (!done) fail(string.concat("claimMany failed: ", vm.toString(reason)));
            address[] memory accounts = _addresses(place, ".accounts");
            uint256[] memory paid = _uints(place, ".paid");
            assertEq(accounts.length, paid.length);
            for (uint256 j; j < accounts.length; ++j) {
                assertEq(token.balanceOf(accounts[j]), paid[j]);
            }
            vm.revertToState(id);
        }
    }
}
