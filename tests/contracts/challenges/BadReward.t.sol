// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Errors } from "../../../contracts/libraries/Errors.sol";
import { RecordLeaf } from "../../../contracts/libraries/ProtocolTypes.sol";
import { ChallengeTest } from "../utils/ChallengeTest.sol";
import { Epoch, EpochTrees, NodeEpoch } from "../utils/EpochData.sol";

contract BadRewardTest is ChallengeTest {
    function test_RevertWhen_TheHeaderIsNotPending() public {
        (, Epoch memory epoch) = _epochs();
        _expectNotPending(epoch.header);
        _prove(epoch, 0, 0);
    }

    function test_RevertWhen_TheRewardIsTheRules() public {
        (, Epoch memory epoch) = _committed();
        for (uint256 p; p < 2; ++p) {
            for (uint256 n; n < epoch.pools[p].nodes.length; ++n) {
                _expectNothingWrong();
                _prove(epoch, p, n);
            }
        }
    }

    /// @dev A pool that has nothing left pays nothing for its weight.
    function test_RevertWhen_NothingIsSpent() public {
        (, Epoch memory epoch) = _epochs();
        epoch.pools[1].row.spend = 0;
        epoch.pools[1].nodes[0].row.reward = 0;
        _rebuildAndCommit(epoch);
        _expectNothingWrong();
        _prove(epoch, 1, 0);
    }

    function test_RevertWhen_TheNodeIsOfAnotherPool() public {
        (, Epoch memory epoch) = _committed();
        RecordLeaf memory pool = EpochTrees.poolLeaf(epoch, 0);
        RecordLeaf memory node = EpochTrees.nodeLeaf(epoch, 1, 0);
        _expectRevert(abi.encodeWithSelector(Errors.Tree_WrongPathLength.selector, 0, 2));
        proofs.badReward(epoch.header, pool, node);
        // The path of one of the pool's own nodes does not lead from there either.
        node.path = EpochTrees.nodeLeaf(epoch, 0, 0).path;
        _expectRevert(
            abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, epoch.pools[0].row.nodesRoot)
        );
        proofs.badReward(epoch.header, pool, node);
    }

    function test_RevertWhen_TheNodeIsAPoolsRow() public {
        (, Epoch memory epoch) = _committed();
        RecordLeaf memory pool = EpochTrees.poolLeaf(epoch, 0);
        _expectRevert(
            abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, epoch.pools[0].row.nodesRoot)
        );
        proofs.badReward(epoch.header, pool, pool);
    }

    function test_RevertWhen_ARowHasAnotherLength() public {
        (, Epoch memory epoch) = _committed();
        RecordLeaf memory pool = EpochTrees.poolLeaf(epoch, 0);
        RecordLeaf memory node = EpochTrees.nodeLeaf(epoch, 0, 0);
        node.record = bytes.concat(node.record, hex"00");
        _expectRevert(abi.encodeWithSelector(Errors.Rows_WrongLength.selector, 89));
        proofs.badReward(epoch.header, pool, node);
        pool.record = bytes.concat(pool.record, hex"00");
        _expectRevert(abi.encodeWithSelector(Errors.Rows_WrongLength.selector, 89));
        proofs.badReward(epoch.header, pool, node);
    }

    function test_TooHigh() public {
        (, Epoch memory epoch) = _epochs();
        epoch.pools[0].nodes[2].row.reward += 1;
        _rebuildAndProve(epoch, 0, 2);
    }

    function test_TooLow() public {
        (, Epoch memory epoch) = _epochs();
        epoch.pools[0].nodes[0].row.reward -= 1;
        _rebuildAndProve(epoch, 0, 0);
    }

    function test_RightInItsLowHalf() public {
        (, Epoch memory epoch) = _epochs();
        epoch.pools[1].nodes[0].row.reward += 1 << 64;
        _rebuildAndProve(epoch, 1, 0);
    }

    function test_ARowOfWeightZero() public {
        (, Epoch memory epoch) = _epochs();
        epoch.pools[2].nodes = new NodeEpoch[](1);
        epoch.pools[2].nodes[0].row.node = nodes[0];
        _rebuildAndProve(epoch, 2, 0);
    }

    function test_ARowOfWeightZeroBesideOthers() public {
        (, Epoch memory epoch) = _epochs();
        NodeEpoch memory empty;
        empty.row.node = epoch.pools[0].nodes[1].row.node;
        epoch.pools[0].nodes[1] = empty;
        _rebuildAndProve(epoch, 0, 1);
    }

    function _rebuildAndProve(Epoch memory epoch, uint256 pool, uint256 node) private {
        _rebuildAndCommit(epoch);
        _expectVoid(1);
        _prove(epoch, pool, node);
    }

    function _prove(Epoch memory epoch, uint256 pool, uint256 node) private {
        proofs.badReward(
            epoch.header, EpochTrees.poolLeaf(epoch, pool), EpochTrees.nodeLeaf(epoch, pool, node)
        );
    }
}
