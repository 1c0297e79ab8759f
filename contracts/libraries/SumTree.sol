// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Errors } from "./Errors.sol";
import { Packed } from "./Packed.sol";
import { NodeRow, PoolRow, SumNode, SumNodeAt } from "./ProtocolTypes.sol";
import { TreeDepth } from "./TreeDepth.sol";

/// @title SumTree
/// @notice The shape of `PlainTree`, where each node is a hash and a `uint128` sum; padding is `(0, 0)`.
/// @dev Leaves and inner nodes are hashed with different first bytes, and the sums are part of what is hashed.
library SumTree {
    using Packed for bytes;

    /// @notice The length of a leaf's preimage.
    uint256 internal constant LEAF_LENGTH = 49;

    /// @notice The length of an inner node's preimage.
    uint256 internal constant INNER_LENGTH = 97;

    /// @notice The leaf of a record with that digest: `keccak256(0x00 ‖ digest ‖ sum)`.
    function leaf(bytes32 digest, uint128 sum) internal pure returns (SumNode memory) {
        return SumNode({ hash: leafHash(digest, sum), sum: sum });
    }

    /// @notice The hash of that leaf.
    function leafHash(bytes32 digest, uint128 sum) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore8(free, 0x00)
            mstore(add(free, 0x01), digest)
            mstore(add(free, 0x21), shl(128, sum))
            hash := keccak256(free, 49)
        }
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
        return _top(node, index, path);
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
        return _top(node, index, path);
    }

    /// @notice Reverts unless that is a node of the tree with that root hash, sum and count, also one over padding.
    function requireNode(SumNode memory root, SumNodeAt calldata place, uint256 count) internal pure {
        TreeDepth.requireNode(place.level, place.index, count, place.path.length);
        (bytes32 hash, uint256 sum) = _climb(place.node.hash, place.node.sum, place.index, place.path);
        _requireRoot(root, hash, sum);
    }

    /// @notice Whether a preimage of `LEAF_LENGTH` bytes is that of a leaf with that sum.
    function isLeaf(bytes calldata preimage, uint128 sum) internal pure returns (bool) {
        return preimage[0] == 0x00 && preimage.readUint128(33) == sum;
    }

    /// @notice Whether a preimage of `INNER_LENGTH` bytes is that of an inner node with that sum.
    function isInner(bytes calldata preimage, uint128 sum) internal pure returns (bool) {
        return preimage[0] == 0x01 && uint256(preimage.readUint128(33)) + preimage.readUint128(81) == sum;
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
        requireLeaf(root, node.hash, node.sum, index, count, path);
    }

    /// @notice The same of a leaf that lies in no memory.
    function requireLeaf(
        SumNode memory root,
        bytes32 hash,
        uint256 sum,
        uint256 index,
        uint256 count,
        SumNode[] calldata path
    ) internal pure {
        TreeDepth.requirePath(index, count, path.length);
        (hash, sum) = _climb(hash, sum, index, path);
        _requireRoot(root, hash, sum);
    }

    function _top(SumNode memory node, uint256 index, SumNode[] calldata path)
        private
        pure
        returns (SumNode memory)
    {
        (bytes32 hash, uint256 sum) = _climb(node.hash, node.sum, index, path);
        // forge-lint: disable-next-line(unsafe-typecast)
        return SumNode({ hash: hash, sum: uint128(sum) });
    }

    /// @dev Reverts unless the path led to the root.
    function _requireRoot(SumNode memory root, bytes32 hash, uint256 sum) private pure {
        if (hash != root.hash) revert Errors.Tree_ProofMismatch(root.hash);
        // forge-lint: disable-next-line(unsafe-typecast)
        if (sum != root.sum) revert Errors.SumTree_SumMismatch(uint128(sum), root.sum);
    }

    /// @dev Climbs along the path, as `inner` does; bit `i` of the index tells on which side the sibling of the `i`-th step is.
    /// The sum returned has 128 bits.
    function _climb(bytes32 hash, uint256 sum, uint256 index, SumNode[] calldata path)
        private
        pure
        returns (bytes32, uint256)
    {
        uint256 siblingSums;
        assembly ("memory-safe") {
            // What is hashed lies from 0x00 on: 0x01, then at 1 and at 49 a hash and 16 bytes of sum. It covers the free
            // memory pointer and a byte of the zero slot.
            let free := mload(0x40)
            mstore8(0x00, 0x01)
            let offset := path.offset
            let end := add(offset, shl(6, path.length))
            let own
            let siblingSum
            // One step if their number is odd, then two at a time: the loop itself costs a sixth. The sums first: their upper
            // halves lie where the hashes come to lie.
            if and(path.length, 1) {
                own := add(1, mul(48, and(index, 1)))
                siblingSum := calldataload(add(offset, 0x20))
                mstore(add(own, 16), sum)
                mstore(own, hash)
                mstore(sub(66, own), siblingSum)
                mstore(sub(50, own), calldataload(offset))
                hash := keccak256(0x00, 97)
                sum := add(sum, siblingSum)
                siblingSums := or(siblingSums, siblingSum)
                index := shr(1, index)
                offset := add(offset, 0x40)
            }
            for { } lt(offset, end) { offset := add(offset, 0x80) } {
                own := add(1, mul(48, and(index, 1)))
                siblingSum := calldataload(add(offset, 0x20))
                mstore(add(own, 16), sum)
                mstore(own, hash)
                mstore(sub(66, own), siblingSum)
                mstore(sub(50, own), calldataload(offset))
                hash := keccak256(0x00, 97)
                sum := add(sum, siblingSum)
                siblingSums := or(siblingSums, siblingSum)
                index := shr(1, index)
                own := add(1, mul(48, and(index, 1)))
                siblingSum := calldataload(add(offset, 0x60))
                mstore(add(own, 16), sum)
                mstore(own, hash)
                mstore(sub(66, own), siblingSum)
                mstore(sub(50, own), calldataload(add(offset, 0x40)))
                hash := keccak256(0x00, 97)
                sum := add(sum, siblingSum)
                siblingSums := or(siblingSums, siblingSum)
                index := shr(1, index)
            }
            mstore(0x40, free)
            mstore(0x60, 0)
        }
        // Sums do not shrink on the way up, and no 33 of 128 bits overflow 256: so it is enough to look at the end.
        if ((sum | siblingSums) > type(uint128).max) revert Errors.SumTree_Overflow();
        return (hash, sum);
    }
}
