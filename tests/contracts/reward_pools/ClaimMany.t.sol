// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import { IRewardPools } from "../../../contracts/interfaces/IRewardPools.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { ClaimLeaf, EpochHeader } from "../../../contracts/libraries/ProtocolTypes.sol";
import { ClaimTest } from "../utils/ClaimTest.sol";
import { ReferenceTrees } from "../utils/ReferenceTrees.sol";
import { Vm } from "../utils/Vm.sol";
import { BlockingToken } from "../utils/tokens/BlockingToken.sol";
import { HookToken } from "../utils/tokens/HookToken.sol";

contract RewardPoolsClaimManyTest is ClaimTest {
    /*//////////////////////////////////////////////////////////////////////////
                                      REVERTS
    //////////////////////////////////////////////////////////////////////////*/

    function test_RevertWhen_TheClaimsAreNotOpen() public {
        (ClaimLeaf[] memory pushed, bytes32[] memory path) = _range(1, 3);
        vm.expectRevert(abi.encodeWithSelector(Errors.RewardPools_ClaimsNotOpen.selector, 1));
        pools.claimMany(1, pushed, 1, path, 0);
    }

    function test_RevertWhen_ThereIsNoLeaf() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_EmptyRange.selector));
        pools.claimMany(0, new ClaimLeaf[](0), 1, _noPath(), 0);
    }

    function test_RevertWhen_ThereAreTooManyLeaves() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.RewardPools_TooManyLeaves.selector, 257));
        pools.claimMany(0, new ClaimLeaf[](257), 0, _noPath(), 0);
    }

    function test_RevertWhen_ALeafIsRaised() public {
        (ClaimLeaf[] memory pushed, bytes32[] memory path) = _range(1, 3);
        pushed[1].entries[0] += 1;
        _expectMismatch(pushed, 1, path);
    }

    function test_RevertWhen_LeavesAreSwapped() public {
        (ClaimLeaf[] memory pushed, bytes32[] memory path) = _range(1, 3);
        (pushed[0], pushed[1]) = (pushed[1], pushed[0]);
        _expectMismatch(pushed, 1, path);
    }

    function test_RevertWhen_ALeafIsThereTwice() public {
        (ClaimLeaf[] memory pushed, bytes32[] memory path) = _range(1, 3);
        pushed[1] = pushed[0];
        _expectMismatch(pushed, 1, path);
    }

    function test_RevertWhen_TheRangeReachesIntoPadding() public {
        (ClaimLeaf[] memory pushed, bytes32[] memory path) = _range(3, 2);
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_IndexBeyondCount.selector, 5, 5));
        pools.claimMany(0, pushed, 4, path, 0);
    }

    function test_RevertWhen_TheFirstIndexIsAnother() public {
        (ClaimLeaf[] memory pushed, bytes32[] memory path) = _range(0, 2);
        _expectMismatch(pushed, 2, path);
    }

    function test_RevertWhen_ThePathIsCut() public {
        (ClaimLeaf[] memory pushed, bytes32[] memory path) = _range(0, 2);
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_WrongPathLength.selector, path.length - 1, 2));
        pools.claimMany(0, pushed, 0, ReferenceTrees.resized(path, path.length - 1), 0);
    }

    function test_RevertWhen_ThePathIsTooLong() public {
        (ClaimLeaf[] memory pushed, bytes32[] memory path) = _range(0, 2);
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_WrongPathLength.selector, path.length + 1, 2));
        pools.claimMany(0, pushed, 0, ReferenceTrees.resized(path, path.length + 1), 0);
    }

    function test_RevertWhen_OneAccountCannotBePaid() public {
        (ClaimLeaf[] memory pushed, bytes32[] memory path,) = _withABlockedAccount();
        vm.expectRevert(abi.encodeWithSelector(BlockingToken.Blocked.selector, pushed[1].account));
        pools.claimMany(1, pushed, 0, path, 0);
    }

    /// @dev It comes back by another entry point; one guard stands before them all.
    function test_RevertWhen_AReceiverComesBack() public {
        HookToken hooked = new HookToken();
        _createPool(address(hooked));
        _deposit(4, 100);
        ReturningReceiver receiver = new ReturningReceiver(pools, hooked);
        ClaimLeaf memory leaf = ClaimLeaf({ account: address(receiver), entries: _entries(_entry(4, 60)) });
        EpochHeader memory next = _settle(leaf);
        ClaimLeaf[] memory pushed = new ClaimLeaf[](1);
        pushed[0] = leaf;
        receiver.expect(next.epoch, leaf);
        vm.expectRevert(
            abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector)
        );
        pools.claimMany(next.epoch, pushed, 0, _noPath(), 0);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      PAYMENTS
    //////////////////////////////////////////////////////////////////////////*/

    function test_PaysEachAccountAllOfItsPools() public {
        (ClaimLeaf[] memory pushed, bytes32[] memory path) = _range(2, 3);
        vm.recordLogs();
        vm.prank(stranger);
        pools.claimMany(0, pushed, 2, path, 0);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 6);
        assertEq(logs[4].topics[0], IRewardPools.Claimed.selector);
        assertEq(logs[4].data, abi.encode(earner, _leaf().entries));
        assertEq(token.balanceOf(address(2)), 0);
        assertEq(token.balanceOf(address(3)), 3);
        assertEq(token.balanceOf(address(4)), 4);
        assertEq(token.balanceOf(earner), 60e18);
        assertEq(pools.claimed(earner, 2), 20e18);
        assertEq(pools.poolOf(1).remaining, FUNDS - 10e18 - 7);
    }

    function test_PaysToTheRegisteredPayoutAddress() public {
        vm.mockCall(address(registry), abi.encodeCall(registry.payoutOf, (earner)), abi.encode(payout));
        (ClaimLeaf[] memory pushed, bytes32[] memory path) = _range(3, 2);
        pools.claimMany(0, pushed, 3, path, 0);
        assertEq(token.balanceOf(payout), 60e18);
        assertEq(token.balanceOf(address(4)), 4);
    }

    function test_AnAccountThatCannotBePaidIsLeftOut() public {
        (ClaimLeaf[] memory pushed, bytes32[] memory path, BlockingToken blocking) = _withABlockedAccount();
        pools.claimMany(1, pushed, 0, path, 1 << 1);
        assertEq(blocking.balanceOf(pushed[0].account), 1);
        assertEq(blocking.balanceOf(pushed[1].account), 0);
        assertEq(blocking.balanceOf(pushed[2].account), 3);
        assertEq(pools.claimed(pushed[1].account, 4), 0);
    }

    function test_BitsBeyondTheLeavesMeanNothing() public {
        (ClaimLeaf[] memory pushed, bytes32[] memory path) = _range(0, 2);
        pools.claimMany(0, pushed, 0, path, ~uint256(3));
        assertEq(token.balanceOf(address(1)), 1);
        assertEq(token.balanceOf(address(2)), 2);
    }

    function test_MinedTwiceItPaysOnce() public {
        (ClaimLeaf[] memory pushed, bytes32[] memory path) = _range(0, 5);
        pools.claimMany(0, pushed, 0, path, 0);
        vm.recordLogs();
        pools.claimMany(0, pushed, 0, path, 0);
        assertEq(vm.getRecordedLogs().length, 0);
        assertEq(token.balanceOf(earner), 60e18);
    }

    function test_AnAccountClaimedBeforeDoesNotStopTheOthers() public {
        pools.claim(0, _leaf(), earnerIndex, _path(), 0);
        (ClaimLeaf[] memory pushed, bytes32[] memory path) = _range(3, 2);
        pools.claimMany(0, pushed, 3, path, 0);
        assertEq(token.balanceOf(address(4)), 4);
        assertEq(token.balanceOf(earner), 60e18);
    }

    /// @dev The first accounts drain the pool; the last is owed what it no longer holds.
    function test_NoPoolPaysMoreThanItHolds() public {
        ClaimLeaf[] memory tree = new ClaimLeaf[](3);
        for (uint160 i; i < 3; ++i) {
            tree[i] = ClaimLeaf({ account: address(i + 1), entries: _entries(_entry(1, 400e18)) });
        }
        EpochHeader memory next = _settle(tree);
        pools.claimMany(next.epoch, tree, 0, ReferenceTrees.rangePath(_claimHashes(tree), 0, 3), 0);
        assertEq(token.balanceOf(address(3)), 200e18);
        assertEq(pools.poolOf(1).remaining, 0);
        assertEq(pools.poolOf(2).remaining, FUNDS);
    }

    function testFuzz_AnyRangeOfAnyTreeIsPaid(uint256 count, uint256 first, uint256 width, uint256 skip)
        public
    {
        count = bound(count, 1, 40);
        first = bound(first, 0, count - 1);
        width = bound(width, 1, count - first);
        ClaimLeaf[] memory tree = new ClaimLeaf[](count);
        for (uint256 i; i < count; ++i) {
            tree[i] =
                ClaimLeaf({ account: address(uint160(0x1000 + i)), entries: _entries(_entry(1, i + 1)) });
        }
        EpochHeader memory next = _settle(tree);
        bytes32[] memory path = ReferenceTrees.rangePath(_claimHashes(tree), first, width);
        pools.claimMany(next.epoch, _slice(tree, first, width), uint32(first), path, skip);
        for (uint256 i; i < count; ++i) {
            bool isPaid = i >= first && i < first + width && (skip >> (i - first)) & 1 == 0;
            assertEq(token.balanceOf(tree[i].account), isPaid ? i + 1 : 0);
        }
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      HELPERS
    //////////////////////////////////////////////////////////////////////////*/

    function _range(uint256 first, uint256 width)
        private
        view
        returns (ClaimLeaf[] memory pushed, bytes32[] memory path)
    {
        pushed = _slice(leaves, first, width);
        path = ReferenceTrees.rangePath(_claimHashes(leaves), first, width);
    }

    function _slice(ClaimLeaf[] memory tree, uint256 first, uint256 width)
        private
        pure
        returns (ClaimLeaf[] memory part)
    {
        part = new ClaimLeaf[](width);
        for (uint256 i; i < width; ++i) {
            part[i] = tree[first + i];
        }
    }

    /// @dev Three accounts that earned from one pool, of which the second cannot receive its token.
    function _withABlockedAccount()
        private
        returns (ClaimLeaf[] memory tree, bytes32[] memory path, BlockingToken blocking)
    {
        blocking = new BlockingToken();
        _createPool(address(blocking));
        _deposit(4, 100);
        tree = new ClaimLeaf[](3);
        for (uint160 i; i < 3; ++i) {
            tree[i] = ClaimLeaf({ account: address(i + 1), entries: _entries(_entry(4, i + 1)) });
        }
        blocking.block_(tree[1].account);
        _settle(tree);
        path = ReferenceTrees.rangePath(_claimHashes(tree), 0, 3);
    }

    function _expectMismatch(ClaimLeaf[] memory pushed, uint32 first, bytes32[] memory path) private {
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, _kept(header.claimsRoot)));
        pools.claimMany(0, pushed, first, path, 0);
    }
}

/// @dev Claims once more, by `claimAll`, while it is being paid.
contract ReturningReceiver {
    IRewardPools private immutable _pools;
    uint64 private _epoch;
    uint256[] private _entries;

    constructor(IRewardPools pools, HookToken token) {
        _pools = pools;
        token.register(address(this));
    }

    function expect(uint64 epoch, ClaimLeaf calldata leaf) external {
        (_epoch, _entries) = (epoch, leaf.entries);
    }

    function tokensReceived(address, uint256) external {
        _pools.claimAll(_epoch, _entries, 0, new bytes32[](0));
    }
}
