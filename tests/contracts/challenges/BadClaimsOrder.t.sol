// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Errors } from "../../../contracts/libraries/Errors.sol";
import { ClaimLeafAt } from "../../../contracts/libraries/ProtocolTypes.sol";
import { ChallengeTest } from "../utils/ChallengeTest.sol";
import { Epoch, EpochTrees } from "../utils/EpochData.sol";

contract BadClaimsOrderTest is ChallengeTest {
    function test_RevertWhen_TheHeaderIsNotPending() public {
        (, Epoch memory epoch) = _epochs();
        _expectNotPending(epoch.header);
        _prove(epoch, 0, 1);
    }

    function test_RevertWhen_TheAccountsRise() public {
        (, Epoch memory epoch) = _committed();
        for (uint256 i; i < 4; ++i) {
            _expectNothingWrong();
            _prove(epoch, i, i + 1);
        }
    }

    function test_RevertWhen_TheLeavesAreNoNeighbours() public {
        (, Epoch memory epoch) = _committed();
        for (uint256 i; i < 5; ++i) {
            for (uint256 j; j < 5; ++j) {
                if (j == i + 1) continue;
                _expectRevert(abi.encodeWithSelector(Errors.Challenges_WrongLeaf.selector));
                _prove(epoch, i, j);
            }
        }
        ClaimLeafAt memory left = EpochTrees.claimLeaf(epoch, 4);
        ClaimLeafAt memory right = EpochTrees.claimLeaf(epoch, 0);
        left.index = type(uint32).max;
        _expectRevert(abi.encodeWithSelector(Errors.Challenges_WrongLeaf.selector));
        proofs.badClaimsOrder(epoch.header, left, right);
    }

    function test_RevertWhen_ALeafIsNotOfTheTree() public {
        (Epoch memory first, Epoch memory epoch) = _committed();
        ClaimLeafAt memory left = EpochTrees.claimLeaf(epoch, 1);
        ClaimLeafAt memory right = EpochTrees.claimLeaf(epoch, 2);
        right.leaf = first.claims[0];
        _expectRevert(abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, epoch.header.claimsRoot));
        proofs.badClaimsOrder(epoch.header, left, right);
        left.leaf = first.claims[2];
        right = EpochTrees.claimLeaf(epoch, 2);
        _expectRevert(abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, epoch.header.claimsRoot));
        proofs.badClaimsOrder(epoch.header, left, right);
    }

    function test_AccountsThatFall() public {
        (, Epoch memory epoch) = _epochs();
        (epoch.claims[3], epoch.claims[4]) = (epoch.claims[4], epoch.claims[3]);
        _rebuildAndCommit(epoch);
        _expectVoid(1);
        _prove(epoch, 3, 4);
    }

    function test_AnAccountTwice() public {
        (, Epoch memory epoch) = _epochs();
        epoch.claims[1].account = epoch.claims[0].account;
        _rebuildAndCommit(epoch);
        _expectVoid(1);
        _prove(epoch, 0, 1);
    }

    function _prove(Epoch memory epoch, uint256 left, uint256 right) private {
        proofs.badClaimsOrder(
            epoch.header, EpochTrees.claimLeaf(epoch, left), EpochTrees.claimLeaf(epoch, right)
        );
    }
}
