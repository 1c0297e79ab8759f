// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { EpochBook } from "../../../contracts/EpochBook.sol";
import { IEpochBook } from "../../../contracts/interfaces/IEpochBook.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { EpochHeader } from "../../../contracts/libraries/ProtocolTypes.sol";
import { ProtocolTest } from "../utils/ProtocolTest.sol";

contract EpochBookVoidTest is ProtocolTest {
    function test_RevertWhen_TheCallerIsNoChallengeContract() public {
        _commit(_header(0));
        address[3] memory callers = [poster, guardian, stranger];
        for (uint256 i; i < callers.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Errors.EpochBook_CannotVoid.selector, callers[i]));
            vm.prank(callers[i]);
            book.void(0, challenger);
        }
    }

    function test_RevertWhen_NobodyMayVoid() public {
        IEpochBook.Parameters memory parameters = _parameters();
        (parameters.challenges, parameters.dataDemands) = (address(0), address(0));
        book = new EpochBook(parameters);
        _bond(poster);
        _commit(_header(0));
        vm.expectRevert(abi.encodeWithSelector(Errors.EpochBook_CannotVoid.selector, challenges));
        vm.prank(challenges);
        book.void(0, challenger);
    }

    function test_RevertWhen_NoHeaderIsCommitted() public {
        _expectNotPending(0);
        _commitUpTo(2);
        _expectNotPending(2);
    }

    function test_RevertWhen_TheHeaderIsFinal() public {
        _commitUpTo(2);
        skip(CHALLENGE_SECONDS);
        book.finalise(0);
        _expectNotPending(0);
    }

    function test_RevertWhen_TheHeaderWasVoided() public {
        _commitUpTo(2);
        vm.prank(challenges);
        book.void(1, challenger);
        _expectNotPending(1);
    }

    function test_VoidsTheHeaderAndAllItsDescendants() public {
        _commitUpTo(5);
        vm.expectEmit(address(book));
        emit IEpochBook.HeadersVoided(2, 4, challenger);
        vm.prank(challenges);
        book.void(2, challenger);

        assertEq(book.nextEpoch(), 2);
        assertEq(book.finalisedEpochs(), 0);
        assertTrue(book.isPending(1, headerHashes[1]));
        assertFalse(book.isPending(2, headerHashes[2]));
        assertFalse(book.isPending(4, headerHashes[4]));
    }

    function test_DataDemandsVoidTheSameWay() public {
        _commitUpTo(1);
        vm.prank(dataDemands);
        book.void(0, challenger);
        assertEq(book.nextEpoch(), 0);
        assertEq(book.creditOf(challenger), BOND / 2);
    }

    function test_AHeaderPastItsWindowIsVoidUntilSomebodyFinalises() public {
        _commitUpTo(1);
        skip(10 * CHALLENGE_SECONDS);
        vm.prank(challenges);
        book.void(0, challenger);
        assertEq(book.nextEpoch(), 0);
    }

    function test_HalfOfTheBondIsTheChallengersAndTheRestIsBurned() public {
        vm.deal(poster, 1);
        vm.prank(poster);
        book.postBond{ value: 1 }();
        _commitUpTo(1);
        uint256 nobodyBefore = address(0).balance;

        vm.expectEmit(address(book));
        emit IEpochBook.BondSlashed(poster, challenger, BOND / 2, BOND / 2 + 1);
        vm.prank(challenges);
        book.void(0, challenger);

        assertEq(book.bond(), 0);
        assertFalse(book.isBonded());
        assertEq(book.creditOf(challenger), BOND / 2);
        assertEq(address(book).balance, BOND / 2);
        assertEq(address(0).balance - nobodyBefore, BOND / 2 + 1);
    }

    function test_ThePosterMustBondAgain() public {
        _commitUpTo(1);
        vm.prank(challenges);
        book.void(0, challenger);

        EpochHeader memory header = _header(0);
        vm.expectRevert(abi.encodeWithSelector(Errors.EpochBook_InsufficientBond.selector, 0, BOND));
        vm.prank(poster);
        book.commit(header);

        _bond(poster);
        _commit(header);
        assertEq(book.nextEpoch(), 1);
    }

    function test_AnAncestorCanBeVoidedWhileNoBondIsLeft() public {
        _commitUpTo(3);
        vm.prank(challenges);
        book.void(2, challenger);
        vm.prank(challenges);
        book.void(0, alice);
        assertEq(book.nextEpoch(), 0);
        assertEq(book.creditOf(alice), 0);
        assertEq(address(book).balance, book.creditOf(challenger));
    }

    function test_AnAncestorVoidedAfterANewBondTakesThatBondToo() public {
        _commitUpTo(3);
        vm.prank(challenges);
        book.void(2, challenger);
        _bond(poster);
        _commit(_header(2));

        vm.prank(challenges);
        book.void(1, alice);
        assertEq(book.nextEpoch(), 1);
        assertEq(book.bond(), 0);
        assertEq(book.creditOf(challenger), BOND / 2);
        assertEq(book.creditOf(alice), BOND / 2);
        assertEq(address(book).balance, BOND);
    }

    function test_CostsTheSameForManyDescendants() public {
        _commitUpTo(50);
        uint256 id = vm.snapshotState();
        vm.prank(challenges);
        uint256 before = gasleft();
        book.void(49, challenger);
        uint256 one = before - gasleft();
        vm.revertToState(id);
        vm.prank(challenges);
        before = gasleft();
        book.void(0, challenger);
        assertApproxEqAbs(before - gasleft(), one, 200);
    }

    function testFuzz_NoEtherIsLostOrMade(uint256 extra) public {
        extra = bound(extra, 0, 1000 ether);
        vm.deal(poster, extra);
        vm.prank(poster);
        book.postBond{ value: extra }();
        _commitUpTo(1);
        uint256 nobodyBefore = address(0).balance;
        vm.prank(challenges);
        book.void(0, challenger);
        uint256 burned = address(0).balance - nobodyBefore;
        assertEq(book.creditOf(challenger) + burned, BOND + extra);
        assertEq(address(book).balance, book.creditOf(challenger));
        assertGe(burned, book.creditOf(challenger));
    }

    function _expectNotPending(uint64 epoch) private {
        vm.expectRevert(abi.encodeWithSelector(Errors.EpochBook_NotPending.selector, epoch));
        vm.prank(challenges);
        book.void(epoch, challenger);
    }
}
