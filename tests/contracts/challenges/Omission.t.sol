// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Errors } from "../../../contracts/libraries/Errors.sol";
import {
    Acknowledgement,
    BatchAck,
    RecordLeaf,
    SessionRecord
} from "../../../contracts/libraries/ProtocolTypes.sol";
import { SessionRecordLib } from "../../../contracts/libraries/SessionRecordLib.sol";
import { TypedData } from "../../../contracts/libraries/TypedData.sol";
import { ChallengeTest } from "../utils/ChallengeTest.sol";
import { Epoch, EpochTrees, NodeEpoch } from "../utils/EpochData.sol";
import { ReferenceTrees } from "../utils/ReferenceTrees.sol";

contract OmissionTest is ChallengeTest {
    /*//////////////////////////////////////////////////////////////////////////
                                      REVERTS
    //////////////////////////////////////////////////////////////////////////*/

    function test_RevertWhen_TheHeaderIsNotPending() public {
        (, Epoch memory epoch) = _epochs();
        SessionRecord[] memory batch = epoch.pools[0].nodes[0].records;
        Acknowledgement memory acknowledged = _acknowledge(batch, 0);
        _expectNotPending(epoch.header);
        _prove(epoch, acknowledged, batch[0], 0, 0);
    }

    /// @dev All that was acknowledged is paid: each record of each node.
    function test_RevertWhen_TheRecordIsPaid() public {
        (, Epoch memory epoch) = _committed();
        for (uint256 p; p < 2; ++p) {
            for (uint256 n; n < epoch.pools[p].nodes.length; ++n) {
                SessionRecord[] memory batch = epoch.pools[p].nodes[n].records;
                for (uint256 s; s < batch.length; ++s) {
                    Acknowledgement memory acknowledged = _acknowledge(batch, s);
                    _expectNothingWrong();
                    _prove(epoch, acknowledged, batch[s], p, n);
                }
            }
        }
    }

    function test_RevertWhen_AHigherSequenceIsPaid() public {
        (, Epoch memory epoch) = _committed();
        SessionRecord memory record = _copy(epoch.pools[0].nodes[1].records[0]);
        record.receipt.sequence -= 1;
        record.receipt.bytesDelivered += 1e9;
        Acknowledgement memory acknowledged = _acknowledge(record);
        _expectNothingWrong();
        _prove(epoch, acknowledged, record, 0, 1);
    }

    /// @dev Of two tellings with the same sequence the lower one is paid.
    function test_RevertWhen_TheSameSequenceIsPaidWithOtherBytes() public {
        (, Epoch memory epoch) = _committed();
        SessionRecord memory record = _copy(epoch.pools[0].nodes[1].records[0]);
        record.receipt.bytesDelivered += 1e9;
        Acknowledgement memory acknowledged = _acknowledge(record);
        _expectNothingWrong();
        _prove(epoch, acknowledged, record, 0, 1);
    }

    function test_RevertWhen_TheNodeIsPaid() public {
        (, Epoch memory epoch) = _committed();
        Acknowledgement memory acknowledged = _acknowledge(epoch.pools[0].nodes[1].records, 0);
        RecordLeaf[] memory rows = EpochTrees.above(epoch, 0);
        RecordLeaf[] memory shown = EpochTrees.showNode(epoch, 0, nodes[1]);
        _expectNothingWrong();
        proofs.omission(epoch.header, acknowledged, rows, shown);
    }

    function test_RevertWhen_TheLeavesDoNotShowAnAbsence() public {
        (, Epoch memory epoch) = _committed();
        SessionRecord[] memory batch = epoch.pools[1].nodes[0].records;
        Acknowledgement memory acknowledged = _acknowledge(batch, 2);
        RecordLeaf[] memory rows = EpochTrees.above(epoch, 1, 0);
        RecordLeaf[][4] memory shown =
            [new RecordLeaf[](0), new RecordLeaf[](1), new RecordLeaf[](1), new RecordLeaf[](2)];
        shown[1][0] = EpochTrees.sessionLeaf(epoch, 1, 0, 0);
        shown[2][0] = EpochTrees.sessionLeaf(epoch, 1, 0, 4);
        shown[3][0] = EpochTrees.sessionLeaf(epoch, 1, 0, 1);
        shown[3][1] = EpochTrees.sessionLeaf(epoch, 1, 0, 3);
        for (uint256 i; i < shown.length; ++i) {
            _expectNothingShown(uint256(batch[2].receipt.sessionId));
            proofs.omission(epoch.header, acknowledged, rows, shown[i]);
        }
        rows = EpochTrees.above(epoch, 1);
        _expectNothingShown(uint160(nodes[3]));
        proofs.omission(epoch.header, acknowledged, rows, new RecordLeaf[](0));
    }

    /// @dev A row of another pool or node shows nothing of the record.
    function test_RevertWhen_TheRowsAreAnothers() public {
        (, Epoch memory epoch) = _committed();
        Acknowledgement memory acknowledged = _acknowledge(epoch.pools[0].nodes[1].records, 0);
        RecordLeaf[] memory none = new RecordLeaf[](0);
        RecordLeaf[] memory rows = EpochTrees.above(epoch, 1);
        _expectRevert(abi.encodeWithSelector(Errors.Challenges_WrongLeaf.selector));
        proofs.omission(epoch.header, acknowledged, rows, none);
        rows = EpochTrees.above(epoch, 0, 0);
        RecordLeaf[] memory shown =
            EpochTrees.showSession(epoch, 0, 0, epoch.pools[0].nodes[1].records[0].receipt.sessionId);
        _expectRevert(abi.encodeWithSelector(Errors.Challenges_WrongLeaf.selector));
        proofs.omission(epoch.header, acknowledged, rows, shown);
        _expectRevert(abi.encodeWithSelector(Errors.Challenges_WrongRowCount.selector, 0, 2));
        proofs.omission(epoch.header, acknowledged, none, none);
        _expectRevert(abi.encodeWithSelector(Errors.Challenges_WrongRowCount.selector, 3, 2));
        proofs.omission(epoch.header, acknowledged, new RecordLeaf[](3), none);
    }

    /// @dev The session is in no header, and each promise lacks something.
    function test_RevertWhen_ThePosterPromisedNoSuchThing() public {
        (, Epoch memory epoch) = _committed();
        SessionRecord memory record = _session(1, 1, nodes[1], VIEWER + 99, 1e9, 1e9);
        Acknowledgement memory acknowledged = _acknowledge(record);
        acknowledged.ack.receivedAt += 1;
        _expectBadAcknowledgement(epoch, acknowledged, record);

        acknowledged = _acknowledge(record);
        acknowledged.signature = _sign(VIEWER, TypedData.hash(acknowledged.ack));
        _expectBadAcknowledgement(epoch, acknowledged, record);

        acknowledged = _acknowledge(record);
        acknowledged.signature = new bytes(65);
        _expectBadAcknowledgement(epoch, acknowledged, record);

        acknowledged = _acknowledge(record);
        acknowledged.ack.epoch = 0;
        _signAck(acknowledged);
        _expectBadAcknowledgement(epoch, acknowledged, record);

        acknowledged = _acknowledge(record);
        acknowledged.ack.node = nodes[0];
        _signAck(acknowledged);
        _expectBadAcknowledgement(epoch, acknowledged, record);

        record.ticket.epoch = 0;
        _signSession(record, VIEWER + 99);
        acknowledged = _acknowledge(record);
        acknowledged.ack.epoch = 1;
        _signAck(acknowledged);
        _expectBadAcknowledgement(epoch, acknowledged, record);
    }

    function test_RevertWhen_TheRecordHasNoWeight() public {
        (, Epoch memory epoch) = _committed();
        SessionRecord memory record = _session(1, 1, nodes[1], VIEWER + 99, 1, 0);
        Acknowledgement memory acknowledged = _acknowledge(record);
        _expectBadAcknowledgement(epoch, acknowledged, record);
    }

    /// @dev What was accepted is fixed by the root and the number that the poster signed.
    function test_RevertWhen_TheRecordWasNotAccepted() public {
        (, Epoch memory epoch) = _committed();
        SessionRecord memory record = _session(1, 1, nodes[1], VIEWER + 99, 1e9, 1e9);
        Acknowledgement memory acknowledged = _acknowledge(epoch.pools[0].nodes[1].records, 0);
        acknowledged.record = SessionRecordLib.encode(record);
        _expectRevert(
            abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, acknowledged.ack.acceptedRoot)
        );
        _prove(epoch, acknowledged, record, 0, 1);
        acknowledged.index = 1;
        _expectRevert(abi.encodeWithSelector(Errors.Tree_IndexBeyondCount.selector, 1, 1));
        _prove(epoch, acknowledged, record, 0, 1);
        acknowledged = _acknowledge(record);
        (acknowledged.ack.acceptedRoot, acknowledged.ack.accepted) = (0, 0);
        _signAck(acknowledged);
        _expectRevert(abi.encodeWithSelector(Errors.Tree_IndexBeyondCount.selector, 0, 0));
        _prove(epoch, acknowledged, record, 0, 1);
    }

    function test_RevertWhen_TheRecordHasAnotherLength() public {
        (, Epoch memory epoch) = _committed();
        SessionRecord memory record = _session(1, 1, nodes[1], VIEWER + 99, 1e9, 1e9);
        Acknowledgement memory acknowledged = _acknowledge(record);
        acknowledged.record = bytes.concat(acknowledged.record, hex"00");
        _expectRevert(abi.encodeWithSelector(Errors.SessionRecord_WrongLength.selector, 275));
        _prove(epoch, acknowledged, record, 0, 1);
    }

    /// @dev Who took the place over owes nothing for what the former poster promised.
    function test_RevertWhen_AnotherPosterPromised() public {
        (, Epoch memory epoch) = _epochs();
        SessionRecord memory record = _session(1, 1, nodes[1], VIEWER + 99, 1e9, 1e9);
        Acknowledgement memory acknowledged = _acknowledge(record);
        skip(TIMEOUT_SECONDS);
        hoax(alice, BOND);
        book.takeOver{ value: BOND }();
        _commit(epoch.header);
        _expectBadAcknowledgement(epoch, acknowledged, record);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      OMISSIONS
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev Each session of a tree is left out once: the first, the last, those between.
    function test_ASessionLeftOut() public {
        for (uint256 s; s < 5; ++s) {
            uint256 id = vm.snapshotState();
            (, Epoch memory epoch) = _epochs();
            NodeEpoch memory node = epoch.pools[1].nodes[0];
            Acknowledgement memory acknowledged = _acknowledge(node.records, s);
            SessionRecord memory record = node.records[s];
            _drop(node, s);
            _rebuildAndProve(epoch, acknowledged, record, 1, 0);
            vm.revertToState(id);
        }
    }

    /// @dev The node's row stands there without sessions.
    function test_TheOnlySessionLeftOut() public {
        (, Epoch memory epoch) = _epochs();
        NodeEpoch memory node = epoch.pools[0].nodes[1];
        Acknowledgement memory acknowledged = _acknowledge(node.records, 0);
        SessionRecord memory record = node.records[0];
        _drop(node, 0);
        _rebuildAndProve(epoch, acknowledged, record, 0, 1);
    }

    function test_ALowerSequence() public {
        (, Epoch memory epoch) = _epochs();
        SessionRecord memory paid = epoch.pools[0].nodes[1].records[0];
        SessionRecord memory record = _copy(paid);
        record.receipt.sequence += 1;
        Acknowledgement memory acknowledged = _acknowledge(record);
        _rebuildAndProve(epoch, acknowledged, record, 0, 1);
    }

    /// @dev The first node, one between others, and the last.
    function test_ANodeLeftOut() public {
        for (uint256 n; n < 3; ++n) {
            uint256 id = vm.snapshotState();
            (, Epoch memory epoch) = _epochs();
            Acknowledgement memory acknowledged = _acknowledge(epoch.pools[0].nodes[n].records, 0);
            NodeEpoch[] memory kept = new NodeEpoch[](2);
            for (uint256 i; i < 2; ++i) {
                kept[i] = epoch.pools[0].nodes[i < n ? i : i + 1];
            }
            epoch.pools[0].nodes = kept;
            _rebuildAndProveNode(epoch, acknowledged, 0, nodes[n]);
            vm.revertToState(id);
        }
    }

    function test_TheOnlyNodeLeftOut() public {
        (, Epoch memory epoch) = _epochs();
        Acknowledgement memory acknowledged = _acknowledge(epoch.pools[1].nodes[0].records, 3);
        epoch.pools[1].nodes = new NodeEpoch[](0);
        _rebuildAndProveNode(epoch, acknowledged, 1, nodes[3]);
    }

    /// @dev Other records of other nodes and pools may stand beside it in what was accepted.
    function test_ASessionOfABatchOverPools() public {
        (, Epoch memory epoch) = _epochs();
        SessionRecord[] memory batch = new SessionRecord[](3);
        batch[0] = _session(1, 1, nodes[1], VIEWER + 3, 2e9, 2e9);
        batch[1] = _session(2, 1, nodes[1], VIEWER + 98, 1e9, 1e9);
        batch[2] = _session(1, 1, nodes[1], VIEWER + 99, 1, 0);
        Acknowledgement memory acknowledged = _acknowledge(batch, 1);
        _rebuildAndProveNode(epoch, acknowledged, 1, nodes[1]);
    }

    function test_WhoeverTookThePlaceOverIsBoundByItsOwnPromise() public {
        (, Epoch memory epoch) = _epochs();
        SessionRecord memory record = _session(1, 1, nodes[1], VIEWER + 99, 1e9, 1e9);
        Acknowledgement memory acknowledged = _acknowledge(record);
        (address other, uint256 key) = makeAddrAndKey("other poster");
        skip(TIMEOUT_SECONDS);
        hoax(other, BOND);
        book.takeOver{ value: BOND }();
        acknowledged.signature = _sign(key, TypedData.hash(acknowledged.ack));
        _commit(epoch.header);
        vm.prank(challenger);
        _prove(epoch, acknowledged, record, 0, 1);
        assertEq(book.nextEpoch(), 1);
        assertEq(book.bond(), 0);
        assertEq(book.creditOf(challenger), BOND / 2);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      HELPERS
    //////////////////////////////////////////////////////////////////////////*/

    function _expectNothingShown(uint256 key) private {
        _expectRevert(abi.encodeWithSelector(Errors.Absence_NothingShown.selector, key));
    }

    function _expectBadAcknowledgement(
        Epoch memory epoch,
        Acknowledgement memory acknowledged,
        SessionRecord memory record
    ) private {
        RecordLeaf[] memory rows = EpochTrees.above(epoch, 0, 1);
        RecordLeaf[] memory shown = EpochTrees.showSession(epoch, 0, 1, record.receipt.sessionId);
        _expectRevert(abi.encodeWithSelector(Errors.Challenges_BadAcknowledgement.selector));
        proofs.omission(epoch.header, acknowledged, rows, shown);
    }

    function _rebuildAndProve(
        Epoch memory epoch,
        Acknowledgement memory acknowledged,
        SessionRecord memory record,
        uint256 pool,
        uint256 node
    ) private {
        _rebuildAndCommit(epoch);
        _expectVoid(1);
        _prove(epoch, acknowledged, record, pool, node);
    }

    function _rebuildAndProveNode(
        Epoch memory epoch,
        Acknowledgement memory acknowledged,
        uint256 pool,
        address node
    ) private {
        _rebuildAndCommit(epoch);
        RecordLeaf[] memory rows = EpochTrees.above(epoch, pool);
        RecordLeaf[] memory shown = EpochTrees.showNode(epoch, pool, node);
        _expectVoid(1);
        proofs.omission(epoch.header, acknowledged, rows, shown);
    }

    function _prove(
        Epoch memory epoch,
        Acknowledgement memory acknowledged,
        SessionRecord memory record,
        uint256 pool,
        uint256 node
    ) private {
        proofs.omission(
            epoch.header,
            acknowledged,
            EpochTrees.above(epoch, pool, node),
            EpochTrees.showSession(epoch, pool, node, record.receipt.sessionId)
        );
    }

    function _acknowledge(SessionRecord memory record) private returns (Acknowledgement memory) {
        SessionRecord[] memory batch = new SessionRecord[](1);
        batch[0] = record;
        return _acknowledge(batch, 0);
    }

    /// @dev The poster's promise for a record of a batch of one node.
    function _acknowledge(SessionRecord[] memory batch, uint256 index)
        private
        returns (Acknowledgement memory acknowledged)
    {
        bytes32[] memory leaves = new bytes32[](batch.length);
        for (uint256 i; i < leaves.length; ++i) {
            leaves[i] = keccak256(bytes.concat(keccak256(SessionRecordLib.encode(batch[i]))));
        }
        acknowledged.ack = BatchAck({
            node: batch[index].ticket.node,
            epoch: batch[index].ticket.epoch,
            batchNumber: 12,
            acceptedRoot: ReferenceTrees.root(leaves),
            accepted: uint32(batch.length),
            receivedAt: GENESIS + EPOCH_SECONDS
        });
        acknowledged.record = SessionRecordLib.encode(batch[index]);
        acknowledged.index = uint32(index);
        acknowledged.path = ReferenceTrees.path(leaves, index);
        _signAck(acknowledged);
    }

    function _signAck(Acknowledgement memory acknowledged) private {
        (, uint256 key) = makeAddrAndKey("poster");
        acknowledged.signature = _sign(key, TypedData.hash(acknowledged.ack));
    }

    function _copy(SessionRecord memory record) private pure returns (SessionRecord memory) {
        return abi.decode(abi.encode(record), (SessionRecord));
    }

    function _drop(NodeEpoch memory node, uint256 session) private pure {
        uint256 count = node.records.length - 1;
        for (uint256 i = session; i < count; ++i) {
            (node.records[i], node.sums[i]) = (node.records[i + 1], node.sums[i + 1]);
        }
        (SessionRecord[] memory records, uint128[] memory sums) = (node.records, node.sums);
        assembly ("memory-safe") {
            mstore(records, count)
            mstore(sums, count)
        }
    }
}
