// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Errors } from "./Errors.sol";
import { ClaimLeaf } from "./ProtocolTypes.sol";
import { TreeDepth } from "./TreeDepth.sol";

/// @title PlainTree
/// @notice A perfect binary tree over `count` leaves, padded with leaves 0 to the next power of two.
/// @dev `inner = keccak256(left ‖ right)`, by position. A leaf is hashed twice, so its outer preimage has 32
/// bytes and an inner node's 64: neither can pose as the other, and the count beside the root pins the depth.
library PlainTree {
    /// @notice The leaf of a record: `keccak256(keccak256(record))`.
    function leafOf(bytes memory record) internal pure returns (bytes32) {
        return keccak256(abi.encode(keccak256(record)));
    }

    /// @notice The leaf of an account's claims: `keccak256(keccak256(account ‖ entries))`.
    function claimLeafOf(ClaimLeaf calldata leaf) internal pure returns (bytes32) {
        return claimLeafOf(leaf.account, leaf.entries);
    }

    /// @notice The same of its parts.
    function claimLeafOf(address account, uint256[] calldata entries) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            let size := shl(5, entries.length)
            mstore(free, shl(96, account))
            calldatacopy(add(free, 20), entries.offset, size)
            mstore(0x00, keccak256(free, add(size, 20)))
            result := keccak256(0x00, 0x20)
        }
    }

    /// @notice The root that the path leads to, from the leaf at `index` in a tree of `count` leaves.
    /// @dev Reverts if the index is not below the count or the path is not exactly as long as the tree is deep.
    function rootFromPath(bytes32 leaf, uint256 index, uint256 count, bytes32[] calldata path)
        internal
        pure
        returns (bytes32 root)
    {
        TreeDepth.requirePath(index, count, path.length);
        return _climb(leaf, index, path);
    }

    /// @notice The root that the path leads to, from any node of the tree, also one over padding.
    /// @dev Reverts if the tree has no node there or the path is not exactly as long as it must be.
    function rootFromNode(bytes32 node, uint256 level, uint256 index, uint256 count, bytes32[] calldata path)
        internal
        pure
        returns (bytes32)
    {
        TreeDepth.requireNode(level, index, count, path.length);
        return _climb(node, index, path);
    }

    /// @notice What a node over padding alone is, on that level.
    function padding(uint256 level) internal pure returns (bytes32 node) {
        for (uint256 i; i < level; ++i) {
            node = keccak256(abi.encode(node, node));
        }
    }

    /// @notice Reverts unless the leaf is at `index` in the tree with that root and count.
    function requireLeaf(bytes32 root, bytes32 leaf, uint256 index, uint256 count, bytes32[] calldata path)
        internal
        pure
    {
        if (rootFromPath(leaf, index, count, path) != root) revert Errors.Tree_ProofMismatch(root);
    }

    /// @dev Climbs along the path; bit `i` of the index tells on which side the sibling of the `i`-th step is.
    function _climb(bytes32 root, uint256 index, bytes32[] calldata path) private pure returns (bytes32) {
        assembly ("memory-safe") {
            let offset := path.offset
            let end := add(offset, shl(5, path.length))
            // Bit 5 is the bit of the level: 0 puts the sibling on the right, at 0x20.
            let bits := shl(5, index)
            // One by one until a multiple of four levels is left, then four at a time: the loop itself costs a third.
            for { } and(sub(end, offset), 0x60) { offset := add(offset, 0x20) } {
                let side := and(bits, 0x20)
                mstore(side, root)
                mstore(xor(side, 0x20), calldataload(offset))
                root := keccak256(0x00, 0x40)
                bits := shr(1, bits)
            }
            for { } lt(offset, end) { offset := add(offset, 0x80) } {
                let side := and(bits, 0x20)
                mstore(side, root)
                mstore(xor(side, 0x20), calldataload(offset))
                side := and(shr(1, bits), 0x20)
                mstore(side, keccak256(0x00, 0x40))
                mstore(xor(side, 0x20), calldataload(add(offset, 0x20)))
                side := and(shr(2, bits), 0x20)
                mstore(side, keccak256(0x00, 0x40))
                mstore(xor(side, 0x20), calldataload(add(offset, 0x40)))
                side := and(shr(3, bits), 0x20)
                mstore(side, keccak256(0x00, 0x40))
                mstore(xor(side, 0x20), calldataload(add(offset, 0x60)))
                root := keccak256(0x00, 0x40)
                bits := shr(4, bits)
            }
        }
        return root;
    }

    /// @notice The root that the range path leads to, from the neighbouring leaves that begin at `first`.
    /// @dev A range path lists what lies beside the range from the leaves up, on each level the left one before the
    /// right one; of one leaf it is that leaf's path. Reverts if the range is empty or not below the count, or if
    /// the path has not exactly the siblings that the range needs. `nodes` are the leaves; they are overwritten.
    function rootFromRange(bytes32[] memory nodes, uint256 first, uint256 count, bytes32[] calldata path)
        internal
        pure
        returns (bytes32)
    {
        uint256 width = nodes.length;
        uint256 depth = TreeDepth.requireRange(first, width, count, path.length);
        uint256 used;
        for (; depth != 0; --depth) {
            // Each level writes its nodes over those below: `read` and `written` of them are done.
            uint256 read;
            uint256 written;
            if (first & 1 == 1) {
                nodes[0] = inner(path[used++], nodes[0]);
                (read, written) = (1, 1);
            }
            assembly ("memory-safe") {
                // Pairs lie side by side, ready to be hashed.
                let source := add(add(nodes, 0x20), shl(5, read))
                let target := add(add(nodes, 0x20), shl(5, written))
                let end := add(nodes, shl(5, width))
                for { } lt(source, end) { source := add(source, 0x40) } {
                    mstore(target, keccak256(source, 0x40))
                    target := add(target, 0x20)
                }
                read := shr(5, sub(source, add(nodes, 0x20)))
                written := shr(5, sub(target, add(nodes, 0x20)))
            }
            if (read < width) nodes[written++] = inner(nodes[read], path[used++]);
            (first, width) = (first >> 1, written);
        }
        return nodes[0];
    }

    /// @notice `keccak256(left ‖ right)`.
    function inner(bytes32 left, bytes32 right) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            mstore(0x00, left)
            mstore(0x20, right)
            result := keccak256(0x00, 0x40)
        }
    }
}
