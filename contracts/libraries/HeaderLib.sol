// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { EpochHeader } from "./ProtocolTypes.sol";

/// @title HeaderLib
/// @notice The encoding and the hash of an epoch header (160 bytes).
library HeaderLib {
    /// @notice Encodes a header.
    function encode(EpochHeader memory header) internal pure returns (bytes memory) {
        return abi.encodePacked(
            header.epoch,
            header.parent,
            header.poolsRoot,
            header.poolCount,
            header.weight,
            header.claimsRoot,
            header.claimCount,
            header.dataHash
        );
    }

    /// @notice The header hash, which the child names as its parent.
    /// @dev Hashes what `encode` gives, packed by hand: every commit and every claim pays for it.
    function hash(EpochHeader calldata header) internal pure returns (bytes32 result) {
        // Solidity's reads revert where a narrow field has bits beyond its width.
        uint256 epoch = header.epoch;
        uint256 poolCount = header.poolCount;
        uint256 weight = header.weight;
        uint256 claimCount = header.claimCount;
        assembly ("memory-safe") {
            // From the front to the back: each word overwrites the empty end of the one before.
            let free := mload(0x40)
            mstore(free, shl(192, epoch))
            calldatacopy(add(free, 8), add(header, 0x20), 0x40)
            mstore(add(free, 72), or(shl(224, poolCount), shl(96, weight)))
            mstore(add(free, 92), calldataload(add(header, 0xa0)))
            mstore(add(free, 124), shl(224, claimCount))
            mstore(add(free, 128), calldataload(add(header, 0xe0)))
            result := keccak256(free, 160)
        }
    }

    /// @notice What `EpochBook` keeps of a header hash: its first 28 bytes.
    function digest(bytes32 headerHash) internal pure returns (bytes28) {
        // casting to 'bytes28' is what this function is for
        // forge-lint: disable-next-line(unsafe-typecast)
        return bytes28(headerHash);
    }
}
