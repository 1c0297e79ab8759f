// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IChallenges } from "../interfaces/IChallenges.sol";
import { IEpochBook } from "../interfaces/IEpochBook.sol";
import { Errors } from "../libraries/Errors.sol";
import { Lookup } from "../libraries/Lookup.sol";
import { PlainTree } from "../libraries/PlainTree.sol";
import {
    Acknowledgement,
    EpochHeader,
    NodeRow,
    PoolRow,
    RecordLeaf,
    SessionRecord
} from "../libraries/ProtocolTypes.sol";
import { Rows } from "../libraries/Rows.sol";
import { SessionRecordLib } from "../libraries/SessionRecordLib.sol";
import { Signatures } from "../libraries/Signatures.sol";
import { TypedData } from "../libraries/TypedData.sol";
import { ChallengeBase } from "./ChallengeBase.sol";

/// @title HeaderChallenges
/// @notice Fraud proofs about what a header leaves out or wrongly names.
abstract contract HeaderChallenges is ChallengeBase {
    using Rows for Rows.Tree;

    /// @inheritdoc IChallenges
    function omission(
        EpochHeader calldata header,
        Acknowledgement calldata acknowledged,
        RecordLeaf[] calldata above,
        RecordLeaf[] calldata shown
    ) external override onlyPending(header) {
        SessionRecord memory record = _requireAcknowledged(header, acknowledged);
        if (above.length != 1) _requireRows(above, 2);
        PoolRow memory pool = Rows.poolsTree(header).requirePool(above[0]);
        if (pool.poolId != record.ticket.poolId) revert Errors.Challenges_WrongLeaf();
        bool wrong = above.length == 1
            ? _isNodeAbsent(pool, record, shown)
            : _isSessionAbsentOrLower(pool, above[1], record, shown);
        _voidIf(wrong, header);
    }

    /// @inheritdoc IChallenges
    function badParent(EpochHeader calldata header, EpochHeader calldata parent)
        external
        override
        onlyPending(header)
    {
        _voidIf(_requireParent(header, parent) != header.parent, header);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      INTERNAL
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev A record of weight > 0 that the poster acknowledged for the header's epoch. Headers that are pending are always
    /// the present poster's.
    function _requireAcknowledged(EpochHeader calldata header, Acknowledgement calldata acknowledged)
        private
        view
        returns (SessionRecord memory record)
    {
        record = SessionRecordLib.decode(acknowledged.record);
        bytes32 digest = TypedData.digest(epochBook, TypedData.hash(acknowledged.ack));
        if (
            acknowledged.ack.epoch != header.epoch || record.ticket.epoch != header.epoch
                || record.ticket.node != acknowledged.ack.node || SessionRecordLib.weightOf(record) == 0
                || !Signatures.isBy(IEpochBook(epochBook).poster(), digest, acknowledged.signature)
        ) revert Errors.Challenges_BadAcknowledgement();
        PlainTree.requireLeaf(
            acknowledged.ack.acceptedRoot,
            PlainTree.leafOf(acknowledged.record),
            acknowledged.index,
            acknowledged.ack.accepted,
            acknowledged.path
        );
    }

    function _isNodeAbsent(PoolRow memory pool, SessionRecord memory record, RecordLeaf[] calldata shown)
        private
        pure
        returns (bool)
    {
        // slither-disable-next-line unused-return
        (bool present,) = Lookup.findNode(Rows.nodesTree(pool), record.ticket.node, shown);
        return !present;
    }

    function _isSessionAbsentOrLower(
        PoolRow memory pool,
        RecordLeaf calldata node,
        SessionRecord memory record,
        RecordLeaf[] calldata shown
    ) private pure returns (bool) {
        NodeRow memory row = Rows.nodesTree(pool).requireNode(node);
        if (row.node != record.ticket.node) revert Errors.Challenges_WrongLeaf();
        (bool present, SessionRecord memory paid) =
            Lookup.findSession(Rows.sessionsTree(row), record.receipt.sessionId, shown);
        return !present || paid.receipt.sequence < record.receipt.sequence;
    }
}
