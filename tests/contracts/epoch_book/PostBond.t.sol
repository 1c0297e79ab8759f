// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { EpochBook } from "../../../contracts/EpochBook.sol";
import { IEpochBook } from "../../../contracts/interfaces/IEpochBook.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { ProtocolTest } from "../utils/ProtocolTest.sol";

contract EpochBookPostBondTest is ProtocolTest {
    function setUp() public override {
        super.setUp();
        book = new EpochBook(_parameters());
        vm.deal(poster, 10 * BOND);
    }

    function test_RevertWhen_TheCallerIsNotThePoster() public {
        vm.deal(stranger, BOND);
        vm.expectRevert(abi.encodeWithSelector(Errors.EpochBook_NotPoster.selector, stranger));
        vm.prank(stranger);
        book.postBond{ value: BOND }();
    }

    function test_RevertWhen_TheBondIsTooSmall() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.EpochBook_InsufficientBond.selector, BOND - 1, BOND));
        vm.prank(poster);
        book.postBond{ value: BOND - 1 }();
    }

    function test_TheBondAllowsToCommit() public {
        vm.expectEmit(address(book));
        emit IEpochBook.BondPosted(poster, BOND, BOND);
        vm.prank(poster);
        book.postBond{ value: BOND }();
        assertEq(book.bond(), BOND);
        assertTrue(book.isBonded());
        _commit(_header(0));
    }

    function test_ABondCanGrow() public {
        vm.prank(poster);
        book.postBond{ value: BOND }();
        vm.prank(poster);
        book.postBond{ value: 1 }();
        assertEq(book.bond(), BOND + 1);
        assertEq(address(book).balance, BOND + 1);
    }
}
