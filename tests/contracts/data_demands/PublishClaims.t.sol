// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IDataDemands } from "../../../contracts/interfaces/IDataDemands.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { ClaimLeaf, SumNode } from "../../../contracts/libraries/ProtocolTypes.sol";
import { DemandTest, Flaw, Grown } from "../utils/DemandTest.sol";

contract DataDemandsPublishClaimsTest is DemandTest {
    uint256 private constant COUNT = 13;

    function test_RevertWhen_NobodyDemanded() public {
        Grown memory grown = _sound(IDataDemands.Tree.Claims, COUNT);
        IDataDemands.Chunk memory chunk = _chunk(grown, 0, 0);
        bytes32 demandId = demands.demandIdOf(chunk);
        vm.expectRevert(abi.encodeWithSelector(Errors.DataDemands_NotOpen.selector, demandId));
        _answer(grown, chunk);
    }

    function test_RevertWhen_TheAnswerIsLate() public {
        (Grown memory grown, IDataDemands.Chunk memory chunk) = _open(2, 3);
        skip(RESPONSE_SECONDS);
        uint256 now_ = vm.getBlockTimestamp();
        vm.expectRevert(abi.encodeWithSelector(Errors.DataDemands_AnswerLate.selector, now_));
        _answer(grown, chunk);
    }

    function test_RevertWhen_TheTreeIsNotOfClaims() public {
        Grown memory grown = _sound(IDataDemands.Tree.Sessions, COUNT);
        IDataDemands.Chunk memory chunk = _demanded(grown, 0, 0);
        _expectRevert(Errors.DataDemands_WrongChunk.selector);
        demands.publishClaims(chunk, new ClaimLeaf[](1), new bytes32[](4));
    }

    function test_RevertWhen_TheNodeIsAboveTheLeavesThatAnswer() public {
        (Grown memory grown, IDataDemands.Chunk memory chunk) = _open(4, 0);
        _expectRevert(Errors.DataDemands_WrongChunk.selector);
        demands.publishClaims(chunk, grown.claims, new bytes32[](0));
    }

    function test_RevertWhen_ALeafIsMissingOrTooMuch() public {
        (Grown memory grown, IDataDemands.Chunk memory chunk) = _open(3, 1);
        bytes32[] memory path = _hashes(_path(grown, 3, 1));
        for (uint256 length; length <= 8; ++length) {
            if (length == 5) continue;
            _expectRevert(Errors.DataDemands_WrongChunk.selector);
            demands.publishClaims(chunk, new ClaimLeaf[](length), path);
        }
    }

    /// @dev Nobody could claim from such a leaf, and an answer must fit into a transaction.
    function test_RevertWhen_ALeafHasMoreThan256Entries() public {
        for (uint256 length = 256; length <= 257; ++length) {
            Grown memory grown;
            (grown.tree, grown.count, grown.claims) = (IDataDemands.Tree.Claims, 1, new ClaimLeaf[](1));
            grown.claims[0] = ClaimLeaf(alice, new uint256[](length));
            grown.layers = new SumNode[][](1);
            grown.layers[0] = new SumNode[](1);
            grown.layers[0][0].hash = _claimHash(grown.claims[0]);
            grown.header = _header(0);
            (grown.header.claimsRoot, grown.header.claimCount) = (grown.layers[0][0].hash, 1);
            _commit(grown.header);
            IDataDemands.Chunk memory chunk = _demanded(grown, 0, 0);
            if (length > 256) _expectRevert(Errors.DataDemands_WrongChunk.selector);
            _answer(grown, chunk);
            vm.prank(guardian);
            book.veto(0);
        }
    }

    function test_RevertWhen_PaddingOnThePathIsNotEmpty() public {
        Flaw memory flaw;
        (flaw.exists, flaw.index, flaw.node.hash) = (true, COUNT, "hidden");
        Grown memory grown = _grow(IDataDemands.Tree.Claims, COUNT, 1, flaw);
        IDataDemands.Chunk memory chunk = _demanded(grown, 0, COUNT - 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_PaddingNotEmpty.selector, 0, COUNT));
        _answer(grown, chunk);
    }

    function test_RevertWhen_PaddingUnderTheNodeIsNotEmpty() public {
        Flaw memory flaw;
        (flaw.exists, flaw.index, flaw.node.hash) = (true, COUNT, "hidden");
        Grown memory grown = _grow(IDataDemands.Tree.Claims, COUNT, 1, flaw);
        IDataDemands.Chunk memory chunk = _demanded(grown, 2, 3);
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, chunk.root));
        _answer(grown, chunk);
    }

    function test_RevertWhen_ThePathHasAnotherLength() public {
        (Grown memory grown, IDataDemands.Chunk memory chunk) = _open(1, 0);
        ClaimLeaf[] memory leaves = _claimsUnder(grown, 1, 0);
        for (uint256 length = 2; length <= 4; length += 2) {
            vm.expectRevert(abi.encodeWithSelector(Errors.Tree_WrongPathLength.selector, length, 3));
            demands.publishClaims(chunk, leaves, new bytes32[](length));
        }
    }

    /// forge-config: default.fuzz.runs = 256
    function testFuzz_RevertWhen_ABitOfTheAnswerIsOther(uint256 level, uint256 index, uint256 bit) public {
        level = level % 4;
        index = index % ((COUNT - 1 >> level) + 1);
        (Grown memory grown, IDataDemands.Chunk memory chunk) = _open(level, index);
        ClaimLeaf[] memory leaves = _claimsUnder(grown, level, index);
        bytes32[] memory path = _hashes(_path(grown, level, index));
        uint256 place = bit % (leaves.length + path.length);
        bit /= leaves.length + path.length;
        if (place >= leaves.length) {
            path[place - leaves.length] ^= bytes32(1 << (bit % 256));
        } else if (bit % 2 == 0) {
            leaves[place].account = address(uint160(leaves[place].account) ^ uint160(1 << (bit / 2 % 160)));
        } else {
            uint256 entry = bit / 2 % leaves[place].entries.length;
            leaves[place].entries[entry] ^= 1 << (bit / 8 % 256);
        }
        vm.expectRevert();
        demands.publishClaims(chunk, leaves, path);
    }

    function test_ShowsTheLeavesAndCreditsThePoster() public {
        (Grown memory grown, IDataDemands.Chunk memory chunk) = _open(3, 1);
        vm.expectEmit(address(demands));
        emit IDataDemands.ClaimsPublished(demands.demandIdOf(chunk), _claimsUnder(grown, 3, 1));
        vm.prank(stranger);
        _answer(grown, chunk);
        assertEq(demands.creditOf(poster), DEMAND_BOND);
    }

    function _open(uint256 level, uint256 index)
        private
        returns (Grown memory grown, IDataDemands.Chunk memory chunk)
    {
        grown = _sound(IDataDemands.Tree.Claims, COUNT);
        chunk = _demanded(grown, level, index);
    }
}
