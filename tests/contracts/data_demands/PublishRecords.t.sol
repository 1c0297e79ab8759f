// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IDataDemands } from "../../../contracts/interfaces/IDataDemands.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { SumNode } from "../../../contracts/libraries/ProtocolTypes.sol";
import { DemandTest, Flaw, Grown } from "../utils/DemandTest.sol";
import { ReferenceTrees } from "../utils/ReferenceTrees.sol";

contract DataDemandsPublishRecordsTest is DemandTest {
    uint256 private constant COUNT = 13;

    function test_RevertWhen_NobodyDemanded() public {
        Grown memory grown = _sound(IDataDemands.Tree.Sessions, COUNT);
        IDataDemands.Chunk memory chunk = _chunk(grown, 0, 0);
        bytes32 demandId = demands.demandIdOf(chunk);
        vm.expectRevert(abi.encodeWithSelector(Errors.DataDemands_NotOpen.selector, demandId));
        _answer(grown, chunk);
    }

    function test_RevertWhen_ItWasAnswered() public {
        (Grown memory grown, IDataDemands.Chunk memory chunk) = _open(IDataDemands.Tree.Sessions, 3, 0);
        _answer(grown, chunk);
        bytes32 demandId = demands.demandIdOf(chunk);
        vm.expectRevert(abi.encodeWithSelector(Errors.DataDemands_NotOpen.selector, demandId));
        _answer(grown, chunk);
    }

    function test_RevertWhen_TheAnswerIsLate() public {
        (Grown memory grown, IDataDemands.Chunk memory chunk) = _open(IDataDemands.Tree.Pools, 3, 0);
        skip(RESPONSE_SECONDS - 1);
        uint256 clean = vm.snapshotState();
        _answer(grown, chunk);
        vm.revertToState(clean);
        skip(1);
        uint256 now_ = vm.getBlockTimestamp();
        vm.expectRevert(abi.encodeWithSelector(Errors.DataDemands_AnswerLate.selector, now_));
        _answer(grown, chunk);
    }

    /// @dev Or whoever took the poster's place would earn the bond with the former one's data.
    function test_RevertWhen_TheHeaderNoLongerStands() public {
        (Grown memory grown, IDataDemands.Chunk memory chunk) = _open(IDataDemands.Tree.Nodes, 3, 0);
        vm.prank(guardian);
        book.veto(0);
        _expectNotPending(chunk);
        _answer(grown, chunk);
        skip(1);
        _commit(grown.header);
        _expectNotPending(chunk);
        _answer(grown, chunk);
    }

    function test_RevertWhen_TheNodeIsAboveTheLeavesThatAnswer() public {
        (Grown memory grown, IDataDemands.Chunk memory chunk) = _open(IDataDemands.Tree.Sessions, 4, 0);
        _expectRevert(Errors.DataDemands_WrongChunk.selector);
        demands.publishRecords(chunk, grown.records, _path(grown, 4, 0));
    }

    function test_RevertWhen_TheTreeIsOfClaims() public {
        (Grown memory grown, IDataDemands.Chunk memory chunk) = _open(IDataDemands.Tree.Claims, 0, 0);
        _expectRevert(Errors.DataDemands_WrongChunk.selector);
        demands.publishRecords(chunk, _recordsUnder(grown, 0, 0), _path(grown, 0, 0));
    }

    function test_RevertWhen_ARecordIsMissingOrTooMuch() public {
        (Grown memory grown, IDataDemands.Chunk memory chunk) = _open(IDataDemands.Tree.Sessions, 3, 1);
        SumNode[] memory path = _path(grown, 3, 1);
        bytes[] memory records = _recordsUnder(grown, 3, 1);
        assertEq(records.length, 5);
        for (uint256 length; length <= 8; ++length) {
            if (length == 5) continue;
            bytes[] memory others = new bytes[](length);
            for (uint256 i; i < length; ++i) {
                others[i] = records[i % 5];
            }
            _expectRevert(Errors.DataDemands_WrongChunk.selector);
            demands.publishRecords(chunk, others, path);
        }
    }

    function test_RevertWhen_ARecordHasAnotherLength() public {
        IDataDemands.Tree[3] memory trees =
            [IDataDemands.Tree.Pools, IDataDemands.Tree.Nodes, IDataDemands.Tree.Sessions];
        for (uint256 i; i < 3; ++i) {
            (Grown memory grown, IDataDemands.Chunk memory chunk) = _open(trees[i], 0, 2);
            bytes[] memory records = _recordsUnder(grown, 0, 2);
            uint256 length = records[0].length;
            records[0] = new bytes(length + 1);
            bytes4 expected =
                i < 2 ? Errors.Rows_WrongLength.selector : Errors.SessionRecord_WrongLength.selector;
            vm.expectRevert(abi.encodeWithSelector(expected, length + 1));
            demands.publishRecords(chunk, records, _path(grown, 0, 2));
            vm.prank(guardian);
            book.veto(0);
        }
    }

    /// @dev A leaf whose sum is not the record's weight has a preimage, but no answer.
    function test_RevertWhen_TheLeafHasAnotherSumThanItsRecord() public {
        IDataDemands.Tree[3] memory trees =
            [IDataDemands.Tree.Pools, IDataDemands.Tree.Nodes, IDataDemands.Tree.Sessions];
        for (uint256 i; i < 3; ++i) {
            (bytes memory record, uint128 sum) = _record(trees[i], uint256(keccak256(abi.encode(1, 2))));
            Flaw memory flaw = Flaw(true, 0, 2, ReferenceTrees.leaf(record, sum + 1));
            Grown memory grown = _grow(trees[i], COUNT, 1, flaw);
            assertEq(grown.records[2], record);
            IDataDemands.Chunk memory chunk = _demanded(grown, 0, 2);
            vm.expectRevert(abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, chunk.root));
            _answer(grown, chunk);
            vm.prank(guardian);
            book.veto(0);
        }
    }

    function test_RevertWhen_MoreBytesAreOnTimeThanWereDelivered() public {
        (Grown memory grown, IDataDemands.Chunk memory chunk) = _open(IDataDemands.Tree.Sessions, 0, 0);
        bytes[] memory records = _recordsUnder(grown, 0, 0);
        for (uint256 i = 177; i < 185; ++i) {
            records[0][i] = 0;
        }
        vm.expectPartialRevert(Errors.SettlementRule_OnTimeExceedsDelivered.selector);
        demands.publishRecords(chunk, records, _path(grown, 0, 0));
    }

    function test_RevertWhen_ThePathHasAnotherLength() public {
        (Grown memory grown, IDataDemands.Chunk memory chunk) = _open(IDataDemands.Tree.Sessions, 0, 0);
        bytes[] memory records = _recordsUnder(grown, 0, 0);
        for (uint256 length = 3; length <= 5; length += 2) {
            vm.expectRevert(abi.encodeWithSelector(Errors.Tree_WrongPathLength.selector, length, 4));
            demands.publishRecords(chunk, records, new SumNode[](length));
        }
    }

    /// @dev The sum that a row says may be wrong although the hash is right.
    function test_RevertWhen_TheTopHasAnotherSum() public {
        Grown memory grown = _sound(IDataDemands.Tree.Sessions, 1);
        Flaw memory flaw = Flaw(true, 0, 0, grown.layers[0][0]);
        flaw.node.sum += 1;
        vm.prank(guardian);
        book.veto(0);
        grown = _grow(IDataDemands.Tree.Sessions, 1, 1, flaw);
        IDataDemands.Chunk memory chunk = _demanded(grown, 0, 0);
        vm.expectRevert(
            abi.encodeWithSelector(Errors.SumTree_SumMismatch.selector, flaw.node.sum - 1, flaw.node.sum)
        );
        _answer(grown, chunk);
    }

    /// forge-config: default.fuzz.runs = 256
    function testFuzz_RevertWhen_ABitOfTheAnswerIsOther(
        uint256 tree,
        uint256 level,
        uint256 index,
        uint256 bit
    ) public {
        level = level % 4;
        index = index % ((COUNT - 1 >> level) + 1);
        (Grown memory grown, IDataDemands.Chunk memory chunk) =
            _open(IDataDemands.Tree(tree % 3), level, index);
        bytes[] memory records = _recordsUnder(grown, level, index);
        SumNode[] memory path = _path(grown, level, index);
        uint256 place = bit % (records.length + path.length);
        bit /= records.length + path.length;
        if (place < records.length) {
            bytes memory record = records[place];
            uint256 offset = bit / 8 % record.length;
            record[offset] = record[offset] ^ bytes1(uint8(1 << (bit % 8)));
        } else if (bit % 2 == 0) {
            path[place - records.length].hash ^= bytes32(1 << (bit / 2 % 256));
        } else {
            path[place - records.length].sum ^= uint128(1 << (bit / 2 % 128));
        }
        vm.expectRevert();
        demands.publishRecords(chunk, records, path);
    }

    function test_ShowsTheRecordsAndCreditsThePoster() public {
        for (uint256 tree; tree < 3; ++tree) {
            (Grown memory grown, IDataDemands.Chunk memory chunk) = _open(IDataDemands.Tree(tree), 3, 1);
            bytes32 demandId = demands.demandIdOf(chunk);
            vm.expectEmit(address(demands));
            emit IDataDemands.RecordsPublished(demandId, _recordsUnder(grown, 3, 1));
            vm.prank(stranger);
            _answer(grown, chunk);

            assertEq(demands.creditOf(poster), (tree + 1) * DEMAND_BOND);
            (address demander, uint256 answerBy) = demands.demandOf(demandId);
            assertEq(demander, challenger);
            assertEq(answerBy, 0);
            assertTrue(book.isPending(0, chunk.headerHash));
            vm.prank(guardian);
            book.veto(0);
        }
    }

    function _open(IDataDemands.Tree tree, uint256 level, uint256 index)
        private
        returns (Grown memory grown, IDataDemands.Chunk memory chunk)
    {
        grown = _sound(tree, COUNT);
        chunk = _demanded(grown, level, index);
    }

    function _expectNotPending(IDataDemands.Chunk memory chunk) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                Errors.DataDemands_HeaderNotPending.selector, chunk.epoch, chunk.headerHash
            )
        );
    }
}
