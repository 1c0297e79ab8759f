// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IEpochBook } from "../../../contracts/interfaces/IEpochBook.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { RecordLeaf, SessionRecord, SumNode, Terms } from "../../../contracts/libraries/ProtocolTypes.sol";
import { SessionRecordLib } from "../../../contracts/libraries/SessionRecordLib.sol";
import { TypedData } from "../../../contracts/libraries/TypedData.sol";
import { ChallengeTest } from "../utils/ChallengeTest.sol";
import { Epoch, EpochTrees, NodeEpoch } from "../utils/EpochData.sol";
import { RefusingReceiver } from "../utils/EtherReceivers.sol";

contract BadSessionTest is ChallengeTest {
    /// @dev The order of secp256k1.
    uint256 private constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    /*//////////////////////////////////////////////////////////////////////////
                                      REVERTS
    //////////////////////////////////////////////////////////////////////////*/

    function test_RevertWhen_TheHeaderIsNotPending() public {
        (, Epoch memory epoch) = _epochs();
        _expectNotPending(epoch.header);
        _prove(epoch, 0, 0, 0);
        _commit(epoch.header);
        vm.prank(guardian);
        book.veto(1);
        _expectNotPending(epoch.header);
        _prove(epoch, 0, 0, 0);
        _commit(epoch.header);
        _finaliseAll();
        _expectNotPending(epoch.header);
        _prove(epoch, 0, 0, 0);
    }

    function test_RevertWhen_TheSessionIsHonest() public {
        (, Epoch memory epoch) = _committed();
        for (uint256 p; p < 2; ++p) {
            for (uint256 n; n < epoch.pools[p].nodes.length; ++n) {
                for (uint256 s; s < epoch.pools[p].nodes[n].records.length; ++s) {
                    _expectNothingWrong();
                    _prove(epoch, p, n, s);
                }
            }
        }
    }

    function test_RevertWhen_TheRowsAreNotTwo() public {
        (, Epoch memory epoch) = _committed();
        RecordLeaf memory session = EpochTrees.sessionLeaf(epoch, 0, 0, 0);
        RecordLeaf[][3] memory wrong = [EpochTrees.above(), EpochTrees.above(epoch, 0), new RecordLeaf[](3)];
        for (uint256 i; i < 3; ++i) {
            _expectRevert(
                abi.encodeWithSelector(Errors.Challenges_WrongRowCount.selector, wrong[i].length, 2)
            );
            proofs.badSession(epoch.header, wrong[i], session, 4e9);
        }
    }

    /// @dev Each row pins the root below it, so no row of another pool or node can stand above a session.
    function test_RevertWhen_ARowIsAnothers() public {
        (, Epoch memory epoch) = _committed();
        RecordLeaf memory session = EpochTrees.sessionLeaf(epoch, 0, 0, 0);
        uint128 sum = epoch.pools[0].nodes[0].sums[0];
        RecordLeaf[] memory rows = EpochTrees.above(epoch, 0, 1);
        bytes32 root = epoch.pools[0].nodes[1].row.sessionsRoot;
        _expectRevert(abi.encodeWithSelector(Errors.Tree_WrongPathLength.selector, 2, 0));
        proofs.badSession(epoch.header, rows, session, sum);
        session.path = new SumNode[](0);
        _expectRevert(abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, root));
        proofs.badSession(epoch.header, rows, session, sum);
        rows[0] = EpochTrees.poolLeaf(epoch, 1);
        _expectRevert(abi.encodeWithSelector(Errors.Tree_IndexBeyondCount.selector, 1, 1));
        proofs.badSession(epoch.header, rows, session, sum);
    }

    function test_RevertWhen_TheSumIsNotTheLeafs() public {
        (, Epoch memory epoch) = _committed();
        RecordLeaf memory session = EpochTrees.sessionLeaf(epoch, 0, 0, 0);
        RecordLeaf[] memory rows = EpochTrees.above(epoch, 0, 0);
        uint128 sum = epoch.pools[0].nodes[0].sums[0];
        bytes32 root = epoch.pools[0].nodes[0].row.sessionsRoot;
        _expectRevert(abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, root));
        proofs.badSession(epoch.header, rows, session, sum + 1);
    }

    /// @dev Of a row or of padding no session record can be made, nor of a record with a byte more.
    function test_RevertWhen_TheRecordIsNoSession() public {
        (, Epoch memory epoch) = _committed();
        RecordLeaf memory session = EpochTrees.sessionLeaf(epoch, 0, 0, 0);
        RecordLeaf[] memory rows = EpochTrees.above(epoch, 0, 0);
        bytes32 root = epoch.pools[0].nodes[0].row.sessionsRoot;
        session.record = bytes.concat(session.record, hex"00");
        _expectRevert(abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, root));
        proofs.badSession(epoch.header, rows, session, epoch.pools[0].nodes[0].sums[0]);
        session.record = "";
        session.index = 3;
        _expectRevert(abi.encodeWithSelector(Errors.Tree_IndexBeyondCount.selector, 3, 3));
        proofs.badSession(epoch.header, rows, session, 0);
    }

    /// @dev A leaf whose record has another length is no direct proof: nobody can answer a demand of it.
    function test_RevertWhen_TheCommittedRecordHasAnotherLength() public {
        (, Epoch memory epoch) = _epochs();
        NodeEpoch memory node = epoch.pools[0].nodes[1];
        bytes memory record = bytes.concat(SessionRecordLib.encode(node.records[0]), hex"00");
        node.row.sessionsRoot = keccak256(bytes.concat(hex"00", keccak256(record), bytes16(node.row.weight)));
        EpochTrees.buildNodes(epoch.pools[0]);
        EpochTrees.buildPools(epoch);
        _commit(epoch.header);
        RecordLeaf memory session = RecordLeaf(record, 0, new SumNode[](0));
        _expectRevert(abi.encodeWithSelector(Errors.SessionRecord_WrongLength.selector, 275));
        proofs.badSession(epoch.header, EpochTrees.above(epoch, 0, 1), session, node.row.weight);
    }

    /// @dev Terms that hold from a later epoch on do not make sessions of this one wrong.
    function test_RevertWhen_TheTicketSignerChangesLater() public {
        Terms memory terms = _terms();
        terms.ticketSigner = stranger;
        vm.prank(streamer);
        pools.setTerms(1, terms, 2);
        (, Epoch memory epoch) = _committed();
        _expectNothingWrong();
        _prove(epoch, 0, 0, 0);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                    WRONG SESSIONS
    //////////////////////////////////////////////////////////////////////////*/

    function test_AnotherPool() public {
        (, Epoch memory epoch, SessionRecord memory record) = _one();
        record.ticket.poolId = 2;
        _signAndProve(epoch, record);
    }

    function test_AnotherNode() public {
        (, Epoch memory epoch, SessionRecord memory record) = _one();
        record.ticket.node = nodes[0];
        _signAndProve(epoch, record);
    }

    function test_AnotherEpoch() public {
        (, Epoch memory epoch, SessionRecord memory record) = _one();
        record.ticket.epoch = 0;
        _signAndProve(epoch, record);
    }

    function test_MoreBytesOnTimeThanDelivered() public {
        (, Epoch memory epoch, SessionRecord memory record) = _one();
        record.receipt.bytesOnTime = record.receipt.bytesDelivered + 1;
        _signAndProve(epoch, record);
    }

    function test_MoreThanItsCredit() public {
        (, Epoch memory epoch, SessionRecord memory record) = _one();
        record.ticket.maxBytes = record.receipt.bytesDelivered - 1;
        _signAndProve(epoch, record);
    }

    function test_NothingWrongWithAllOfItsCredit() public {
        (, Epoch memory epoch, SessionRecord memory record) = _one();
        record.ticket.maxBytes = record.receipt.bytesDelivered;
        _signSession(record, VIEWER + 3);
        _rebuildAndCommit(epoch);
        _expectNothingWrong();
        _prove(epoch, 0, 1, 0);
    }

    function test_WeightZero() public {
        (, Epoch memory epoch, SessionRecord memory record) = _one();
        (record.receipt.bytesDelivered, record.receipt.bytesOnTime) = (1, 0);
        epoch.pools[0].nodes[1].sums[0] = 0;
        _signAndProve(epoch, record);
    }

    function test_ASumThatIsNotTheWeight() public {
        (, Epoch memory epoch, SessionRecord memory record) = _one();
        epoch.pools[0].nodes[1].sums[0] += 1;
        _signAndProve(epoch, record);
    }

    /// @dev The weight's 64 bits are compared with all 128 of the sum.
    function test_ASumWhoseLowHalfIsTheWeight() public {
        (, Epoch memory epoch, SessionRecord memory record) = _one();
        epoch.pools[0].nodes[1].sums[0] += 1 << 64;
        _signAndProve(epoch, record);
    }

    function test_ATicketSignedByAnother() public {
        (, Epoch memory epoch, SessionRecord memory record) = _one();
        record.ticketSignature = _sign(VIEWER, record.receipt.sessionId);
        _rebuildAndProve(epoch);
    }

    function test_AReceiptSignedByAnother() public {
        (, Epoch memory epoch, SessionRecord memory record) = _one();
        record.receiptSignature = _sign(VIEWER, TypedData.hash(record.receipt));
        _rebuildAndProve(epoch);
    }

    function test_AReceiptOfAnotherSession() public {
        (, Epoch memory epoch, SessionRecord memory record) = _one();
        record.receiptSignature = epoch.pools[0].nodes[0].records[0].receiptSignature;
        _rebuildAndProve(epoch);
    }

    function test_AReceiptChangedAfterItWasSigned() public {
        (, Epoch memory epoch, SessionRecord memory record) = _one();
        record.receipt.sequence += 1;
        _rebuildAndProve(epoch);
    }

    function test_ATicketChangedAfterItWasSigned() public {
        (, Epoch memory epoch, SessionRecord memory record) = _one();
        record.ticket.nonce += 1;
        record.receipt.sessionId = TypedData.hash(record.ticket);
        record.receiptSignature = _sign(VIEWER + 3, TypedData.hash(record.receipt));
        _rebuildAndProve(epoch);
    }

    /// @dev Section 3 has one form of a signature: what a malleated one signs is not signed.
    function test_ASignatureInAnotherForm() public {
        (, Epoch memory epoch, SessionRecord memory record) = _one();
        bytes[5] memory forms = _otherForms(record.ticketSignature);
        bytes memory right = record.ticketSignature;
        for (uint256 i; i < forms.length; ++i) {
            uint256 id = vm.snapshotState();
            record.ticketSignature = forms[i];
            _rebuildAndProve(epoch);
            vm.revertToState(id);
        }
        record.ticketSignature = right;
        forms = _otherForms(record.receiptSignature);
        for (uint256 i; i < forms.length; ++i) {
            uint256 id = vm.snapshotState();
            record.receiptSignature = forms[i];
            _rebuildAndProve(epoch);
            vm.revertToState(id);
        }
    }

    /// @dev A failed recovery gives zero, and zero is nobody's viewer key.
    function test_AViewerThatIsZero() public {
        (, Epoch memory epoch, SessionRecord memory record) = _one();
        record.ticket.viewer = address(0);
        _signSession(record, VIEWER + 3);
        record.receiptSignature = new bytes(65);
        _rebuildAndProve(epoch);
    }

    /// @dev There, the chain's ticket signer is zero.
    function test_ASessionOfAPoolThatDoesNotExist() public {
        (, Epoch memory epoch, SessionRecord memory record) = _one();
        (record.ticket.poolId, epoch.pools[0].row.poolId) = (99, 99);
        _signSession(record, VIEWER + 3);
        record.ticketSignature = new bytes(65);
        _rebuildAndProve(epoch);
    }

    function test_ATicketSignerThatHoldsOnlyLater() public {
        (address other, uint256 key) = makeAddrAndKey("other signer");
        Terms memory terms = _terms();
        terms.ticketSigner = other;
        vm.prank(streamer);
        pools.setTerms(1, terms, 2);
        (, Epoch memory epoch, SessionRecord memory record) = _one();
        record.ticketSignature = _sign(key, record.receipt.sessionId);
        _rebuildAndProve(epoch);
    }

    /// @dev Also deep in a tree with padding.
    function test_EachSessionOfATree() public {
        for (uint256 s; s < 5; ++s) {
            uint256 id = vm.snapshotState();
            (, Epoch memory epoch) = _epochs();
            epoch.pools[1].nodes[0].records[s].receipt.sequence += 1;
            _rebuildAndCommit(epoch);
            _expectVoid(1);
            _prove(epoch, 1, 0, s);
            vm.revertToState(id);
        }
    }

    function test_VoidsAllDescendantsAndPaysHalfOfTheBond() public {
        (, Epoch memory epoch,) = _one();
        epoch.pools[0].nodes[1].sums[0] += 1;
        _rebuildAndCommit(epoch);
        _commitUpTo(4);
        uint256 nobodyBefore = address(0).balance;
        vm.expectEmit(address(book));
        emit IEpochBook.HeadersVoided(1, 3, challenger);
        vm.prank(challenger);
        _prove(epoch, 0, 1, 0);
        assertEq(book.nextEpoch(), 1);
        assertFalse(book.isPending(1, headerHashes[1]));
        assertFalse(book.isPending(3, headerHashes[3]));
        assertTrue(book.isPending(0, headerHashes[0]));
        assertEq(book.creditOf(challenger), BOND / 2);
        assertEq(book.bond(), 0);
        assertEq(address(0).balance - nobodyBefore, BOND - BOND / 2);
    }

    /// @dev The reward is credit, so no receiver can block a proof, its own or another's.
    function test_AChallengerThatRefusesEther() public {
        (, Epoch memory epoch,) = _one();
        epoch.pools[0].nodes[1].sums[0] += 1;
        _rebuildAndCommit(epoch);
        challenger = address(new RefusingReceiver());
        _expectVoid(1);
        _prove(epoch, 0, 1, 0);
        assertEq(book.creditOf(challenger), BOND / 2);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      HELPERS
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev The one session of the second node of the first pool, to be made wrong.
    function _one() private returns (Epoch memory first, Epoch memory epoch, SessionRecord memory record) {
        (first, epoch) = _epochs();
        record = epoch.pools[0].nodes[1].records[0];
    }

    function _signAndProve(Epoch memory epoch, SessionRecord memory record) private {
        _signSession(record, VIEWER + 3);
        _rebuildAndProve(epoch);
    }

    function _rebuildAndProve(Epoch memory epoch) private {
        _rebuildAndCommit(epoch);
        _expectVoid(1);
        _prove(epoch, 0, 1, 0);
    }

    function _prove(Epoch memory epoch, uint256 pool, uint256 node, uint256 session) private {
        proofs.badSession(
            epoch.header,
            EpochTrees.above(epoch, pool, node),
            EpochTrees.sessionLeaf(epoch, pool, node, session),
            epoch.pools[pool].nodes[node].sums[session]
        );
    }

    /// @dev A high s with the other v; v below 27; s 0; r 0; nothing.
    function _otherForms(bytes memory signature) private pure returns (bytes[5] memory) {
        (bytes32 r, bytes32 s, uint8 v) = (0, 0, uint8(signature[64]));
        assembly ("memory-safe") {
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
        }
        return [
            abi.encodePacked(r, ORDER - uint256(s), 55 - v),
            abi.encodePacked(r, s, v - 27),
            abi.encodePacked(r, bytes32(0), v),
            abi.encodePacked(bytes32(0), s, v),
            new bytes(65)
        ];
    }
}
