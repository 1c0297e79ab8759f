// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IRewardPools } from "../../../contracts/interfaces/IRewardPools.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { EpochHeader } from "../../../contracts/libraries/ProtocolTypes.sol";
import { ClaimTest } from "../utils/ClaimTest.sol";

contract RewardPoolsOpenClaimsTest is ClaimTest {
    EpochHeader private next;

    function setUp() public override {
        super.setUp();
        next = _header(1);
        next.claimsRoot = header.claimsRoot;
        next.claimCount = header.claimCount;
    }

    function test_RevertWhen_TheHeaderIsUnknown() public {
        EpochHeader memory other = header;
        other.claimsRoot = keccak256("other");
        _expectNotFinal(other);
    }

    function test_RevertWhen_TheHeaderIsPending() public {
        _commit(next);
        _expectNotFinal(next);
    }

    function test_RevertWhen_TheHeaderWasVoided() public {
        _commit(next);
        vm.prank(guardian);
        book.veto(1);
        _expectNotFinal(next);
    }

    /// @dev Also for one whose claims are open, with the same root and count.
    function test_RevertWhen_AnotherFieldDiffers() public {
        EpochHeader memory other = header;
        other.dataHash = keccak256("other");
        _expectNotFinal(other);
    }

    function test_AnyoneOpensTheClaimsOfAFinalHeader() public {
        _commit(next);
        _finaliseAll();
        vm.expectEmit(address(pools));
        emit IRewardPools.ClaimsOpened(1, next.claimsRoot, next.claimCount);
        vm.prank(stranger);
        pools.openClaims(next);
        (bytes28 root, uint32 count) = pools.claimsOf(1);
        assertEq(bytes32(root), _kept(next.claimsRoot));
        assertEq(count, 5);
    }

    function test_NothingIsKnownOfClaimsThatAreNotOpen() public view {
        (bytes28 root, uint32 count) = pools.claimsOf(1);
        assertEq(bytes32(root), bytes32(0));
        assertEq(count, 0);
    }

    function test_AgainItDoesNothing() public {
        vm.recordLogs();
        pools.openClaims(header);
        assertEq(vm.getRecordedLogs().length, 0);
    }

    function test_WhatIsOpenStaysOpen() public {
        _commit(next);
        _finaliseAll();
        pools.openClaims(next);
        pools.claim(0, _leaf(), earnerIndex, _path(), 0);
        assertEq(token.balanceOf(earner), 60e18);
    }

    function test_TheFirstClaimOpensInTheSameTransaction() public {
        _commit(next);
        _finaliseAll();
        vm.prank(earner);
        pools.multicall(_openAndClaim());
        assertEq(token.balanceOf(earner), 60e18);
    }

    function test_RevertWhen_ACallOfAMulticallFails() public {
        _commit(next);
        _finaliseAll();
        bytes[] memory calls = _openAndClaim();
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, _kept(header.claimsRoot)));
        vm.prank(stranger);
        pools.multicall(calls);
        (, uint32 count) = pools.claimsOf(1);
        assertEq(count, 0);
    }

    /// @dev The caller of a multicall is the caller of its calls: `claimAll` pays the account alone.
    function _openAndClaim() private view returns (bytes[] memory calls) {
        calls = new bytes[](2);
        calls[0] = abi.encodeCall(IRewardPools.openClaims, (next));
        calls[1] = abi.encodeCall(IRewardPools.claimAll, (1, _leaf().entries, earnerIndex, _path()));
    }

    function _expectNotFinal(EpochHeader memory refused) private {
        vm.expectRevert(
            abi.encodeWithSelector(Errors.RewardPools_HeaderNotFinal.selector, refused.epoch, _hash(refused))
        );
        pools.openClaims(refused);
    }
}
