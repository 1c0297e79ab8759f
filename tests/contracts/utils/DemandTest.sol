// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { DataDemands } from "../../../contracts/DataDemands.sol";
import { IDataDemands } from "../../../contracts/interfaces/IDataDemands.sol";
import {
    ClaimLeaf,
    EpochHeader,
    NodeRow,
    PoolRow,
    RecordLeaf,
    SumNode
} from "../../../contracts/libraries/ProtocolTypes.sol";
import { SumTree } from "../../../contracts/libraries/SumTree.sol";
import { ProtocolTest } from "./ProtocolTest.sol";
import { ReferenceTrees } from "./ReferenceTrees.sol";

/// @notice A node of a tree that is replaced by another before the tree is built on, whatever is beneath it.
struct Flaw {
    bool exists;
    uint256 level;
    uint256 index;
    SumNode node;
}

/// @notice One tree of a header and all that its poster knows. `layers[0]` are the leaves with their padding; the sums of
/// a claims tree are 0.
struct Grown {
    IDataDemands.Tree tree;
    EpochHeader header;
    RecordLeaf[] above;
    bytes[] records;
    ClaimLeaf[] claims;
    SumNode[][] layers;
    uint256 count;
}

/// @title DemandTest
/// @notice Headers of which one tree has as many leaves as a test asks for, demands of its parts, and a poster that
/// answers with what it has, right or wrong.
abstract contract DemandTest is ProtocolTest {
    uint64 internal constant RESPONSE_SECONDS = 1 hours;
    uint256 internal constant DEMAND_BOND = 0.01 ether;

    DataDemands internal demands;

    function setUp() public virtual override {
        // `ProtocolTest` deploys four contracts, and then comes this one.
        dataDemands = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 4);
        super.setUp();
        demands = new DataDemands(address(book), RESPONSE_SECONDS, DEMAND_BOND);
        assertEq(address(demands), dataDemands);
        vm.deal(challenger, 1000 ether);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       TREES
    //////////////////////////////////////////////////////////////////////////*/

    function _sound(IDataDemands.Tree tree, uint256 count) internal returns (Grown memory) {
        Flaw memory none;
        return _grow(tree, count, 1, none);
    }

    /// @dev Commits the header of epoch 0 with such a tree in it.
    function _grow(IDataDemands.Tree tree, uint256 count, uint256 seed, Flaw memory flaw)
        internal
        returns (Grown memory grown)
    {
        (grown.tree, grown.count) = (tree, count);
        SumNode[] memory leaves = _leaves(grown, seed);
        grown.layers = _layers(leaves, tree == IDataDemands.Tree.Claims, flaw);
        grown.header = _header(0);
        SumNode memory top = grown.layers[grown.layers.length - 1][0];
        if (tree == IDataDemands.Tree.Claims) {
            (grown.header.claimsRoot, grown.header.claimCount) = (top.hash, uint32(count));
        } else {
            _putUnder(grown, top);
        }
        _commit(grown.header);
    }

    function _leaves(Grown memory grown, uint256 seed) private pure returns (SumNode[] memory leaves) {
        leaves = new SumNode[](grown.count);
        grown.records = new bytes[](grown.count);
        grown.claims = new ClaimLeaf[](grown.count);
        for (uint256 i; i < grown.count; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            if (grown.tree == IDataDemands.Tree.Claims) {
                grown.claims[i].account = address(uint160(random));
                grown.claims[i].entries = new uint256[](random % 3 + 1);
                grown.claims[i].entries[0] = random;
                leaves[i].hash = _claimHash(grown.claims[i]);
            } else {
                uint128 sum;
                (grown.records[i], sum) = _record(grown.tree, random);
                leaves[i] = ReferenceTrees.leaf(grown.records[i], sum);
            }
        }
    }

    /// @dev A record of the tree's kind, and its sum by docs/protocol.md.
    function _record(IDataDemands.Tree tree, uint256 random)
        internal
        pure
        returns (bytes memory record, uint128 sum)
    {
        (uint64 onTime, uint64 late) = (uint32(random) + 1, uint32(random >> 32));
        sum = onTime + late / 2;
        if (tree == IDataDemands.Tree.Sessions) {
            bytes memory front = new bytes(177);
            front[0] = bytes1(uint8(random >> 64));
            bytes memory counts = bytes.concat(bytes8(onTime + late), bytes8(onTime));
            return (bytes.concat(front, counts, new bytes(81)), sum);
        }
        bytes32 root = bytes32(random);
        if (tree == IDataDemands.Tree.Nodes) {
            return (SumTree.encode(NodeRow(address(uint160(random)), root, 3, sum, 7)), sum);
        }
        return (SumTree.encode(PoolRow(uint32(random), root, 3, sum, 7, 9)), sum);
    }

    function _layers(SumNode[] memory leaves, bool isPlain, Flaw memory flaw)
        private
        pure
        returns (SumNode[][] memory layers)
    {
        uint256 depth;
        while (1 << depth < leaves.length) ++depth;
        layers = new SumNode[][](depth + 1);
        for (uint256 level; level <= depth; ++level) {
            layers[level] = new SumNode[](1 << (depth - level));
            for (uint256 i; i < layers[level].length; ++i) {
                if (level > 0) {
                    SumNode[] memory below = layers[level - 1];
                    layers[level][i] = _inner(below[2 * i], below[2 * i + 1], isPlain);
                } else if (i < leaves.length) {
                    layers[0][i] = leaves[i];
                }
                bool isHere = flaw.exists && flaw.level == level && flaw.index == i;
                if (isHere) layers[level][i] = flaw.node;
            }
        }
    }

    function _inner(SumNode memory left, SumNode memory right, bool isPlain)
        internal
        pure
        returns (SumNode memory)
    {
        if (isPlain) return SumNode(keccak256(bytes.concat(left.hash, right.hash)), 0);
        return SumNode(keccak256(ReferenceTrees.innerPreimage(left, right)), left.sum + right.sum);
    }

    /// @dev Puts the tree under a pool's and a node's row as need be, each the second of three.
    function _putUnder(Grown memory grown, SumNode memory top) private pure {
        uint32 count = uint32(grown.count);
        if (grown.tree == IDataDemands.Tree.Pools) {
            (grown.header.poolsRoot, grown.header.weight, grown.header.poolCount) = (top.hash, top.sum, count);
            return;
        }
        bool isSessions = grown.tree == IDataDemands.Tree.Sessions;
        grown.above = new RecordLeaf[](isSessions ? 2 : 1);
        if (isSessions) {
            bytes memory row = SumTree.encode(NodeRow(address(5), top.hash, count, top.sum, 1));
            (grown.above[1], top) = _amongThree(row, top.sum);
            count = 3;
        }
        bytes memory poolRow = SumTree.encode(PoolRow(2, top.hash, count, top.sum, 1, 1));
        (grown.above[0], top) = _amongThree(poolRow, top.sum);
        (grown.header.poolsRoot, grown.header.weight, grown.header.poolCount) = (top.hash, top.sum, 3);
    }

    function _amongThree(bytes memory row, uint128 sum)
        private
        pure
        returns (RecordLeaf memory leaf, SumNode memory top)
    {
        SumNode[] memory leaves = new SumNode[](3);
        (leaves[0], leaves[2]) = (SumNode("first", 1), SumNode("third", 2));
        leaves[1] = ReferenceTrees.leaf(row, sum);
        return (RecordLeaf(row, 1, ReferenceTrees.path(leaves, 1)), ReferenceTrees.root(leaves));
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      DEMANDS
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev Demands as the challenger.
    function _demand(Grown memory grown, uint256 level, uint256 index) internal returns (bytes32) {
        vm.prank(challenger);
        return demands.demand{ value: DEMAND_BOND }(
            grown.header, grown.above, grown.tree, uint8(level), uint32(index)
        );
    }

    function _chunk(Grown memory grown, uint256 level, uint256 index)
        internal
        view
        returns (IDataDemands.Chunk memory)
    {
        SumNode memory top = grown.layers[grown.layers.length - 1][0];
        (, uint256 committedAt,) = book.commitment(0);
        return IDataDemands.Chunk({
            epoch: 0,
            headerHash: _hash(grown.header),
            committedAt: uint64(committedAt),
            tree: grown.tree,
            root: top.hash,
            sum: top.sum,
            count: uint32(grown.count),
            level: uint8(level),
            index: uint32(index)
        });
    }

    function _demanded(Grown memory grown, uint256 level, uint256 index)
        internal
        returns (IDataDemands.Chunk memory)
    {
        _demand(grown, level, index);
        return _chunk(grown, level, index);
    }

    function _expectRevert(bytes4 selector) internal {
        vm.expectRevert(abi.encodeWithSelector(selector));
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      ANSWERS
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev Answers with what the poster has.
    function _answer(Grown memory grown, IDataDemands.Chunk memory chunk) internal {
        (uint256 level, uint256 index) = (chunk.level, chunk.index);
        if (grown.tree == IDataDemands.Tree.Claims) {
            bytes32[] memory path = _hashes(_path(grown, level, index));
            if (level <= 3) demands.publishClaims(chunk, _claimsUnder(grown, level, index), path);
            else demands.publishHashes(chunk, _hashes(_nodesUnder(grown, level, index)), path);
        } else if (level <= 3) {
            demands.publishRecords(chunk, _recordsUnder(grown, level, index), _path(grown, level, index));
        } else {
            demands.publishNodes(chunk, _nodesUnder(grown, level, index), _path(grown, level, index));
        }
    }

    /// @dev The siblings from the node up.
    function _path(Grown memory grown, uint256 level, uint256 index)
        internal
        pure
        returns (SumNode[] memory path)
    {
        path = new SumNode[](grown.layers.length - 1 - level);
        for (uint256 i; i < path.length; ++i) {
            path[i] = grown.layers[level + i][(index >> i) ^ 1];
        }
    }

    function _recordsUnder(Grown memory grown, uint256 level, uint256 index)
        internal
        pure
        returns (bytes[] memory records)
    {
        (uint256 first, uint256 end) = _leavesUnder(grown, level, index);
        records = new bytes[](end - first);
        for (uint256 i; i < records.length; ++i) {
            records[i] = grown.records[first + i];
        }
    }

    function _claimsUnder(Grown memory grown, uint256 level, uint256 index)
        internal
        pure
        returns (ClaimLeaf[] memory claims)
    {
        (uint256 first, uint256 end) = _leavesUnder(grown, level, index);
        claims = new ClaimLeaf[](end - first);
        for (uint256 i; i < claims.length; ++i) {
            claims[i] = grown.claims[first + i];
        }
    }

    /// @dev The nodes six levels below, or those of level 3 if these are nearer.
    function _nodesUnder(Grown memory grown, uint256 level, uint256 index)
        internal
        pure
        returns (SumNode[] memory nodes)
    {
        uint256 below = level > 9 ? 6 : level - 3;
        nodes = new SumNode[](1 << below);
        for (uint256 i; i < nodes.length; ++i) {
            nodes[i] = grown.layers[level - below][(index << below) + i];
        }
    }

    function _hashes(SumNode[] memory nodes) internal pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](nodes.length);
        for (uint256 i; i < hashes.length; ++i) {
            hashes[i] = nodes[i].hash;
        }
    }

    function _leavesUnder(Grown memory grown, uint256 level, uint256 index)
        private
        pure
        returns (uint256 first, uint256 end)
    {
        first = index << level;
        end = first + (1 << level);
        if (end > grown.count) end = grown.count;
    }
}
