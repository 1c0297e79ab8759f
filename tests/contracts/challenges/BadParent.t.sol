// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Errors } from "../../../contracts/libraries/Errors.sol";
import { EpochHeader } from "../../../contracts/libraries/ProtocolTypes.sol";
import { ChallengeTest } from "../utils/ChallengeTest.sol";
import { Epoch } from "../utils/EpochData.sol";

contract BadParentTest is ChallengeTest {
    function test_RevertWhen_TheHeaderIsNotPending() public {
        (Epoch memory first, Epoch memory epoch) = _epochs();
        _expectNotPending(epoch.header);
        proofs.badParent(epoch.header, first.header);
    }

    function test_RevertWhen_TheParentIsRight() public {
        (Epoch memory first, Epoch memory epoch) = _committed();
        _expectNothingWrong();
        proofs.badParent(epoch.header, first.header);
    }

    /// @dev Any other header is shown as the parent, or one with other bits.
    function test_RevertWhen_TheParentShownIsAnother() public {
        (Epoch memory first, Epoch memory epoch) = _committed();
        _expectRevert(abi.encodeWithSelector(Errors.Challenges_WrongParent.selector, _hash(epoch.header)));
        proofs.badParent(epoch.header, epoch.header);
        first.header.dataHash = 0;
        _expectRevert(abi.encodeWithSelector(Errors.Challenges_WrongParent.selector, _hash(first.header)));
        proofs.badParent(epoch.header, first.header);
    }

    /// @dev The book itself asks for 0 there, and no header hashes to it.
    function test_RevertWhen_TheHeaderIsTheFirst() public {
        (Epoch memory first, Epoch memory epoch) = _committed();
        EpochHeader memory none;
        EpochHeader[3] memory shown = [none, first.header, epoch.header];
        for (uint256 i; i < shown.length; ++i) {
            _expectRevert(abi.encodeWithSelector(Errors.Challenges_WrongParent.selector, _hash(shown[i])));
            proofs.badParent(first.header, shown[i]);
        }
    }

    /// forge-config: default.fuzz.runs = 32
    function testFuzz_AnyOfTheLastFourBytes(uint32 other) public {
        vm.assume(other != 0);
        (Epoch memory first, Epoch memory epoch) = _epochs();
        epoch.header.parent ^= bytes32(uint256(other));
        _commit(epoch.header);
        _expectVoid(1);
        proofs.badParent(epoch.header, first.header);
    }
}
