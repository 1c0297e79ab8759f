// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Errors } from "../../../contracts/libraries/Errors.sol";
import { SettlementRule } from "../../../contracts/libraries/SettlementRule.sol";
import { LibraryHarness } from "../utils/LibraryHarness.sol";
import { Test } from "../utils/Test.sol";

contract SettlementRuleTest is Test {
    LibraryHarness private harness;

    function setUp() public {
        harness = new LibraryHarness();
    }

    function test_RevertWhen_MoreIsOnTimeThanDelivered() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.SettlementRule_OnTimeExceedsDelivered.selector, 6, 5));
        harness.weightOf(5, 6);
    }

    function testFuzz_LateBytesCountHalf(uint64 delivered, uint64 onTime) public pure {
        onTime = uint64(bound(onTime, 0, delivered));
        uint256 weight = SettlementRule.weightOf(delivered, onTime);
        assertEq(weight, (uint256(delivered) + onTime) / 2);
    }

    function testFuzz_ThePoolSpendsNoMoreThanItMay(
        uint128 weight,
        uint128 price,
        uint128 budget,
        uint128 available
    ) public pure {
        uint256 spend = SettlementRule.spendOf(weight, price, budget, available);
        uint256 earned = uint256(weight) * price / 1e9;
        assertLe(spend, earned);
        assertLe(spend, budget);
        assertLe(spend, available);
        assertTrue(spend == earned || spend == budget || spend == available);
    }

    function testFuzz_TheRewardsOfAllNodesAreNoMoreThanTheSpend(uint128 spend, uint64[6] memory weights)
        public
        pure
    {
        uint128 total;
        for (uint256 i; i < 6; ++i) {
            total += weights[i];
        }
        uint256 rewards;
        for (uint256 i; i < 6; ++i) {
            rewards += SettlementRule.rewardOf(spend, weights[i], total);
        }
        assertLe(rewards, spend);
        if (total != 0) assertLt(spend - rewards, 6);
    }

    /// @dev A node that splits itself into two earns no more.
    function testFuzz_SplittingEarnsNothing(uint128 spend, uint64 first, uint64 second, uint64 others)
        public
        pure
    {
        uint128 total = uint128(first) + second + others;
        uint256 whole = SettlementRule.rewardOf(spend, uint128(first) + second, total);
        uint256 split = uint256(SettlementRule.rewardOf(spend, first, total))
            + SettlementRule.rewardOf(spend, second, total);
        assertLe(split, whole);
    }
}
