// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// The records of docs/protocol.md, field by field in the order in which they are encoded and hashed.

/// @notice One header per epoch: the roots of all that was settled in it.
/// @param epoch The epoch's number.
/// @param parent The header hash of the epoch before, 0 for epoch 0.
/// @param poolsRoot Root hash of the sum tree over the epoch's `PoolRow`s.
/// @param poolCount How many rows that tree has.
/// @param weight That tree's sum, in bytes.
/// @param claimsRoot Root of the plain tree over the `ClaimLeaf`s.
/// @param claimCount How many leaves that tree has.
/// @param dataHash keccak256 of the epoch's bundle.
struct EpochHeader {
    uint64 epoch;
    bytes32 parent;
    bytes32 poolsRoot;
    uint32 poolCount;
    uint128 weight;
    bytes32 claimsRoot;
    uint32 claimCount;
    bytes32 dataHash;
}

/// @notice What one node did for one pool in one epoch.
/// @param node The node's hot key.
/// @param sessionsRoot Root hash of the sum tree over the node's session records in this pool.
/// @param sessionCount How many records that tree has.
/// @param weight That tree's sum, in bytes.
/// @param reward In base units of the pool's token.
struct NodeRow {
    address node;
    bytes32 sessionsRoot;
    uint32 sessionCount;
    uint128 weight;
    uint128 reward;
}

/// @notice What one pool paid for in one epoch.
/// @param poolId The pool.
/// @param nodesRoot Root hash of the sum tree over the pool's `NodeRow`s.
/// @param nodeCount How many rows that tree has.
/// @param weight That tree's sum, in bytes.
/// @param spend In base units of the pool's token.
/// @param cumulativeSpend The sum of `spend` over all epochs so far.
struct PoolRow {
    uint32 poolId;
    bytes32 nodesRoot;
    uint32 nodeCount;
    uint128 weight;
    uint128 spend;
    uint128 cumulativeSpend;
}

/// @notice A node of a sum tree.
struct SumNode {
    bytes32 hash;
    uint128 sum;
}

/// @notice A leaf of the claims tree.
/// @param account The node that earned.
/// @param entries `uint256(poolId) << 128 | cumulativeReward`, in strictly rising order of pool.
struct ClaimLeaf {
    address account;
    uint256[] entries;
}

/// @notice What a pool pays.
/// @param pricePerGB Base units per 10^9 bytes of weight.
/// @param epochBudget The most that one epoch may spend, in base units.
/// @param ticketSigner The key that admits viewers.
struct Terms {
    uint128 pricePerGB;
    uint128 epochBudget;
    address ticketSigner;
}

/// @notice Where a pool's stream is and who signs its playlists.
/// @param originKey The key that signs `Playlist` messages.
/// @param maxBytesPerSecond The most that one session may be credited per second.
/// @param uri The origin's URL.
struct Stream {
    address originKey;
    uint32 maxBytesPerSecond;
    string uri;
}

/// @notice Signed by the pool's ticket signer; its struct hash is the session's id.
struct SessionTicket {
    uint32 poolId;
    uint64 epoch;
    address node;
    address viewer;
    uint64 maxBytes;
    uint64 issuedAt;
    uint64 expiresAt;
    uint256 nonce;
}

/// @notice Signed by the viewer; cumulative within its session.
struct Receipt {
    bytes32 sessionId;
    uint32 sequence;
    uint64 bytesDelivered;
    uint64 bytesOnTime;
    uint64 mediaSequence;
    uint64 signedAt;
}

/// @notice Signed by the node.
struct NodeRegistration {
    address node;
    address payout;
    string endpoint;
    uint64 nonce;
    uint64 deadline;
}

/// @notice Signed by the node.
struct ReceiptSubmission {
    address node;
    uint64 epoch;
    uint64 batchNumber;
    bytes32 batchRoot;
    uint32 count;
}

/// @notice Signed by the poster.
struct BatchAck {
    address node;
    uint64 epoch;
    uint64 batchNumber;
    bytes32 acceptedRoot;
    uint32 accepted;
    uint64 receivedAt;
}

/// @notice Signed by the poster.
struct Rejection {
    bytes32 sessionId;
    uint32 sequence;
    uint16 code;
    uint64 receivedAt;
}

/// @notice Signed by the account that earned.
struct ClaimRedirect {
    address account;
    address to;
    uint64 epoch;
    uint64 deadline;
}

/// @notice Signed by the stream's origin.
struct Playlist {
    uint32 poolId;
    uint64 mediaSequence;
    bytes32 contentHash;
    uint64 publishedAt;
}

/// @notice A receipt with its ticket and both signatures: 274 bytes encoded.
/// @dev `receipt.sessionId` is not encoded: it is the hash of the ticket beside it.
struct SessionRecord {
    SessionTicket ticket;
    bytes ticketSignature;
    Receipt receipt;
    bytes receiptSignature;
}

/// @notice A record that is a leaf of a sum tree, with its place there.
/// @param record A row (88 bytes) or a session record (274 bytes), as it is hashed.
/// @param index The leaf's.
/// @param path The siblings from the leaf up.
struct RecordLeaf {
    bytes record;
    uint32 index;
    SumNode[] path;
}

/// @notice A leaf of the claims tree with its place there.
/// @param leaf What the account earned.
/// @param index The leaf's.
/// @param path The siblings from the leaf up.
struct ClaimLeafAt {
    ClaimLeaf leaf;
    uint32 index;
    bytes32[] path;
}

/// @notice Any node of a sum tree with its place there.
/// @param node Its hash, and its sum as its parent or, at the top, the row above states it.
/// @param level 0 for leaves.
/// @param index Its place among the nodes of its level.
/// @param path The siblings from the node up.
struct SumNodeAt {
    SumNode node;
    uint8 level;
    uint32 index;
    SumNode[] path;
}

/// @notice Any node of the claims tree with its place there.
/// @param hash The node.
/// @param level 0 for leaves.
/// @param index Its place among the nodes of its level.
/// @param path The siblings from the node up.
struct HashAt {
    bytes32 hash;
    uint8 level;
    uint32 index;
    bytes32[] path;
}

/// @notice Two leaves at most that show what a tree holds under a key: the leaf that has the key, or its neighbours
/// where none has (see `Absence`); nothing where the tree is empty.
/// @param claims Of the header's claims tree.
/// @param parentClaims Of the parent's; not read in epoch 0.
/// @param pool The pool's row; not read where the pool was not open.
/// @param nodes Of that pool's nodes tree.
struct ClaimEvidence {
    ClaimLeafAt[] claims;
    ClaimLeafAt[] parentClaims;
    RecordLeaf[] pool;
    RecordLeaf[] nodes;
}

/// @notice A record that a poster acknowledged.
/// @param ack The poster's promise.
/// @param signature The poster's, 65 bytes.
/// @param record The session record, 274 bytes.
/// @param index Of the record in the tree of accepted records.
/// @param path The siblings from its leaf up.
struct Acknowledgement {
    BatchAck ack;
    bytes signature;
    bytes record;
    uint32 index;
    bytes32[] path;
}
