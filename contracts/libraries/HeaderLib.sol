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
    function hash(EpochHeader calldata header) internal pure returns (bytes32) {
        return keccak256(
            abi.encodePacked(
                header.epoch,
                header.parent,
                header.poolsRoot,
                header.poolCount,
                header.weight,
                header.claimsRoot,
                header.claimCount,
                header.dataHash
            )
        );
    }

    /// @notice What `EpochBook` keeps of a header hash: its first 28 bytes.
    function digest(bytes32 headerHash) internal pure returns (bytes28) {
        return bytes28(headerHash);
    }
}
