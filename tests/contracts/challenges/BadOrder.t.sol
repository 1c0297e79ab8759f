// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Errors } from "../../../contracts/libraries/Errors.sol";
import { RecordLeaf } from "../../../contracts/libraries/ProtocolTypes.sol";
import { ChallengeTest } from "../utils/ChallengeTest.sol";
import { Epoch, EpochTrees, NodeEpoch, PoolEpoch } from "../utils/EpochData.sol";

contract BadOrderTest is ChallengeTest {
    /*//////////////////////////////////////////////////////////////////////////
                                      REVERTS
    //////////////////////////////////////////////////////////////////////////*/

    function test_RevertWhen_TheHeaderIsNotPending() public {
        (, Epoch memory epoch) = _epochs();
        _expectNotPending(epoch.header);
        _provePools(epoch, 0, 1);
    }

    function test_RevertWhen_TheKeysRise() public {
        (, Epoch memory epoch) = _committed();
        for (uint256 i; i < 2; ++i) {
            _expectNothingWrong();
            _provePools(epoch, i, i + 1);
            _expectNothingWrong();
            _proveNodes(epoch, i, i + 1);
        }
        for (uint256 i; i < 4; ++i) {
            _expectNothingWrong();
            _proveSessions(epoch, i, i + 1);
        }
    }

    /// @dev Neither the same leaf twice, nor in the wrong order, nor with others between.
    function test_RevertWhen_TheLeavesAreNoNeighbours() public {
        (, Epoch memory epoch) = _committed();
        for (uint256 i; i < 3; ++i) {
            for (uint256 j; j < 3; ++j) {
                if (j == i + 1) continue;
                _expectRevert(abi.encodeWithSelector(Errors.Challenges_WrongLeaf.selector));
                _provePools(epoch, i, j);
            }
        }
    }

    /// @dev The last index of all has no neighbour.
    function test_RevertWhen_TheIndexWouldOverflow() public {
        (, Epoch memory epoch) = _committed();
        RecordLeaf memory left = EpochTrees.poolLeaf(epoch, 1);
        RecordLeaf memory right = EpochTrees.poolLeaf(epoch, 0);
        left.index = type(uint32).max;
        _expectRevert(abi.encodeWithSelector(Errors.Challenges_WrongLeaf.selector));
        proofs.badOrder(epoch.header, EpochTrees.above(), left, right);
    }

    function test_RevertWhen_TheLeavesAreOfTwoTrees() public {
        (, Epoch memory epoch) = _committed();
        RecordLeaf memory left = EpochTrees.nodeLeaf(epoch, 0, 0);
        RecordLeaf memory right = EpochTrees.nodeLeaf(epoch, 1, 0);
        (right.index, right.path) = (1, EpochTrees.nodeLeaf(epoch, 0, 1).path);
        _expectRevert(
            abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, epoch.pools[0].row.nodesRoot)
        );
        proofs.badOrder(epoch.header, EpochTrees.above(epoch, 0), left, right);
    }

    /// @dev A pool's row and a node's row have the same length, and could be read as each other.
    function test_RevertWhen_RowsAreReadAsOthers() public {
        (, Epoch memory epoch) = _committed();
        RecordLeaf memory left = EpochTrees.nodeLeaf(epoch, 0, 0);
        RecordLeaf memory right = EpochTrees.nodeLeaf(epoch, 0, 1);
        _expectRevert(abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, epoch.header.poolsRoot));
        proofs.badOrder(epoch.header, EpochTrees.above(), left, right);
    }

    function test_RevertWhen_ThereAreMoreThanTwoRowsAbove() public {
        (, Epoch memory epoch) = _committed();
        RecordLeaf memory leaf = EpochTrees.poolLeaf(epoch, 0);
        RecordLeaf memory right = EpochTrees.poolLeaf(epoch, 1);
        _expectRevert(abi.encodeWithSelector(Errors.Rows_TooMany.selector, 3));
        proofs.badOrder(epoch.header, new RecordLeaf[](3), leaf, right);
    }

    function test_RevertWhen_TheRightLeafIsPadding() public {
        (, Epoch memory epoch) = _committed();
        RecordLeaf memory left = EpochTrees.poolLeaf(epoch, 2);
        RecordLeaf memory right = EpochTrees.poolLeaf(epoch, 2);
        right.index = 3;
        _expectRevert(abi.encodeWithSelector(Errors.Tree_IndexBeyondCount.selector, 3, 3));
        proofs.badOrder(epoch.header, EpochTrees.above(), left, right);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                     WRONG ORDERS
    //////////////////////////////////////////////////////////////////////////*/

    function test_PoolsThatFall() public {
        (, Epoch memory epoch) = _epochs();
        (epoch.pools[1], epoch.pools[2]) = (epoch.pools[2], epoch.pools[1]);
        _rebuildAndCommit(epoch);
        _expectVoid(1);
        _provePools(epoch, 1, 2);
    }

    function test_APoolTwice() public {
        (, Epoch memory epoch) = _epochs();
        PoolEpoch memory twice = epoch.pools[0];
        epoch.pools[1] = twice;
        _rebuildAndCommit(epoch);
        _expectVoid(1);
        _provePools(epoch, 0, 1);
    }

    function test_NodesThatFall() public {
        (, Epoch memory epoch) = _epochs();
        NodeEpoch[] memory rows = epoch.pools[0].nodes;
        (rows[0], rows[1]) = (rows[1], rows[0]);
        _rebuildAndCommit(epoch);
        _expectVoid(1);
        _proveNodes(epoch, 0, 1);
    }

    function test_ANodeTwice() public {
        (, Epoch memory epoch) = _epochs();
        epoch.pools[0].nodes[2].row.node = nodes[1];
        _rebuildAndCommit(epoch);
        _expectVoid(1);
        _proveNodes(epoch, 1, 2);
    }

    function test_SessionsThatFall() public {
        (, Epoch memory epoch) = _epochs();
        NodeEpoch memory node = epoch.pools[1].nodes[0];
        (node.records[2], node.records[3]) = (node.records[3], node.records[2]);
        (node.sums[2], node.sums[3]) = (node.sums[3], node.sums[2]);
        _rebuildAndCommit(epoch);
        _expectVoid(1);
        _proveSessions(epoch, 2, 3);
    }

    /// @dev Also with another receipt: a session counts once.
    function test_ASessionTwice() public {
        (, Epoch memory epoch) = _epochs();
        NodeEpoch memory node = epoch.pools[1].nodes[0];
        node.records[4].ticket = node.records[3].ticket;
        node.records[4].receipt.sessionId = node.records[3].receipt.sessionId;
        _rebuildAndCommit(epoch);
        _expectVoid(1);
        _proveSessions(epoch, 3, 4);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      HELPERS
    //////////////////////////////////////////////////////////////////////////*/

    function _provePools(Epoch memory epoch, uint256 left, uint256 right) private {
        proofs.badOrder(
            epoch.header,
            EpochTrees.above(),
            EpochTrees.poolLeaf(epoch, left),
            EpochTrees.poolLeaf(epoch, right)
        );
    }

    /// @dev Of the first pool.
    function _proveNodes(Epoch memory epoch, uint256 left, uint256 right) private {
        proofs.badOrder(
            epoch.header,
            EpochTrees.above(epoch, 0),
            EpochTrees.nodeLeaf(epoch, 0, left),
            EpochTrees.nodeLeaf(epoch, 0, right)
        );
    }

    /// @dev Of the second pool's node.
    function _proveSessions(Epoch memory epoch, uint256 left, uint256 right) private {
        proofs.badOrder(
            epoch.header,
            EpochTrees.above(epoch, 1, 0),
            EpochTrees.sessionLeaf(epoch, 1, 0, left),
            EpochTrees.sessionLeaf(epoch, 1, 0, right)
        );
    }
}
