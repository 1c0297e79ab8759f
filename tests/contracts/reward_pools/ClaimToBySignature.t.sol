// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Errors } from "../../../contracts/libraries/Errors.sol";
import { ClaimLeaf, EpochHeader } from "../../../contracts/libraries/ProtocolTypes.sol";
import { ClaimTest } from "../utils/ClaimTest.sol";
import { ContractWallet } from "../utils/ContractWallet.sol";

contract RewardPoolsClaimToBySignatureTest is ClaimTest {
    uint64 private deadline;

    function setUp() public override {
        super.setUp();
        deadline = uint64(vm.getBlockTimestamp()) + 100;
    }

    function test_RevertWhen_TheDeadlineIsOver() public {
        bytes memory signature = _signature(earnerKey, earner, alice, 0, deadline);
        vm.warp(deadline + 1);
        _expectRevert(
            alice, signature, abi.encodeWithSelector(Errors.RewardPools_DeadlineOver.selector, deadline)
        );
    }

    function test_RevertWhen_AnotherSigned() public {
        (, uint256 strangerKey) = makeAddrAndKey("stranger");
        _expectInvalid(alice, _signature(strangerKey, earner, alice, 0, deadline));
    }

    function test_RevertWhen_TheReceiverIsAnother() public {
        _expectInvalid(stranger, _signature(earnerKey, earner, alice, 0, deadline));
    }

    function test_RevertWhen_TheEpochIsAnother() public {
        _expectInvalid(alice, _signature(earnerKey, earner, alice, 1, deadline));
    }

    function test_RevertWhen_TheDeadlineIsAnother() public {
        _expectInvalid(alice, _signature(earnerKey, earner, alice, 0, deadline + 1));
    }

    function test_RevertWhen_TheChainIsAnother() public {
        bytes memory signature = _signature(earnerKey, earner, alice, 0, deadline);
        vm.chainId(block.chainid + 1);
        _expectInvalid(alice, signature);
    }

    function test_RevertWhen_ThereIsNoSignature() public {
        _expectInvalid(alice, "");
    }

    /// @dev A field order that differs between signer and contract gives another hash: it must not pass.
    function test_RevertWhen_TheFieldsAreSignedInAnotherOrder() public {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("ClaimRedirect(address to,address account,uint64 epoch,uint64 deadline)"),
                alice,
                earner,
                0,
                deadline
            )
        );
        _expectInvalid(alice, _sign(earnerKey, structHash));
    }

    function test_ARelayerSubmitsUntilTheDeadline() public {
        bytes memory signature = _signature(earnerKey, earner, alice, 0, deadline);
        vm.warp(deadline);
        vm.prank(stranger);
        pools.claimToBySignature(header.epoch, _leaf(), earnerIndex, _path(), 0, alice, deadline, signature);
        assertEq(token.balanceOf(alice), 60e18);
    }

    function test_ASignatureUsedAgainPaysOnlyWhatIsStillDue() public {
        bytes memory signature = _signature(earnerKey, earner, alice, 0, deadline);
        _submit(~uint256(1), signature);
        assertEq(token.balanceOf(alice), 10e18);
        _submit(~uint256(1), signature);
        assertEq(token.balanceOf(alice), 10e18);
        _submit(0, signature);
        assertEq(token.balanceOf(alice), 60e18);
    }

    function test_AContractSignsByErc1271() public {
        address wallet = address(new ContractWallet(earner));
        ClaimLeaf memory leaf = ClaimLeaf({ account: wallet, entries: _entries(_entry(1, 7)) });
        EpochHeader memory next = _settle(leaf);
        uint64 until = uint64(vm.getBlockTimestamp());
        bytes memory signature = _signature(earnerKey, wallet, alice, 1, until);
        pools.claimToBySignature(next.epoch, leaf, 0, _noPath(), 0, alice, until, signature);
        assertEq(token.balanceOf(alice), 7);
    }

    function _submit(uint256 skip, bytes memory signature) private {
        pools.claimToBySignature(
            header.epoch, _leaf(), earnerIndex, _path(), skip, alice, deadline, signature
        );
    }

    function _expectInvalid(address to, bytes memory signature) private {
        _expectRevert(
            to, signature, abi.encodeWithSelector(Errors.RewardPools_InvalidSignature.selector, earner)
        );
    }

    function _expectRevert(address to, bytes memory signature, bytes memory reason) private {
        bytes32[] memory path = _path();
        vm.expectRevert(reason);
        pools.claimToBySignature(header.epoch, _leaf(), earnerIndex, path, 0, to, deadline, signature);
    }

    function _signature(uint256 key, address account, address to, uint64 epoch, uint64 until)
        private
        view
        returns (bytes memory)
    {
        return _sign(
            key,
            keccak256(
                abi.encode(
                    keccak256("ClaimRedirect(address account,address to,uint64 epoch,uint64 deadline)"),
                    account,
                    to,
                    epoch,
                    until
                )
            )
        );
    }
}
