// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IEpochBook } from "../../../contracts/interfaces/IEpochBook.sol";
import { ProtocolTest } from "../utils/ProtocolTest.sol";
import { PlainToken } from "../utils/tokens/PlainToken.sol";
import { ProtocolHandler } from "./ProtocolHandler.sol";

/// @notice What holds after any actions in any order, also when every header lies.
/// @dev One campaign for all: forge would repeat the same calls for each. The handler tries only what must succeed.
/// forge-config: default.invariant.runs = 64
/// forge-config: default.invariant.depth = 128
/// forge-config: default.invariant.fail-on-revert = true
contract ProtocolInvariantTest is ProtocolTest {
    ProtocolHandler private handler;

    function setUp() public override {
        super.setUp();
        handler = new ProtocolHandler(book, pools, poster, guardian, challenges, BOND);
        targetContract(address(handler));
    }

    /// @dev Short windows, so that commits keep up with the clock and the pools' last epochs become final.
    function _parameters() internal view override returns (IEpochBook.Parameters memory parameters) {
        parameters = super._parameters();
        parameters.challengeSeconds = GRACE_SECONDS;
        parameters.posterTimeoutSeconds = EPOCH_SECONDS + GRACE_SECONDS;
    }

    function invariant_NothingIsLostMadeOrChanged() public view {
        _aPoolNeverPaysMoreThanItWasFunded();
        _theTokensCoverWhatIsLeftInThePools();
        _whatWasClaimedNeverShrinks();
        _theBooksEtherIsBondAndCredits();
        _finalHeadersNeverChange();
        _theGuardianNeverPosts();
    }

    /// @dev A handler that has stopped reaching something would hold every invariant.
    function test_TheHandlerReachesEverything() public {
        for (uint256 i; i < 600; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(i)));
            uint256 action = i % 14;
            if (action == 0) handler.create(seed);
            if (action == 1) handler.deposit(seed, uint96(seed));
            if (action == 2) handler.setTerms(seed, uint64(seed), uint128(seed));
            if (action == 3) handler.close(seed);
            if (action == 4) handler.refund(seed);
            if (action == 5) handler.commit(seed);
            if (action == 6) handler.void(seed);
            if (action == 7) handler.veto(seed);
            if (action == 8) handler.finalise();
            if (action == 9) handler.claim(seed, seed);
            if (action == 10) handler.settleAndClaim(seed);
            if (action == 11) handler.postBond(seed);
            if (action == 12) handler.takeOver(seed);
            if (action == 13) (i % 28 < 14) ? handler.withdrawBond(seed) : handler.withdrawCredit(seed);
        }
        string[14] memory actions = [
            "create",
            "deposit",
            "setTerms",
            "close",
            "refund",
            "commit",
            "finalise",
            "claim",
            "void",
            "veto",
            "postBond",
            "takeOver",
            "withdrawBond",
            "withdrawCredit"
        ];
        for (uint256 i; i < actions.length; ++i) {
            assertGt(handler.calls(bytes32(bytes(actions[i]))), 0, actions[i]);
        }
        invariant_NothingIsLostMadeOrChanged();
    }

    function _aPoolNeverPaysMoreThanItWasFunded() private view {
        uint32 count = pools.poolCount();
        for (uint32 id = 1; id <= count; ++id) {
            uint256 out = handler.paidOut(id) + handler.refunded(id);
            assertLe(out, handler.funded(id));
            assertEq(pools.poolOf(id).remaining, handler.funded(id) - out);
            assertEq(pools.fundedAt(id, type(uint64).max), handler.funded(id));
        }
    }

    function _theTokensCoverWhatIsLeftInThePools() private view {
        for (uint256 i; i < 2; ++i) {
            PlainToken token_ = handler.tokens(i);
            uint256 left;
            uint32 count = pools.poolCount();
            for (uint32 id = 1; id <= count; ++id) {
                if (pools.poolOf(id).token == address(token_)) left += pools.poolOf(id).remaining;
            }
            assertEq(token_.balanceOf(address(pools)), left);
        }
    }

    function _whatWasClaimedNeverShrinks() private view {
        assertFalse(handler.claimedShrank());
        assertFalse(handler.paymentDiffered());
    }

    function _theBooksEtherIsBondAndCredits() private view {
        uint256 owed = book.bond();
        uint256 count = handler.actorCount();
        for (uint256 i; i < count; ++i) {
            owed += book.creditOf(handler.actors(i));
        }
        assertEq(address(book).balance, owed);
        assertEq(address(book).balance, handler.etherIn() - handler.etherOut());
        assertEq(book.isBonded(), book.bond() >= BOND);
    }

    function _finalHeadersNeverChange() private view {
        uint64 finals = book.finalisedEpochs();
        assertLe(finals, book.nextEpoch());
        for (uint64 epoch; epoch < finals; ++epoch) {
            assertTrue(book.isFinal(epoch, handler.finalHashes(epoch)));
        }
        for (uint64 epoch = finals; epoch < book.nextEpoch(); ++epoch) {
            (,, bool finalised) = book.commitment(epoch);
            assertFalse(finalised);
        }
    }

    function _theGuardianNeverPosts() private view {
        assertNotEq(book.poster(), guardian);
    }
}
