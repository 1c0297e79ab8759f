// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Errors } from "../../../contracts/libraries/Errors.sol";
import { RecordLeaf } from "../../../contracts/libraries/ProtocolTypes.sol";
import { ChallengeTest } from "../utils/ChallengeTest.sol";
import { Epoch, EpochTrees, PoolEpoch } from "../utils/EpochData.sol";

contract BadPoolTest is ChallengeTest {
    /*//////////////////////////////////////////////////////////////////////////
                                      REVERTS
    //////////////////////////////////////////////////////////////////////////*/

    function test_RevertWhen_TheHeaderIsNotPending() public {
        (, Epoch memory epoch) = _epochs();
        _expectNotPending(epoch.header);
        _prove(epoch, 1);
    }

    function test_RevertWhen_EachOpenPoolHasItsRowAndNoOther() public {
        (Epoch memory first, Epoch memory epoch) = _committed();
        uint32[7] memory ids = [uint32(0), 1, 2, 3, 4, 5, type(uint32).max];
        for (uint256 i; i < ids.length; ++i) {
            _expectNothingWrong();
            _prove(epoch, ids[i]);
            _expectNothingWrong();
            _prove(first, ids[i]);
        }
    }

    /// @dev Rows are 1, 2 and 4; the absence of 4 is what every attempt claims, then that of 3 by no neighbours.
    function test_RevertWhen_TheLeavesDoNotShowAnAbsence() public {
        (, Epoch memory epoch) = _committed();
        _expectNothingShown(epoch, 4, _rows(epoch, 0, 0, 0));
        _expectNothingShown(epoch, 4, _rows(epoch, 1, 0, 0));
        _expectNothingShown(epoch, 4, _rows(epoch, 1, 1, 0));
        _expectNothingShown(epoch, 4, _rows(epoch, 2, 1, 2));
        _expectNothingShown(epoch, 4, _rows(epoch, 2, 2, 2));
        _expectNothingShown(epoch, 4, _rows(epoch, 2, 2, 1));
        _expectNothingShown(epoch, 3, _rows(epoch, 1, 1, 0));
        _expectNothingShown(epoch, 3, _rows(epoch, 1, 2, 0));
        _expectNothingShown(epoch, 3, _rows(epoch, 2, 0, 2));
        _expectNothingShown(epoch, 3, _rows(epoch, 2, 2, 1));
        _expectNothingShown(epoch, 3, _rows(epoch, 3, 0, 1));
    }

    function test_RevertWhen_ALeafIsNotOfTheTree() public {
        (Epoch memory first, Epoch memory epoch) = _committed();
        RecordLeaf[] memory shown = EpochTrees.showPool(first, 4);
        _expectRevert(abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, epoch.header.poolsRoot));
        proofs.badPool(epoch.header, 4, shown);
        shown = EpochTrees.showNode(epoch, 0, nodes[0]);
        _expectRevert(abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, epoch.header.poolsRoot));
        proofs.badPool(epoch.header, 4, shown);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      WRONG ROWS
    //////////////////////////////////////////////////////////////////////////*/

    function test_ARowOfAPoolThatIsClosed() public {
        (Epoch memory first, Epoch memory epoch) = _epochs();
        PoolEpoch memory closed = first.pools[2];
        epoch.pools = _four(epoch.pools[0], epoch.pools[1], closed, epoch.pools[2]);
        _rebuildAndProve(epoch, 3);
    }

    function test_ARowOfAPoolThatIsNotYetOpen() public {
        Epoch memory first = _first();
        PoolEpoch memory coming;
        coming.row.poolId = 4;
        first.pools = _four(first.pools[0], first.pools[1], first.pools[2], coming);
        _rebuildAndCommit(first);
        _expectVoid(0);
        _prove(first, 4);
    }

    function test_ARowOfAPoolThatDoesNotExist() public {
        (, Epoch memory epoch) = _epochs();
        PoolEpoch memory unknown;
        unknown.row.poolId = 5;
        epoch.pools = _four(epoch.pools[0], epoch.pools[1], epoch.pools[2], unknown);
        _rebuildAndProve(epoch, 5);
    }

    function test_ARowOfPoolZero() public {
        (, Epoch memory epoch) = _epochs();
        PoolEpoch memory zero;
        epoch.pools = _four(zero, epoch.pools[0], epoch.pools[1], epoch.pools[2]);
        _rebuildAndProve(epoch, 0);
    }

    function test_TheFirstPoolIsMissing() public {
        (, Epoch memory epoch) = _epochs();
        epoch.pools = _two(epoch.pools[1], epoch.pools[2]);
        _rebuildAndProve(epoch, 1);
    }

    function test_APoolBetweenOthersIsMissing() public {
        (, Epoch memory epoch) = _epochs();
        epoch.pools = _two(epoch.pools[0], epoch.pools[2]);
        _rebuildAndProve(epoch, 2);
    }

    function test_TheLastPoolIsMissing() public {
        (, Epoch memory epoch) = _epochs();
        epoch.pools = _two(epoch.pools[0], epoch.pools[1]);
        _rebuildAndProve(epoch, 4);
    }

    function test_TheOnlyPoolIsAnother() public {
        (, Epoch memory epoch) = _epochs();
        PoolEpoch memory only = epoch.pools[1];
        epoch.pools = new PoolEpoch[](1);
        epoch.pools[0] = only;
        EpochTrees.build(epoch);
        _commit(epoch.header);
        uint256 id = vm.snapshotState();
        _expectVoid(1);
        _prove(epoch, 1);
        vm.revertToState(id);
        _expectVoid(1);
        _prove(epoch, 4);
    }

    function test_ThereIsNoRow() public {
        (, Epoch memory epoch) = _epochs();
        epoch.pools = new PoolEpoch[](0);
        _rebuildAndProve(epoch, 2);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      HELPERS
    //////////////////////////////////////////////////////////////////////////*/

    function _rebuildAndProve(Epoch memory epoch, uint32 poolId) private {
        _rebuildAndCommit(epoch);
        _expectVoid(1);
        _prove(epoch, poolId);
    }

    function _prove(Epoch memory epoch, uint32 poolId) private {
        proofs.badPool(epoch.header, poolId, EpochTrees.showPool(epoch, poolId));
    }

    function _expectNothingShown(Epoch memory epoch, uint32 poolId, RecordLeaf[] memory shown) private {
        _expectRevert(abi.encodeWithSelector(Errors.Absence_NothingShown.selector, poolId));
        proofs.badPool(epoch.header, poolId, shown);
    }

    /// @dev That many rows: the first, the second, and the last of all.
    function _rows(Epoch memory epoch, uint256 count, uint256 first, uint256 second)
        private
        pure
        returns (RecordLeaf[] memory shown)
    {
        shown = new RecordLeaf[](count);
        if (count > 0) shown[0] = EpochTrees.poolLeaf(epoch, first);
        if (count > 1) shown[1] = EpochTrees.poolLeaf(epoch, second);
        if (count > 2) shown[2] = EpochTrees.poolLeaf(epoch, 2);
    }

    function _two(PoolEpoch memory a, PoolEpoch memory b) private pure returns (PoolEpoch[] memory rows) {
        rows = new PoolEpoch[](2);
        (rows[0], rows[1]) = (a, b);
    }

    function _four(PoolEpoch memory a, PoolEpoch memory b, PoolEpoch memory c, PoolEpoch memory d)
        private
        pure
        returns (PoolEpoch[] memory rows)
    {
        rows = new PoolEpoch[](4);
        (rows[0], rows[1], rows[2], rows[3]) = (a, b, c, d);
    }
}
