// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title WordList
/// @notice Lists in memory that grow up to a capacity, for what a claim gathers on its way.
/// @dev The room is neither cleared nor guarded: callers push at most `capacity` words.
library WordList {
    /// @notice Two empty lists: one with room for `entries` words, and two free words in front, so that an event's data
    /// can be written around it without a copy; one with room for twice as many.
    function forClaim(uint256 entries) internal pure returns (uint256[] memory paid, uint256[] memory sums) {
        assembly ("memory-safe") {
            paid := add(mload(0x40), 0x40)
            mstore(paid, 0)
            sums := add(paid, shl(5, add(entries, 1)))
            mstore(sums, 0)
            mstore(0x40, add(sums, add(0x20, shl(6, entries))))
        }
    }

    /// @notice Appends a word.
    function push(uint256[] memory list, uint256 word) internal pure {
        assembly ("memory-safe") {
            let length := add(mload(list), 1)
            mstore(list, length)
            mstore(add(list, shl(5, length)), word)
        }
    }

    /// @notice A word and the one after it; the caller knows that both are in the list.
    function pairAt(uint256[] memory list, uint256 place) internal pure returns (uint256 key, uint256 sum) {
        assembly ("memory-safe") {
            let word := add(add(list, 0x20), shl(5, place))
            key := mload(word)
            sum := mload(add(word, 0x20))
        }
    }

    /// @notice The place after a pair: no list is so long that it overflows.
    function afterPair(uint256 place) internal pure returns (uint256) {
        unchecked {
            return place + 2;
        }
    }

    /// @notice A word of call data; the caller knows that it is in the list.
    function read(uint256[] calldata list, uint256 place) internal pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(add(list.offset, shl(5, place)))
        }
    }

    /// @notice Of a list of keys, each with its sum after it: adds to the key's sum, or appends both if it is new.
    /// @dev Searches one by one: an account earns in few tokens, often in one.
    function addTo(uint256[] memory sums, uint256 key, uint256 amount) internal pure {
        uint256 length = sums.length;
        for (uint256 i; i < length; i = afterPair(i)) {
            (uint256 known, uint256 sum) = pairAt(sums, i);
            if (known == key) {
                sums[i + 1] = sum + amount;
                return;
            }
        }
        assembly ("memory-safe") {
            let end := add(add(sums, 0x20), shl(5, length))
            mstore(end, key)
            mstore(add(end, 0x20), amount)
            mstore(sums, add(length, 2))
        }
    }
}
