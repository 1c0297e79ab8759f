// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IRewardPools } from "../../../contracts/interfaces/IRewardPools.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { ClaimTest } from "../utils/ClaimTest.sol";

contract RewardPoolsClaimAllTest is ClaimTest {
    function test_RevertWhen_TheClaimsAreNotOpen() public {
        uint256[] memory entries = _leaf().entries;
        vm.expectRevert(abi.encodeWithSelector(Errors.RewardPools_ClaimsNotOpen.selector, 1));
        vm.prank(earner);
        pools.claimAll(1, entries, earnerIndex, _noPath());
    }

    function test_RevertWhen_TheCallerIsNotTheAccount() public {
        (uint256[] memory entries, bytes32[] memory path) = (_leaf().entries, _path());
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, _kept(header.claimsRoot)));
        vm.prank(stranger);
        pools.claimAll(0, entries, earnerIndex, path);
    }

    function test_TheAccountIsPaidAllOfItByItself() public {
        (uint256[] memory entries, bytes32[] memory path) = (_leaf().entries, _path());
        vm.expectEmit(address(pools));
        emit IRewardPools.Claimed(earner, earner, entries);
        vm.prank(earner);
        pools.claimAll(0, entries, earnerIndex, path);
        assertEq(token.balanceOf(earner), 60e18);
        assertEq(pools.claimed(earner, 3), 30e18);
    }

    /// @dev Its payout address is for what others push.
    function test_ARegisteredPayoutAddressIsNotAsked() public {
        vm.mockCallRevert(address(registry), abi.encodeCall(registry.payoutOf, (earner)), "asked");
        (uint256[] memory entries, bytes32[] memory path) = (_leaf().entries, _path());
        vm.prank(earner);
        pools.claimAll(0, entries, earnerIndex, path);
        assertEq(token.balanceOf(earner), 60e18);
    }

    function test_ALaterEpochPaysTheDifference() public {
        _settleNext(_entries(_entry(1, 15e18), _entry(2, 20e18), _entry(3, 31e18)));
        uint256[] memory entries = _entries(_entry(1, 10e18), _entry(2, 20e18), _entry(3, 30e18));
        leaves[earnerIndex].entries = entries;
        bytes32[] memory path = _path();
        vm.prank(earner);
        pools.claimAll(0, entries, earnerIndex, path);
        leaves[earnerIndex].entries = _entries(_entry(1, 15e18), _entry(2, 20e18), _entry(3, 31e18));
        (entries, path) = (_leaf().entries, _path());
        vm.prank(earner);
        pools.claimAll(1, entries, earnerIndex, path);
        assertEq(token.balanceOf(earner), 66e18);
    }
}
