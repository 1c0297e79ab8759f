// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { INodeRegistry } from "../../../contracts/interfaces/INodeRegistry.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { RegistryTest } from "../utils/RegistryTest.sol";

contract NodeRegistryCancelPayoutChangeTest is RegistryTest {
    function setUp() public override {
        super.setUp();
        _register(alice);
    }

    function test_RevertWhen_TheCallerIsNeitherNodeNorPayout() public {
        _register(bob);
        address[2] memory callers = [bob, stranger];
        for (uint256 i; i < callers.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_NotAllowed.selector, callers[i], node));
            vm.prank(callers[i]);
            registry.cancelPayoutChange(node);
        }
    }

    function test_RevertWhen_NoChangeIsUnderWay() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_NoChangeUnderWay.selector, node));
        vm.prank(node);
        registry.cancelPayoutChange(node);
    }

    function test_RevertWhen_TheNodeNeverRegistered() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_NoChangeUnderWay.selector, stranger));
        vm.prank(stranger);
        registry.cancelPayoutChange(stranger);
    }

    function test_RevertWhen_TheChangeHasTakenEffect() public {
        _register(bob);
        skip(PAYOUT_DELAY_SECONDS);
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_NotAllowed.selector, alice, node));
        vm.prank(alice);
        registry.cancelPayoutChange(node);

        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_NoChangeUnderWay.selector, node));
        vm.prank(bob);
        registry.cancelPayoutChange(node);
    }

    function test_TheCurrentPayoutKeepsItsPlace() public {
        _register(bob);
        skip(PAYOUT_DELAY_SECONDS - 1);
        vm.expectEmit(address(registry));
        emit INodeRegistry.PayoutChangeCancelled(node, bob);
        vm.prank(alice);
        registry.cancelPayoutChange(node);
        skip(PAYOUT_DELAY_SECONDS);
        assertEq(registry.payoutOf(node), alice);
        assertEq(registry.nodeOf(node).pendingPayout, address(0));
    }

    function test_TheNodeCallsItsOwnChangeOff() public {
        _register(bob);
        vm.prank(node);
        registry.cancelPayoutChange(node);
        assertEq(registry.nodeOf(node).pendingPayout, address(0));
    }

    function test_ACalledOffSignatureCannotBeUsedAgain() public {
        _register(bob);
        vm.prank(alice);
        registry.cancelPayoutChange(node);
        assertEq(registry.nodeOf(node).nonce, 2);
    }
}
