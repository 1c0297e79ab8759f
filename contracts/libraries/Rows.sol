// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Errors } from "./Errors.sol";
import { Packed } from "./Packed.sol";
import { EpochHeader, NodeRow, PoolRow, RecordLeaf, SessionRecord, SumNode } from "./ProtocolTypes.sol";
import { SessionRecordLib } from "./SessionRecordLib.sol";
import { SumTree } from "./SumTree.sol";

/// @title Rows
/// @notice The way from a header down to a sum tree: the pools tree, a pool's nodes tree or a node's sessions tree.
library Rows {
    using Packed for bytes;

    /// @notice What is committed of a sum tree: its top node and how many leaves it has.
    struct Tree {
        SumNode top;
        uint256 count;
    }

    /// @notice The length of an encoded row.
    uint256 internal constant LENGTH = 88;

    /// @notice Decodes a pool's row.
    function decodePool(bytes calldata record) internal pure returns (PoolRow memory row) {
        if (record.length != LENGTH) revert Errors.Rows_WrongLength(record.length);
        row.poolId = record.readUint32(0);
        row.nodesRoot = record.readBytes32(4);
        row.nodeCount = record.readUint32(36);
        row.weight = record.readUint128(40);
        row.spend = record.readUint128(56);
        row.cumulativeSpend = record.readUint128(72);
    }

    /// @notice Decodes a node's row.
    function decodeNode(bytes calldata record) internal pure returns (NodeRow memory row) {
        if (record.length != LENGTH) revert Errors.Rows_WrongLength(record.length);
        row.node = record.readAddress(0);
        row.sessionsRoot = record.readBytes32(20);
        row.sessionCount = record.readUint32(52);
        row.weight = record.readUint128(56);
        row.reward = record.readUint128(72);
    }

    /// @notice The epoch's tree of pools.
    function poolsTree(EpochHeader calldata header) internal pure returns (Tree memory) {
        return Tree({ top: SumNode({ hash: header.poolsRoot, sum: header.weight }), count: header.poolCount });
    }

    /// @notice The tree of a pool's nodes.
    function nodesTree(PoolRow memory row) internal pure returns (Tree memory) {
        return Tree({ top: SumNode({ hash: row.nodesRoot, sum: row.weight }), count: row.nodeCount });
    }

    /// @notice The tree of a node's sessions.
    function sessionsTree(NodeRow memory row) internal pure returns (Tree memory) {
        return Tree({ top: SumNode({ hash: row.sessionsRoot, sum: row.weight }), count: row.sessionCount });
    }

    /// @notice The tree under the rows: none is the pools tree, a pool's row its nodes tree, with a node's row below it
    /// that node's sessions tree. Reverts unless each row is a leaf of the tree above it.
    function treeUnder(EpochHeader calldata header, RecordLeaf[] calldata above)
        internal
        pure
        returns (Tree memory tree)
    {
        if (above.length > 2) revert Errors.Rows_TooMany(above.length);
        tree = poolsTree(header);
        if (above.length > 0) tree = nodesTree(requirePool(tree, above[0]));
        if (above.length > 1) tree = sessionsTree(requireNode(tree, above[1]));
    }

    /// @notice A pool's row, which must be a leaf of the tree.
    function requirePool(Tree memory tree, RecordLeaf calldata leaf)
        internal
        pure
        returns (PoolRow memory row)
    {
        row = decodePool(leaf.record);
        requireLeaf(tree, leaf, row.weight);
    }

    /// @notice A node's row, which must be a leaf of the tree.
    function requireNode(Tree memory tree, RecordLeaf calldata leaf)
        internal
        pure
        returns (NodeRow memory row)
    {
        row = decodeNode(leaf.record);
        requireLeaf(tree, leaf, row.weight);
    }

    /// @notice A session's record, which must be a leaf of the tree whose sum is its weight.
    function requireSession(Tree memory tree, RecordLeaf calldata leaf)
        internal
        pure
        returns (SessionRecord memory record)
    {
        record = SessionRecordLib.decode(leaf.record);
        requireLeaf(tree, leaf, SessionRecordLib.weightOf(record));
    }

    /// @notice Reverts unless the record is a leaf of the tree with that sum.
    function requireLeaf(Tree memory tree, RecordLeaf calldata leaf, uint128 sum) internal pure {
        bytes32 hash = SumTree.leafHash(leaf.record.digest(), sum);
        SumTree.requireLeaf(tree.top, hash, sum, leaf.index, tree.count, leaf.path);
    }
}
