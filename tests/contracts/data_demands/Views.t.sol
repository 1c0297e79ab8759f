// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IDataDemands } from "../../../contracts/interfaces/IDataDemands.sol";
import { DemandTest, Grown } from "../utils/DemandTest.sol";

contract DataDemandsViewsTest is DemandTest {
    function test_NothingIsKnownOfWhatNobodyDemanded() public view {
        (address demander, uint256 answerBy) = demands.demandOf("nothing");
        assertEq(demander, address(0));
        assertEq(answerBy, 0);
    }

    function test_LeavesAnswerUpToLevelThree() public view {
        assertEq(demands.leafLevels(), 3);
    }

    function test_NodesSixBelowAnswerButNoneBelowLevelThree() public view {
        uint8[2][8] memory expected = [[4, 3], [5, 3], [8, 3], [9, 3], [10, 4], [11, 5], [24, 18], [32, 26]];
        for (uint256 i; i < expected.length; ++i) {
            assertEq(demands.nodesLevelOf(expected[i][0]), expected[i][1]);
        }
    }

    /// @dev No two chunks share a name: each field counts.
    function test_EveryFieldOfAChunkIsPartOfItsName() public {
        Grown memory grown = _sound(IDataDemands.Tree.Sessions, 3);
        bytes32 name = demands.demandIdOf(_chunk(grown, 1, 1));
        for (uint256 field; field < 9; ++field) {
            IDataDemands.Chunk memory chunk = _chunk(grown, 1, 1);
            if (field == 0) chunk.epoch += 1;
            if (field == 1) chunk.headerHash ^= bytes32(uint256(1));
            if (field == 2) chunk.committedAt += 1;
            if (field == 3) chunk.tree = IDataDemands.Tree.Nodes;
            if (field == 4) chunk.root ^= bytes32(uint256(1));
            if (field == 5) chunk.sum += 1;
            if (field == 6) chunk.count += 1;
            if (field == 7) chunk.level += 1;
            if (field == 8) chunk.index += 1;
            assertNotEq(demands.demandIdOf(chunk), name);
        }
    }
}
