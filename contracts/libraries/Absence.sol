// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Errors } from "./Errors.sol";

/// @title Absence
/// @notice What leaves show of a key: that a tree holds it, or by its neighbours that it does not. The keys of a tree rise
/// strictly; where they do not, that is shown first.
library Absence {
    /// @notice A leaf that was checked against its tree's root and count.
    struct KeyAt {
        uint256 key;
        uint256 index;
    }

    /// @notice Whether the leaves show that a tree of `count` leaves does not hold the key: two neighbours around it, or
    /// the first leaf, or the last, or none of an empty tree.
    function isShown(uint256 missing, uint256 count, KeyAt[] memory shown) internal pure returns (bool) {
        if (shown.length == 0) return count == 0;
        KeyAt memory first = shown[0];
        if (shown.length == 1) {
            return
                (first.index == 0 && missing < first.key) || (first.index + 1 == count && first.key < missing);
        }
        if (shown.length != 2) return false;
        KeyAt memory second = shown[1];
        return second.index == first.index + 1 && first.key < missing && missing < second.key;
    }

    /// @notice Whether the tree holds the key: then the one leaf shown is the key's. Reverts where the leaves show neither
    /// that nor its absence.
    function isPresent(uint256 key, uint256 count, KeyAt[] memory shown) internal pure returns (bool) {
        if (shown.length == 1 && shown[0].key == key) return true;
        if (!isShown(key, count, shown)) revert Errors.Absence_NothingShown(key);
        return false;
    }
}
