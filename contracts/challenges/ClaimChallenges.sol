// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IChallenges } from "../interfaces/IChallenges.sol";
import { IRewardPools } from "../interfaces/IRewardPools.sol";
import { Errors } from "../libraries/Errors.sol";
import { Lookup } from "../libraries/Lookup.sol";
import { PlainTree } from "../libraries/PlainTree.sol";
import {
    ClaimEvidence,
    ClaimLeafAt,
    EpochHeader,
    HashAt,
    NodeRow,
    PoolRow
} from "../libraries/ProtocolTypes.sol";
import { Rows } from "../libraries/Rows.sol";
import { ChallengeBase } from "./ChallengeBase.sol";

/// @title ClaimChallenges
/// @notice Fraud proofs about the claims tree.
abstract contract ClaimChallenges is ChallengeBase {
    using Rows for Rows.Tree;

    /// @dev The most pools that one account may earn from.
    uint256 private constant MAX_ENTRIES = 256;

    /// @inheritdoc IChallenges
    function badClaim(
        EpochHeader calldata header,
        EpochHeader calldata parent,
        address account,
        uint32 poolId,
        ClaimEvidence calldata evidence
    ) external override onlyPending(header) {
        uint256 before;
        if (header.epoch != 0) {
            _requireParent(header, parent);
            before = _cumulativeReward(parent, account, poolId, evidence.parentClaims);
        }
        uint256 reward = _rewardOf(header, account, poolId, evidence);
        uint256 claimed = _cumulativeReward(header, account, poolId, evidence.claims);
        _voidIf(claimed != before + reward, header);
    }

    /// @inheritdoc IChallenges
    function badClaimLeaf(EpochHeader calldata header, ClaimLeafAt calldata claim)
        external
        override
        onlyPending(header)
    {
        _requireClaim(header, claim);
        uint256[] calldata entries = claim.leaf.entries;
        _voidIf(entries.length == 0 || entries.length > MAX_ENTRIES || !_areWellFormed(entries), header);
    }

    /// @inheritdoc IChallenges
    function badClaimsOrder(
        EpochHeader calldata header,
        ClaimLeafAt calldata left,
        ClaimLeafAt calldata right
    ) external override onlyPending(header) {
        if (uint256(left.index) + 1 != right.index) {
            revert Errors.Challenges_WrongLeaf();
        }
        _requireClaim(header, left);
        _requireClaim(header, right);
        _voidIf(left.leaf.account >= right.leaf.account, header);
    }

    /// @inheritdoc IChallenges
    function badClaimsShape(EpochHeader calldata header, HashAt calldata place, bytes calldata preimage)
        external
        override
        onlyPending(header)
    {
        bytes32 root =
            PlainTree.rootFromNode(place.hash, place.level, place.index, header.claimCount, place.path);
        if (root != header.claimsRoot) revert Errors.Tree_ProofMismatch(header.claimsRoot);
        _voidIf(_isMisplaced(place, header.claimCount, preimage), header);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      INTERNAL
    //////////////////////////////////////////////////////////////////////////*/

    function _requireClaim(EpochHeader calldata header, ClaimLeafAt calldata claim) private pure {
        PlainTree.requireLeaf(
            header.claimsRoot, PlainTree.claimLeafOf(claim.leaf), claim.index, header.claimCount, claim.path
        );
    }

    /// @dev What an account has earned from a pool up to a header, as leaves of its claims tree show.
    function _cumulativeReward(
        EpochHeader calldata header,
        address account,
        uint32 poolId,
        ClaimLeafAt[] calldata shown
    ) private pure returns (uint256) {
        if (!Lookup.findAccount(header.claimsRoot, header.claimCount, account, shown)) {
            return 0;
        }
        uint256[] calldata entries = shown[0].leaf.entries;
        for (uint256 i; i < entries.length; ++i) {
            // casting to 'uint128' keeps the cumulative reward
            // forge-lint: disable-next-line(unsafe-typecast)
            if (entries[i] >> 128 == poolId) return uint128(entries[i]);
        }
        return 0;
    }

    /// @dev What an account earned from a pool in a header's epoch: nothing from a pool that was not open.
    function _rewardOf(
        EpochHeader calldata header,
        address account,
        uint32 poolId,
        ClaimEvidence calldata evidence
    ) private view returns (uint256) {
        if (!IRewardPools(rewardPools).isOpenAt(poolId, header.epoch)) return 0;
        _requireRows(evidence.pool, 1);
        PoolRow memory pool = Rows.poolsTree(header).requirePool(evidence.pool[0]);
        if (pool.poolId != poolId) revert Errors.Challenges_WrongLeaf();
        (bool present, NodeRow memory row) = Lookup.findNode(Rows.nodesTree(pool), account, evidence.nodes);
        return present ? row.reward : 0;
    }

    /// @dev Whether the entries rise by pool, from pool 1 on, name pools of 32 bits and have a reward.
    function _areWellFormed(uint256[] calldata entries) private pure returns (bool) {
        uint256 previous;
        for (uint256 i; i < entries.length; ++i) {
            uint256 poolId = entries[i] >> 128;
            // casting to 'uint128' keeps the cumulative reward
            // forge-lint: disable-next-line(unsafe-typecast)
            if (poolId <= previous || poolId > type(uint32).max || uint128(entries[i]) == 0) return false;
            previous = poolId;
        }
        return true;
    }

    /// @dev Whether the preimage, or none, shows that the node cannot stand there. The kinds of node have preimages of
    /// other lengths, so a right node has none of those that show it wrong.
    function _isMisplaced(HashAt calldata place, uint256 count, bytes calldata preimage)
        private
        pure
        returns (bool)
    {
        uint256 level = place.level;
        if (preimage.length == 0) {
            bool overPadding = uint256(place.index) << level >= count;
            return overPadding ? place.hash != PlainTree.padding(level) : place.hash == 0;
        }
        if (keccak256(preimage) != place.hash) return false;
        return (preimage.length == 64 && level == 0) || (preimage.length == 32 && level != 0);
    }
}
