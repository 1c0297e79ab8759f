// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IChallenges } from "../interfaces/IChallenges.sol";
import { IRewardPools } from "../interfaces/IRewardPools.sol";
import { Errors } from "../libraries/Errors.sol";
import { Lookup } from "../libraries/Lookup.sol";
import {
    EpochHeader,
    NodeRow,
    PoolRow,
    RecordLeaf,
    SessionRecord,
    Terms
} from "../libraries/ProtocolTypes.sol";
import { Rows } from "../libraries/Rows.sol";
import { SessionRecordLib } from "../libraries/SessionRecordLib.sol";
import { SettlementRule } from "../libraries/SettlementRule.sol";
import { Signatures } from "../libraries/Signatures.sol";
import { TypedData } from "../libraries/TypedData.sol";
import { ChallengeBase } from "./ChallengeBase.sol";

/// @title LeafChallenges
/// @notice Fraud proofs about one leaf of a sum tree: a session, a node's row or a pool's row.
abstract contract LeafChallenges is ChallengeBase {
    using Rows for Rows.Tree;

    /// @inheritdoc IChallenges
    function badSession(
        EpochHeader calldata header,
        RecordLeaf[] calldata above,
        RecordLeaf calldata session,
        uint128 sum
    ) external override onlyPending(header) {
        _requireRows(above, 2);
        PoolRow memory pool = Rows.poolsTree(header).requirePool(above[0]);
        NodeRow memory node = Rows.nodesTree(pool).requireNode(above[1]);
        Rows.sessionsTree(node).requireLeaf(session, sum);
        SessionRecord memory record = SessionRecordLib.decode(session.record);
        bool wrong = record.ticket.poolId != pool.poolId || record.ticket.node != node.node
            || record.ticket.epoch != header.epoch || _isOverCredit(record) || _isWrongWeight(record, sum)
            || _isWronglySigned(record);
        _voidIf(wrong, header);
    }

    /// @inheritdoc IChallenges
    function badReward(EpochHeader calldata header, RecordLeaf calldata pool, RecordLeaf calldata node)
        external
        override
        onlyPending(header)
    {
        PoolRow memory poolRow = Rows.poolsTree(header).requirePool(pool);
        NodeRow memory row = Rows.nodesTree(poolRow).requireNode(node);
        bool wrong = row.weight == 0
            || row.reward != SettlementRule.rewardOf(poolRow.spend, row.weight, poolRow.weight);
        _voidIf(wrong, header);
    }

    /// @inheritdoc IChallenges
    function badSpend(
        EpochHeader calldata header,
        RecordLeaf calldata pool,
        EpochHeader calldata parent,
        RecordLeaf[] calldata before
    ) external override onlyPending(header) {
        PoolRow memory row = Rows.poolsTree(header).requirePool(pool);
        uint128 previous = _previousSpend(header, row.poolId, parent, before);
        uint128 funded = IRewardPools(rewardPools).fundedAt(row.poolId, header.epoch);
        Terms memory terms = IRewardPools(rewardPools).termsAt(row.poolId, header.epoch);
        uint128 spend = SettlementRule.spendOf(
            row.weight, terms.pricePerGB, terms.epochBudget, funded > previous ? funded - previous : 0
        );
        _voidIf(row.spend != spend || row.cumulativeSpend != uint256(previous) + spend, header);
    }

    /// @inheritdoc IChallenges
    function badPool(EpochHeader calldata header, uint32 poolId, RecordLeaf[] calldata shown)
        external
        override
        onlyPending(header)
    {
        // slither-disable-next-line unused-return
        (bool present,) = Lookup.findPool(Rows.poolsTree(header), poolId, shown);
        _voidIf(present != IRewardPools(rewardPools).isOpenAt(poolId, header.epoch), header);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      INTERNAL
    //////////////////////////////////////////////////////////////////////////*/

    function _isOverCredit(SessionRecord memory record) private pure returns (bool) {
        return record.receipt.bytesDelivered > record.ticket.maxBytes;
    }

    /// @dev Also where the record has no weight at all, because more bytes were on time than delivered.
    function _isWrongWeight(SessionRecord memory record, uint128 sum) private pure returns (bool) {
        if (record.receipt.bytesOnTime > record.receipt.bytesDelivered) return true;
        uint64 weight = SessionRecordLib.weightOf(record);
        return weight == 0 || weight != sum;
    }

    function _isWronglySigned(SessionRecord memory record) private view returns (bool) {
        address signer = IRewardPools(rewardPools).ticketSignerAt(record.ticket.poolId, record.ticket.epoch);
        bytes32 domain = TypedData.domainSeparator(epochBook);
        bytes32 digest = TypedData.digestIn(domain, record.receipt.sessionId);
        if (!Signatures.isBy(signer, digest, record.ticketSignature)) return true;
        digest = TypedData.digestIn(domain, TypedData.hash(record.receipt));
        return !Signatures.isBy(record.ticket.viewer, digest, record.receiptSignature);
    }

    /// @dev What the pool had spent before the epoch.
    function _previousSpend(
        EpochHeader calldata header,
        uint32 poolId,
        EpochHeader calldata parent,
        RecordLeaf[] calldata before
    ) private view returns (uint128) {
        if (header.epoch == IRewardPools(rewardPools).poolOf(poolId).createdEpoch) return 0;
        _requireParent(header, parent);
        _requireRows(before, 1);
        PoolRow memory row = Rows.poolsTree(parent).requirePool(before[0]);
        if (row.poolId != poolId) revert Errors.Challenges_WrongLeaf();
        return row.cumulativeSpend;
    }
}
