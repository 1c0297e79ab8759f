// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Errors } from "../../../contracts/libraries/Errors.sol";
import {
    ClaimEvidence,
    ClaimLeaf,
    ClaimLeafAt,
    EpochHeader
} from "../../../contracts/libraries/ProtocolTypes.sol";
import { ChallengeTest } from "../utils/ChallengeTest.sol";
import { Epoch, EpochTrees } from "../utils/EpochData.sol";

contract BadClaimTest is ChallengeTest {
    /*//////////////////////////////////////////////////////////////////////////
                                      REVERTS
    //////////////////////////////////////////////////////////////////////////*/

    function test_RevertWhen_TheHeaderIsNotPending() public {
        (Epoch memory first, Epoch memory epoch) = _epochs();
        ClaimEvidence memory evidence = _evidence(first, epoch, nodes[0], 1);
        _expectNotPending(epoch.header);
        proofs.badClaim(epoch.header, first.header, nodes[0], 1, evidence);
    }

    function test_RevertWhen_EachAccountHasWhatItEarned() public {
        (Epoch memory first, Epoch memory epoch) = _committed();
        address[3] memory strangers = [address(0), stranger, address(type(uint160).max)];
        for (uint32 poolId; poolId < 6; ++poolId) {
            for (uint256 i; i < 8; ++i) {
                address account = i < 5 ? nodes[i] : strangers[i - 5];
                ClaimEvidence memory evidence = _evidence(first, epoch, account, poolId);
                _expectNothingWrong();
                proofs.badClaim(epoch.header, first.header, account, poolId, evidence);
            }
        }
    }

    /// @dev There nobody had anything before, whatever is shown.
    function test_RevertWhen_EachAccountHasWhatItEarnedInEpochZero() public {
        (Epoch memory first, Epoch memory epoch) = _committed();
        for (uint32 poolId; poolId < 6; ++poolId) {
            for (uint256 i; i < 5; ++i) {
                ClaimEvidence memory evidence = _evidence(epoch, first, nodes[i], poolId);
                _expectNothingWrong();
                proofs.badClaim(first.header, epoch.header, nodes[i], poolId, evidence);
            }
        }
    }

    function test_RevertWhen_TheParentIsAnother() public {
        (Epoch memory first, Epoch memory epoch) = _committed();
        ClaimEvidence memory evidence = _evidence(first, epoch, nodes[0], 1);
        first.header.claimsRoot = 0;
        _expectRevert(abi.encodeWithSelector(Errors.Challenges_WrongParent.selector, _hash(first.header)));
        proofs.badClaim(epoch.header, first.header, nodes[0], 1, evidence);
        _expectRevert(abi.encodeWithSelector(Errors.Challenges_WrongParent.selector, _hash(epoch.header)));
        proofs.badClaim(epoch.header, epoch.header, nodes[0], 1, evidence);
    }

    function test_RevertWhen_AClaimIsNotOfItsTree() public {
        (Epoch memory first, Epoch memory epoch) = _committed();
        ClaimEvidence memory evidence = _evidence(first, epoch, nodes[4], 3);
        evidence.claims[0].leaf.entries[0] += 1;
        _expectRevert(abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, epoch.header.claimsRoot));
        proofs.badClaim(epoch.header, first.header, nodes[4], 3, evidence);
        evidence.claims[0].leaf.entries[0] -= 1;
        evidence.parentClaims[0].leaf.entries[0] += 1;
        _expectRevert(abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, first.header.claimsRoot));
        proofs.badClaim(epoch.header, first.header, nodes[4], 3, evidence);
    }

    /// @dev Who has a leaf cannot be shown to have none, by neither tree of claims nor the tree of nodes.
    function test_RevertWhen_TheLeavesShowNothingOfTheAccount() public {
        (Epoch memory first, Epoch memory epoch) = _committed();
        ClaimEvidence memory right = _evidence(first, epoch, nodes[1], 1);
        ClaimEvidence memory other = _evidence(first, epoch, nodes[0], 1);
        ClaimEvidence[3] memory wrong = [
            ClaimEvidence(other.claims, right.parentClaims, right.pool, right.nodes),
            ClaimEvidence(right.claims, other.parentClaims, right.pool, right.nodes),
            ClaimEvidence(right.claims, right.parentClaims, right.pool, other.nodes)
        ];
        for (uint256 i; i < 3; ++i) {
            _expectNothingShown(nodes[1]);
            proofs.badClaim(epoch.header, first.header, nodes[1], 1, wrong[i]);
        }
        right.claims = new ClaimLeafAt[](2);
        (right.claims[0], right.claims[1]) = (EpochTrees.claimLeaf(epoch, 0), EpochTrees.claimLeaf(epoch, 2));
        _expectNothingShown(nodes[1]);
        proofs.badClaim(epoch.header, first.header, nodes[1], 1, right);
        right.claims = new ClaimLeafAt[](0);
        _expectNothingShown(nodes[1]);
        proofs.badClaim(epoch.header, first.header, nodes[1], 1, right);
    }

    function test_RevertWhen_ThePoolIsNotShown() public {
        (Epoch memory first, Epoch memory epoch) = _committed();
        ClaimEvidence memory evidence = _evidence(first, epoch, nodes[0], 1);
        evidence.pool = EpochTrees.above();
        _expectRevert(abi.encodeWithSelector(Errors.Challenges_WrongRowCount.selector, 0, 1));
        proofs.badClaim(epoch.header, first.header, nodes[0], 1, evidence);
        evidence.pool = EpochTrees.above(epoch, 1);
        _expectRevert(abi.encodeWithSelector(Errors.Challenges_WrongLeaf.selector));
        proofs.badClaim(epoch.header, first.header, nodes[0], 1, evidence);
        evidence.pool = EpochTrees.above(first, 0);
        _expectRevert(abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, epoch.header.poolsRoot));
        proofs.badClaim(epoch.header, first.header, nodes[0], 1, evidence);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                     WRONG CLAIMS
    //////////////////////////////////////////////////////////////////////////*/

    function test_TooMuch() public {
        (Epoch memory first, Epoch memory epoch) = _epochs();
        epoch.claims[2].entries[0] += 1;
        _rebuildAndProve(first, epoch, nodes[2], 1);
    }

    function test_TooLittle() public {
        (Epoch memory first, Epoch memory epoch) = _epochs();
        epoch.claims[1].entries[0] -= 1;
        _rebuildAndProve(first, epoch, nodes[1], 1);
    }

    function test_TheRewardAloneWithoutWhatWasEarnedBefore() public {
        (Epoch memory first, Epoch memory epoch) = _epochs();
        epoch.claims[0].entries[0] = _entry(1, epoch.pools[0].nodes[0].row.reward);
        _rebuildAndProve(first, epoch, nodes[0], 1);
    }

    function test_WhatWasEarnedBeforeWithoutTheReward() public {
        (Epoch memory first, Epoch memory epoch) = _epochs();
        epoch.claims[0].entries[0] = first.claims[0].entries[0];
        _rebuildAndProve(first, epoch, nodes[0], 1);
    }

    /// @dev A pool in which the account earned nothing now, but before.
    function test_AnEntryChangedWithoutAReward() public {
        (Epoch memory first, Epoch memory epoch) = _epochs();
        epoch.claims[0].entries[1] -= 1;
        _rebuildAndProve(first, epoch, nodes[0], 2);
    }

    function test_AnEntryOfAClosedPoolChanged() public {
        (Epoch memory first, Epoch memory epoch) = _epochs();
        epoch.claims[4].entries[0] += 1;
        _rebuildAndProve(first, epoch, nodes[4], 3);
    }

    function test_AnEntryDropped() public {
        (Epoch memory first, Epoch memory epoch) = _epochs();
        epoch.claims[0].entries = _entries(epoch.claims[0].entries[0]);
        _rebuildAndProve(first, epoch, nodes[0], 2);
    }

    function test_AnEntryInvented() public {
        (Epoch memory first, Epoch memory epoch) = _epochs();
        epoch.claims[3].entries = _entries(epoch.claims[3].entries[0], _entry(4, 1));
        _rebuildAndProve(first, epoch, nodes[3], 4);
    }

    function test_AnEntryOfAPoolThatDoesNotExist() public {
        (Epoch memory first, Epoch memory epoch) = _epochs();
        epoch.claims[3].entries = _entries(epoch.claims[3].entries[0], _entry(type(uint32).max, 1));
        _rebuildAndProve(first, epoch, nodes[3], type(uint32).max);
    }

    function test_AnEntryOfPoolZero() public {
        (Epoch memory first, Epoch memory epoch) = _epochs();
        epoch.claims[3].entries = _entries(1, epoch.claims[3].entries[0]);
        _rebuildAndProve(first, epoch, nodes[3], 0);
    }

    /// @dev The first, one between others, and the last.
    function test_AnAccountDropped() public {
        uint256[3] memory dropped = [uint256(0), 2, 4];
        uint32[3] memory poolIds = [uint32(1), 1, 3];
        for (uint256 i; i < 3; ++i) {
            uint256 id = vm.snapshotState();
            (Epoch memory first, Epoch memory epoch) = _epochs();
            ClaimLeaf[] memory kept = new ClaimLeaf[](4);
            for (uint256 j; j < 4; ++j) {
                kept[j] = epoch.claims[j < dropped[i] ? j : j + 1];
            }
            epoch.claims = kept;
            _rebuildAndProve(first, epoch, nodes[dropped[i]], poolIds[i]);
            vm.revertToState(id);
        }
    }

    function test_AllAccountsDropped() public {
        (Epoch memory first, Epoch memory epoch) = _epochs();
        epoch.claims = new ClaimLeaf[](0);
        _rebuildAndProve(first, epoch, nodes[3], 2);
    }

    function test_AnAccountInvented() public {
        (Epoch memory first, Epoch memory epoch) = _epochs();
        address invented = address(type(uint160).max);
        ClaimLeaf[] memory more = new ClaimLeaf[](6);
        for (uint256 i; i < 5; ++i) {
            more[i] = epoch.claims[i];
        }
        more[5] = ClaimLeaf(invented, _entries(_entry(2, 5e18)));
        epoch.claims = more;
        _rebuildAndProve(first, epoch, invented, 2);
    }

    function test_AWrongClaimInEpochZero() public {
        Epoch memory first = _first();
        first.claims[1].entries[0] += 1;
        _rebuildAndCommit(first);
        EpochHeader memory none;
        ClaimEvidence memory evidence = _evidence(first, first, nodes[1], 1);
        evidence.parentClaims = new ClaimLeafAt[](0);
        _expectVoid(0);
        proofs.badClaim(first.header, none, nodes[1], 1, evidence);
    }

    /// @dev Its wrong last bytes do not hinder this proof.
    function test_AHeaderThatNamesItsParentWrongly() public {
        (Epoch memory first, Epoch memory epoch) = _epochs();
        epoch.header.parent ^= bytes32(uint256(1));
        epoch.claims[2].entries[0] += 1;
        _rebuildAndProve(first, epoch, nodes[2], 1);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      HELPERS
    //////////////////////////////////////////////////////////////////////////*/

    function _expectNothingShown(address account) private {
        _expectRevert(abi.encodeWithSelector(Errors.Absence_NothingShown.selector, uint160(account)));
    }

    function _rebuildAndProve(Epoch memory first, Epoch memory epoch, address account, uint32 poolId)
        private
    {
        _rebuildAndCommit(epoch);
        ClaimEvidence memory evidence = _evidence(first, epoch, account, poolId);
        _expectVoid(1);
        proofs.badClaim(epoch.header, first.header, account, poolId, evidence);
    }

    /// @dev Of a pool that was not open nothing is shown.
    function _evidence(Epoch memory first, Epoch memory epoch, address account, uint32 poolId)
        private
        pure
        returns (ClaimEvidence memory evidence)
    {
        evidence.claims = EpochTrees.showAccount(epoch, account);
        evidence.parentClaims = EpochTrees.showAccount(first, account);
        for (uint256 i; i < epoch.pools.length; ++i) {
            if (epoch.pools[i].row.poolId != poolId) continue;
            evidence.pool = EpochTrees.above(epoch, i);
            evidence.nodes = EpochTrees.showNode(epoch, i, account);
        }
    }
}
