// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IRewardPools } from "../../../contracts/interfaces/IRewardPools.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { ClaimLeaf } from "../../../contracts/libraries/ProtocolTypes.sol";
import { ClaimTest } from "../utils/ClaimTest.sol";

contract RewardPoolsClaimToTest is ClaimTest {
    function test_RevertWhen_TheCallerIsNotTheAccount() public {
        bytes32[] memory path = _path();
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, _kept(header.claimsRoot)));
        vm.prank(stranger);
        pools.claimTo(header.epoch, _leaf().entries, earnerIndex, path, 0, stranger);
    }

    function test_RevertWhen_TheReceiverIsZero() public {
        bytes32[] memory path = _path();
        vm.expectRevert(abi.encodeWithSelector(Errors.RewardPools_ZeroAddress.selector));
        vm.prank(earner);
        pools.claimTo(header.epoch, _leaf().entries, earnerIndex, path, 0, address(0));
    }

    function test_RevertWhen_TheLeafIsNotInTheTree() public {
        ClaimLeaf memory leaf = ClaimLeaf({ account: stranger, entries: _entries(_entry(1, 1)) });
        bytes32[] memory path = _path();
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, _kept(header.claimsRoot)));
        vm.prank(stranger);
        pools.claimTo(header.epoch, leaf.entries, earnerIndex, path, 0, stranger);
    }

    function test_TheAccountDirectsItsClaim() public {
        uint256[] memory paid = _entries(_entry(2, 20e18));
        bytes32[] memory path = _path();
        vm.expectEmit(address(pools));
        emit IRewardPools.Claimed(earner, alice, paid);
        vm.prank(earner);
        pools.claimTo(header.epoch, _leaf().entries, earnerIndex, path, ~uint256(1 << 1), alice);
        assertEq(token.balanceOf(alice), 20e18);
        assertEq(pools.claimed(earner, 2), 20e18);
    }

    /// @dev The price of pushing: who pushes first decides on the receiver, but only between the account's own.
    function test_AClaimPushedBeforePaysThePayoutInstead() public {
        bytes32[] memory path = _path();
        vm.prank(stranger);
        pools.claim(header.epoch, _leaf(), earnerIndex, path, 0);
        vm.prank(earner);
        pools.claimTo(header.epoch, _leaf().entries, earnerIndex, path, 0, alice);
        assertEq(token.balanceOf(earner), 60e18);
        assertEq(token.balanceOf(alice), 0);
    }
}
