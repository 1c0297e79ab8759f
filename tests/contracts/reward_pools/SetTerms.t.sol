// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IRewardPools } from "../../../contracts/interfaces/IRewardPools.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { Terms } from "../../../contracts/libraries/ProtocolTypes.sol";
import { ProtocolTest } from "../utils/ProtocolTest.sol";

contract RewardPoolsSetTermsTest is ProtocolTest {
    uint32 private poolId;

    function setUp() public override {
        super.setUp();
        poolId = _createPool(address(token));
        vm.warp(book.epochStart(10));
    }

    function test_RevertWhen_ThereIsNoSuchPool() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.RewardPools_UnknownPool.selector, 2));
        pools.setTerms(2, _terms(), 11);
    }

    function test_RevertWhen_TheCallerIsNotTheStreamer() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.RewardPools_NotStreamer.selector, stranger, poolId));
        vm.prank(stranger);
        pools.setTerms(poolId, _terms(), 11);
    }

    function test_RevertWhen_TheClosingIsAnnounced() public {
        vm.prank(streamer);
        pools.close(poolId);
        vm.expectRevert(abi.encodeWithSelector(Errors.RewardPools_PoolClosed.selector, poolId));
        vm.prank(streamer);
        pools.setTerms(poolId, _terms(), 11);
    }

    function test_RevertWhen_TheEpochHasBegun() public {
        for (uint64 epoch = 9; epoch <= 10; ++epoch) {
            vm.expectRevert(abi.encodeWithSelector(Errors.RewardPools_EpochBegun.selector, epoch, 10));
            vm.prank(streamer);
            pools.setTerms(poolId, _terms(), epoch);
        }
    }

    function test_RevertWhen_TheTicketSignerIsZero() public {
        Terms memory terms = _terms();
        terms.ticketSigner = address(0);
        vm.expectRevert(abi.encodeWithSelector(Errors.RewardPools_ZeroAddress.selector));
        vm.prank(streamer);
        pools.setTerms(poolId, terms, 11);
    }

    function test_OtherTermsHoldFromTheirEpoch() public {
        vm.expectEmit(address(pools));
        emit IRewardPools.TermsChanged(poolId, 12, _priced(7));
        _set(7, 12);
        assertEq(_price(11), _terms().pricePerGB);
        assertEq(_price(12), 7);
        assertEq(pools.ticketSignerAt(poolId, 11), ticketSigner);
        assertEq(pools.ticketSignerAt(poolId, 12), _priced(7).ticketSigner);
        assertEq(_price(type(uint64).max), 7);
    }

    function test_AnotherChangeForTheSameEpochReplacesIt() public {
        _set(7, 12);
        _set(8, 12);
        assertEq(_price(12), 8);
    }

    function test_AChangeReplacesWhatWasAnnouncedForLater() public {
        _set(7, 20);
        _set(8, 30);
        _set(9, 15);
        assertEq(_price(14), _terms().pricePerGB);
        assertEq(_price(15), 9);
        assertEq(_price(20), 9);
        assertEq(_price(30), 9);
    }

    function test_AFarAnnouncementDoesNotLockThePool() public {
        _set(7, type(uint64).max);
        _set(8, 11);
        assertEq(_price(11), 8);
        assertEq(_price(type(uint64).max), 8);
    }

    function test_ManyChangesAreFoundByTheirEpoch() public {
        for (uint64 epoch = 11; epoch < 40; epoch += 3) {
            _set(epoch, epoch);
        }
        for (uint64 epoch = 11; epoch < 45; ++epoch) {
            uint256 expected = epoch < 40 ? epoch - (epoch - 11) % 3 : 38;
            assertEq(_price(epoch), expected);
        }
    }

    function testFuzz_NoCallChangesAnEpochThatHasBegun(uint64[8] memory epochs, uint16[8] memory pauses)
        public
    {
        bytes32 before;
        uint64 begun;
        for (uint256 i; i < 8; ++i) {
            skip(pauses[i]);
            begun = book.currentEpoch();
            before = _history(begun);
            _set(uint128(i + 1), uint64(bound(epochs[i], begun + 1, begun + 20)));
            assertEq(_history(begun), before);
        }
    }

    function _history(uint64 last) private view returns (bytes32 digest) {
        for (uint64 epoch; epoch <= last; ++epoch) {
            Terms memory terms = pools.termsAt(poolId, epoch);
            assertEq(pools.ticketSignerAt(poolId, epoch), terms.ticketSigner);
            digest = keccak256(abi.encode(digest, terms));
        }
    }

    function _priced(uint128 price) private view returns (Terms memory terms) {
        terms = _terms();
        terms.pricePerGB = price;
        // Another with each price.
        terms.ticketSigner = address(uint160(terms.ticketSigner) ^ uint160(price));
    }

    function _set(uint128 price, uint64 fromEpoch) private {
        vm.prank(streamer);
        pools.setTerms(poolId, _priced(price), fromEpoch);
    }

    function _price(uint64 epoch) private view returns (uint256) {
        return pools.termsAt(poolId, epoch).pricePerGB;
    }
}
