// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { MessageHashUtils } from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

import {
    BatchAck,
    ClaimRedirect,
    NodeRegistration,
    Playlist,
    Receipt,
    ReceiptSubmission,
    Rejection,
    SessionTicket
} from "./ProtocolTypes.sol";

/// @title TypedData
/// @notice The EIP-712 domain and every message of the protocol, once.
/// @dev The domain's `verifyingContract` is `EpochBook` for every message, also where another contract checks it.
library TypedData {
    bytes32 internal constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 internal constant NAME_HASH = keccak256("StreamrP2P");
    bytes32 internal constant VERSION_HASH = keccak256("1");

    bytes32 internal constant SESSION_TICKET_TYPEHASH = keccak256(
        "SessionTicket(uint32 poolId,uint64 epoch,address node,address viewer,uint64 maxBytes,uint64 issuedAt,uint64 expiresAt,uint256 nonce)"
    );
    bytes32 internal constant RECEIPT_TYPEHASH = keccak256(
        "Receipt(bytes32 sessionId,uint32 sequence,uint64 bytesDelivered,uint64 bytesOnTime,uint64 mediaSequence,uint64 signedAt)"
    );
    bytes32 internal constant NODE_REGISTRATION_TYPEHASH = keccak256(
        "NodeRegistration(address node,address payout,string endpoint,uint64 nonce,uint64 deadline)"
    );
    bytes32 internal constant RECEIPT_SUBMISSION_TYPEHASH = keccak256(
        "ReceiptSubmission(address node,uint64 epoch,uint64 batchNumber,bytes32 batchRoot,uint32 count)"
    );
    bytes32 internal constant BATCH_ACK_TYPEHASH = keccak256(
        "BatchAck(address node,uint64 epoch,uint64 batchNumber,bytes32 acceptedRoot,uint32 accepted,uint64 receivedAt)"
    );
    bytes32 internal constant REJECTION_TYPEHASH =
        keccak256("Rejection(bytes32 sessionId,uint32 sequence,uint16 code,uint64 receivedAt)");
    bytes32 internal constant CLAIM_REDIRECT_TYPEHASH =
        keccak256("ClaimRedirect(address account,address to,uint64 epoch,uint64 deadline)");
    bytes32 internal constant PLAYLIST_TYPEHASH =
        keccak256("Playlist(uint32 poolId,uint64 mediaSequence,bytes32 contentHash,uint64 publishedAt)");

    /// @notice The domain separator on this chain.
    /// @dev Not cached: a chain that splits must give two.
    function domainSeparator(address epochBook) internal view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPEHASH, NAME_HASH, VERSION_HASH, block.chainid, epochBook));
    }

    /// @notice What is signed: `keccak256(0x19 ‖ 0x01 ‖ domainSeparator ‖ structHash)`.
    function digest(address epochBook, bytes32 structHash) internal view returns (bytes32) {
        return digestIn(domainSeparator(epochBook), structHash);
    }

    /// @notice The same in a domain whose separator is at hand.
    function digestIn(bytes32 separator, bytes32 structHash) internal pure returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(separator, structHash);
    }

    /// @notice The struct hash of a ticket, which is its session's id.
    function hash(SessionTicket memory ticket) internal pure returns (bytes32) {
        bytes32 words;
        assembly ("memory-safe") {
            words := ticket
        }
        return _hashWords(SESSION_TICKET_TYPEHASH, words, 8);
    }

    /// @notice The struct hash of a receipt.
    function hash(Receipt memory receipt) internal pure returns (bytes32) {
        bytes32 words;
        assembly ("memory-safe") {
            words := receipt
        }
        return _hashWords(RECEIPT_TYPEHASH, words, 6);
    }

    /// @notice The struct hash of a registration.
    function hash(NodeRegistration memory registration) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                NODE_REGISTRATION_TYPEHASH,
                registration.node,
                registration.payout,
                keccak256(bytes(registration.endpoint)),
                registration.nonce,
                registration.deadline
            )
        );
    }

    /// @notice The struct hash of a submission.
    function hash(ReceiptSubmission memory submission) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                RECEIPT_SUBMISSION_TYPEHASH,
                submission.node,
                submission.epoch,
                submission.batchNumber,
                submission.batchRoot,
                submission.count
            )
        );
    }

    /// @notice The struct hash of an acknowledgement.
    function hash(BatchAck memory ack) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                BATCH_ACK_TYPEHASH,
                ack.node,
                ack.epoch,
                ack.batchNumber,
                ack.acceptedRoot,
                ack.accepted,
                ack.receivedAt
            )
        );
    }

    /// @notice The struct hash of a rejection.
    function hash(Rejection memory rejection) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                REJECTION_TYPEHASH,
                rejection.sessionId,
                rejection.sequence,
                rejection.code,
                rejection.receivedAt
            )
        );
    }

    /// @notice The struct hash of a redirected claim.
    function hash(ClaimRedirect memory redirect) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                CLAIM_REDIRECT_TYPEHASH, redirect.account, redirect.to, redirect.epoch, redirect.deadline
            )
        );
    }

    /// @notice The struct hash of a playlist.
    function hash(Playlist memory playlist) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                PLAYLIST_TYPEHASH,
                playlist.poolId,
                playlist.mediaSequence,
                playlist.contentHash,
                playlist.publishedAt
            )
        );
    }

    /// @dev `keccak256(abi.encode(typeHash, words...))` of a struct that has that many words in memory. What stands before it
    /// there is put back.
    function _hashWords(bytes32 typeHash, bytes32 words, uint256 count)
        private
        pure
        returns (bytes32 result)
    {
        assembly ("memory-safe") {
            let start := sub(words, 0x20)
            let before := mload(start)
            mstore(start, typeHash)
            result := keccak256(start, shl(5, add(count, 1)))
            mstore(start, before)
        }
    }
}
