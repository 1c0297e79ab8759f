// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ChunkShape
/// @notice What answers for a part of a tree: leaves up to `LEAF_LEVELS` above them, from higher up nodes some levels below.
library ChunkShape {
    /// @notice Up to this level leaves answer: 8 of them at the most.
    uint256 internal constant LEAF_LEVELS = 3;

    /// @notice How far below a node the nodes are that answer for it: 64 of them at the most.
    uint256 internal constant NODE_LEVELS = 6;

    /// @notice The level of the nodes that answer for a node above `LEAF_LEVELS`.
    function nodesLevelOf(uint256 level) internal pure returns (uint256) {
        return level > LEAF_LEVELS + NODE_LEVELS ? level - NODE_LEVELS : LEAF_LEVELS;
    }

    /// @notice How many leaves are under a node that is not over padding alone.
    function leavesUnder(uint256 level, uint256 index, uint256 count) internal pure returns (uint256) {
        uint256 left = count - (index << level);
        uint256 width = 2 ** level;
        return left < width ? left : width;
    }

    /// @notice Whether a node is over padding alone.
    function isPadding(uint256 level, uint256 index, uint256 count) internal pure returns (bool) {
        return index << level >= count;
    }
}
