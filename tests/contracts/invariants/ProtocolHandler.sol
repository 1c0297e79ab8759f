// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { EpochBook } from "../../../contracts/EpochBook.sol";
import { RewardPools } from "../../../contracts/RewardPools.sol";
import { IRewardPools } from "../../../contracts/interfaces/IRewardPools.sol";
import {
    ClaimLeaf,
    EpochHeader,
    PoolRow,
    Stream,
    SumNode,
    Terms
} from "../../../contracts/libraries/ProtocolTypes.sol";
import { ReferenceTrees } from "../utils/ReferenceTrees.sol";
import { Test } from "../utils/Test.sol";
import { PlainToken } from "../utils/tokens/PlainToken.sol";

/// @title ProtocolHandler
/// @notice Drives all contracts with honest streamers and a poster that commits whatever the seed says.
/// @dev Where an action cannot succeed it returns early, so that runs go deep.
contract ProtocolHandler is Test {
    uint256 private constant MAX_POOLS = 6;
    uint256 private constant MAX_CLAIMS = 5;

    struct Lie {
        EpochHeader header;
        ClaimLeaf[] leaves;
        PoolRow[] rows;
    }

    EpochBook public immutable book;
    RewardPools public immutable pools;
    PlainToken[2] public tokens;
    address public immutable guardian;
    address public immutable voider;
    address public immutable streamer = address(0x57);

    address[] public actors;
    mapping(uint64 epoch => Lie) private _lies;

    /// What the outside saw, apart from the contracts' own books.
    mapping(uint32 poolId => uint256) public funded;
    mapping(uint32 poolId => uint256) public paidOut;
    mapping(uint32 poolId => uint256) public refunded;
    mapping(address account => mapping(uint32 poolId => uint256)) public highestClaimed;
    mapping(uint64 epoch => bytes32) public finalHashes;
    uint256 public etherIn;
    uint256 public etherOut;
    bool public claimedShrank;
    bool public paymentDiffered;
    mapping(bytes32 action => uint256) public calls;

    constructor(
        EpochBook book_,
        RewardPools pools_,
        address poster,
        address guardian_,
        address voider_,
        uint256 posterBond
    ) {
        (book, pools, guardian, voider) = (book_, pools_, guardian_, voider_);
        tokens = [new PlainToken(), new PlainToken()];
        etherIn = posterBond;
        actors.push(poster);
        for (uint160 i = 1; i <= 4; ++i) {
            actors.push(address(0xa0 + i));
        }
    }

    function actorCount() external view returns (uint256) {
        return actors.length;
    }

    /*//////////////////////////////////////////////////////////////////////////
                                     STREAMERS
    //////////////////////////////////////////////////////////////////////////*/

    function create(uint256 seed) external {
        if (pools.poolCount() >= MAX_POOLS) return;
        Terms memory terms = Terms({ pricePerGB: 1, epochBudget: 1, ticketSigner: streamer });
        Stream memory stream = Stream({ originKey: streamer, maxBytesPerSecond: 1, uri: "" });
        vm.prank(streamer);
        pools.create(address(tokens[seed % 2]), terms, stream);
        ++calls["create"];
    }

    function deposit(uint256 seed, uint96 amount) external {
        (uint32 poolId, bool exists) = _anyPool(seed);
        IRewardPools.Pool memory pool = pools.poolOf(poolId);
        amount = uint96(bound(amount, 1, 1e24));
        if (!exists || pool.closedFromEpoch != 0) return;
        PlainToken token = PlainToken(pool.token);
        token.mint(streamer, amount);
        vm.prank(streamer);
        token.approve(address(pools), amount);
        vm.prank(streamer);
        funded[poolId] += pools.deposit(poolId, amount);
        ++calls["deposit"];
    }

    function setTerms(uint256 seed, uint64 fromEpoch, uint128 price) external {
        (uint32 poolId, bool exists) = _anyPool(seed);
        if (!exists || pools.poolOf(poolId).closedFromEpoch != 0) return;
        uint64 epoch = book.currentEpoch();
        fromEpoch = uint64(bound(fromEpoch, epoch + 1, epoch + 5));
        vm.prank(streamer);
        pools.setTerms(poolId, Terms(price, price, streamer), fromEpoch);
        ++calls["setTerms"];
    }

    function close(uint256 seed) external {
        (uint32 poolId, bool exists) = _anyPool(seed);
        // Rarely, or there would soon be nothing left to fund.
        if (!exists || seed % 3 != 0 || pools.poolOf(poolId).closedFromEpoch != 0) return;
        vm.prank(streamer);
        pools.close(poolId);
        ++calls["close"];
    }

    function refund(uint256 seed) external {
        (uint32 poolId, bool exists) = _anyPool(seed);
        IRewardPools.Pool memory pool = pools.poolOf(poolId);
        if (!exists || pool.closedFromEpoch == 0) return;
        Lie storage lie = _lies[pool.closedFromEpoch - 1];
        for (uint256 i; i < lie.rows.length; ++i) {
            if (lie.rows[i].poolId == poolId) _refund(lie, uint32(i), pool);
        }
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       POSTER
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev A header whose trees are well formed and whose numbers are whatever the seed says.
    function commit(uint256 seed) public {
        uint64 epoch = book.nextEpoch();
        if (!book.isBonded()) return;
        uint256 opensAt = book.epochEnd(epoch) + book.intakeGraceSeconds();
        if (vm.getBlockTimestamp() < opensAt) vm.warp(opensAt);

        Lie storage lie = _lies[epoch];
        delete lie.leaves;
        delete lie.rows;
        _lieAboutClaims(lie, seed);
        _lieAboutRows(lie, seed);
        lie.header.epoch = epoch;
        lie.header.parent = epoch == 0 ? bytes32(0) : _hash(_lies[epoch - 1].header);
        lie.header.claimsRoot = ReferenceTrees.root(_claimHashes(lie.leaves));
        lie.header.claimCount = uint32(lie.leaves.length);
        SumNode memory top = ReferenceTrees.root(_poolLeaves(lie.rows));
        lie.header.poolsRoot = top.hash;
        lie.header.weight = top.sum;
        lie.header.poolCount = uint32(lie.rows.length);
        lie.header.dataHash = bytes32(seed);

        address current = book.poster();
        vm.prank(current);
        book.commit(lie.header);
        ++calls["commit"];
    }

    function finalise() public {
        uint64 epoch = book.finalisedEpochs();
        if (epoch == book.nextEpoch()) return;
        (, uint256 committedAt,) = book.commitment(epoch);
        uint256 until = committedAt + book.challengeSeconds();
        if (vm.getBlockTimestamp() < until) vm.warp(until);
        book.finalise(epoch);
        finalHashes[epoch] = _hash(_lies[epoch].header);
        ++calls["finalise"];
    }

    function void(uint256 seed) external {
        (uint64 epoch, bool pending) = _anyPending(seed);
        // Rarely, or nothing would ever become final.
        if (!pending || seed % 4 != 0) return;
        uint256 before = address(book).balance;
        vm.prank(voider);
        book.void(epoch, _actor(seed));
        etherOut += before - address(book).balance;
        ++calls["void"];
    }

    function veto(uint256 seed) external {
        (uint64 epoch, bool pending) = _anyPending(seed);
        if (!pending || seed % 4 != 0) return;
        vm.prank(guardian);
        book.veto(epoch);
        ++calls["veto"];
    }

    function postBond(uint256 amount) external {
        if (book.isBonded() && amount % 4 != 0) return;
        amount = bound(amount, book.bondWei(), 2 * book.bondWei());
        address current = book.poster();
        vm.deal(current, amount);
        vm.prank(current);
        book.postBond{ value: amount }();
        etherIn += amount;
        ++calls["postBond"];
    }

    function withdrawBond(uint256 seed) external {
        if (book.bond() == 0 || book.nextEpoch() != book.finalisedEpochs() || seed % 4 != 0) return;
        address current = book.poster();
        vm.prank(current);
        book.withdrawBond();
        ++calls["withdrawBond"];
    }

    function takeOver(uint256 seed) external {
        address next = _actor(seed);
        if (next == book.poster() || seed % 4 != 0) return;
        uint256 until = book.lastActivityAt() + book.posterTimeoutSeconds();
        if (vm.getBlockTimestamp() < until) vm.warp(until);
        uint64 first = book.finalisedEpochs();
        uint256 amount = book.bondWei();
        vm.deal(next, amount);
        vm.prank(next);
        book.takeOver{ value: amount }();
        etherIn += amount;
        for (uint64 epoch = first; epoch < book.finalisedEpochs(); ++epoch) {
            finalHashes[epoch] = _hash(_lies[epoch].header);
        }
        ++calls["takeOver"];
    }

    function withdrawCredit(uint256 seed) external {
        address account = _actor(seed);
        uint256 credit = book.creditOf(account);
        if (credit == 0) return;
        vm.prank(account);
        book.withdrawCredit(account);
        etherOut += credit;
        ++calls["withdrawCredit"];
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       NODES
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev Pays one to three neighbouring accounts, by `claim` where it is one.
    function claim(uint256 seed, uint256 skip) public {
        uint64 finals = book.finalisedEpochs();
        if (finals == 0) return;
        Lie storage lie = _lies[uint64(seed % finals)];
        if (lie.leaves.length == 0) return;
        pools.openClaims(lie.header);
        uint32 first = uint32((seed >> 64) % lie.leaves.length);
        uint256 width = 1 + (seed >> 96) % 3;
        if (width > lie.leaves.length - first) width = lie.leaves.length - first;
        ClaimLeaf[] memory leaves = new ClaimLeaf[](width);
        for (uint256 i; i < width; ++i) {
            leaves[i] = lie.leaves[first + i];
        }
        bytes32[] memory path = ReferenceTrees.rangePath(_claimHashes(lie.leaves), first, width);
        _claim(lie.header.epoch, leaves, first, path, skip);
    }

    /// @dev The usual course, so that runs have much to claim.
    function settleAndClaim(uint256 seed) external {
        commit(seed);
        finalise();
        claim(seed, 0);
        claim(seed >> 8, seed);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      HELPERS
    //////////////////////////////////////////////////////////////////////////*/

    function _claim(
        uint64 epoch,
        ClaimLeaf[] memory leaves,
        uint32 first,
        bytes32[] memory path,
        uint256 skip
    ) private {
        uint32 count = pools.poolCount();
        uint256[][] memory before = new uint256[][](leaves.length);
        uint256[2][] memory balances = new uint256[2][](leaves.length);
        for (uint256 i; i < leaves.length; ++i) {
            before[i] = new uint256[](count + 1);
            for (uint32 id = 1; id <= count; ++id) {
                before[i][id] = pools.claimed(leaves[i].account, id);
            }
            balances[i] = _balances(leaves[i].account);
        }
        if (leaves.length == 1) pools.claim(epoch, leaves[0], first, path, skip);
        else pools.claimMany(epoch, leaves, first, path, skip);
        for (uint256 i; i < leaves.length; ++i) {
            for (uint32 id = 1; id <= count; ++id) {
                _bookClaim(leaves[i].account, id, before[i][id], balances[i]);
            }
            // What moved must be what the pools booked, token by token.
            uint256[2] memory moved = _balances(leaves[i].account);
            if (moved[0] != balances[i][0] || moved[1] != balances[i][1]) paymentDiffered = true;
        }
        ++calls["claim"];
    }

    /// @dev Adds what was claimed to `balances`, which is then what the account must have.
    function _bookClaim(address account, uint32 poolId, uint256 before, uint256[2] memory balances) private {
        uint256 claimed = pools.claimed(account, poolId);
        if (claimed < highestClaimed[account][poolId]) claimedShrank = true;
        highestClaimed[account][poolId] = claimed;
        paidOut[poolId] += claimed - before;
        balances[pools.poolOf(poolId).token == address(tokens[0]) ? 0 : 1] += claimed - before;
    }

    function _refund(Lie storage lie, uint32 index, IRewardPools.Pool memory pool) private {
        uint64 epoch = lie.header.epoch;
        if (pool.refunded || !book.isFinal(epoch, _hash(lie.header))) return;
        PlainToken token = PlainToken(pool.token);
        uint256 before = token.balanceOf(streamer);
        SumNode[] memory path = ReferenceTrees.path(_poolLeaves(lie.rows), index);
        vm.prank(streamer);
        pools.refund(lie.header, lie.rows[index], index, path, streamer);
        refunded[lie.rows[index].poolId] += token.balanceOf(streamer) - before;
        ++calls["refund"];
    }

    /// @dev Any accounts, pools that exist and pools that do not, any amounts; only the order is right.
    function _lieAboutClaims(Lie storage lie, uint256 seed) private {
        uint256 count = seed % (MAX_CLAIMS + 1);
        for (uint256 i; i < count; ++i) {
            uint256 word = uint256(keccak256(abi.encode(seed, i)));
            uint256[] memory entries = new uint256[](1 + word % 4);
            uint256 poolId;
            for (uint256 j; j < entries.length; ++j) {
                word = uint256(keccak256(abi.encode(word)));
                poolId += 1 + word % 3;
                // From a few units to more than any pool ever holds.
                uint256 amount = uint128(word >> 128) >> (word % 120);
                entries[j] = poolId << 128 | amount;
            }
            lie.leaves.push(ClaimLeaf({ account: address(uint160(0xacc0 + i)), entries: entries }));
        }
    }

    function _lieAboutRows(Lie storage lie, uint256 seed) private {
        uint32 count = pools.poolCount();
        for (uint32 id = 1; id <= count; ++id) {
            uint256 word = uint256(keccak256(abi.encode(seed, "row", id)));
            lie.rows
                .push(
                    PoolRow({
                        poolId: id,
                        nodesRoot: bytes32(word),
                        nodeCount: uint32(word),
                        weight: uint64(word),
                        spend: uint128(word >> 64),
                        cumulativeSpend: uint128(word >> 128) >> (word % 128)
                    })
                );
        }
    }

    function _anyPool(uint256 seed) private view returns (uint32 poolId, bool exists) {
        uint32 count = pools.poolCount();
        if (count == 0) return (0, false);
        return (1 + uint32((seed >> 128) % count), true);
    }

    function _anyPending(uint256 seed) private view returns (uint64 epoch, bool pending) {
        uint64 first = book.finalisedEpochs();
        uint64 next = book.nextEpoch();
        if (first == next) return (0, false);
        return (first + uint64((seed >> 128) % (next - first)), true);
    }

    function _actor(uint256 seed) private view returns (address) {
        return actors[(seed >> 96) % actors.length];
    }

    function _balances(address account) private view returns (uint256[2] memory) {
        return [tokens[0].balanceOf(account), tokens[1].balanceOf(account)];
    }

    function _hash(EpochHeader memory header) private pure returns (bytes32) {
        bytes memory front =
            abi.encodePacked(header.epoch, header.parent, header.poolsRoot, header.poolCount, header.weight);
        return keccak256(bytes.concat(front, header.claimsRoot, bytes4(header.claimCount), header.dataHash));
    }

    function _claimHashes(ClaimLeaf[] memory leaves) private pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](leaves.length);
        for (uint256 i; i < leaves.length; ++i) {
            bytes32 inner = keccak256(abi.encodePacked(leaves[i].account, leaves[i].entries));
            hashes[i] = keccak256(bytes.concat(inner));
        }
    }

    function _poolLeaves(PoolRow[] memory rows) private pure returns (SumNode[] memory leaves) {
        leaves = new SumNode[](rows.length);
        for (uint256 i; i < rows.length; ++i) {
            PoolRow memory row = rows[i];
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
            leaves[i] = SumNode(keccak256(bytes.concat(hex"00", digest, bytes16(row.weight))), row.weight);
        }
    }
}
