// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Hashes } from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";

import { ChunkShape } from "./ChunkShape.sol";
import { Errors } from "./Errors.sol";
import { TreeDepth } from "./TreeDepth.sol";

/// @title PlainChunk
/// @notice Checks that a part of a plain tree is what its root commits to, and that all padding that shows is empty.
library PlainChunk {
    /// @notice The node over neighbouring nodes, whose number must be a power of two.
    /// @dev Overwrites them.
    function topOf(bytes32[] memory nodes) internal pure returns (bytes32) {
        for (uint256 width = nodes.length / 2; width != 0; width /= 2) {
            for (uint256 i; i < width; ++i) {
                nodes[i] = Hashes.efficientKeccak256(nodes[2 * i], nodes[2 * i + 1]);
            }
        }
        return nodes[0];
    }

    /// @notice Reverts if one of neighbouring nodes is over padding alone and not empty.
    /// @param level The nodes'.
    /// @param first The place of the first among the nodes of its level.
    function requireEmptyPadding(bytes32[] memory nodes, uint256 level, uint256 first, uint256 count)
        internal
        pure
    {
        bytes32 padding = _padding(level);
        for (uint256 i; i < nodes.length; ++i) {
            if (ChunkShape.isPadding(level, first + i, count) && nodes[i] != padding) {
                revert Errors.Tree_PaddingNotEmpty(level, first + i);
            }
        }
    }

    /// @notice Reverts unless the path leads from the node to the root, and its siblings over padding alone are empty.
    function requireRoot(
        bytes32 node,
        uint256 level,
        uint256 index,
        uint256 count,
        bytes32[] calldata path,
        bytes32 root
    ) internal pure {
        TreeDepth.requireNode(level, index, count, path.length);
        bytes32 padding = _padding(level);
        for (uint256 step; step < path.length; ++step) {
            uint256 place = index >> step;
            bytes32 sibling = path[step];
            // slither-disable-next-line incorrect-exp
            uint256 beside = place ^ 1;
            if (ChunkShape.isPadding(level + step, beside, count) && sibling != padding) {
                revert Errors.Tree_PaddingNotEmpty(level + step, beside);
            }
            node = place & 1 == 0
                ? Hashes.efficientKeccak256(node, sibling)
                : Hashes.efficientKeccak256(sibling, node);
            padding = Hashes.efficientKeccak256(padding, padding);
        }
        if (node != root) revert Errors.Tree_ProofMismatch(root);
    }

    /// @dev What a node over padding alone is, on that level.
    function _padding(uint256 level) private pure returns (bytes32 padding) {
        for (uint256 i; i < level; ++i) {
            padding = Hashes.efficientKeccak256(padding, padding);
        }
    }
}
