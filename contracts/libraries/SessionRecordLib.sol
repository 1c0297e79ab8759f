// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Errors } from "./Errors.sol";
import { SessionRecord, SumNode } from "./ProtocolTypes.sol";
import { SettlementRule } from "./SettlementRule.sol";
import { SumTree } from "./SumTree.sol";
import { TypedData } from "./TypedData.sol";

/// @title SessionRecordLib
/// @notice The encoding of a session record: 274 bytes.
library SessionRecordLib {
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
        record.ticket.poolId = uint32(bytes4(encoded[0:4]));
        record.ticket.epoch = uint64(bytes8(encoded[4:12]));
        record.ticket.node = address(bytes20(encoded[12:32]));
        record.ticket.viewer = address(bytes20(encoded[32:52]));
        record.ticket.maxBytes = uint64(bytes8(encoded[52:60]));
        record.ticket.issuedAt = uint64(bytes8(encoded[60:68]));
        record.ticket.expiresAt = uint64(bytes8(encoded[68:76]));
        record.ticket.nonce = uint256(bytes32(encoded[76:108]));
        record.ticketSignature = encoded[108:173];
        record.receipt.sessionId = TypedData.hash(record.ticket);
        record.receipt.sequence = uint32(bytes4(encoded[173:177]));
        record.receipt.bytesDelivered = uint64(bytes8(encoded[177:185]));
        record.receipt.bytesOnTime = uint64(bytes8(encoded[185:193]));
        record.receipt.mediaSequence = uint64(bytes8(encoded[193:201]));
        record.receipt.signedAt = uint64(bytes8(encoded[201:209]));
        record.receiptSignature = encoded[209:274];
    }

    /// @notice The record's weight.
    function weightOf(SessionRecord memory record) internal pure returns (uint64) {
        return SettlementRule.weightOf(record.receipt.bytesDelivered, record.receipt.bytesOnTime);
    }

    /// @notice An encoded record's weight.
    function weightOf(bytes calldata encoded) internal pure returns (uint64) {
        if (encoded.length != LENGTH) revert Errors.SessionRecord_WrongLength(encoded.length);
        return SettlementRule.weightOf(uint64(bytes8(encoded[177:185])), uint64(bytes8(encoded[185:193])));
    }

    /// @notice The record's leaf in the tree of its node's sessions.
    function leafOf(SessionRecord memory record) internal pure returns (SumNode memory) {
        return SumTree.leaf(keccak256(encode(record)), weightOf(record));
    }
}
