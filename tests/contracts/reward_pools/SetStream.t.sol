// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IRewardPools } from "../../../contracts/interfaces/IRewardPools.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { Stream } from "../../../contracts/libraries/ProtocolTypes.sol";
import { ProtocolTest } from "../utils/ProtocolTest.sol";

contract RewardPoolsSetStreamTest is ProtocolTest {
    uint32 private poolId;

    function setUp() public override {
        super.setUp();
        poolId = _createPool(address(token));
    }

    function test_RevertWhen_TheCallerIsNotTheStreamer() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.RewardPools_NotStreamer.selector, stranger, poolId));
        vm.prank(stranger);
        pools.setStream(poolId, _stream());
    }

    function test_RevertWhen_TheClosingIsAnnounced() public {
        vm.prank(streamer);
        pools.close(poolId);
        vm.expectRevert(abi.encodeWithSelector(Errors.RewardPools_PoolClosed.selector, poolId));
        vm.prank(streamer);
        pools.setStream(poolId, _stream());
    }

    function test_RevertWhen_TheOriginKeyIsZero() public {
        Stream memory stream = _stream();
        stream.originKey = address(0);
        vm.expectRevert(abi.encodeWithSelector(Errors.RewardPools_ZeroAddress.selector));
        vm.prank(streamer);
        pools.setStream(poolId, stream);
    }

    function test_TheRecordChangesAtOnce() public {
        Stream memory stream = Stream({ originKey: alice, maxBytesPerSecond: 5, uri: "http://b.example" });
        vm.expectEmit(address(pools));
        emit IRewardPools.StreamChanged(poolId, stream);
        vm.prank(streamer);
        pools.setStream(poolId, stream);
        assertEq(abi.encode(pools.streamOf(poolId)), abi.encode(stream));
    }
}
