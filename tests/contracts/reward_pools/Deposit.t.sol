// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IRewardPools } from "../../../contracts/interfaces/IRewardPools.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { ProtocolTest } from "../utils/ProtocolTest.sol";
import { FeeToken } from "../utils/tokens/FeeToken.sol";
import { HookToken } from "../utils/tokens/HookToken.sol";
import { NoReturnToken } from "../utils/tokens/NoReturnToken.sol";

contract RewardPoolsDepositTest is ProtocolTest {
    function test_RevertWhen_ThereIsNoSuchPool() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.RewardPools_UnknownPool.selector, 1));
        pools.deposit(1, 1);
    }

    function test_RevertWhen_TheClosingIsAnnounced() public {
        uint32 poolId = _createPool(address(token));
        vm.prank(streamer);
        pools.close(poolId);
        vm.expectRevert(abi.encodeWithSelector(Errors.RewardPools_PoolClosed.selector, poolId));
        pools.deposit(poolId, 1);
    }

    function test_RevertWhen_NothingArrives() public {
        uint32 poolId = _createPool(address(token));
        vm.expectRevert(abi.encodeWithSelector(Errors.RewardPools_NothingDeposited.selector, poolId));
        pools.deposit(poolId, 0);
    }

    function test_RevertWhen_TheAllowanceIsMissing() public {
        uint32 poolId = _createPool(address(token));
        token.mint(stranger, 1);
        vm.expectRevert();
        vm.prank(stranger);
        pools.deposit(poolId, 1);
    }

    function test_RevertWhen_ThePoolWouldHoldTooMuch() public {
        uint32 poolId = _fundedPool(type(uint96).max);
        token.mint(stranger, 1);
        vm.prank(stranger);
        token.approve(address(pools), 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.RewardPools_PoolOverflow.selector, poolId, 1));
        vm.prank(stranger);
        pools.deposit(poolId, 1);
    }

    function test_RevertWhen_TheSenderComesBackThroughAHook() public {
        HookToken hooked = new HookToken();
        uint32 poolId = _createPool(address(hooked));
        ReentrantDepositor depositor = new ReentrantDepositor(pools, hooked, poolId);
        vm.expectRevert(
            abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector)
        );
        depositor.deposit();
    }

    function test_AnyoneMayFund() public {
        uint32 poolId = _createPool(address(token));
        token.mint(stranger, 5);
        vm.prank(stranger);
        token.approve(address(pools), 5);
        vm.expectEmit(address(pools));
        emit IRewardPools.Deposited(poolId, stranger, 0, 5);
        vm.prank(stranger);
        assertEq(pools.deposit(poolId, 5), 5);
        assertEq(pools.poolOf(poolId).remaining, 5);
        assertEq(token.balanceOf(address(pools)), 5);
    }

    function test_ADepositCountsFromTheEpochItArrivesIn() public {
        uint32 poolId = _createPool(address(token));
        vm.warp(book.epochStart(3));
        _deposit(poolId, 10);
        _deposit(poolId, 1);
        vm.warp(book.epochStart(7));
        _deposit(poolId, 5);

        assertEq(pools.fundedAt(poolId, 2), 0);
        assertEq(pools.fundedAt(poolId, 3), 11);
        assertEq(pools.fundedAt(poolId, 6), 11);
        assertEq(pools.fundedAt(poolId, 7), 16);
        assertEq(pools.fundedAt(poolId, type(uint64).max), 16);
    }

    function test_ATokenThatTakesAFeeIsCreditedWithWhatArrives() public {
        FeeToken feeToken = new FeeToken();
        uint32 poolId = _createPool(address(feeToken));
        _deposit(poolId, 1000);
        assertEq(pools.poolOf(poolId).remaining, 900);
        assertEq(pools.fundedAt(poolId, 0), 900);
        assertEq(feeToken.balanceOf(address(pools)), 900);
    }

    function test_RevertWhen_TheFeeIsEverything() public {
        FeeToken feeToken = new FeeToken();
        feeToken.setFeePercent(100);
        uint32 poolId = _createPool(address(feeToken));
        feeToken.mint(stranger, 10);
        vm.prank(stranger);
        feeToken.approve(address(pools), 10);
        vm.expectRevert(abi.encodeWithSelector(Errors.RewardPools_NothingDeposited.selector, poolId));
        vm.prank(stranger);
        pools.deposit(poolId, 10);
    }

    function test_ATokenThatReturnsNothingIsTaken() public {
        NoReturnToken silent = new NoReturnToken();
        uint32 poolId = _createPool(address(silent));
        silent.mint(stranger, 7);
        vm.prank(stranger);
        silent.approve(address(pools), 7);
        vm.prank(stranger);
        pools.deposit(poolId, 7);
        assertEq(pools.poolOf(poolId).remaining, 7);
    }

    function test_PoolsOfOneTokenKeepTheirOwn() public {
        uint32 first = _fundedPool(10);
        uint32 second = _fundedPool(20);
        assertEq(pools.poolOf(first).remaining, 10);
        assertEq(pools.poolOf(second).remaining, 20);
        assertEq(token.balanceOf(address(pools)), 30);
    }

    function testFuzz_FundsAddUp(uint96[5] memory amounts, uint16[5] memory pauses) public {
        uint32 poolId = _createPool(address(token));
        uint256 total;
        for (uint256 i; i < 5; ++i) {
            uint256 amount = bound(amounts[i], 1, type(uint96).max / 5);
            skip(pauses[i]);
            _deposit(poolId, amount);
            total += amount;
            assertEq(pools.fundedAt(poolId, book.currentEpoch()), total);
        }
        assertEq(pools.poolOf(poolId).remaining, total);
    }
}

/// @dev Deposits again while its first deposit measures what arrives.
contract ReentrantDepositor {
    IRewardPools private immutable _pools;
    uint32 private immutable _poolId;

    constructor(IRewardPools pools, HookToken token, uint32 poolId) {
        (_pools, _poolId) = (pools, poolId);
        token.mint(address(this), 100);
        token.approve(address(pools), 100);
        token.register(address(this));
    }

    function deposit() external {
        _pools.deposit(_poolId, 10);
    }

    function tokensToSend(address, uint256) external {
        _pools.deposit(_poolId, 10);
    }
}
