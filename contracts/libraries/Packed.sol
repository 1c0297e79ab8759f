// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Packed
/// @notice Reads fields of encoded records where they lie in the call data.
/// @dev Before it reads, the caller has checked the record's length: what lies beyond it would be read as well.
library Packed {
    /// @notice The field at that offset in bytes.
    function readUint32(bytes calldata record, uint256 offset) internal pure returns (uint32 value) {
        assembly ("memory-safe") {
            value := shr(224, calldataload(add(record.offset, offset)))
        }
    }

    /// @notice The field at that offset in bytes.
    function readUint64(bytes calldata record, uint256 offset) internal pure returns (uint64 value) {
        assembly ("memory-safe") {
            value := shr(192, calldataload(add(record.offset, offset)))
        }
    }

    /// @notice The field at that offset in bytes.
    function readUint128(bytes calldata record, uint256 offset) internal pure returns (uint128 value) {
        assembly ("memory-safe") {
            value := shr(128, calldataload(add(record.offset, offset)))
        }
    }

    /// @notice The field at that offset in bytes.
    function readAddress(bytes calldata record, uint256 offset) internal pure returns (address value) {
        assembly ("memory-safe") {
            value := shr(96, calldataload(add(record.offset, offset)))
        }
    }

    /// @notice The field at that offset in bytes.
    function readBytes32(bytes calldata record, uint256 offset) internal pure returns (bytes32 value) {
        assembly ("memory-safe") {
            value := calldataload(add(record.offset, offset))
        }
    }

    /// @notice keccak256 of the record.
    function digest(bytes calldata record) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, record.offset, record.length)
            result := keccak256(free, record.length)
        }
    }
}
