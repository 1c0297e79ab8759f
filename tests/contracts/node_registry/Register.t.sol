// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { INodeRegistry } from "../../../contracts/interfaces/INodeRegistry.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { NodeRegistration } from "../../../contracts/libraries/ProtocolTypes.sol";
import { ContractWallet } from "../utils/ContractWallet.sol";
import { RegistryTest } from "../utils/RegistryTest.sol";

contract NodeRegistryRegisterTest is RegistryTest {
    function test_RevertWhen_TheDeadlineIsOver() public {
        NodeRegistration memory registration = _registration(alice, 0);
        registration.deadline = uint64(vm.getBlockTimestamp() - 1);
        bytes memory signature = _sign(nodeKey, _structHash(registration));
        vm.expectRevert(
            abi.encodeWithSelector(Errors.NodeRegistry_DeadlineOver.selector, registration.deadline)
        );
        registry.register(registration, signature);
    }

    function test_RevertWhen_ThePayoutIsZero() public {
        NodeRegistration memory registration = _registration(address(0), 0);
        bytes memory signature = _sign(nodeKey, _structHash(registration));
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_ZeroPayout.selector, node));
        registry.register(registration, signature);
    }

    function test_RevertWhen_AnotherSigned() public {
        (, uint256 strangerKey) = makeAddrAndKey("stranger");
        NodeRegistration memory registration = _registration(alice, 0);
        bytes memory signature = _sign(strangerKey, _structHash(registration));
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_InvalidSignature.selector, node));
        registry.register(registration, signature);
    }

    function test_RevertWhen_TheNodeIsZero() public {
        NodeRegistration memory registration = _registration(alice, 0);
        registration.node = address(0);
        bytes memory signature = new bytes(65);
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_InvalidSignature.selector, address(0)));
        registry.register(registration, signature);
    }

    function test_RevertWhen_AFieldWasChanged() public {
        NodeRegistration memory registration = _registration(alice, 0);
        bytes memory signature = _sign(nodeKey, _structHash(registration));
        registration.payout = bob;
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_InvalidSignature.selector, node));
        registry.register(registration, signature);
    }

    /// @dev (r, n - s, 28 - (v - 27)) recovers the same address: only the low one may count.
    function test_RevertWhen_TheSignatureHasAHighS() public {
        NodeRegistration memory registration = _registration(alice, 0);
        bytes memory low = _sign(nodeKey, _structHash(registration));
        bytes32 r;
        uint256 s;
        assembly ("memory-safe") {
            r := mload(add(low, 0x20))
            s := mload(add(low, 0x40))
        }
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        bytes memory high = abi.encodePacked(r, order - s, uint8(low[64]) == 27 ? uint8(28) : uint8(27));
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_InvalidSignature.selector, node));
        registry.register(registration, high);
    }

    function test_RevertWhen_TheRegistrationIsReplayed() public {
        NodeRegistration memory registration = _registration(alice, 0);
        bytes memory signature = _sign(nodeKey, _structHash(registration));
        registry.register(registration, signature);
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_WrongNonce.selector, node, 0, 1));
        registry.register(registration, signature);
    }

    function test_RevertWhen_ANonceIsSkipped() public {
        NodeRegistration memory registration = _registration(alice, 1);
        bytes memory signature = _sign(nodeKey, _structHash(registration));
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_WrongNonce.selector, node, 1, 0));
        registry.register(registration, signature);
    }

    function test_RevertWhen_TheDomainIsAnotherChains() public {
        NodeRegistration memory registration = _registration(alice, 0);
        bytes memory signature = _sign(nodeKey, _structHash(registration));
        vm.chainId(block.chainid + 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_InvalidSignature.selector, node));
        registry.register(registration, signature);
    }

    function test_AnUnknownNodeIsPaidItself() public view {
        assertEq(registry.payoutOf(node), node);
        INodeRegistry.Node memory known = registry.nodeOf(node);
        assertEq(known.payout, node);
        assertEq(known.nonce, 0);
        assertEq(known.endpoint, "");
    }

    function test_TheFirstRegistrationHoldsAtOnce() public {
        NodeRegistration memory registration = _registration(alice, 0);
        bytes memory signature = _sign(nodeKey, _structHash(registration));
        vm.expectEmit(address(registry));
        emit INodeRegistry.NodeRegistered(node, alice, registration.endpoint, 0);
        vm.prank(stranger);
        registry.register(registration, signature);

        assertEq(registry.payoutOf(node), alice);
        INodeRegistry.Node memory known = registry.nodeOf(node);
        assertEq(known.payout, alice);
        assertEq(known.pendingPayout, address(0));
        assertEq(known.nonce, 1);
        assertEq(known.endpoint, registration.endpoint);
    }

    function test_AContractRegistersByErc1271() public {
        address wallet = address(new ContractWallet(node));
        NodeRegistration memory registration = _registration(alice, 0);
        registration.node = wallet;
        bytes memory signature = _sign(nodeKey, _structHash(registration));
        registry.register(registration, signature);
        assertEq(registry.payoutOf(wallet), alice);
        assertEq(registry.payoutOf(node), node);
    }

    function test_TheEndpointChangesAtOnce() public {
        _register(alice);
        NodeRegistration memory registration = _registration(alice, 1);
        registration.endpoint = "https://elsewhere.example";
        _submit(registration);
        assertEq(registry.nodeOf(node).endpoint, "https://elsewhere.example");
        assertEq(registry.nodeOf(node).pendingPayout, address(0));
    }

    function test_AnotherPayoutWaits() public {
        _register(alice);
        uint64 dueAt = uint64(vm.getBlockTimestamp()) + PAYOUT_DELAY_SECONDS;
        vm.expectEmit(address(registry));
        emit INodeRegistry.PayoutChangeAnnounced(node, alice, bob, dueAt);
        _register(bob);

        assertEq(registry.nodeOf(node).pendingPayout, bob);
        assertEq(registry.nodeOf(node).pendingPayoutAt, dueAt);
        vm.warp(dueAt - 1);
        assertEq(registry.payoutOf(node), alice);
        vm.warp(dueAt);
        assertEq(registry.payoutOf(node), bob);
        assertEq(registry.nodeOf(node).payout, bob);
        assertEq(registry.nodeOf(node).pendingPayout, address(0));
        assertEq(registry.nodeOf(node).pendingPayoutAt, 0);
    }

    function test_TheAnnouncedPayoutDoesNotWaitAnew() public {
        _register(alice);
        _register(bob);
        uint64 dueAt = registry.nodeOf(node).pendingPayoutAt;
        skip(1 days);
        _register(bob);
        assertEq(registry.nodeOf(node).pendingPayoutAt, dueAt);
    }

    function test_AThirdPayoutReplacesTheAnnouncedOneAndWaits() public {
        _register(alice);
        _register(bob);
        skip(1 days);
        vm.expectEmit(address(registry));
        emit INodeRegistry.PayoutChangeCancelled(node, bob);
        _register(stranger);
        assertEq(registry.nodeOf(node).pendingPayout, stranger);
        assertEq(registry.nodeOf(node).pendingPayoutAt, vm.getBlockTimestamp() + PAYOUT_DELAY_SECONDS);
        assertEq(registry.payoutOf(node), alice);
    }

    function test_TheCurrentPayoutCallsTheChangeOff() public {
        _register(alice);
        _register(bob);
        _register(alice);
        assertEq(registry.nodeOf(node).pendingPayout, address(0));
        skip(PAYOUT_DELAY_SECONDS);
        assertEq(registry.payoutOf(node), alice);
    }

    function test_APayoutThatIsDueIsTheCurrentOneOfTheNextChange() public {
        _register(alice);
        _register(bob);
        skip(PAYOUT_DELAY_SECONDS);
        _register(alice);
        assertEq(registry.payoutOf(node), bob);
        assertEq(registry.nodeOf(node).pendingPayout, alice);
        skip(PAYOUT_DELAY_SECONDS);
        assertEq(registry.payoutOf(node), alice);
    }

    function testFuzz_ThePayoutIsTheOneThatIsDue(address first, address second, uint256 waited) public {
        vm.assume(first != address(0) && second != address(0));
        waited = bound(waited, 0, 2 * PAYOUT_DELAY_SECONDS);
        _register(first);
        _register(second);
        skip(waited);
        assertEq(registry.payoutOf(node), waited < PAYOUT_DELAY_SECONDS ? first : second);
        assertEq(registry.nodeOf(node).payout, registry.payoutOf(node));
    }
}
