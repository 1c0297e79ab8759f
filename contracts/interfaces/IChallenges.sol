// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    Acknowledgement,
    ClaimEvidence,
    ClaimLeafAt,
    EpochHeader,
    HashAt,
    RecordLeaf,
    SumNodeAt
} from "../libraries/ProtocolTypes.sol";

/// @title IChallenges
/// @notice The fraud proofs of docs/protocol.md section 8. Each call shows one rule that a pending header breaks, voids
/// the header with all its descendants, and credits half of the poster's bond to the caller (`EpochBook.void`).
/// @dev Anyone may call; nothing is stored. An honest header makes every call revert. Whoever copies a transaction and is
/// mined first takes the reward: the header is void either way, and a private relay protects the reward.
///
/// `above` are the rows over a tree: none for the pools tree, a pool's row for its nodes tree, with a node's row after
/// it for that node's sessions tree. `shown` are leaves that show what a tree holds under a key: the leaf that has it, or
/// its one or two neighbours where none has, or nothing where the tree is empty.
interface IChallenges {
    /*//////////////////////////////////////////////////////////////////////////
                                      LEAVES
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice BadSession: a session leaf breaks a rule of section 3: its pool, node or epoch, more bytes on time than
    /// delivered, more than its credit, weight 0 or another weight than its sum, or one of its signatures.
    /// @param above The pool's row and the node's row.
    /// @param sum The leaf's sum as the tree has it.
    function badSession(
        EpochHeader calldata header,
        RecordLeaf[] calldata above,
        RecordLeaf calldata session,
        uint128 sum
    ) external;

    /// @notice BadReward: a node's row has weight 0, or another reward than the rule's.
    function badReward(EpochHeader calldata header, RecordLeaf calldata pool, RecordLeaf calldata node)
        external;

    /// @notice BadSpend: a pool's row has another spend or cumulative spend than the rule's.
    /// @param parent The header before; not read in the epoch of the pool's creation.
    /// @param before The pool's row in that header; none in the epoch of the pool's creation.
    function badSpend(
        EpochHeader calldata header,
        RecordLeaf calldata pool,
        EpochHeader calldata parent,
        RecordLeaf[] calldata before
    ) external;

    /// @notice BadPool: a row of a pool that was not open in the epoch, or none of a pool that was.
    function badPool(EpochHeader calldata header, uint32 poolId, RecordLeaf[] calldata shown) external;

    /// @notice BadClaim: what an account has earned from a pool is not what it had before and earned in this epoch.
    /// @param parent The header before; not read in epoch 0.
    function badClaim(
        EpochHeader calldata header,
        EpochHeader calldata parent,
        address account,
        uint32 poolId,
        ClaimEvidence calldata evidence
    ) external;

    /// @notice BadClaim: a leaf of the claims tree has no entries or more than 256, or its entries do not rise by pool,
    /// or name a pool beyond 32 bits, or have reward 0.
    function badClaimLeaf(EpochHeader calldata header, ClaimLeafAt calldata claim) external;

    /*//////////////////////////////////////////////////////////////////////////
                                       TREES
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice BadOrder: two neighbouring leaves of a sum tree whose keys do not rise.
    function badOrder(
        EpochHeader calldata header,
        RecordLeaf[] calldata above,
        RecordLeaf calldata left,
        RecordLeaf calldata right
    ) external;

    /// @notice BadOrder: two neighbouring leaves of the claims tree whose accounts do not rise.
    function badClaimsOrder(
        EpochHeader calldata header,
        ClaimLeafAt calldata left,
        ClaimLeafAt calldata right
    ) external;

    /// @notice BadSum: a node of a sum tree that cannot stand where it does.
    /// @param place The highest such node on its way up, or its path would not add up.
    /// @param preimage What shows it:
    /// - nothing: it is over padding alone and not empty, or it is an empty leaf below the count;
    /// - 97 bytes, an inner node's preimage: it is a leaf, or its sum is not its children's;
    /// - 49 bytes, a leaf's preimage: it is an inner node, or its sum is not the leaf's;
    /// - 88 bytes, a row: its sum is not the row's weight.
    function badSum(
        EpochHeader calldata header,
        RecordLeaf[] calldata above,
        SumNodeAt calldata place,
        bytes calldata preimage
    ) external;

    /// @notice BadSum: a node of the claims tree that cannot stand where it does.
    /// @param preimage What shows it:
    /// - nothing: it is over padding alone and not empty, or it is an empty leaf below the count;
    /// - 64 bytes, an inner node's preimage: it is a leaf;
    /// - 32 bytes, a leaf's preimage: it is an inner node.
    function badClaimsShape(EpochHeader calldata header, HashAt calldata place, bytes calldata preimage)
        external;

    /*//////////////////////////////////////////////////////////////////////////
                                      HEADERS
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice Omission: a record of weight > 0 that this header's poster acknowledged is absent, or present with a
    /// lower sequence.
    /// @param above The row of the record's pool and, unless the node is absent there, the row of its node.
    /// @param shown Of the sessions tree; of the nodes tree where the node is absent.
    function omission(
        EpochHeader calldata header,
        Acknowledgement calldata acknowledged,
        RecordLeaf[] calldata above,
        RecordLeaf[] calldata shown
    ) external;

    /// @notice BadParent: the parent that the header names is not the header before. The book compares 28 of its 32
    /// bytes, so the others may be wrong.
    /// @param parent The header before.
    function badParent(EpochHeader calldata header, EpochHeader calldata parent) external;

    /*//////////////////////////////////////////////////////////////////////////
                                       VIEWS
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice The book whose headers are challenged.
    function epochBook() external view returns (address);

    /// @notice Where terms, deposits and open pools are read.
    function rewardPools() external view returns (address);
}
