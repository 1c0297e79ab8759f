// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IDataDemands } from "../../../contracts/interfaces/IDataDemands.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { EpochHeader, RecordLeaf } from "../../../contracts/libraries/ProtocolTypes.sol";
import { DemandTest, Grown } from "../utils/DemandTest.sol";

contract DataDemandsDemandTest is DemandTest {
    function test_RevertWhen_TheBondIsNotExact() public {
        Grown memory grown = _sound(IDataDemands.Tree.Pools, 3);
        for (uint256 sent = DEMAND_BOND - 1; sent <= DEMAND_BOND + 1; sent += 2) {
            vm.expectRevert(abi.encodeWithSelector(Errors.DataDemands_WrongBond.selector, sent, DEMAND_BOND));
            vm.prank(challenger);
            demands.demand{ value: sent }(grown.header, grown.above, grown.tree, 0, 0);
        }
    }

    function test_RevertWhen_TheHeaderWasNeverCommitted() public {
        Grown memory grown = _sound(IDataDemands.Tree.Claims, 3);
        grown.header.dataHash = "other";
        _expectNotPending(grown.header);
        _demand(grown, 0, 0);
        grown.header.epoch = 1;
        _expectNotPending(grown.header);
        _demand(grown, 0, 0);
    }

    function test_RevertWhen_TheHeaderFell() public {
        Grown memory grown = _sound(IDataDemands.Tree.Claims, 3);
        vm.prank(guardian);
        book.veto(0);
        _expectNotPending(grown.header);
        _demand(grown, 0, 0);
    }

    function test_RevertWhen_TheHeaderIsFinal() public {
        Grown memory grown = _sound(IDataDemands.Tree.Claims, 3);
        _finaliseAll();
        _expectNotPending(grown.header);
        _demand(grown, 0, 0);
    }

    function test_RevertWhen_TooLittleOfTheWindowIsLeft() public {
        Grown memory grown = _sound(IDataDemands.Tree.Claims, 3);
        uint256 latest = vm.getBlockTimestamp() + CHALLENGE_SECONDS - 2 * RESPONSE_SECONDS;
        vm.warp(latest + 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.DataDemands_TooLate.selector, latest));
        _demand(grown, 0, 0);
        vm.warp(latest);
        _demand(grown, 0, 0);
    }

    function test_RevertWhen_TheTreeHasNoLeafThere() public {
        Grown memory grown = _sound(IDataDemands.Tree.Sessions, 5);
        uint256[2][6] memory places = [
            [uint256(4), 0],
            [uint256(0), 5],
            [uint256(1), 3],
            [uint256(2), 2],
            [uint256(3), 1],
            [uint256(255), 2]
        ];
        for (uint256 i; i < places.length; ++i) {
            (uint256 level, uint256 index) = (places[i][0], places[i][1]);
            vm.expectRevert(abi.encodeWithSelector(Errors.Tree_NoSuchNode.selector, level, index));
            _demand(grown, level, index);
        }
    }

    function test_RevertWhen_TheTreeIsEmpty() public {
        Grown memory grown = _sound(IDataDemands.Tree.Pools, 2);
        grown.tree = IDataDemands.Tree.Claims;
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_NoSuchNode.selector, 0, 0));
        _demand(grown, 0, 0);
    }

    function test_RevertWhen_TheRowsAreNotThoseOverTheTree() public {
        Grown memory grown = _sound(IDataDemands.Tree.Sessions, 2);
        IDataDemands.Tree[3] memory others =
            [IDataDemands.Tree.Pools, IDataDemands.Tree.Nodes, IDataDemands.Tree.Claims];
        for (uint256 i; i < others.length; ++i) {
            grown.tree = others[i];
            _expectRevert(Errors.DataDemands_WrongChunk.selector);
            _demand(grown, 0, 0);
        }
        grown.above = new RecordLeaf[](3);
        grown.tree = IDataDemands.Tree.Sessions;
        _expectRevert(Errors.DataDemands_WrongChunk.selector);
        _demand(grown, 0, 0);
    }

    function test_RevertWhen_ARowIsNotInTheTreeAboveIt() public {
        Grown memory grown = _sound(IDataDemands.Tree.Sessions, 2);
        grown.above[1].record[52] = 0xff;
        vm.expectPartialRevert(Errors.Tree_ProofMismatch.selector);
        _demand(grown, 0, 0);
        grown.above[1].record = new bytes(87);
        vm.expectRevert(abi.encodeWithSelector(Errors.Rows_WrongLength.selector, 87));
        _demand(grown, 0, 0);
    }

    function test_RevertWhen_TheChunkIsDemandedTwice() public {
        Grown memory grown = _sound(IDataDemands.Tree.Nodes, 9);
        bytes32 demandId = _demand(grown, 3, 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.DataDemands_AlreadyDemanded.selector, demandId));
        _demand(grown, 3, 1);
    }

    /// @dev Or a poster could be made to publish the same again and again.
    function test_RevertWhen_TheChunkWasAnswered() public {
        Grown memory grown = _sound(IDataDemands.Tree.Nodes, 9);
        bytes32 demandId = _demand(grown, 3, 1);
        _answer(grown, _chunk(grown, 3, 1));
        vm.expectRevert(abi.encodeWithSelector(Errors.DataDemands_AlreadyDemanded.selector, demandId));
        _demand(grown, 3, 1);
    }

    function test_KeepsTheBondAndTheDeadline() public {
        for (uint256 tree; tree < 4; ++tree) {
            Grown memory grown = _sound(IDataDemands.Tree(tree), 3);
            IDataDemands.Chunk memory chunk = _chunk(grown, 1, 1);
            bytes32 demandId = demands.demandIdOf(chunk);
            uint256 answerBy = vm.getBlockTimestamp() + RESPONSE_SECONDS;
            uint256 held = address(demands).balance;
            vm.expectEmit(address(demands));
            emit IDataDemands.Demanded(demandId, 0, challenger, chunk, answerBy);
            assertEq(_demand(grown, 1, 1), demandId);

            (address demander, uint256 until) = demands.demandOf(demandId);
            assertEq(demander, challenger);
            assertEq(until, answerBy);
            assertEq(address(demands).balance, held + DEMAND_BOND);
            vm.prank(guardian);
            book.veto(0);
        }
    }

    /// @dev The same header, committed again: what was answered for the first commit is owed once more.
    function test_ACommitOfTheSameHeaderOwesNewAnswers() public {
        Grown memory grown = _sound(IDataDemands.Tree.Pools, 3);
        bytes32 first = _demand(grown, 0, 0);
        _answer(grown, _chunk(grown, 0, 0));
        vm.prank(guardian);
        book.veto(0);
        skip(1);
        _commit(grown.header);
        bytes32 second = _demand(grown, 0, 0);
        assertNotEq(first, second);
        _answer(grown, _chunk(grown, 0, 0));
    }

    /// @dev A reclaimed demand is forgotten: within one second a header can be committed, vetoed and committed again.
    function test_ADemandThatWasReclaimedCanBeMadeAgainInTheSameSecond() public {
        Grown memory grown = _sound(IDataDemands.Tree.Pools, 3);
        IDataDemands.Chunk memory chunk = _demanded(grown, 0, 0);
        vm.prank(guardian);
        book.veto(0);
        demands.reclaim(chunk);
        _commit(grown.header);
        _demand(grown, 0, 0);
        _answer(grown, chunk);
    }

    function _expectNotPending(EpochHeader memory header) private {
        vm.expectRevert(
            abi.encodeWithSelector(Errors.DataDemands_HeaderNotPending.selector, header.epoch, _hash(header))
        );
    }
}
