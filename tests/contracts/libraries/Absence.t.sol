// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Absence } from "../../../contracts/libraries/Absence.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { Test } from "../utils/Test.sol";

contract AbsenceHarness {
    function isPresent(uint256 key, uint256 count, Absence.KeyAt[] calldata shown)
        external
        pure
        returns (bool)
    {
        return Absence.isPresent(key, count, shown);
    }
}

/// @dev Trees of 0 to 4 leaves whose keys are 10, 20, 30 and 40.
contract AbsenceTest is Test {
    AbsenceHarness private harness;

    function setUp() public {
        harness = new AbsenceHarness();
    }

    /// @dev Whatever leaves of an honest tree are shown, in any order: never that a key is absent which is there, nor the
    /// other way round. Each answer but the right one is refused.
    function test_EveryChoiceOfAtMostThreeLeaves() public view {
        for (uint256 count; count <= 4; ++count) {
            for (uint256 key = 5; key <= 45; key += 5) {
                _expect(key, count, new Absence.KeyAt[](0), count == 0);
                for (uint256 i; i < count; ++i) {
                    _expectOne(key, count, i);
                    for (uint256 j; j < count; ++j) {
                        _expectTwo(key, count, i, j);
                        for (uint256 k; k < count; ++k) {
                            _expect(key, count, _leaves(3, i, j, k), false);
                        }
                    }
                }
            }
        }
    }

    function test_RevertWhen_NothingIsShown() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.Absence_NothingShown.selector, 25));
        harness.isPresent(25, 4, _leaves(2, 0, 2, 0));
    }

    function test_TheLeafWithTheKeyShowsIt() public view {
        assertTrue(harness.isPresent(20, 4, _leaves(1, 1, 0, 0)));
        assertFalse(harness.isPresent(25, 4, _leaves(2, 1, 2, 0)));
    }

    /// @dev Keys have up to 256 bits, and no number on the way can overflow.
    function test_TheLargestKeysAndCounts() public pure {
        uint256 max = type(uint256).max;
        Absence.KeyAt[] memory shown = new Absence.KeyAt[](1);
        shown[0] = Absence.KeyAt({ key: max - 1, index: type(uint32).max - 1 });
        assertTrue(Absence.isShown(max, type(uint32).max, shown));
        shown[0] = Absence.KeyAt({ key: 1, index: 0 });
        assertTrue(Absence.isShown(0, type(uint32).max, shown));
    }

    function _expectOne(uint256 key, uint256 count, uint256 i) private view {
        bool isFirst = i == 0 && key < 10;
        bool isLast = i == count - 1 && key > 10 * count;
        _expect(key, count, _leaves(1, i, 0, 0), isFirst || isLast);
    }

    function _expectTwo(uint256 key, uint256 count, uint256 i, uint256 j) private view {
        _expect(key, count, _leaves(2, i, j, 0), j == i + 1 && key == 10 * (i + 1) + 5);
    }

    /// @dev A key is present exactly if it is one of the tree's and its leaf alone is shown.
    function _expect(uint256 key, uint256 count, Absence.KeyAt[] memory shown, bool absent) private view {
        assertEq(Absence.isShown(key, count, shown), absent);
        bool present = shown.length == 1 && shown[0].key == key;
        try harness.isPresent(key, count, shown) returns (bool found) {
            assertTrue(present || absent);
            assertEq(found, present);
        } catch {
            assertFalse(present || absent);
        }
    }

    function _leaves(uint256 length, uint256 i, uint256 j, uint256 k)
        private
        pure
        returns (Absence.KeyAt[] memory shown)
    {
        shown = new Absence.KeyAt[](length);
        if (length > 0) shown[0] = Absence.KeyAt({ key: 10 * (i + 1), index: i });
        if (length > 1) shown[1] = Absence.KeyAt({ key: 10 * (j + 1), index: j });
        if (length > 2) shown[2] = Absence.KeyAt({ key: 10 * (k + 1), index: k });
    }
}
