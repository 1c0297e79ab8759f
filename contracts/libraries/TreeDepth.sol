// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";

import { Errors } from "./Errors.sol";

/// @title TreeDepth
/// @notice The shape that plain and sum trees share: the count alone says how deep a tree is.
/// @dev Without it an inner node could pose as a leaf of a shallower tree.
library TreeDepth {
    /// @notice `ceil(log2(count))`; 0 for one leaf and for none.
    function depthOf(uint256 count) internal pure returns (uint256) {
        return count < 2 ? 0 : Math.log2(count - 1) + 1;
    }

    /// @notice Reverts unless a path of that length can lead from that index to the root.
    function requirePath(uint256 index, uint256 count, uint256 length) internal pure {
        if (index >= count) revert Errors.Tree_IndexBeyondCount(index, count);
        unchecked {
            // 2^(length - 1) < count <= 2^length, which is cheaper than the logarithm. The count is not 0 here.
            if (((count << 1) - 1) >> length != 1) {
                revert Errors.Tree_WrongPathLength(length, depthOf(count));
            }
        }
    }

    /// @notice Reverts unless a path of that length can lead from that node to the root. Nodes over padding count too.
    function requireNode(uint256 level, uint256 index, uint256 count, uint256 length) internal pure {
        uint256 depth = depthOf(count);
        if (level > depth || index >> (depth - level) != 0) revert Errors.Tree_NoSuchNode(level, index);
        if (length != depth - level) revert Errors.Tree_WrongPathLength(length, depth - level);
    }

    /// @notice Reverts unless a range path of that length can lead from those leaves to the root; returns the depth.
    /// @dev On a level, what lies left of the range is needed if the range begins at an odd place, and what lies
    /// right of it if it ends at an even one: bits of the first and of the last index.
    function requireRange(uint256 first, uint256 width, uint256 count, uint256 length)
        internal
        pure
        returns (uint256 depth)
    {
        if (width == 0) revert Errors.Tree_EmptyRange();
        uint256 last = first + width - 1;
        if (last >= count) revert Errors.Tree_IndexBeyondCount(last, count);
        depth = depthOf(count);
        uint256 needed = depth + _ones(first) - _ones(last);
        if (length != needed) revert Errors.Tree_WrongPathLength(length, needed);
    }

    /// @dev How many bits are set.
    function _ones(uint256 number) private pure returns (uint256 ones) {
        for (; number != 0; number &= number - 1) {
            ++ones;
        }
    }
}
