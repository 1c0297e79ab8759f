// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Errors } from "./Errors.sol";

/// @title SettlementRule
/// @notice The integer rule by which an epoch is settled. Every division floors.
library SettlementRule {
    /// @notice 1 GB, the unit that prices are in.
    uint256 internal constant BYTES_PER_GB = 1e9;

    /// @notice A receipt's weight: bytes on time count fully, late bytes half.
    function weightOf(uint64 bytesDelivered, uint64 bytesOnTime) internal pure returns (uint64) {
        if (bytesOnTime > bytesDelivered) {
            revert Errors.SettlementRule_OnTimeExceedsDelivered(bytesOnTime, bytesDelivered);
        }
        return bytesOnTime + (bytesDelivered - bytesOnTime) / 2;
    }

    /// @notice What a pool spends in an epoch.
    /// @param weight The sum of the weights of the pool's sessions.
    /// @param pricePerGB Of the terms that hold in the epoch.
    /// @param epochBudget Of the terms that hold in the epoch.
    /// @param available What was funded up to the epoch, less the cumulative spend before it.
    function spendOf(uint128 weight, uint128 pricePerGB, uint128 epochBudget, uint128 available)
        internal
        pure
        returns (uint128)
    {
        uint256 spend = (uint256(weight) * pricePerGB) / BYTES_PER_GB;
        if (spend > epochBudget) spend = epochBudget;
        if (spend > available) spend = available;
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint128(spend);
    }

    /// @notice A node's share of what its pool spends; 0 in a pool of weight 0.
    function rewardOf(uint128 spend, uint128 nodeWeight, uint128 poolWeight) internal pure returns (uint128) {
        if (poolWeight == 0) return 0;
        // A node's weight is part of its pool's, so the quotient is at most the spend.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint128((uint256(spend) * nodeWeight) / poolWeight);
    }
}
