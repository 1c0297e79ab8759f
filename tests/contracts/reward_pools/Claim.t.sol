// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IRewardPools } from "../../../contracts/interfaces/IRewardPools.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { ClaimLeaf, EpochHeader, NodeRegistration } from "../../../contracts/libraries/ProtocolTypes.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { ClaimTest } from "../utils/ClaimTest.sol";
import { Vm } from "../utils/Vm.sol";
import { BlockingToken } from "../utils/tokens/BlockingToken.sol";
import { FalseToken } from "../utils/tokens/FalseToken.sol";
import { FeeToken } from "../utils/tokens/FeeToken.sol";
import { HookToken } from "../utils/tokens/HookToken.sol";
import { NoReturnToken } from "../utils/tokens/NoReturnToken.sol";
import { PlainToken } from "../utils/tokens/PlainToken.sol";

contract RewardPoolsClaimTest is ClaimTest {
    /*//////////////////////////////////////////////////////////////////////////
                                      REVERTS
    //////////////////////////////////////////////////////////////////////////*/

    function test_RevertWhen_TheClaimsAreNotOpen() public {
        EpochHeader memory next = _header(1);
        next.claimsRoot = header.claimsRoot;
        next.claimCount = header.claimCount;
        _commit(next);
        _finaliseAll();
        _expectRevert(next, _leaf(), abi.encodeWithSelector(Errors.RewardPools_ClaimsNotOpen.selector, 1));
    }

    function test_RevertWhen_AnEntryIsRaised() public {
        ClaimLeaf memory leaf = _leaf();
        leaf.entries[0] += 1;
        _expectMismatch(leaf);
    }

    function test_RevertWhen_TheAccountIsAnother() public {
        ClaimLeaf memory leaf = _leaf();
        leaf.account = stranger;
        _expectMismatch(leaf);
    }

    function test_RevertWhen_AnEntryIsMissing() public {
        ClaimLeaf memory leaf = _leaf();
        leaf.entries = _entries(leaf.entries[0], leaf.entries[1]);
        _expectMismatch(leaf);
    }

    function test_RevertWhen_TheIndexIsAnothers() public {
        bytes32[] memory path = _path();
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, _kept(header.claimsRoot)));
        pools.claim(header.epoch, _leaf(), 0, path, 0);
    }

    function test_RevertWhen_TheIndexIsBeyondTheCount() public {
        bytes32[] memory path = _path();
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_IndexBeyondCount.selector, 5, 5));
        pools.claim(header.epoch, _leaf(), 5, path, 0);
    }

    /// @dev Index 4 + 8 has the same lower bits: only the count keeps it out.
    function test_RevertWhen_TheIndexHasHigherBits() public {
        bytes32[] memory path = _path();
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_IndexBeyondCount.selector, 12, 5));
        pools.claim(header.epoch, _leaf(), 12, path, 0);
    }

    function test_RevertWhen_ThePathIsCut() public {
        bytes32[] memory path = _path();
        bytes32[] memory shorter = new bytes32[](2);
        (shorter[0], shorter[1]) = (path[0], path[1]);
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_WrongPathLength.selector, 2, 3));
        pools.claim(header.epoch, _leaf(), earnerIndex, shorter, 0);
    }

    function test_RevertWhen_ThePathIsTooLong() public {
        bytes32[] memory path = _path();
        bytes32[] memory longer = new bytes32[](4);
        for (uint256 i; i < 3; ++i) {
            longer[i] = path[i];
        }
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_WrongPathLength.selector, 4, 3));
        pools.claim(header.epoch, _leaf(), earnerIndex, longer, 0);
    }

    /// @dev Nothing can be opened of it.
    function test_RevertWhen_TheTreeIsEmpty() public {
        EpochHeader memory empty = _header(1);
        _commit(empty);
        _finaliseAll();
        pools.openClaims(empty);
        vm.expectRevert(abi.encodeWithSelector(Errors.RewardPools_ClaimsNotOpen.selector, 1));
        pools.claim(1, _leaf(), 0, _noPath(), 0);
    }

    function test_RevertWhen_PoolsDoNotRise() public {
        uint256[][3] memory wrong = [
            _entries(_entry(2, 1), _entry(1, 1)), _entries(_entry(2, 1), _entry(2, 5)), _entries(_entry(0, 1))
        ];
        for (uint256 i; i < wrong.length; ++i) {
            _settleNext(wrong[i]);
            _expectRevert(
                header,
                _leaf(),
                abi.encodeWithSelector(Errors.RewardPools_EntriesNotRising.selector, wrong[i].length - 1)
            );
        }
    }

    function test_RevertWhen_ThereAreTooManyEntries() public {
        uint256[] memory entries = new uint256[](257);
        for (uint256 i; i < 257; ++i) {
            entries[i] = _entry(i + 1, 1);
        }
        _settleNext(entries);
        _expectRevert(
            header, _leaf(), abi.encodeWithSelector(Errors.RewardPools_TooManyEntries.selector, 257)
        );
    }

    function test_RevertWhen_TheTokenRefuses() public {
        FalseToken refusing = new FalseToken();
        _createPool(address(refusing));
        _deposit(4, 100);
        refusing.refuse();
        _settleNext(_entries(_entry(4, 100)));
        _expectRevert(
            header,
            _leaf(),
            abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(refusing))
        );
    }

    function test_RevertWhen_TheReceiverComesBackThroughAHook() public {
        HookToken hooked = new HookToken();
        _createPool(address(hooked));
        _deposit(4, 100);
        ReentrantClaimer claimer = new ReentrantClaimer(pools, hooked);
        ClaimLeaf memory leaf = ClaimLeaf({ account: address(claimer), entries: _entries(_entry(4, 60)) });
        EpochHeader memory next = _settle(leaf);
        vm.expectRevert(
            abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector)
        );
        claimer.claim(next, leaf, false);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      PAYMENTS
    //////////////////////////////////////////////////////////////////////////*/

    function test_PaysAllPoolsInOneTransfer() public {
        uint256[] memory paid = _leaf().entries;
        vm.recordLogs();
        vm.prank(stranger);
        pools.claim(header.epoch, _leaf(), earnerIndex, _path(), 0);

        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 2);
        assertEq(logs[0].topics[0], IRewardPools.Claimed.selector);
        assertEq(logs[0].topics[1], bytes32(uint256(uint160(earner))));
        assertEq(logs[0].data, abi.encode(earner, paid));
        assertEq(logs[1].emitter, address(token));
        assertEq(token.balanceOf(earner), 60e18);
        assertEq(pools.claimed(earner, 1), 10e18);
        assertEq(pools.claimed(earner, 2), 20e18);
        assertEq(pools.claimed(earner, 3), 30e18);
        assertEq(pools.poolOf(2).remaining, FUNDS - 20e18);
    }

    function test_PaysToTheRegisteredPayout() public {
        NodeRegistration memory registration = NodeRegistration({
            node: earner, payout: payout, endpoint: "", nonce: 0, deadline: type(uint64).max
        });
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "NodeRegistration(address node,address payout,string endpoint,uint64 nonce,uint64 deadline)"
                ),
                earner,
                payout,
                keccak256(""),
                0,
                type(uint64).max
            )
        );
        registry.register(registration, _sign(earnerKey, structHash));
        _claim(0);
        assertEq(token.balanceOf(payout), 60e18);
        assertEq(token.balanceOf(earner), 0);
    }

    function test_AClaimMinedTwicePaysOnce() public {
        _claim(0);
        vm.recordLogs();
        _claim(0);
        assertEq(vm.getRecordedLogs().length, 0);
        assertEq(token.balanceOf(earner), 60e18);
    }

    function test_WhatIsSkippedStaysDue() public {
        _claim(~uint256(1 << 1));
        assertEq(token.balanceOf(earner), 20e18);
        assertEq(pools.claimed(earner, 1), 0);
        _claim(1 << 2 | 1 << 200);
        assertEq(token.balanceOf(earner), 30e18);
        _claim(type(uint256).max);
        assertEq(token.balanceOf(earner), 30e18);
        _claim(0);
        assertEq(token.balanceOf(earner), 60e18);
    }

    function test_ALaterHeaderPaysTheDifference() public {
        _claim(0);
        _settleNext(_entries(_entry(1, 10e18), _entry(2, 25e18), _entry(3, 31e18)));
        _claim(0);
        assertEq(token.balanceOf(earner), 66e18);
        assertEq(pools.claimed(earner, 2), 25e18);
    }

    function test_AnOldHeaderStaysClaimable() public {
        EpochHeader memory old = header;
        ClaimLeaf memory oldLeaf = _leaf();
        bytes32[] memory oldPath = _path();
        _settleNext(_entries(_entry(1, 11e18), _entry(2, 25e18), _entry(3, 31e18)));
        pools.claim(old.epoch, oldLeaf, earnerIndex, oldPath, 0);
        assertEq(token.balanceOf(earner), 60e18);
        _claim(0);
        assertEq(token.balanceOf(earner), 67e18);
        pools.claim(old.epoch, oldLeaf, earnerIndex, oldPath, 0);
        assertEq(token.balanceOf(earner), 67e18);
    }

    function test_ACumulativeThatShrinksPaysNothingAndTakesNothing() public {
        _claim(0);
        _settleNext(_entries(_entry(1, 1), _entry(2, 20e18), _entry(3, 31e18)));
        _claim(0);
        assertEq(token.balanceOf(earner), 61e18);
        assertEq(pools.claimed(earner, 1), 10e18);
    }

    function test_APoolPaysNoMoreThanItHoldsAndTheRestOnceItIsFunded() public {
        _settleNext(_entries(_entry(2, FUNDS + 7)));
        _claim(0);
        assertEq(token.balanceOf(earner), FUNDS);
        assertEq(pools.claimed(earner, 2), FUNDS);
        assertEq(pools.poolOf(2).remaining, 0);
        assertEq(token.balanceOf(address(pools)), 2 * FUNDS);

        _deposit(2, 5);
        _claim(0);
        assertEq(token.balanceOf(earner), FUNDS + 5);
        _deposit(2, 5);
        _claim(0);
        assertEq(token.balanceOf(earner), FUNDS + 7);
        assertEq(pools.poolOf(2).remaining, 3);
    }

    function test_PoolsThatDoNotExistPayNothing() public {
        _settleNext(
            _entries(
                _entry(3, 1), _entry(77, type(uint128).max), _entry(type(uint128).max, type(uint128).max)
            )
        );
        _claim(0);
        assertEq(token.balanceOf(earner), 1);
        assertEq(pools.claimed(earner, 77), 0);
        assertEq(pools.claimed(earner, type(uint32).max), 0);
    }

    /// @dev The id of an entry has 128 bits; its low 32 alone must not name a pool.
    function test_AnIdBeyondItsWidthNamesNoPool() public {
        _settleNext(_entries(_entry((1 << 32) | 1, 5e18)));
        _claim(0);
        assertEq(token.balanceOf(earner), 0);
    }

    function test_TheLargestCumulativeOfAPairLeavesItsNeighbourAlone() public {
        _settleNext(_entries(_entry(2, type(uint128).max), _entry(3, type(uint128).max)));
        _claim(0);
        assertEq(pools.claimed(earner, 2), FUNDS);
        assertEq(pools.claimed(earner, 3), FUNDS);
        assertEq(pools.claimed(earner, 1), 0);
        assertEq(pools.claimed(earner, 4), 0);
    }

    function test_PoolsInTwoTokensPayEachInItsOwn() public {
        PlainToken second = new PlainToken();
        _createPool(address(second));
        _deposit(4, 50);
        _createPool(address(token));
        _deposit(5, 50);
        _createPool(address(second));
        _deposit(6, 50);
        uint256[] memory entries = new uint256[](4);
        (entries[0], entries[1], entries[2], entries[3]) =
        (_entry(1, 1), _entry(4, 10), _entry(5, 2), _entry(6, 20));
        _settleNext(entries);

        vm.recordLogs();
        _claim(0);
        assertEq(vm.getRecordedLogs().length, 3);
        assertEq(token.balanceOf(earner), 3);
        assertEq(second.balanceOf(earner), 30);
    }

    function test_ARevertingTokenIsLeftOut() public {
        BlockingToken blocking = new BlockingToken();
        _createPool(address(blocking));
        _deposit(4, 100);
        blocking.block_(earner);
        _settleNext(_entries(_entry(1, 5), _entry(4, 100)));
        _expectRevert(header, _leaf(), abi.encodeWithSelector(BlockingToken.Blocked.selector, earner));

        _claim(1 << 1);
        assertEq(token.balanceOf(earner), 5);
        assertEq(pools.claimed(earner, 4), 0);
    }

    function test_ATokenThatReturnsNothingIsPaid() public {
        NoReturnToken silent = new NoReturnToken();
        _createPool(address(silent));
        silent.mint(stranger, 100);
        vm.prank(stranger);
        silent.approve(address(pools), 100);
        vm.prank(stranger);
        pools.deposit(4, 100);
        _settleNext(_entries(_entry(4, 40)));
        _claim(0);
        assertEq(silent.balanceOf(earner), 40);
    }

    function test_ATokenThatTakesAFeeTakesItFromTheReceiver() public {
        FeeToken feeToken = new FeeToken();
        _createPool(address(feeToken));
        _deposit(4, 1000);
        _settleNext(_entries(_entry(4, 900)));
        _claim(0);
        assertEq(feeToken.balanceOf(earner), 810);
        assertEq(pools.poolOf(4).remaining, 0);
        assertEq(feeToken.balanceOf(address(pools)), 0);
    }

    function test_AReceiverThatComesBackAndFailsIsPaidOnce() public {
        HookToken hooked = new HookToken();
        _createPool(address(hooked));
        _deposit(4, 100);
        ReentrantClaimer claimer = new ReentrantClaimer(pools, hooked);
        ClaimLeaf memory leaf = ClaimLeaf({ account: address(claimer), entries: _entries(_entry(4, 60)) });
        EpochHeader memory next = _settle(leaf);
        claimer.claim(next, leaf, true);
        assertEq(hooked.balanceOf(address(claimer)), 60);
        assertEq(pools.poolOf(4).remaining, 40);
    }

    function test_TheLargestLeafIsPaid() public {
        uint256[] memory entries = new uint256[](256);
        for (uint256 i; i < 256; ++i) {
            if (i >= 3) _fundedPool(1);
            entries[i] = _entry(i + 1, 1);
        }
        _settleNext(entries);
        _claim(0);
        assertEq(token.balanceOf(earner), 256);
        assertEq(pools.claimed(earner, 256), 1);
    }

    function test_AnOnlyAccountNeedsNoPath() public {
        ClaimLeaf memory leaf = ClaimLeaf({ account: alice, entries: _entries(_entry(1, 5)) });
        EpochHeader memory next = _settle(leaf);
        pools.claim(next.epoch, leaf, 0, _noPath(), 0);
        assertEq(token.balanceOf(alice), 5);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                     ADVERSARIES
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev With the depth not pinned, the two children of an inner node, 64 bytes, could be read as a leaf.
    function test_RevertWhen_AnInnerNodePosesAsALeaf() public {
        bytes32[] memory hashes = _claimHashes(leaves);
        bytes32[] memory path = _path();
        bytes32 innerNode = keccak256(abi.encodePacked(hashes[4], bytes32(0)));
        bytes32[] memory fromInner = new bytes32[](2);
        (fromInner[0], fromInner[1]) = (path[1], path[2]);
        bytes32 root =
            keccak256(abi.encodePacked(fromInner[1], keccak256(abi.encodePacked(innerNode, fromInner[0]))));
        assertEq(root, header.claimsRoot);

        // The 52 bytes `account ‖ one word` cannot be the 64 of an inner node, and the shorter path is refused.
        ClaimLeaf memory leaf =
            ClaimLeaf({ account: address(bytes20(hashes[4])), entries: _entries(uint256(hashes[4] << 160)) });
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_WrongPathLength.selector, 2, 3));
        pools.claim(header.epoch, leaf, 2, fromInner, 0);
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, _kept(header.claimsRoot)));
        pools.claim(header.epoch, leaf, 2, path, 0);
    }

    function testFuzz_NoPoolPaysMoreThanItWasFunded(uint128[3] memory first, uint128[3] memory second)
        public
    {
        for (uint256 round; round < 2; ++round) {
            uint128[3] memory lies = round == 0 ? first : second;
            _settleNext(_entries(_entry(1, lies[0]), _entry(2, lies[1]), _entry(3, lies[2])));
            _claim(0);
            _claim(0);
        }
        uint256 paid;
        for (uint32 id = 1; id <= 3; ++id) {
            uint256 claimed = pools.claimed(earner, id);
            uint256 highest = first[id - 1] > second[id - 1] ? first[id - 1] : second[id - 1];
            assertEq(claimed, highest < FUNDS ? highest : FUNDS);
            assertEq(pools.poolOf(id).remaining, FUNDS - claimed);
            paid += claimed;
        }
        assertEq(token.balanceOf(earner), paid);
        assertEq(token.balanceOf(address(pools)), 3 * FUNDS - paid);
    }

    function testFuzz_AnyAccountOfAnyTreeClaims(uint256 seed, uint256 count) public {
        count = bound(count, 1, 40);
        ClaimLeaf[] memory tree = new ClaimLeaf[](count);
        for (uint256 i; i < count; ++i) {
            tree[i] =
                ClaimLeaf({ account: address(uint160(0x1000 + i)), entries: _entries(_entry(1, i + 1)) });
        }
        EpochHeader memory next = _settle(tree);
        uint32 index = uint32(seed % count);
        pools.claim(next.epoch, tree[index], index, _claimPath(tree, index), 0);
        assertEq(token.balanceOf(address(uint160(0x1000 + index))), index + 1);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      HELPERS
    //////////////////////////////////////////////////////////////////////////*/

    function _claim(uint256 skip) private {
        pools.claim(header.epoch, _leaf(), earnerIndex, _path(), skip);
    }

    function _expectMismatch(ClaimLeaf memory leaf) private {
        _expectRevert(
            header, leaf, abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, _kept(header.claimsRoot))
        );
    }

    function _expectRevert(EpochHeader memory header_, ClaimLeaf memory leaf, bytes memory reason) private {
        bytes32[] memory path = _path();
        vm.expectRevert(reason);
        pools.claim(header_.epoch, leaf, earnerIndex, path, 0);
    }
}

/// @dev Claims again while it is being paid.
contract ReentrantClaimer {
    IRewardPools private immutable _pools;
    EpochHeader private _header;
    ClaimLeaf private _leaf;
    bool private _forgives;

    constructor(IRewardPools pools, HookToken token) {
        _pools = pools;
        token.register(address(this));
    }

    function claim(EpochHeader calldata header, ClaimLeaf calldata leaf, bool forgives) external {
        (_header, _leaf, _forgives) = (header, leaf, forgives);
        _pools.claim(header.epoch, leaf, 0, new bytes32[](0), 0);
    }

    function tokensReceived(address, uint256) external {
        if (!_forgives) {
            _pools.claim(_header.epoch, _leaf, 0, new bytes32[](0), 0);
            return;
        }
        try _pools.claim(_header.epoch, _leaf, 0, new bytes32[](0), 0) { } catch { }
    }
}
