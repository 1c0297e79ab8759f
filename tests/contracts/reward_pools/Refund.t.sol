// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IRewardPools } from "../../../contracts/interfaces/IRewardPools.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { ClaimLeaf, EpochHeader, PoolRow, SumNode } from "../../../contracts/libraries/ProtocolTypes.sol";
import { ProtocolTest } from "../utils/ProtocolTest.sol";
import { ReferenceTrees } from "../utils/ReferenceTrees.sol";

contract RewardPoolsRefundTest is ProtocolTest {
    uint32 private poolId;
    PoolRow[] private rows;

    /// @dev Pool 2 of 3, funded with 1000; closed in epoch 2; spent 300 in all.
    function setUp() public override {
        super.setUp();
        _fundedPool(5000);
        poolId = _fundedPool(1000);
        _fundedPool(5000);
        for (uint32 id = 1; id <= 3; ++id) {
            rows.push(
                PoolRow({
                    poolId: id,
                    nodesRoot: keccak256(abi.encode("nodes", id)),
                    nodeCount: 4,
                    weight: 1000 * id,
                    spend: 100,
                    cumulativeSpend: 300
                })
            );
        }
        vm.warp(book.epochStart(2));
        vm.prank(streamer);
        pools.close(poolId);
    }

    function test_RevertWhen_TheCallerIsNotTheStreamer() public {
        EpochHeader memory header = _settleRows();
        vm.expectRevert(abi.encodeWithSelector(Errors.RewardPools_NotStreamer.selector, stranger, poolId));
        vm.prank(stranger);
        pools.refund(header, rows[1], 1, _path(1), stranger);
    }

    function test_RevertWhen_ThereIsNoSuchPool() public {
        EpochHeader memory header = _settleRows();
        PoolRow memory row = rows[1];
        row.poolId = 9;
        _expectRevert(header, row, 1, abi.encodeWithSelector(Errors.RewardPools_UnknownPool.selector, 9));
    }

    function test_RevertWhen_ThePoolIsOpen() public {
        EpochHeader memory header = _settleRows();
        _expectRevert(
            header, rows[0], 0, abi.encodeWithSelector(Errors.RewardPools_PoolNotClosed.selector, 1)
        );
    }

    function test_RevertWhen_TheHeaderIsNotFinal() public {
        _commitUpTo(2);
        EpochHeader memory header = _withRows(_header(2), rows);
        bytes32 headerHash = _commit(header);
        _expectRevert(
            header,
            rows[1],
            1,
            abi.encodeWithSelector(Errors.RewardPools_HeaderNotFinal.selector, 2, headerHash)
        );
    }

    function test_RevertWhen_TheHeaderIsNotTheLastOpenEpochs() public {
        EpochHeader memory header = _settleRows();
        EpochHeader memory later = _withRows(_header(3), rows);
        _commit(later);
        _finaliseAll();
        _expectRevert(later, rows[1], 1, abi.encodeWithSelector(Errors.RewardPools_WrongEpoch.selector, 3, 2));
        header.epoch = 1;
        _expectRevert(
            header, rows[1], 1, abi.encodeWithSelector(Errors.RewardPools_WrongEpoch.selector, 1, 2)
        );
    }

    function test_RevertWhen_TheRowIsNotInTheHeader() public {
        EpochHeader memory header = _settleRows();
        PoolRow memory row = rows[1];
        row.cumulativeSpend = 0;
        _expectRevert(
            header, row, 1, abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, header.poolsRoot)
        );
    }

    function test_RevertWhen_TheIndexIsAnother() public {
        EpochHeader memory header = _settleRows();
        _expectRevert(
            header, rows[1], 0, abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, header.poolsRoot)
        );
    }

    function test_RevertWhen_TheIndexIsBeyondTheCount() public {
        EpochHeader memory header = _settleRows();
        _expectRevert(header, rows[1], 3, abi.encodeWithSelector(Errors.Tree_IndexBeyondCount.selector, 3, 3));
    }

    function test_RevertWhen_ThePathIsTooShortOrTooLong() public {
        EpochHeader memory header = _settleRows();
        for (uint256 length = 1; length <= 3; length += 2) {
            vm.expectRevert(abi.encodeWithSelector(Errors.Tree_WrongPathLength.selector, length, 2));
            vm.prank(streamer);
            pools.refund(header, rows[1], 1, new SumNode[](length), streamer);
        }
    }

    /// @dev The sum is part of what is proven: the header's weight must be the tree's.
    function test_RevertWhen_TheHeaderHasAnotherWeight() public {
        _commitUpTo(2);
        EpochHeader memory header = _withRows(_header(2), rows);
        uint128 actual = header.weight;
        header.weight = actual + 1;
        _commit(header);
        _finaliseAll();
        _expectRevert(
            header,
            rows[1],
            1,
            abi.encodeWithSelector(Errors.SumTree_SumMismatch.selector, actual, actual + 1)
        );
    }

    function test_RevertWhen_TheReceiverIsZero() public {
        EpochHeader memory header = _settleRows();
        vm.expectRevert(abi.encodeWithSelector(Errors.RewardPools_ZeroAddress.selector));
        vm.prank(streamer);
        pools.refund(header, rows[1], 1, _path(1), address(0));
    }

    function test_RevertWhen_ItWasRefunded() public {
        EpochHeader memory header = _settleRows();
        _refund(header, 1);
        _expectRevert(
            header, rows[1], 1, abi.encodeWithSelector(Errors.RewardPools_AlreadyRefunded.selector, poolId)
        );
    }

    function test_WhatWasNotSpentGoesBack() public {
        EpochHeader memory header = _settleRows();
        vm.expectEmit(address(pools));
        emit IRewardPools.Refunded(poolId, alice, 700);
        _refund(header, 1);
        assertEq(token.balanceOf(alice), 700);
        assertEq(pools.poolOf(poolId).remaining, 300);
        assertTrue(pools.poolOf(poolId).refunded);
    }

    function test_WhatWasEarnedStaysClaimable() public {
        EpochHeader memory header = _settleRows();
        _refund(header, 1);
        ClaimLeaf memory leaf = ClaimLeaf({ account: bob, entries: _entries(_entry(poolId, 300)) });
        EpochHeader memory later = _settle(leaf);
        pools.claim(later.epoch, leaf, 0, _noPath(), 0);
        assertEq(token.balanceOf(bob), 300);
        assertEq(pools.poolOf(poolId).remaining, 0);
    }

    function test_ALyingRowGetsNoMoreThanThePoolHolds() public {
        ClaimLeaf memory leaf = ClaimLeaf({ account: bob, entries: _entries(_entry(poolId, 900)) });
        rows[1].cumulativeSpend = 0;
        EpochHeader memory claims = _settle(leaf);
        pools.claim(claims.epoch, leaf, 0, _noPath(), 0);
        EpochHeader memory header = _settleRows();
        _refund(header, 1);
        assertEq(token.balanceOf(alice), 100);
        assertEq(pools.poolOf(poolId).remaining, 0);
        assertEq(token.balanceOf(address(pools)), 10_000);
    }

    function test_ARowThatSpentMoreThanWasFundedGetsNothing() public {
        rows[1].cumulativeSpend = type(uint128).max;
        EpochHeader memory header = _settleRows();
        _refund(header, 1);
        assertEq(token.balanceOf(alice), 0);
        assertEq(pools.poolOf(poolId).remaining, 1000);
    }

    function test_AOnlyPoolIsRefundedWithoutAPath() public {
        PoolRow[] memory one = new PoolRow[](1);
        one[0] = rows[1];
        _commitUpTo(2);
        EpochHeader memory header = _withRows(_header(2), one);
        _commit(header);
        _finaliseAll();
        vm.prank(streamer);
        pools.refund(header, one[0], 0, new SumNode[](0), alice);
        assertEq(token.balanceOf(alice), 700);
    }

    function test_RevertWhen_TheTreeIsEmpty() public {
        _commitUpTo(2);
        EpochHeader memory header = _header(2);
        _commit(header);
        _finaliseAll();
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_IndexBeyondCount.selector, 0, 0));
        vm.prank(streamer);
        pools.refund(header, rows[1], 0, new SumNode[](0), alice);
    }

    function testFuzz_RefundAndClaimsNeverExceedTheFunds(uint128 spend, uint128 claimed) public {
        rows[1].cumulativeSpend = spend;
        EpochHeader memory header = _settleRows();
        ClaimLeaf memory leaf = ClaimLeaf({ account: bob, entries: _entries(_entry(poolId, claimed)) });
        EpochHeader memory later = _settle(leaf);
        if (claimed % 2 == 0) {
            pools.claim(later.epoch, leaf, 0, _noPath(), 0);
            _refund(header, 1);
        } else {
            _refund(header, 1);
            pools.claim(later.epoch, leaf, 0, _noPath(), 0);
        }
        uint256 out = token.balanceOf(alice) + token.balanceOf(bob);
        assertLe(out, 1000);
        assertEq(pools.poolOf(poolId).remaining, 1000 - out);
        assertEq(token.balanceOf(address(pools)), 11_000 - out);
    }

    function _settleRows() private returns (EpochHeader memory header) {
        _commitUpTo(2);
        header = _withRows(_header(2), rows);
        _commit(header);
        _finaliseAll();
    }

    function _path(uint256 index) private view returns (SumNode[] memory) {
        return ReferenceTrees.path(_poolLeaves(rows), index);
    }

    function _refund(EpochHeader memory header, uint32 index) private {
        vm.prank(streamer);
        pools.refund(header, rows[index], index, _path(index), alice);
    }

    function _expectRevert(EpochHeader memory header, PoolRow memory row, uint32 index, bytes memory reason)
        private
    {
        SumNode[] memory path = _path(index < 3 ? index : 0);
        vm.expectRevert(reason);
        vm.prank(streamer);
        pools.refund(header, row, index, path, streamer);
    }
}
