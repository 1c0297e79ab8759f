// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ChunkShape } from "./ChunkShape.sol";
import { Errors } from "./Errors.sol";
import { SumNode } from "./ProtocolTypes.sol";
import { SumTree } from "./SumTree.sol";

/// @title SumChunk
/// @notice Checks that a part of a sum tree is what its root commits to, and that all padding that shows is empty.
library SumChunk {
    /// @notice The node over neighbouring nodes, whose number must be a power of two.
    /// @dev Overwrites them.
    function topOf(SumNode[] memory nodes) internal pure returns (SumNode memory) {
        for (uint256 width = nodes.length / 2; width != 0; width /= 2) {
            for (uint256 i; i < width; ++i) {
                nodes[i] = SumTree.inner(nodes[2 * i], nodes[2 * i + 1]);
            }
        }
        return nodes[0];
    }

    /// @notice Reverts if one of neighbouring nodes is over padding alone and not empty.
    /// @param level The nodes'.
    /// @param first The place of the first among the nodes of its level.
    function requireEmptyPadding(SumNode[] memory nodes, uint256 level, uint256 first, uint256 count)
        internal
        pure
    {
        SumNode memory padding = SumTree.padding(level);
        for (uint256 i; i < nodes.length; ++i) {
            if (ChunkShape.isPadding(level, first + i, count)) {
                _requireEqual(nodes[i], padding, level, first + i);
            }
        }
    }

    /// @notice Reverts unless the path leads from the node to the top, and its siblings over padding alone are empty.
    function requireTop(
        SumNode memory node,
        uint256 level,
        uint256 index,
        uint256 count,
        SumNode[] calldata path,
        SumNode memory top
    ) internal pure {
        SumNode memory found = SumTree.rootFromNode(node, level, index, count, path);
        if (found.hash != top.hash) revert Errors.Tree_ProofMismatch(top.hash);
        if (found.sum != top.sum) revert Errors.SumTree_SumMismatch(found.sum, top.sum);

        SumNode memory padding = SumTree.padding(level);
        for (uint256 step; step < path.length; ++step) {
            // slither-disable-next-line incorrect-exp
            uint256 sibling = (index >> step) ^ 1;
            if (ChunkShape.isPadding(level + step, sibling, count)) {
                _requireEqual(path[step], padding, level + step, sibling);
            }
            padding = SumTree.inner(padding, padding);
        }
    }

    function _requireEqual(SumNode memory node, SumNode memory padding, uint256 level, uint256 index)
        private
        pure
    {
        if (node.hash != padding.hash || node.sum != padding.sum) {
            revert Errors.Tree_PaddingNotEmpty(level, index);
        }
    }
}
