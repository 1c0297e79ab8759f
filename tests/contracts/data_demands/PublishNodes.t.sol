// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IDataDemands } from "../../../contracts/interfaces/IDataDemands.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { SumNode } from "../../../contracts/libraries/ProtocolTypes.sol";
import { DemandTest, Flaw, Grown } from "../utils/DemandTest.sol";

contract DataDemandsPublishNodesTest is DemandTest {
    /// @dev Five levels; of the four nodes at level 3, which answer for the top, the last is over padding alone.
    uint256 private constant COUNT = 18;

    function test_RevertWhen_NobodyDemanded() public {
        Grown memory grown = _sound(IDataDemands.Tree.Nodes, COUNT);
        IDataDemands.Chunk memory chunk = _chunk(grown, 5, 0);
        bytes32 demandId = demands.demandIdOf(chunk);
        vm.expectRevert(abi.encodeWithSelector(Errors.DataDemands_NotOpen.selector, demandId));
        _answer(grown, chunk);
    }

    function test_RevertWhen_TheAnswerIsLate() public {
        (Grown memory grown, IDataDemands.Chunk memory chunk) = _open(IDataDemands.Tree.Pools, 5);
        skip(RESPONSE_SECONDS);
        uint256 now_ = vm.getBlockTimestamp();
        vm.expectRevert(abi.encodeWithSelector(Errors.DataDemands_AnswerLate.selector, now_));
        _answer(grown, chunk);
    }

    function test_RevertWhen_LeavesMustAnswer() public {
        (Grown memory grown, IDataDemands.Chunk memory chunk) = _open(IDataDemands.Tree.Sessions, 3);
        _expectRevert(Errors.DataDemands_WrongChunk.selector);
        demands.publishNodes(chunk, new SumNode[](1), _path(grown, 3, 0));
    }

    function test_RevertWhen_TheTreeIsOfClaims() public {
        (Grown memory grown, IDataDemands.Chunk memory chunk) = _open(IDataDemands.Tree.Claims, 5);
        _expectRevert(Errors.DataDemands_WrongChunk.selector);
        demands.publishNodes(chunk, _nodesUnder(grown, 5, 0), _path(grown, 5, 0));
    }

    function test_RevertWhen_ANodeIsMissingOrTooMuch() public {
        (Grown memory grown, IDataDemands.Chunk memory chunk) = _open(IDataDemands.Tree.Sessions, 5);
        SumNode[] memory path = _path(grown, 5, 0);
        uint256[5] memory lengths = [uint256(0), 2, 3, 5, 8];
        for (uint256 i; i < lengths.length; ++i) {
            _expectRevert(Errors.DataDemands_WrongChunk.selector);
            demands.publishNodes(chunk, new SumNode[](lengths[i]), path);
        }
    }

    function test_RevertWhen_PaddingAmongTheNodesIsNotEmpty() public {
        Flaw memory flaw = Flaw(true, 3, 3, SumNode("hidden", 5));
        Grown memory grown = _grow(IDataDemands.Tree.Sessions, COUNT, 1, flaw);
        IDataDemands.Chunk memory chunk = _demanded(grown, 5, 0);
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_PaddingNotEmpty.selector, 3, 3));
        _answer(grown, chunk);
    }

    function test_RevertWhen_PaddingOnThePathIsNotEmpty() public {
        Flaw memory flaw = Flaw(true, 4, 3, SumNode("hidden", 5));
        Grown memory grown = _grow(IDataDemands.Tree.Sessions, 40, 1, flaw);
        IDataDemands.Chunk memory chunk = _demanded(grown, 4, 2);
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_PaddingNotEmpty.selector, 4, 3));
        _answer(grown, chunk);
    }

    /// @dev Two sums that add up to what the root says, beyond 128 bits.
    function test_RevertWhen_TheSumsOverflow() public {
        (Grown memory grown, IDataDemands.Chunk memory chunk) = _open(IDataDemands.Tree.Sessions, 5);
        SumNode[] memory nodes = _nodesUnder(grown, 5, 0);
        nodes[0].sum = type(uint128).max;
        _expectRevert(Errors.SumTree_Overflow.selector);
        demands.publishNodes(chunk, nodes, _path(grown, 5, 0));
    }

    /// forge-config: default.fuzz.runs = 256
    function testFuzz_RevertWhen_ABitOfTheAnswerIsOther(uint256 tree, uint256 level, uint256 bit) public {
        level = 4 + level % 2;
        (Grown memory grown, IDataDemands.Chunk memory chunk) = _open(IDataDemands.Tree(tree % 3), level);
        SumNode[] memory nodes = _nodesUnder(grown, level, 0);
        SumNode[] memory path = _path(grown, level, 0);
        uint256 place = bit % (nodes.length + path.length);
        bit /= nodes.length + path.length;
        SumNode memory node = place < nodes.length ? nodes[place] : path[place - nodes.length];
        if (bit % 2 == 0) node.hash ^= bytes32(1 << (bit / 2 % 256));
        else node.sum ^= uint128(1 << (bit / 2 % 128));
        vm.expectRevert();
        demands.publishNodes(chunk, nodes, path);
    }

    function test_ShowsTheNodesAndCreditsThePoster() public {
        for (uint256 tree; tree < 3; ++tree) {
            (Grown memory grown, IDataDemands.Chunk memory chunk) = _open(IDataDemands.Tree(tree), 5);
            vm.expectEmit(address(demands));
            emit IDataDemands.NodesPublished(demands.demandIdOf(chunk), _nodesUnder(grown, 5, 0));
            vm.prank(stranger);
            _answer(grown, chunk);
            assertEq(demands.creditOf(poster), (tree + 1) * DEMAND_BOND);
            vm.prank(guardian);
            book.veto(0);
        }
    }

    function _open(IDataDemands.Tree tree, uint256 level)
        private
        returns (Grown memory grown, IDataDemands.Chunk memory chunk)
    {
        grown = _sound(tree, COUNT);
        chunk = _demanded(grown, level, 0);
    }
}
