// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IDataDemands } from "../../../contracts/interfaces/IDataDemands.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { SumNode } from "../../../contracts/libraries/ProtocolTypes.sol";
import { DemandTest, Flaw, Grown } from "../utils/DemandTest.sol";

/// @notice Every part of a well-formed tree can be answered for; of any other tree some part cannot.
contract DataDemandsSoundnessTest is DemandTest {
    /// @dev Ways to be ill-formed: a hash that nobody has the preimage of, a wrong sum, an empty node over leaves, a leaf
    /// or an inner node in each other's place, padding that is not empty. `Unknown` stands in where a tree has no room.
    enum Kind {
        Unknown,
        Sum,
        Empty,
        Kinds,
        Padding
    }

    /// @dev For try and catch.
    function answer(Grown memory grown, IDataDemands.Chunk memory chunk) external {
        require(msg.sender == address(this), "for this test alone");
        _answer(grown, chunk);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                    HONEST POSTERS
    //////////////////////////////////////////////////////////////////////////*/

    function test_EveryPartOfATreeOfAnyShapeIsAnsweredFor() public {
        uint256[13] memory counts = [uint256(1), 2, 3, 4, 5, 7, 8, 9, 16, 17, 31, 32, 33];
        uint256 clean = vm.snapshotState();
        for (uint256 tree; tree < 4; ++tree) {
            for (uint256 i; i < counts.length; ++i) {
                Grown memory grown = _sound(IDataDemands.Tree(tree), counts[i]);
                assertEq(_answerAll(grown), 0);
                vm.revertToState(clean);
                headerHashes[0] = 0;
            }
        }
    }

    /// @dev Levels 9 and 10 are the first whose nodes lie six below, at 3 and 4.
    function test_HighNodesAreAnsweredForByThoseSixLevelsBelow() public {
        for (uint256 tree; tree < 4; tree += 3) {
            uint256 clean = vm.snapshotState();
            Grown memory grown = _sound(IDataDemands.Tree(tree), 513);
            _answer(grown, _demanded(grown, 10, 0));
            _answer(grown, _demanded(grown, 9, 0));
            _answer(grown, _demanded(grown, 9, 1));
            _answer(grown, _demanded(grown, 4, 32));
            _answer(grown, _demanded(grown, 3, 64));
            _answer(grown, _demanded(grown, 0, 512));
            assertEq(demands.creditOf(poster), 6 * DEMAND_BOND);
            vm.revertToState(clean);
        }
    }

    /// forge-config: default.fuzz.runs = 48
    function testFuzz_HonestPostersKeepTheirHeaders(uint256 tree, uint256 count, uint256 seed) public {
        Flaw memory none;
        Grown memory grown = _grow(IDataDemands.Tree(tree % 4), bound(count, 1, 40), seed, none);
        assertEq(_answerAll(grown), 0);
        uint256 made = demands.creditOf(poster);
        assertEq(address(demands).balance, made);
        assertEq(challenger.balance, 1000 ether - made);

        skip(RESPONSE_SECONDS);
        IDataDemands.Chunk memory chunk = _chunk(grown, 0, 0);
        vm.expectRevert(
            abi.encodeWithSelector(Errors.DataDemands_NotOpen.selector, demands.demandIdOf(chunk))
        );
        demands.expire(chunk);
        assertTrue(book.isPending(0, _hash(grown.header)));
    }

    /*//////////////////////////////////////////////////////////////////////////
                                   OTHER POSTERS
    //////////////////////////////////////////////////////////////////////////*/

    /// forge-config: default.fuzz.runs = 96
    function testFuzz_AnIllFormedTreeHasAPartThatNobodyAnswersFor(
        uint256 tree,
        uint256 count,
        uint256 seed,
        uint256 kind,
        uint256 place
    ) public {
        Flaw memory none;
        uint256 clean = vm.snapshotState();
        Grown memory grown = _grow(IDataDemands.Tree(tree % 4), bound(count, 1, 40), seed, none);
        vm.revertToState(clean);
        headerHashes[0] = 0;

        grown = _grow(grown.tree, grown.count, seed, _flaw(Kind(kind % 5), grown, seed, place));
        uint256 open = _answerAll(grown);
        assertGt(open, 0);
        assertEq(demands.creditOf(poster), address(demands).balance - open * DEMAND_BOND);
    }

    /// @dev A tree with its weight beside its leaves: in the padding of the last level.
    function test_WeightInThePaddingCannotBeAnsweredFor() public {
        Flaw memory flaw = Flaw(true, 0, 5, SumNode("hidden", 1e18));
        Grown memory grown = _grow(IDataDemands.Tree.Sessions, 5, 1, flaw);
        IDataDemands.Chunk memory chunk = _demanded(grown, 0, 4);
        vm.expectRevert(abi.encodeWithSelector(Errors.Tree_PaddingNotEmpty.selector, 0, 5));
        this.answer(grown, chunk);
    }

    /// @dev Each part but those under and beside the flaw can be answered for.
    function test_OnlyTheFlawedPartIsOwed() public {
        Flaw memory flaw = Flaw(true, 0, 6, SumNode("unknown", 3));
        Grown memory grown = _grow(IDataDemands.Tree.Nodes, 16, 1, flaw);
        // The leaf itself, and the nodes of levels 1 to 3 over it; level 4 is answered with those of level 3.
        assertEq(_answerAll(grown), 4);
        skip(RESPONSE_SECONDS);
        demands.expire(_chunk(grown, 0, 6));
        assertEq(book.nextEpoch(), 0);
        assertEq(book.creditOf(challenger), BOND / 2);
        assertEq(demands.creditOf(challenger), DEMAND_BOND);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      INTERNAL
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev Demands every part and answers what can be; returns how many stay open.
    function _answerAll(Grown memory grown) private returns (uint256 open) {
        for (uint256 level; level < grown.layers.length; ++level) {
            for (uint256 index; index << level < grown.count; ++index) {
                IDataDemands.Chunk memory chunk = _demanded(grown, level, index);
                try this.answer(grown, chunk) { }
                catch {
                    ++open;
                }
            }
        }
    }

    /// @dev A node, somewhere in the tree, that cannot stand there.
    function _flaw(Kind kind, Grown memory grown, uint256 seed, uint256 place)
        private
        pure
        returns (Flaw memory flaw)
    {
        (flaw.exists, flaw.level) = (true, place % grown.layers.length);
        SumNode[] memory layer = grown.layers[flaw.level];
        uint256 used = ((grown.count - 1) >> flaw.level) + 1;
        bool inPadding = kind == Kind.Padding && used < layer.length;
        flaw.index = inPadding ? used + seed % (layer.length - used) : seed % used;
        flaw.node.sum = layer[flaw.index].sum;
        bool hasSums = grown.tree != IDataDemands.Tree.Claims;
        if (kind == Kind.Empty) {
            flaw.node = SumNode(0, 0);
        } else if (kind == Kind.Sum && hasSums) {
            flaw.node = SumNode(layer[flaw.index].hash, flaw.node.sum + uint64(place >> 64) + 1);
        } else if (kind == Kind.Kinds && grown.layers.length > 1) {
            // An inner node in the place of a leaf, or a leaf in that of an inner node.
            flaw.node.hash = grown.layers[flaw.level == 0 ? 1 : 0][0].hash;
        } else {
            flaw.node.hash = keccak256(abi.encode("flaw", seed));
        }
    }
}
