// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { EpochBook } from "../../../contracts/EpochBook.sol";
import { NodeRegistry } from "../../../contracts/NodeRegistry.sol";
import { RewardPools } from "../../../contracts/RewardPools.sol";
import { IEpochBook } from "../../../contracts/interfaces/IEpochBook.sol";
import {
    ClaimLeaf,
    EpochHeader,
    PoolRow,
    Stream,
    SumNode,
    Terms
} from "../../../contracts/libraries/ProtocolTypes.sol";
import { ReferenceTrees } from "./ReferenceTrees.sol";
import { Test } from "./Test.sol";
import { PlainToken } from "./tokens/PlainToken.sol";

/// @title ProtocolTest
/// @notice All contracts, deployed and bonded, with the steps that most tests take.
abstract contract ProtocolTest is Test {
    uint64 internal constant GENESIS = 1_700_000_000;
    uint64 internal constant EPOCH_SECONDS = 3600;
    uint64 internal constant GRACE_SECONDS = 600;
    uint64 internal constant CHALLENGE_SECONDS = 1 days;
    uint64 internal constant TIMEOUT_SECONDS = 3 days;
    uint64 internal constant PAYOUT_DELAY_SECONDS = 7 days;
    uint256 internal constant BOND = 3 ether;

    address internal poster = makeAddr("poster");
    address internal guardian = makeAddr("guardian");
    address internal challenges = makeAddr("challenges");
    address internal dataDemands = makeAddr("data demands");
    address internal challenger = makeAddr("challenger");
    address internal streamer = makeAddr("streamer");
    address internal ticketSigner = makeAddr("ticket signer");
    address internal origin = makeAddr("origin");
    address internal stranger = makeAddr("stranger");
    address internal alice = makeAddr("alice");
    address internal bob = makeAddr("bob");

    EpochBook internal book;
    NodeRegistry internal registry;
    RewardPools internal pools;
    PlainToken internal token;

    /// @dev The hash of each epoch's header as it was last committed.
    mapping(uint256 epoch => bytes32) internal headerHashes;

    function setUp() public virtual {
        vm.warp(GENESIS);
        book = new EpochBook(_parameters());
        registry = new NodeRegistry(address(book), PAYOUT_DELAY_SECONDS);
        pools = new RewardPools(address(book), address(registry));
        token = new PlainToken();
        _bond(poster);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                     EPOCH BOOK
    //////////////////////////////////////////////////////////////////////////*/

    function _parameters() internal view virtual returns (IEpochBook.Parameters memory) {
        return IEpochBook.Parameters({
            genesis: GENESIS,
            epochSeconds: EPOCH_SECONDS,
            intakeGraceSeconds: GRACE_SECONDS,
            challengeSeconds: CHALLENGE_SECONDS,
            posterTimeoutSeconds: TIMEOUT_SECONDS,
            bondWei: BOND,
            poster: poster,
            guardian: guardian,
            challenges: challenges,
            dataDemands: dataDemands
        });
    }

    function _bond(address account) internal {
        vm.deal(account, BOND);
        vm.prank(account);
        book.postBond{ value: BOND }();
    }

    /// @dev A header of that epoch on top of what was committed before, with nothing in it.
    function _header(uint64 epoch) internal view returns (EpochHeader memory header) {
        header.epoch = epoch;
        if (epoch != 0) header.parent = headerHashes[epoch - 1];
        header.dataHash = keccak256(abi.encode("data", epoch));
    }

    /// @dev The hash by its definition in docs/protocol.md, apart from the library under test.
    function _hash(EpochHeader memory header) internal pure returns (bytes32) {
        bytes memory front =
            abi.encodePacked(header.epoch, header.parent, header.poolsRoot, header.poolCount, header.weight);
        return keccak256(bytes.concat(front, header.claimsRoot, bytes4(header.claimCount), header.dataHash));
    }

    /// @dev When the epoch's header can be committed.
    function _opensAt(uint64 epoch) internal pure returns (uint256) {
        return GENESIS + (uint256(epoch) + 1) * EPOCH_SECONDS + GRACE_SECONDS;
    }

    /// @dev Moves the clock there, never back.
    function _warpTo(uint256 timestamp) internal {
        if (vm.getBlockTimestamp() < timestamp) vm.warp(timestamp);
    }

    /// @dev Commits as the current poster, as soon as possible.
    function _commit(EpochHeader memory header) internal returns (bytes32 headerHash) {
        _warpTo(_opensAt(header.epoch));
        address current = book.poster();
        vm.prank(current);
        book.commit(header);
        headerHash = _hash(header);
        headerHashes[header.epoch] = headerHash;
    }

    /// @dev Commits empty headers up to the epoch, which is not included.
    function _commitUpTo(uint64 epoch) internal {
        for (uint64 next = book.nextEpoch(); next < epoch; ++next) {
            _commit(_header(next));
        }
    }

    /// @dev Lets all challenge windows pass and finalises every header.
    function _finaliseAll() internal {
        vm.warp(vm.getBlockTimestamp() + CHALLENGE_SECONDS);
        uint64 next = book.nextEpoch();
        for (uint64 epoch = book.finalisedEpochs(); epoch < next; ++epoch) {
            book.finalise(epoch);
        }
    }

    /*//////////////////////////////////////////////////////////////////////////
                                    REWARD POOLS
    //////////////////////////////////////////////////////////////////////////*/

    function _terms() internal view returns (Terms memory) {
        return Terms({ pricePerGB: 5e15, epochBudget: 100e18, ticketSigner: ticketSigner });
    }

    function _stream() internal view returns (Stream memory) {
        return Stream({ originKey: origin, maxBytesPerSecond: 1_000_000, uri: "https://origin.example/v1" });
    }

    /// @dev A pool of the streamer's that pays in that token.
    function _createPool(address token_) internal returns (uint32) {
        vm.prank(streamer);
        return pools.create(token_, _terms(), _stream());
    }

    /// @dev Mints and deposits, as the streamer.
    function _deposit(uint32 poolId, uint256 amount) internal {
        PlainToken token_ = PlainToken(pools.poolOf(poolId).token);
        token_.mint(streamer, amount);
        vm.prank(streamer);
        token_.approve(address(pools), amount);
        vm.prank(streamer);
        pools.deposit(poolId, amount);
    }

    /// @dev A pool in the usual token that holds that much.
    function _fundedPool(uint256 amount) internal returns (uint32 poolId) {
        poolId = _createPool(address(token));
        _deposit(poolId, amount);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       CLAIMS
    //////////////////////////////////////////////////////////////////////////*/

    function _entry(uint256 poolId, uint256 cumulativeReward) internal pure returns (uint256) {
        return poolId << 128 | cumulativeReward;
    }

    function _entries(uint256 first) internal pure returns (uint256[] memory entries) {
        entries = new uint256[](1);
        entries[0] = first;
    }

    function _entries(uint256 first, uint256 second) internal pure returns (uint256[] memory entries) {
        entries = new uint256[](2);
        (entries[0], entries[1]) = (first, second);
    }

    function _entries(uint256 first, uint256 second, uint256 third)
        internal
        pure
        returns (uint256[] memory entries)
    {
        entries = new uint256[](3);
        (entries[0], entries[1], entries[2]) = (first, second, third);
    }

    /// @dev The leaf by its definition in docs/protocol.md.
    function _claimHash(ClaimLeaf memory leaf) internal pure returns (bytes32) {
        bytes memory record = abi.encodePacked(leaf.account);
        for (uint256 i; i < leaf.entries.length; ++i) {
            record = bytes.concat(record, bytes32(leaf.entries[i]));
        }
        return keccak256(bytes.concat(keccak256(record)));
    }

    function _claimHashes(ClaimLeaf[] memory leaves) internal pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](leaves.length);
        for (uint256 i; i < leaves.length; ++i) {
            hashes[i] = _claimHash(leaves[i]);
        }
    }

    /// @dev Commits and finalises a header of the next epoch with these claims, and opens them.
    function _settle(ClaimLeaf[] memory leaves) internal returns (EpochHeader memory header) {
        header = _header(book.nextEpoch());
        header.claimsRoot = ReferenceTrees.root(_claimHashes(leaves));
        header.claimCount = uint32(leaves.length);
        _commit(header);
        _finaliseAll();
        pools.openClaims(header);
    }

    /// @dev The same with one claim alone, whose root is its leaf.
    function _settle(ClaimLeaf memory leaf) internal returns (EpochHeader memory) {
        ClaimLeaf[] memory leaves = new ClaimLeaf[](1);
        leaves[0] = leaf;
        return _settle(leaves);
    }

    function _claimPath(ClaimLeaf[] memory leaves, uint256 index) internal pure returns (bytes32[] memory) {
        return ReferenceTrees.path(_claimHashes(leaves), index);
    }

    /// @dev What the pools keep of a claims root, as an error shows it.
    function _kept(bytes32 claimsRoot) internal pure returns (bytes32) {
        return claimsRoot & ~bytes32(uint256(type(uint32).max));
    }

    function _noPath() internal pure returns (bytes32[] memory) {
        return new bytes32[](0);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                        ROWS
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev The leaf of a pool's row by its definition in docs/protocol.md.
    function _poolLeaf(PoolRow memory row) internal pure returns (SumNode memory) {
        bytes32 digest = keccak256(
            bytes.concat(
                bytes4(row.poolId),
                row.nodesRoot,
                bytes4(row.nodeCount),
                bytes16(row.weight),
                bytes16(row.spend),
                bytes16(row.cumulativeSpend)
            )
        );
        return
            SumNode({ hash: keccak256(bytes.concat(hex"00", digest, bytes16(row.weight))), sum: row.weight });
    }

    function _poolLeaves(PoolRow[] memory rows) internal pure returns (SumNode[] memory leaves) {
        leaves = new SumNode[](rows.length);
        for (uint256 i; i < rows.length; ++i) {
            leaves[i] = _poolLeaf(rows[i]);
        }
    }

    /// @dev Puts the rows into a header.
    function _withRows(EpochHeader memory header, PoolRow[] memory rows)
        internal
        pure
        returns (EpochHeader memory)
    {
        SumNode memory top = ReferenceTrees.root(_poolLeaves(rows));
        header.poolsRoot = top.hash;
        header.weight = top.sum;
        header.poolCount = uint32(rows.length);
        return header;
    }

    /*//////////////////////////////////////////////////////////////////////////
                                     SIGNATURES
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev Signs a struct hash in the protocol's domain, built here from its definition.
    function _sign(uint256 key, bytes32 structHash) internal view returns (bytes memory) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("StreamrP2P"),
                keccak256("1"),
                block.chainid,
                address(book)
            )
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, keccak256(bytes.concat(hex"1901", domain, structHash)));
        return abi.encodePacked(r, s, v);
    }
}
