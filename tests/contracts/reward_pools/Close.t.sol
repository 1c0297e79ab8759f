// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IRewardPools } from "../../../contracts/interfaces/IRewardPools.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { ProtocolTest } from "../utils/ProtocolTest.sol";

contract RewardPoolsCloseTest is ProtocolTest {
    uint32 private poolId;

    function setUp() public override {
        super.setUp();
        vm.warp(book.epochStart(4));
        poolId = _fundedPool(100);
    }

    function test_RevertWhen_ThereIsNoSuchPool() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.RewardPools_UnknownPool.selector, 9));
        pools.close(9);
    }

    function test_RevertWhen_TheCallerIsNotTheStreamer() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.RewardPools_NotStreamer.selector, stranger, poolId));
        vm.prank(stranger);
        pools.close(poolId);
    }

    function test_RevertWhen_ItIsClosed() public {
        vm.prank(streamer);
        pools.close(poolId);
        vm.expectRevert(abi.encodeWithSelector(Errors.RewardPools_PoolClosed.selector, poolId));
        vm.prank(streamer);
        pools.close(poolId);
    }

    function test_TakesEffectInTheNextEpoch() public {
        vm.warp(book.epochStart(6));
        vm.expectEmit(address(pools));
        emit IRewardPools.PoolClosed(poolId, 7);
        vm.prank(streamer);
        pools.close(poolId);
        assertEq(pools.poolOf(poolId).closedFromEpoch, 7);
        assertTrue(pools.isOpenAt(poolId, 4));
        assertTrue(pools.isOpenAt(poolId, 6));
        assertFalse(pools.isOpenAt(poolId, 7));
    }

    function test_APoolClosedInItsFirstEpochWasOpenInIt() public {
        vm.prank(streamer);
        pools.close(poolId);
        assertFalse(pools.isOpenAt(poolId, 3));
        assertTrue(pools.isOpenAt(poolId, 4));
        assertFalse(pools.isOpenAt(poolId, 5));
    }
}
