// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IDataDemands } from "../../../contracts/interfaces/IDataDemands.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { DemandTest, Flaw, Grown } from "../utils/DemandTest.sol";

contract DataDemandsPublishHashesTest is DemandTest {
    /// @dev Five levels; of the four nodes at level 3, which answer for the top, the last is over padding alone.
    uint256 private constant COUNT = 18;

    function test_RevertWhen_NobodyDemanded() public {
        Grown memory grown = _sound(IDataDemands.Tree.Claims, COUNT);
        IDataDemands.Chunk memory chunk = _chunk(grown, 5, 0);
        bytes32 demandId = demands.demandIdOf(chunk);
        vm.expectRevert(abi.encodeWithSelector(Errors.DataDemands_NotOpen.selector, demandId));
        _answer(grown, chunk);
    }

    function test_RevertWhen_TheAnswerIsLate() public {
        (Grown memory grown, IDataDemands.Chunk memory chunk) = _open(4);
        skip(RESPONSE_SECONDS);
        uint256 now_ = vm.getBlockTimestamp();
        vm.expectRevert(abi.encodeWithSelector(Errors.DataDemands_AnswerLate.selector, now_));
        _answer(grown, chunk);
    }

    function test_RevertWhen_LeavesMustAnswer() public {
        (, IDataDemands.Chunk memory chunk) = _open(3);
        _expectRevert(Errors.DataDemands_WrongChunk.selector);
        demands.publishHashes(chunk, new bytes32[](1), new bytes32[](2));
    }

    function test_RevertWhen_TheTreeIsNotOfClaims() public {
        Grown memory grown = _sound(IDataDemands.Tree.Nodes, COUNT);
        IDataDemands.Chunk memory chunk = _demanded(grown, 5, 0);
        _expectRevert(Errors.DataDemands_WrongChunk.selector);
        demands.publishHashes(chunk, new bytes32[](4), new bytes32[](0));
    }

    function test_RevertWhen_AHashIsMissingOrTooMuch() public {
        (, IDataDemands.Chunk memory chunk) = _open(5);
        uint256[5] memory lengths = [uint256(0), 2, 3, 5, 8];
        for (uint256 i; i < lengths.length; ++i) {
            _expectRevert(Errors.DataDemands_WrongChunk.selector);
            demands.publishHashes(chunk, new bytes32[](lengths[i]), new bytes32[](0));
        }
    }

    function test_RevertWhen_PaddingAmongTheHashesIsNotEmpty() public {
        Flaw memory flaw;
        (flaw.exists, flaw.level, flaw.index, flaw.node.hash) = (true, 3, 3, "hidden");
        Grown memory grown = _grow(IDataDemands.Tree.Claims, COUNT, 1, flaw);
        IDataDemands.Chunk memory chunk = _demanded(grown, 5, 0);
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_PaddingNotEmpty.selector, 3, 3));
        _answer(grown, chunk);
    }

    function test_RevertWhen_PaddingOnThePathIsNotEmpty() public {
        Flaw memory flaw;
        (flaw.exists, flaw.level, flaw.index, flaw.node.hash) = (true, 4, 3, "hidden");
        Grown memory grown = _grow(IDataDemands.Tree.Claims, 40, 1, flaw);
        IDataDemands.Chunk memory chunk = _demanded(grown, 4, 2);
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_PaddingNotEmpty.selector, 4, 3));
        _answer(grown, chunk);
    }

    /// forge-config: default.fuzz.runs = 256
    function testFuzz_RevertWhen_ABitOfTheAnswerIsOther(uint256 level, uint256 bit) public {
        level = 4 + level % 2;
        (Grown memory grown, IDataDemands.Chunk memory chunk) = _open(level);
        bytes32[] memory hashes = _hashes(_nodesUnder(grown, level, 0));
        bytes32[] memory path = _hashes(_path(grown, level, 0));
        uint256 place = bit % (hashes.length + path.length);
        bytes32 flip = bytes32(1 << (bit / 8 % 256));
        if (place < hashes.length) hashes[place] ^= flip;
        else path[place - hashes.length] ^= flip;
        vm.expectRevert();
        demands.publishHashes(chunk, hashes, path);
    }

    function test_ShowsTheHashesAndCreditsThePoster() public {
        (Grown memory grown, IDataDemands.Chunk memory chunk) = _open(5);
        vm.expectEmit(address(demands));
        emit IDataDemands.HashesPublished(demands.demandIdOf(chunk), _hashes(_nodesUnder(grown, 5, 0)));
        vm.prank(stranger);
        _answer(grown, chunk);
        assertEq(demands.creditOf(poster), DEMAND_BOND);
    }

    function _open(uint256 level) private returns (Grown memory grown, IDataDemands.Chunk memory chunk) {
        grown = _sound(IDataDemands.Tree.Claims, COUNT);
        chunk = _demanded(grown, level, 0);
    }
}
