// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { TreeDepth } from "../../../contracts/libraries/TreeDepth.sol";

/// @notice The shape of trees, for all counts of 32 bits and everything that can be said of them.
contract TreeDepthProof {
    function check_TheDepthIsTheLogarithmRoundedUp(uint32 count) external pure {
        assert(_isDepth(TreeDepth.depthOf(count), count));
    }

    function check_APathFitsExactlyIfItIsAsLongAsTheTreeIsDeep(uint256 index, uint32 count, uint256 length)
        external
        view
    {
        bool fits = index < count && _isDepth(length, count);
        try this.requirePath(index, count, length) {
            assert(fits);
        } catch {
            assert(!fits);
        }
    }

    function check_ANodesPathFitsExactlyIfItIsAsLongAsTheTreeIsDeepAboveIt(
        uint256 level,
        uint256 index,
        uint32 count,
        uint256 length
    ) external view {
        // Nothing wraps: a longer path or a higher level than 32 never fits.
        bool fits =
            level <= 32 && length <= 32 && _isDepth(level + length, count) && index < (uint256(1) << length);
        try this.requireNode(level, index, count, length) {
            assert(fits);
        } catch {
            assert(!fits);
        }
    }

    function check_ATreeHasOneDepth(uint256 first, uint256 second, uint32 count) external pure {
        require(_isDepth(first, count) && _isDepth(second, count));
        assert(first == second);
    }

    function requirePath(uint256 index, uint256 count, uint256 length) external pure {
        TreeDepth.requirePath(index, count, length);
    }

    function requireNode(uint256 level, uint256 index, uint256 count, uint256 length) external pure {
        TreeDepth.requireNode(level, index, count, length);
    }

    /// @dev The smallest power of two that has room for the leaves.
    function _isDepth(uint256 depth, uint256 count) private pure returns (bool) {
        if (depth > 32) return false;
        return count <= (uint256(1) << depth) && (depth == 0 || (uint256(1) << (depth - 1)) < count);
    }
}
