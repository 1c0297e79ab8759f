// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { RewardPools } from "../../../contracts/RewardPools.sol";
import { IRewardPools } from "../../../contracts/interfaces/IRewardPools.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { Stream, Terms } from "../../../contracts/libraries/ProtocolTypes.sol";
import { ProtocolTest } from "../utils/ProtocolTest.sol";

contract RewardPoolsCreateTest is ProtocolTest {
    function test_RevertWhen_TheTokenIsNoContract() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.RewardPools_NotAToken.selector, stranger));
        pools.create(stranger, _terms(), _stream());
    }

    /// @dev A failed recovery gives zero: a pool must never have it for a signer.
    function test_RevertWhen_TheTicketSignerIsZero() public {
        Terms memory terms = _terms();
        terms.ticketSigner = address(0);
        vm.expectRevert(abi.encodeWithSelector(Errors.RewardPools_ZeroAddress.selector));
        pools.create(address(token), terms, _stream());
    }

    function test_RevertWhen_TheOriginKeyIsZero() public {
        Stream memory stream = _stream();
        stream.originKey = address(0);
        vm.expectRevert(abi.encodeWithSelector(Errors.RewardPools_ZeroAddress.selector));
        pools.create(address(token), _terms(), stream);
    }

    function test_RevertWhen_TheBookOrTheRegistryIsMissing() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.RewardPools_ZeroAddress.selector));
        new RewardPools(address(0), address(registry));
        vm.expectRevert(abi.encodeWithSelector(Errors.RewardPools_ZeroAddress.selector));
        new RewardPools(address(book), address(0));
    }

    function test_IdsCountUpFromOne() public {
        assertEq(pools.poolCount(), 0);
        assertEq(_createPool(address(token)), 1);
        assertEq(_createPool(address(token)), 2);
        assertEq(pools.poolCount(), 2);
    }

    function test_ThePoolIsOpenFromTheCurrentEpoch() public {
        vm.warp(book.epochStart(9));
        vm.expectEmit(address(pools));
        emit IRewardPools.PoolCreated(1, streamer, address(token), 9, _terms(), _stream());
        uint32 poolId = _createPool(address(token));

        IRewardPools.Pool memory pool = pools.poolOf(poolId);
        assertEq(pool.streamer, streamer);
        assertEq(pool.token, address(token));
        assertEq(pool.remaining, 0);
        assertEq(pool.createdEpoch, 9);
        assertEq(pool.closedFromEpoch, 0);
        assertFalse(pool.refunded);
        assertFalse(pools.isOpenAt(poolId, 8));
        assertTrue(pools.isOpenAt(poolId, 9));
        assertTrue(pools.isOpenAt(poolId, type(uint64).max));
    }

    function test_ItsTermsHoldFromThatEpoch() public {
        vm.warp(book.epochStart(9));
        uint32 poolId = _createPool(address(token));
        assertEq(abi.encode(pools.termsAt(poolId, 9)), abi.encode(_terms()));
        assertEq(pools.ticketSignerAt(poolId, 9), ticketSigner);
        assertEq(pools.termsAt(poolId, 8).ticketSigner, address(0));
        assertEq(pools.ticketSignerAt(poolId, 8), address(0));
    }

    function test_ItsStreamCanBeRead() public {
        uint32 poolId = _createPool(address(token));
        Stream memory stream = pools.streamOf(poolId);
        assertEq(stream.originKey, origin);
        assertEq(stream.maxBytesPerSecond, 1_000_000);
        assertEq(stream.uri, "https://origin.example/v1");
    }

    function test_AnUnknownPoolIsZero() public view {
        assertEq(pools.poolOf(1).streamer, address(0));
        assertFalse(pools.isOpenAt(1, 0));
        assertFalse(pools.isOpenAt(0, 0));
        assertEq(pools.termsAt(1, 0).ticketSigner, address(0));
        assertEq(pools.ticketSignerAt(1, 0), address(0));
        assertEq(pools.fundedAt(1, 0), 0);
        assertEq(pools.streamOf(1).originKey, address(0));
        assertEq(pools.claimed(alice, 1), 0);
    }
}
