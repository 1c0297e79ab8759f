// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title WordList
/// @notice Lists in memory that grow up to a capacity, for what a claim gathers on its way.
/// @dev The room is neither cleared nor guarded: callers push at most `capacity` words.
library WordList {
    /// @notice An empty list with room for `capacity` words.
    function withCapacity(uint256 capacity) internal pure returns (uint256[] memory list) {
        assembly ("memory-safe") {
            list := mload(0x40)
            mstore(list, 0)
            mstore(0x40, add(list, shl(5, add(capacity, 1))))
        }
    }

    /// @notice The same, with two free words in front: an event's data can be written around it without a copy.
    function withCapacityForLog(uint256 capacity) internal pure returns (uint256[] memory list) {
        assembly ("memory-safe") {
            mstore(0x40, add(mload(0x40), 0x40))
        }
        return withCapacity(capacity);
    }

    /// @notice Appends a word.
    function push(uint256[] memory list, uint256 word) internal pure {
        assembly ("memory-safe") {
            let length := add(mload(list), 1)
            mstore(list, length)
            mstore(add(list, shl(5, length)), word)
        }
    }

    /// @notice Adds an amount to that of its key, which both lists get if it is new.
    /// @dev Searches one by one: an account earns in few tokens, often in one.
    function addAmount(uint256[] memory keys, uint256[] memory amounts, uint256 key, uint256 amount)
        internal
        pure
    {
        for (uint256 i; i < keys.length; ++i) {
            if (keys[i] == key) {
                amounts[i] += amount;
                return;
            }
        }
        push(keys, key);
        push(amounts, amount);
    }
}
