// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SettlementRule } from "../../../contracts/libraries/SettlementRule.sol";

/// @notice The settlement rule, for all inputs of their full widths.
/// @dev Products and quotients of 128 bits: solved over the integers.
/// @custom:halmos --solver-command ".tools/analysis/bin/python scripts/prove/integers.py"
contract SettlementRuleProof {
    function check_WeightIsBetweenOnTimeAndDelivered(uint64 delivered, uint64 onTime) external pure {
        uint64 weight = SettlementRule.weightOf(delivered, onTime);
        assert(onTime <= weight);
        assert(weight <= delivered);
        assert(2 * uint256(weight) <= uint256(delivered) + onTime);
    }

    function check_WeightIsRefusedExactlyIfMoreIsOnTimeThanDelivered(uint64 delivered, uint64 onTime)
        external
        view
    {
        try this.weightOf(delivered, onTime) {
            assert(onTime <= delivered);
        } catch {
            assert(onTime > delivered);
        }
    }

    function check_SpendIsTheLeastOfEarnedBudgetAndFunds(
        uint128 weight,
        uint128 price,
        uint128 budget,
        uint128 available
    ) external pure {
        uint256 spend = SettlementRule.spendOf(weight, price, budget, available);
        uint256 earned;
        unchecked {
            earned = uint256(weight) * price / 1e9;
        }
        assert(spend <= earned && spend <= budget && spend <= available);
        assert(spend == earned || spend == budget || spend == available);
    }

    function check_SpendNeverReverts(uint128 weight, uint128 price, uint128 budget, uint128 available)
        external
        view
    {
        try this.spendOf(weight, price, budget, available) { }
        catch {
            assert(false);
        }
    }

    function check_RewardNeverReverts(uint128 spend, uint128 node, uint128 pool) external view {
        try this.rewardOf(spend, node, pool) { }
        catch {
            assert(false);
        }
    }

    function check_RewardIsAtMostTheSpend(uint128 spend, uint128 node, uint128 pool) external pure {
        require(node <= pool);
        assert(SettlementRule.rewardOf(spend, node, pool) <= spend);
    }

    /// @dev These inequalities, added up over any nodes of the pool, are the premise of the next proof: so the rewards of
    /// all nodes are together at most the spend.
    function check_RewardIsAtMostTheShare(uint128 spend, uint128 node, uint128 pool) external pure {
        require(node <= pool);
        uint256 reward = SettlementRule.rewardOf(spend, node, pool);
        unchecked {
            assert(reward * pool <= uint256(spend) * node);
        }
    }

    function check_AShareIsAtMostTheWhole(uint128 spend, uint128 nodes, uint128 pool, uint256 rewards)
        external
        pure
    {
        unchecked {
            require(nodes <= pool && pool != 0 && rewards <= type(uint128).max);
            require(rewards * pool <= uint256(spend) * nodes);
            assert(rewards <= spend);
        }
    }

    function weightOf(uint64 delivered, uint64 onTime) external pure returns (uint64) {
        return SettlementRule.weightOf(delivered, onTime);
    }

    function spendOf(uint128 weight, uint128 price, uint128 budget, uint128 available)
        external
        pure
        returns (uint128)
    {
        return SettlementRule.spendOf(weight, price, budget, available);
    }

    function rewardOf(uint128 spend, uint128 node, uint128 pool) external pure returns (uint128) {
        return SettlementRule.rewardOf(spend, node, pool);
    }
}
