// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Absence } from "./Absence.sol";
import { PlainTree } from "./PlainTree.sol";
import { ClaimLeafAt, NodeRow, PoolRow, RecordLeaf, SessionRecord } from "./ProtocolTypes.sol";
import { Rows } from "./Rows.sol";
import { SessionRecordLib } from "./SessionRecordLib.sol";

/// @title Lookup
/// @notice What a tree holds under a key, as leaves show it. Each function reverts unless they are leaves of the tree and
/// show that it holds the key, or that it does not (`Absence`).
library Lookup {
    /// @notice A pool's row.
    function findPool(Rows.Tree memory tree, uint32 poolId, RecordLeaf[] calldata shown)
        internal
        pure
        returns (bool present, PoolRow memory row)
    {
        Absence.KeyAt[] memory keys = new Absence.KeyAt[](shown.length);
        for (uint256 i; i < shown.length; ++i) {
            row = Rows.requirePool(tree, shown[i]);
            keys[i] = Absence.KeyAt({ key: row.poolId, index: shown[i].index });
        }
        present = Absence.isPresent(poolId, tree.count, keys);
    }

    /// @notice A node's row.
    function findNode(Rows.Tree memory tree, address node, RecordLeaf[] calldata shown)
        internal
        pure
        returns (bool present, NodeRow memory row)
    {
        Absence.KeyAt[] memory keys = new Absence.KeyAt[](shown.length);
        for (uint256 i; i < shown.length; ++i) {
            row = Rows.requireNode(tree, shown[i]);
            keys[i] = Absence.KeyAt({ key: uint160(row.node), index: shown[i].index });
        }
        present = Absence.isPresent(uint160(node), tree.count, keys);
    }

    /// @notice A session's record.
    function findSession(Rows.Tree memory tree, bytes32 sessionId, RecordLeaf[] calldata shown)
        internal
        pure
        returns (bool present, SessionRecord memory record)
    {
        Absence.KeyAt[] memory keys = new Absence.KeyAt[](shown.length);
        for (uint256 i; i < shown.length; ++i) {
            record = Rows.requireSession(tree, shown[i]);
            keys[i] = Absence.KeyAt({ key: uint256(record.receipt.sessionId), index: shown[i].index });
        }
        present = Absence.isPresent(uint256(sessionId), tree.count, keys);
    }

    /// @notice An account's leaf in the claims tree.
    /// @return present Whether there is one: the one shown.
    function findAccount(bytes32 root, uint256 count, address account, ClaimLeafAt[] calldata shown)
        internal
        pure
        returns (bool present)
    {
        Absence.KeyAt[] memory keys = new Absence.KeyAt[](shown.length);
        for (uint256 i; i < shown.length; ++i) {
            ClaimLeafAt calldata claim = shown[i];
            PlainTree.requireLeaf(root, PlainTree.claimLeafOf(claim.leaf), claim.index, count, claim.path);
            keys[i] = Absence.KeyAt({ key: uint160(claim.leaf.account), index: claim.index });
        }
        present = Absence.isPresent(uint160(account), count, keys);
    }
}
