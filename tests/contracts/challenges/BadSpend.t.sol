// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Errors } from "../../../contracts/libraries/Errors.sol";
import {
    EpochHeader,
    PoolRow,
    RecordLeaf,
    SessionRecord,
    Terms
} from "../../../contracts/libraries/ProtocolTypes.sol";
import { ChallengeTest } from "../utils/ChallengeTest.sol";
import { Epoch, EpochTrees } from "../utils/EpochData.sol";

contract BadSpendTest is ChallengeTest {
    /*//////////////////////////////////////////////////////////////////////////
                                      REVERTS
    //////////////////////////////////////////////////////////////////////////*/

    function test_RevertWhen_TheHeaderIsNotPending() public {
        (Epoch memory first, Epoch memory epoch) = _epochs();
        _expectNotPending(epoch.header);
        _prove(first, epoch, 0);
    }

    function test_RevertWhen_TheSpendIsTheRules() public {
        (Epoch memory first, Epoch memory epoch) = _committed();
        for (uint256 p; p < 2; ++p) {
            _expectNothingWrong();
            _prove(first, epoch, p);
        }
    }

    /// @dev Whatever is shown as the parent.
    function test_RevertWhen_TheSpendIsTheRulesInThePoolsFirstEpoch() public {
        (Epoch memory first, Epoch memory epoch) = _committed();
        _expectNothingWrong();
        _proveNew(epoch, 2);
        EpochHeader memory none;
        for (uint256 p; p < 3; ++p) {
            _expectNothingWrong();
            proofs.badSpend(first.header, EpochTrees.poolLeaf(first, p), none, EpochTrees.above(epoch, 0));
        }
    }

    function test_RevertWhen_TheParentIsAnother() public {
        (Epoch memory first, Epoch memory epoch) = _committed();
        RecordLeaf memory pool = EpochTrees.poolLeaf(epoch, 0);
        RecordLeaf[] memory before = EpochTrees.above(epoch, 0);
        _expectRevert(abi.encodeWithSelector(Errors.Challenges_WrongParent.selector, _hash(epoch.header)));
        proofs.badSpend(epoch.header, pool, epoch.header, before);
        first.pools[0].row.cumulativeSpend = 0;
        EpochTrees.build(first);
        before = EpochTrees.above(first, 0);
        _expectRevert(abi.encodeWithSelector(Errors.Challenges_WrongParent.selector, _hash(first.header)));
        proofs.badSpend(epoch.header, pool, first.header, before);
    }

    function test_RevertWhen_TheRowBeforeIsNotOne() public {
        (Epoch memory first, Epoch memory epoch) = _committed();
        RecordLeaf memory pool = EpochTrees.poolLeaf(epoch, 0);
        _expectRevert(abi.encodeWithSelector(Errors.Challenges_WrongRowCount.selector, 0, 1));
        proofs.badSpend(epoch.header, pool, first.header, EpochTrees.above());
        RecordLeaf[] memory two = EpochTrees.above(first, 0, 0);
        _expectRevert(abi.encodeWithSelector(Errors.Challenges_WrongRowCount.selector, 2, 1));
        proofs.badSpend(epoch.header, pool, first.header, two);
    }

    function test_RevertWhen_TheRowBeforeIsOfAnotherPool() public {
        (Epoch memory first, Epoch memory epoch) = _committed();
        RecordLeaf memory pool = EpochTrees.poolLeaf(epoch, 0);
        RecordLeaf[] memory before = EpochTrees.above(first, 1);
        _expectRevert(abi.encodeWithSelector(Errors.Challenges_WrongLeaf.selector));
        proofs.badSpend(epoch.header, pool, first.header, before);
    }

    function test_RevertWhen_TheRowBeforeIsNotTheParents() public {
        (Epoch memory first, Epoch memory epoch) = _committed();
        RecordLeaf memory pool = EpochTrees.poolLeaf(epoch, 0);
        RecordLeaf[] memory before = EpochTrees.above(epoch, 0);
        _expectRevert(abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, first.header.poolsRoot));
        proofs.badSpend(epoch.header, pool, first.header, before);
    }

    /// @dev Deposits and terms count from when they were made for: later ones change nothing about this epoch.
    function test_RevertWhen_TheChainChangesLater() public {
        (Epoch memory first, Epoch memory epoch) = _epochs();
        Terms memory terms = _terms();
        terms.pricePerGB *= 2;
        vm.prank(streamer);
        pools.setTerms(1, terms, 2);
        _commit(epoch.header);
        _deposit(1, FUNDS);
        _expectNothingWrong();
        _prove(first, epoch, 0);
    }

    /// @dev No more than that is left to a pool whose wrong rows became final: it spends nothing.
    function test_RevertWhen_NothingIsSpentAfterMoreThanWasFunded() public {
        Epoch memory first = _first();
        first.pools[0].row.cumulativeSpend = uint128(FUNDS) + 1;
        _rebuildAndCommit(first);
        Epoch memory epoch = _second(first);
        assertEq(epoch.pools[0].row.spend, 0);
        assertEq(epoch.pools[0].row.cumulativeSpend, FUNDS + 1);
        _commit(epoch.header);
        _expectNothingWrong();
        _prove(first, epoch, 0);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                     WRONG ROWS
    //////////////////////////////////////////////////////////////////////////*/

    function test_TooHigh() public {
        (Epoch memory first, Epoch memory epoch) = _epochs();
        epoch.pools[0].row.spend += 1;
        epoch.pools[0].row.cumulativeSpend += 1;
        _rebuildAndProve(first, epoch, 0);
    }

    function test_TooLow() public {
        (Epoch memory first, Epoch memory epoch) = _epochs();
        epoch.pools[1].row.spend -= 1;
        epoch.pools[1].row.cumulativeSpend -= 1;
        _rebuildAndProve(first, epoch, 1);
    }

    function test_ACumulativeSpendThatIsNotTheSum() public {
        (Epoch memory first, Epoch memory epoch) = _epochs();
        epoch.pools[0].row.cumulativeSpend -= 1;
        _rebuildAndProve(first, epoch, 0);
    }

    function test_ACumulativeSpendThatForgetsTheParents() public {
        (Epoch memory first, Epoch memory epoch) = _epochs();
        epoch.pools[0].row.cumulativeSpend = epoch.pools[0].row.spend;
        _rebuildAndProve(first, epoch, 0);
    }

    function test_ASpendWithoutWeight() public {
        (, Epoch memory epoch) = _epochs();
        (epoch.pools[2].row.spend, epoch.pools[2].row.cumulativeSpend) = (1, 1);
        _rebuildAndCommit(epoch);
        _expectVoid(1);
        _proveNew(epoch, 2);
    }

    function test_ACumulativeSpendInThePoolsFirstEpoch() public {
        (, Epoch memory epoch) = _epochs();
        epoch.pools[2].row.cumulativeSpend = 1;
        _rebuildAndCommit(epoch);
        _expectVoid(1);
        _proveNew(epoch, 2);
    }

    function test_AWrongSpendInEpochZero() public {
        Epoch memory first = _first();
        first.pools[1].row.spend -= 1;
        first.pools[1].row.cumulativeSpend -= 1;
        _rebuildAndCommit(first);
        _expectVoid(0);
        _proveNew(first, 1);
    }

    function test_MoreThanTheBudget() public {
        Terms memory terms = _terms();
        terms.epochBudget = 1e15;
        vm.prank(streamer);
        pools.setTerms(1, terms, 2);
        (, Epoch memory second) = _committed();
        vm.warp(GENESIS + 2 * EPOCH_SECONDS);
        Epoch memory third = _settleEpoch(2, second, _ofEpoch(2));
        PoolRow memory row = third.pools[0].row;
        assertEq(row.spend, 1e15);
        row.spend += 1;
        row.cumulativeSpend += 1;
        _rebuildAndCommit(third);
        _expectVoid(2);
        _prove(second, third, 0);
    }

    function test_MoreThanWasFunded() public {
        Terms memory terms = _terms();
        (terms.pricePerGB, terms.epochBudget) = (1e21, 1e24);
        vm.prank(streamer);
        pools.setTerms(1, terms, 2);
        (, Epoch memory second) = _committed();
        vm.warp(GENESIS + 2 * EPOCH_SECONDS);
        Epoch memory third = _settleEpoch(2, second, _ofEpoch(2));
        PoolRow memory row = third.pools[0].row;
        assertEq(row.cumulativeSpend, FUNDS);
        row.spend += 1;
        row.cumulativeSpend += 1;
        _rebuildAndCommit(third);
        _expectVoid(2);
        _prove(second, third, 0);
    }

    /// @dev Its wrong last bytes do not hinder this proof.
    function test_AHeaderThatNamesItsParentWrongly() public {
        (Epoch memory first, Epoch memory epoch) = _epochs();
        epoch.header.parent ^= bytes32(uint256(1));
        epoch.pools[0].row.cumulativeSpend -= 1;
        _rebuildAndProve(first, epoch, 0);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      HELPERS
    //////////////////////////////////////////////////////////////////////////*/

    function _ofEpoch(uint64 number) private returns (SessionRecord[] memory records) {
        records = new SessionRecord[](1);
        records[0] = _session(1, number, nodes[0], VIEWER, 9e9, 9e9);
    }

    function _rebuildAndProve(Epoch memory first, Epoch memory epoch, uint256 pool) private {
        _rebuildAndCommit(epoch);
        _expectVoid(1);
        _prove(first, epoch, pool);
    }

    /// @dev Of a pool that has the same place in both epochs.
    function _prove(Epoch memory first, Epoch memory epoch, uint256 pool) private {
        proofs.badSpend(
            epoch.header, EpochTrees.poolLeaf(epoch, pool), first.header, EpochTrees.above(first, pool)
        );
    }

    /// @dev Of a pool in its first epoch.
    function _proveNew(Epoch memory epoch, uint256 pool) private {
        EpochHeader memory none;
        proofs.badSpend(epoch.header, EpochTrees.poolLeaf(epoch, pool), none, EpochTrees.above());
    }
}
