// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Errors } from "../../../contracts/libraries/Errors.sol";
import { ClaimLeafAt } from "../../../contracts/libraries/ProtocolTypes.sol";
import { ChallengeTest } from "../utils/ChallengeTest.sol";
import { Epoch, EpochTrees } from "../utils/EpochData.sol";

contract BadClaimLeafTest is ChallengeTest {
    function test_RevertWhen_TheHeaderIsNotPending() public {
        (, Epoch memory epoch) = _epochs();
        _expectNotPending(epoch.header);
        _prove(epoch, 0);
    }

    function test_RevertWhen_TheLeafIsWellFormed() public {
        (, Epoch memory epoch) = _committed();
        for (uint256 i; i < 5; ++i) {
            _expectNothingWrong();
            _prove(epoch, i);
        }
    }

    function test_RevertWhen_ThereAreAsManyEntriesAsMayBe() public {
        (, Epoch memory epoch) = _epochs();
        epoch.claims[1].entries = _rising(256);
        // The highest pool and the highest reward that an entry can have.
        epoch.claims[1].entries[255] = _entry(type(uint32).max, type(uint128).max);
        _rebuildAndCommit(epoch);
        _expectNothingWrong();
        _prove(epoch, 1);
    }

    function test_RevertWhen_TheLeafIsNotOfTheTree() public {
        (, Epoch memory epoch) = _committed();
        ClaimLeafAt memory claim = EpochTrees.claimLeaf(epoch, 1);
        claim.leaf.entries = new uint256[](0);
        _expectRevert(abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, epoch.header.claimsRoot));
        proofs.badClaimLeaf(epoch.header, claim);
        claim.index = 5;
        _expectRevert(abi.encodeWithSelector(Errors.Tree_IndexBeyondCount.selector, 5, 5));
        proofs.badClaimLeaf(epoch.header, claim);
    }

    function test_NoEntry() public {
        _makeAndProve(new uint256[](0));
    }

    function test_MoreThan256Entries() public {
        _makeAndProve(_rising(257));
    }

    function test_PoolsThatFall() public {
        _makeAndProve(_entries(_entry(1, 1), _entry(3, 1), _entry(2, 1)));
    }

    function test_APoolTwice() public {
        _makeAndProve(_entries(_entry(1, 1), _entry(2, 1), _entry(2, 2)));
    }

    function test_APoolBeyond32Bits() public {
        _makeAndProve(_entries(_entry(1, 1), _entry(1 << 32, 1)));
    }

    function test_AHighBit() public {
        _makeAndProve(_entries(_entry(1, 1), 1 << 255 | _entry(2, 1)));
    }

    function test_PoolZero() public {
        _makeAndProve(_entries(1, _entry(1, 1)));
    }

    function test_ARewardOfZero() public {
        _makeAndProve(_entries(_entry(1, 1), _entry(2, 0)));
    }

    function test_ARewardOfZeroAlone() public {
        _makeAndProve(_entries(_entry(2, 0)));
    }

    /// @dev The claims of the last account are made these.
    function _makeAndProve(uint256[] memory entries) private {
        (, Epoch memory epoch) = _epochs();
        epoch.claims[4].entries = entries;
        _rebuildAndCommit(epoch);
        _expectVoid(1);
        _prove(epoch, 4);
    }

    function _prove(Epoch memory epoch, uint256 claim) private {
        proofs.badClaimLeaf(epoch.header, EpochTrees.claimLeaf(epoch, claim));
    }

    function _rising(uint256 count) private pure returns (uint256[] memory entries) {
        entries = new uint256[](count);
        for (uint256 i; i < count; ++i) {
            entries[i] = _entry(i + 1, 1);
        }
    }
}
