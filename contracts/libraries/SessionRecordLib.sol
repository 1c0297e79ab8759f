// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Errors } from "./Errors.sol";
import { Packed } from "./Packed.sol";
import { Receipt, SessionRecord, SessionTicket, SumNode } from "./ProtocolTypes.sol";
import { SettlementRule } from "./SettlementRule.sol";
import { SumTree } from "./SumTree.sol";
import { TypedData } from "./TypedData.sol";

/// @title SessionRecordLib
/// @notice The encoding of a session record: 274 bytes.
library SessionRecordLib {
    using Packed for bytes;

    /// @notice The length of an encoded record.
    uint256 internal constant LENGTH = 274;

    /// @notice The length of a signature, `r ‖ s ‖ v`.
    uint256 internal constant SIGNATURE_LENGTH = 65;

    /// @notice Encodes a record. `receipt.sessionId` is left out: it is the hash of the ticket.
    function encode(SessionRecord memory record) internal pure returns (bytes memory) {
        if (
            record.ticketSignature.length != SIGNATURE_LENGTH
                || record.receiptSignature.length != SIGNATURE_LENGTH
        ) {
            revert Errors.SessionRecord_WrongLength(LENGTH - 2 * SIGNATURE_LENGTH
                    + record.ticketSignature.length + record.receiptSignature.length);
        }
        bytes memory ticket = abi.encodePacked(
            record.ticket.poolId,
            record.ticket.epoch,
            record.ticket.node,
            record.ticket.viewer,
            record.ticket.maxBytes,
            record.ticket.issuedAt,
            record.ticket.expiresAt,
            record.ticket.nonce,
            record.ticketSignature
        );
        return bytes.concat(
            ticket,
            abi.encodePacked(
                record.receipt.sequence,
                record.receipt.bytesDelivered,
                record.receipt.bytesOnTime,
                record.receipt.mediaSequence,
                record.receipt.signedAt,
                record.receiptSignature
            )
        );
    }

    /// @notice Decodes a record and fills in the receipt's `sessionId`. It verifies no signature.
    function decode(bytes calldata encoded) internal pure returns (SessionRecord memory record) {
        if (encoded.length != LENGTH) revert Errors.SessionRecord_WrongLength(encoded.length);
        SessionTicket memory ticket = record.ticket;
        ticket.poolId = encoded.readUint32(0);
        ticket.epoch = encoded.readUint64(4);
        ticket.node = encoded.readAddress(12);
        ticket.viewer = encoded.readAddress(32);
        ticket.maxBytes = encoded.readUint64(52);
        ticket.issuedAt = encoded.readUint64(60);
        ticket.expiresAt = encoded.readUint64(68);
        ticket.nonce = uint256(encoded.readBytes32(76));
        record.ticketSignature = encoded[108:173];
        Receipt memory receipt = record.receipt;
        receipt.sessionId = TypedData.hash(ticket);
        receipt.sequence = encoded.readUint32(173);
        receipt.bytesDelivered = encoded.readUint64(177);
        receipt.bytesOnTime = encoded.readUint64(185);
        receipt.mediaSequence = encoded.readUint64(193);
        receipt.signedAt = encoded.readUint64(201);
        record.receiptSignature = encoded[209:274];
    }

    /// @notice The record's weight.
    function weightOf(SessionRecord memory record) internal pure returns (uint64) {
        return SettlementRule.weightOf(record.receipt.bytesDelivered, record.receipt.bytesOnTime);
    }

    /// @notice An encoded record's weight.
    function weightOf(bytes calldata encoded) internal pure returns (uint64) {
        if (encoded.length != LENGTH) revert Errors.SessionRecord_WrongLength(encoded.length);
        return SettlementRule.weightOf(encoded.readUint64(177), encoded.readUint64(185));
    }

    /// @notice The record's leaf in the tree of its node's sessions.
    function leafOf(SessionRecord memory record) internal pure returns (SumNode memory) {
        return SumTree.leaf(keccak256(encode(record)), weightOf(record));
    }
}
