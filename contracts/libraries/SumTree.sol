// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Errors } from "./Errors.sol";
import { NodeRow, PoolRow, SumNode, SumNodeAt } from "./ProtocolTypes.sol";
import { TreeDepth } from "./TreeDepth.sol";

/// @title SumTree
/// @notice The shape of `PlainTree`, where each node is a hash and a `uint128` sum; padding is `(0, 0)`.
/// @dev Leaves and inner nodes are hashed with different first bytes, and the sums are part of what is hashed.
library SumTree {
    /// @notice The length of a leaf's preimage.
    uint256 internal constant LEAF_LENGTH = 49;

    /// @notice The length of an inner node's preimage.
    uint256 internal constant INNER_LENGTH = 97;

    /// @notice The leaf of a record with that digest: `keccak256(0x00 ‖ digest ‖ sum)`.
    function leaf(bytes32 digest, uint128 sum) internal pure returns (SumNode memory) {
        return SumNode({ hash: keccak256(abi.encodePacked(bytes1(0x00), digest, sum)), sum: sum });
    }

    /// @notice The leaf of a node's row in its pool's tree.
    function leafOf(NodeRow memory row) internal pure returns (SumNode memory) {
        return leaf(keccak256(encode(row)), row.weight);
    }

    /// @notice The leaf of a pool's row in the epoch's tree.
    function leafOf(PoolRow memory row) internal pure returns (SumNode memory) {
        return leaf(keccak256(encode(row)), row.weight);
    }

    /// @notice A node's row: 88 bytes.
    function encode(NodeRow memory row) internal pure returns (bytes memory) {
        return abi.encodePacked(row.node, row.sessionsRoot, row.sessionCount, row.weight, row.reward);
    }

    /// @notice A pool's row: 88 bytes.
    function encode(PoolRow memory row) internal pure returns (bytes memory) {
        return abi.encodePacked(
            row.poolId, row.nodesRoot, row.nodeCount, row.weight, row.spend, row.cumulativeSpend
        );
    }

    /// @notice The parent of two nodes: `keccak256(0x01 ‖ left.hash ‖ left.sum ‖ right.hash ‖ right.sum)`.
    /// @dev Reverts if the sums overflow: a tree in which they do is invalid.
    function inner(SumNode memory left, SumNode memory right) internal pure returns (SumNode memory) {
        uint256 sum = uint256(left.sum) + right.sum;
        if (sum > type(uint128).max) revert Errors.SumTree_Overflow();
        return SumNode({
            hash: keccak256(abi.encodePacked(bytes1(0x01), left.hash, left.sum, right.hash, right.sum)),
            // forge-lint: disable-next-line(unsafe-typecast)
            sum: uint128(sum)
        });
    }

    /// @notice The top node that the path leads to, from the leaf at `index` in a tree of `count` leaves.
    /// @dev Reverts if the index is not below the count or the path is not exactly as long as the tree is deep.
    function rootFromPath(SumNode memory node, uint256 index, uint256 count, SumNode[] calldata path)
        internal
        pure
        returns (SumNode memory)
    {
        TreeDepth.requirePath(index, count, path.length);
        return _climb(node, index, path);
    }

    /// @notice The top node that the path leads to, from any node of the tree, also one over padding.
    /// @dev Reverts if the tree has no node there or the path is not exactly as long as it must be.
    function rootFromNode(
        SumNode memory node,
        uint256 level,
        uint256 index,
        uint256 count,
        SumNode[] calldata path
    ) internal pure returns (SumNode memory) {
        TreeDepth.requireNode(level, index, count, path.length);
        return _climb(node, index, path);
    }

    /// @notice Reverts unless that is a node of the tree with that root hash, sum and count, also one over padding.
    function requireNode(SumNode memory root, SumNodeAt calldata place, uint256 count) internal pure {
        _requireRoot(root, rootFromNode(place.node, place.level, place.index, count, place.path));
    }

    /// @notice Whether a preimage of `LEAF_LENGTH` bytes is that of a leaf with that sum.
    function isLeaf(bytes calldata preimage, uint128 sum) internal pure returns (bool) {
        return preimage[0] == 0x00 && uint128(bytes16(preimage[33:49])) == sum;
    }

    /// @notice Whether a preimage of `INNER_LENGTH` bytes is that of an inner node with that sum.
    function isInner(bytes calldata preimage, uint128 sum) internal pure returns (bool) {
        uint256 left = uint128(bytes16(preimage[33:49]));
        uint256 right = uint128(bytes16(preimage[81:97]));
        return preimage[0] == 0x01 && left + right == sum;
    }

    /// @notice What a node over padding alone is, on that level.
    function padding(uint256 level) internal pure returns (SumNode memory node) {
        for (uint256 i; i < level; ++i) {
            node = inner(node, node);
        }
    }

    /// @notice Reverts unless the leaf is at `index` in the tree with that root hash, sum and count.
    function requireLeaf(
        SumNode memory root,
        SumNode memory node,
        uint256 index,
        uint256 count,
        SumNode[] calldata path
    ) internal pure {
        _requireRoot(root, rootFromPath(node, index, count, path));
    }

    /// @dev Reverts unless the path led to the root.
    function _requireRoot(SumNode memory root, SumNode memory top) private pure {
        if (top.hash != root.hash) revert Errors.Tree_ProofMismatch(root.hash);
        if (top.sum != root.sum) revert Errors.SumTree_SumMismatch(top.sum, root.sum);
    }

    /// @dev Climbs along the path; bit `i` of the index tells on which side the sibling of the `i`-th step is.
    function _climb(SumNode memory node, uint256 index, SumNode[] calldata path)
        private
        pure
        returns (SumNode memory)
    {
        for (uint256 step; step < path.length; ++step) {
            bool siblingOnTheRight = (index >> step) & 1 == 0;
            node = siblingOnTheRight ? inner(node, path[step]) : inner(path[step], node);
        }
        return node;
    }
}
