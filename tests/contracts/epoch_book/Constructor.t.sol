// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { EpochBook } from "../../../contracts/EpochBook.sol";
import { IEpochBook } from "../../../contracts/interfaces/IEpochBook.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { ProtocolTest } from "../utils/ProtocolTest.sol";

contract EpochBookConstructorTest is ProtocolTest {
    function test_RevertWhen_EpochsAreEmpty() public {
        IEpochBook.Parameters memory parameters = _parameters();
        parameters.epochSeconds = 0;
        _expectBad(parameters, "epochSeconds");
    }

    function test_RevertWhen_TheTimeoutIsShorterThanTheChallengeWindow() public {
        IEpochBook.Parameters memory parameters = _parameters();
        parameters.posterTimeoutSeconds = parameters.challengeSeconds - 1;
        _expectBad(parameters, "posterTimeoutSeconds");
    }

    function test_RevertWhen_APunctualPosterCouldBeReplaced() public {
        IEpochBook.Parameters memory parameters = _parameters();
        parameters.challengeSeconds = 0;
        parameters.posterTimeoutSeconds = EPOCH_SECONDS + GRACE_SECONDS - 1;
        _expectBad(parameters, "posterTimeoutSeconds");
    }

    function test_RevertWhen_TheBondIsNothing() public {
        IEpochBook.Parameters memory parameters = _parameters();
        parameters.bondWei = 0;
        _expectBad(parameters, "bondWei");
    }

    function test_RevertWhen_ThereIsNoPoster() public {
        IEpochBook.Parameters memory parameters = _parameters();
        parameters.poster = address(0);
        _expectBad(parameters, "poster");
    }

    function test_RevertWhen_ThePosterIsTheGuardian() public {
        IEpochBook.Parameters memory parameters = _parameters();
        parameters.poster = guardian;
        vm.expectRevert(abi.encodeWithSelector(Errors.EpochBook_GuardianCannotPost.selector, guardian));
        new EpochBook(parameters);
    }

    function test_KeepsItsParameters() public view {
        assertEq(book.genesis(), GENESIS);
        assertEq(book.epochSeconds(), EPOCH_SECONDS);
        assertEq(book.intakeGraceSeconds(), GRACE_SECONDS);
        assertEq(book.challengeSeconds(), CHALLENGE_SECONDS);
        assertEq(book.posterTimeoutSeconds(), TIMEOUT_SECONDS);
        assertEq(book.bondWei(), BOND);
        assertEq(book.poster(), poster);
        assertEq(book.guardian(), guardian);
        assertEq(book.challenges(), challenges);
        assertEq(book.dataDemands(), dataDemands);
    }

    function test_StartsWithoutABond() public {
        EpochBook fresh = new EpochBook(_parameters());
        assertEq(fresh.bond(), 0);
        assertFalse(fresh.isBonded());
        assertEq(fresh.nextEpoch(), 0);
        assertEq(fresh.finalisedEpochs(), 0);
    }

    function test_TheTimeoutOfABookWithALaterGenesisStartsThere() public {
        IEpochBook.Parameters memory parameters = _parameters();
        parameters.genesis = GENESIS + 10 days;
        EpochBook later = new EpochBook(parameters);
        assertEq(later.lastActivityAt(), GENESIS + 10 days);
    }

    function test_TheTimeoutOfABookWithAnEarlierGenesisStartsNow() public {
        IEpochBook.Parameters memory parameters = _parameters();
        parameters.genesis = GENESIS - 10 days;
        EpochBook earlier = new EpochBook(parameters);
        assertEq(earlier.lastActivityAt(), GENESIS);
    }

    function _expectBad(IEpochBook.Parameters memory parameters, bytes32 name) private {
        vm.expectRevert(abi.encodeWithSelector(Errors.EpochBook_BadParameter.selector, name));
        new EpochBook(parameters);
    }
}
