// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { DataDemands } from "../../../contracts/DataDemands.sol";
import { SessionRecord } from "../../../contracts/libraries/ProtocolTypes.sol";
import { ChallengeTest } from "../utils/ChallengeTest.sol";
import { Epoch, EpochTrees, NodeEpoch } from "../utils/EpochData.sol";
import { FraudProofsHandler } from "./FraudProofsHandler.sol";

/// @notice Two honest epochs, an honest poster and an adversary with every entry point of the fraud proofs: nothing that
/// it does voids a header or makes money. The same adversary brings every dishonest header down.
/// forge-config: default.invariant.runs = 64
/// forge-config: default.invariant.depth = 128
/// forge-config: default.invariant.fail-on-revert = true
contract FraudProofsInvariantTest is ChallengeTest {
    uint64 private constant RESPONSE_SECONDS = 6 hours;
    uint256 private constant DEMAND_BOND = 0.01 ether;
    /// @dev How often an adversary may try until it must have succeeded.
    uint256 private constant MOST_TRIES = 3000;

    DataDemands private demands;
    FraudProofsHandler private handler;
    bytes32[2] private hashes;
    uint256 private posterKey;

    function setUp() public override {
        dataDemands = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 5);
        super.setUp();
        demands = new DataDemands(address(book), RESPONSE_SECONDS, DEMAND_BOND);
        assertEq(address(demands), dataDemands);
        (, posterKey) = makeAddrAndKey("poster");
        (Epoch memory first, Epoch memory second) = _committed();
        hashes = [_hash(first.header), _hash(second.header)];
        handler = _adversary(first, second, second, true);
        targetContract(address(handler));
    }

    function invariant_NoHonestHeaderFallsAndNoCreditIsMade() public view {
        assertEq(book.nextEpoch(), 2);
        assertEq(book.bond(), BOND);
        uint64 finals = book.finalisedEpochs();
        for (uint64 epoch; epoch < 2; ++epoch) {
            assertEq(book.isFinal(epoch, hashes[epoch]), epoch < finals);
            assertEq(book.isPending(epoch, hashes[epoch]), epoch >= finals);
        }
        _theDemandsEtherIsBondsAndCredits();
    }

    function _theDemandsEtherIsBondsAndCredits() private view {
        uint256 owed = demands.creditOf(poster);
        for (uint256 i; i < 3; ++i) {
            owed += demands.creditOf(handler.accounts(i));
        }
        uint256 open;
        uint256 count = handler.askedCount();
        for (uint256 i; i < count; ++i) {
            (, uint256 answerBy) = demands.demandOf(handler.demandIdAt(i));
            if (answerBy != 0) ++open;
        }
        assertEq(address(demands).balance, owed + open * DEMAND_BOND);
        assertEq(address(demands).balance, handler.paidIn() - handler.paidOut());
    }

    /// forge-config: default.fuzz.runs = 256
    function testFuzz_NoProofHoldsAgainstAnHonestHeader(uint256 seed) public {
        for (uint256 action; action < 12; ++action) {
            _act(handler, action, seed);
            assertEq(handler.voids(_proofs()[action]), 0);
        }
        invariant_NoHonestHeaderFallsAndNoCreditIsMade();
    }

    /// @dev A handler that has stopped reaching something would hold every invariant.
    function test_TheHandlerReachesEverything() public {
        for (uint256 i; i < 1200; ++i) {
            _act(handler, i % 20, uint256(keccak256(abi.encode(i))));
        }
        bytes32[12] memory proven = _proofs();
        for (uint256 i; i < 12; ++i) {
            assertGt(handler.calls(proven[i]), 20);
            assertEq(handler.voids(proven[i]), 0);
        }
        assertGt(handler.voids("demand"), 0);
        assertGt(handler.voids("publish"), 0);
        assertGt(handler.voids("reclaim"), 0);
        assertGt(handler.voids("withdrawCredit"), 0);
        assertGt(handler.calls("expire"), 0);
        assertEq(handler.voids("expire"), 0);
        assertGt(handler.calls("vetoAndCommitAgain"), 0);
        invariant_NoHonestHeaderFallsAndNoCreditIsMade();
    }

    /*//////////////////////////////////////////////////////////////////////////
                                   DISHONEST POSTERS
    //////////////////////////////////////////////////////////////////////////*/

    function test_TheSameAdversaryBringsDownABadSession() public {
        (Epoch memory first, Epoch memory second) = _again();
        second.pools[1].nodes[0].sums[2] += 1;
        _expectToFall(0, first, second);
    }

    function test_TheSameAdversaryBringsDownABadReward() public {
        (Epoch memory first, Epoch memory second) = _again();
        second.pools[0].nodes[2].row.reward += 1;
        _expectToFall(1, first, second);
    }

    function test_TheSameAdversaryBringsDownABadSpend() public {
        (Epoch memory first, Epoch memory second) = _again();
        second.pools[1].row.cumulativeSpend -= 1;
        _expectToFall(2, first, second);
    }

    function test_TheSameAdversaryBringsDownAMissingPool() public {
        (Epoch memory first, Epoch memory second) = _again();
        second.pools[2].row.poolId = 3;
        _expectToFall(3, first, second);
    }

    function test_TheSameAdversaryBringsDownABadClaim() public {
        (Epoch memory first, Epoch memory second) = _again();
        second.claims[2].entries[0] += 1;
        _expectToFall(4, first, second);
    }

    function test_TheSameAdversaryBringsDownABadClaimLeaf() public {
        (Epoch memory first, Epoch memory second) = _again();
        second.claims[4].entries = new uint256[](1);
        _expectToFall(5, first, second);
    }

    function test_TheSameAdversaryBringsDownABadOrder() public {
        (Epoch memory first, Epoch memory second) = _again();
        NodeEpoch memory node = second.pools[1].nodes[0];
        (node.records[1], node.records[2]) = (node.records[2], node.records[1]);
        (node.sums[1], node.sums[2]) = (node.sums[2], node.sums[1]);
        _expectToFall(6, first, second);
    }

    function test_TheSameAdversaryBringsDownABadClaimsOrder() public {
        (Epoch memory first, Epoch memory second) = _again();
        (second.claims[0], second.claims[1]) = (second.claims[1], second.claims[0]);
        _expectToFall(7, first, second);
    }

    function test_TheSameAdversaryBringsDownABadSum() public {
        (Epoch memory first, Epoch memory second) = _again();
        EpochTrees.build(second);
        second.header.weight += 1;
        _expectAsItIsToFall(8, first, second);
    }

    function test_TheSameAdversaryBringsDownABadClaimsShape() public {
        (Epoch memory first, Epoch memory second) = _again();
        EpochTrees.build(second);
        second.header.claimCount += 1;
        _expectAsItIsToFall(9, first, second);
    }

    function test_TheSameAdversaryBringsDownAnOmission() public {
        (Epoch memory first, Epoch memory second) = _again();
        NodeEpoch memory node = second.pools[1].nodes[0];
        SessionRecord[] memory fewer = new SessionRecord[](4);
        uint128[] memory sums = new uint128[](4);
        for (uint256 i; i < 4; ++i) {
            (fewer[i], sums[i]) = (node.records[i + 1], node.sums[i + 1]);
        }
        (node.records, node.sums) = (fewer, sums);
        _expectToFall(10, first, second);
    }

    function test_TheSameAdversaryBringsDownABadParent() public {
        (Epoch memory first, Epoch memory second) = _again();
        second.header.parent = bytes32(uint256(second.header.parent) ^ 1);
        _expectToFall(11, first, second);
    }

    function test_TheSameAdversaryBringsDownWhatNobodyAnswersFor() public {
        (Epoch memory first, Epoch memory second) = _again();
        book.commit(second.header);
        vm.stopPrank();
        FraudProofsHandler other = _adversary(first, second, second, false);
        for (uint256 i; i < MOST_TRIES && book.nextEpoch() == 2; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(i)));
            if (i % 3 == 0) other.demand(seed);
            if (i % 3 == 1) other.pass(seed % 8);
            if (i % 3 == 2) other.expire(seed);
        }
        assertEq(other.voids("expire"), 1);
        assertLt(book.nextEpoch(), 2);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      INTERNAL
    //////////////////////////////////////////////////////////////////////////*/

    function _adversary(Epoch memory first, Epoch memory second, Epoch memory promised, bool answers)
        private
        returns (FraudProofsHandler)
    {
        return new FraudProofsHandler(proofs, demands, posterKey, [first, second], promised, answers);
    }

    /// @dev The epochs again; the second is vetoed, and the next call is the poster's.
    function _again() private returns (Epoch memory first, Epoch memory second) {
        first = _first();
        second = _second(first);
        vm.prank(guardian);
        book.veto(1);
        vm.startPrank(poster);
    }

    function _expectToFall(uint256 action, Epoch memory first, Epoch memory second) private {
        EpochTrees.build(second);
        _expectAsItIsToFall(action, first, second);
    }

    /// @dev Whatever the adversary draws, before long it holds what voids the header.
    function _expectAsItIsToFall(uint256 action, Epoch memory first, Epoch memory second) private {
        book.commit(second.header);
        vm.stopPrank();
        FraudProofsHandler other = _adversary(first, second, _second(first), true);
        for (uint256 i; i < MOST_TRIES && book.nextEpoch() == 2; ++i) {
            _act(other, action, uint256(keccak256(abi.encode(i))));
        }
        assertEq(other.voids(_proofs()[action]), 1);
        assertEq(book.nextEpoch(), 1);
    }

    function _proofs() private pure returns (bytes32[12] memory) {
        return [
            bytes32("badSession"),
            "badReward",
            "badSpend",
            "badPool",
            "badClaim",
            "badClaimLeaf",
            "badOrder",
            "badClaimsOrder",
            "badSum",
            "badClaimsShape",
            "omission",
            "badParent"
        ];
    }

    function _act(FraudProofsHandler who, uint256 action, uint256 seed) private {
        if (action == 0) who.badSession(seed);
        if (action == 1) who.badReward(seed);
        if (action == 2) who.badSpend(seed);
        if (action == 3) who.badPool(seed);
        if (action == 4) who.badClaim(seed);
        if (action == 5) who.badClaimLeaf(seed);
        if (action == 6) who.badOrder(seed);
        if (action == 7) who.badClaimsOrder(seed);
        if (action == 8) who.badSum(seed);
        if (action == 9) who.badClaimsShape(seed);
        if (action == 10) who.omission(seed);
        if (action == 11) who.badParent(seed);
        if (action == 12 || action == 19) who.demand(seed);
        if (action == 13) who.publish(seed);
        if (action == 14) who.expire(seed);
        if (action == 15) who.reclaim(seed);
        if (action == 16) who.withdrawCredit(seed);
        if (action == 17) who.vetoAndCommitAgain(seed);
        if (action == 18) who.pass(seed % 16);
    }
}
