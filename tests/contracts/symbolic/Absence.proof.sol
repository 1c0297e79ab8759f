// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Absence } from "../../../contracts/libraries/Absence.sol";

/// @notice What neighbours show, for trees of up to four leaves with any keys that rise.
contract AbsenceProof {
    function check_APresentKeyIsNeverShownAbsent(
        uint256[4] memory keys,
        uint256 count,
        uint256 present,
        uint256 shownCount,
        uint256 first,
        uint256 second
    ) external pure {
        count = _known(count, 5);
        _requireRising(keys, count);
        uint256 missing = keys[_known(present, count)];
        Absence.KeyAt[] memory shown = new Absence.KeyAt[](_known(shownCount, 3));
        if (shown.length > 0) shown[0] = _keyAt(keys, count, first);
        if (shown.length > 1) shown[1] = _keyAt(keys, count, second);
        assert(!Absence.isShown(missing, count, shown));
    }

    function check_AnAbsentKeyIsNeverShownPresent(
        uint256[4] memory keys,
        uint256 count,
        uint256 missing,
        uint256 shownCount,
        uint256 first,
        uint256 second
    ) external pure {
        count = _known(count, 5);
        _requireRising(keys, count);
        _requireAbsent(keys, count, missing);
        Absence.KeyAt[] memory shown = new Absence.KeyAt[](_known(shownCount, 3));
        if (shown.length > 0) shown[0] = _keyAt(keys, count, first);
        if (shown.length > 1) shown[1] = _keyAt(keys, count, second);
        assert(!Absence.isPresent(missing, count, shown));
    }

    function check_EveryAbsentKeyCanBeShown(uint256[4] memory keys, uint256 count, uint256 missing)
        external
        pure
    {
        count = _known(count, 5);
        _requireRising(keys, count);
        _requireAbsent(keys, count, missing);
        uint256 next;
        while (next < count && keys[next] < missing) ++next;
        bool hasLeft = next > 0;
        bool hasRight = next < count;
        Absence.KeyAt[] memory shown = new Absence.KeyAt[]((hasLeft ? 1 : 0) + (hasRight ? 1 : 0));
        if (hasLeft) shown[0] = Absence.KeyAt({ key: keys[next - 1], index: next - 1 });
        if (hasRight) shown[shown.length - 1] = Absence.KeyAt({ key: keys[next], index: next });
        assert(Absence.isShown(missing, count, shown));
    }

    function _keyAt(uint256[4] memory keys, uint256 count, uint256 index)
        private
        pure
        returns (Absence.KeyAt memory)
    {
        index = _known(index, count);
        return Absence.KeyAt({ key: keys[index], index: index });
    }

    function _requireRising(uint256[4] memory keys, uint256 count) private pure {
        for (uint256 i = 1; i < count; ++i) {
            require(keys[i - 1] < keys[i]);
        }
    }

    function _requireAbsent(uint256[4] memory keys, uint256 count, uint256 missing) private pure {
        for (uint256 i; i < count; ++i) {
            require(keys[i] != missing);
        }
    }

    /// @dev The same number, but known on each way through the proof.
    function _known(uint256 number, uint256 end) private pure returns (uint256) {
        for (uint256 i; i < end; ++i) {
            if (number == i) return i;
        }
        revert();
    }
}
