// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Challenges } from "../../../contracts/Challenges.sol";
import { IEpochBook } from "../../../contracts/interfaces/IEpochBook.sol";
import { Errors } from "../../../contracts/libraries/Errors.sol";
import { EpochHeader, SessionRecord } from "../../../contracts/libraries/ProtocolTypes.sol";
import { Epoch, EpochTrees } from "./EpochData.sol";
import { HonestPoster } from "./HonestPoster.sol";

/// @title ChallengeTest
/// @notice Two honest epochs of four pools, for tests to make wrong.
///
/// | pool | open in epoch | nodes with sessions in epoch 0 | in epoch 1, by rising address |
/// |---|---|---|---|
/// | 1 | 0, 1 | a, b | a, b, c with 3, 1 and 2 sessions |
/// | 2 | 0, 1 | a | d with 5 |
/// | 3 | 0 | e | |
/// | 4 | 1 | | none: idle |
///
/// So epoch 1 has 3 rows of pools and 5 claims, and all its trees but those of one leaf have padding.
abstract contract ChallengeTest is HonestPoster {
    uint256 internal constant FUNDS = 1000e18;
    uint256 internal constant VIEWER = 0x1000;

    Challenges internal proofs;
    address[5] internal nodes;

    function setUp() public virtual override {
        // `ProtocolTest` deploys four contracts, and then comes this one.
        challenges = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 4);
        super.setUp();
        proofs = new Challenges(address(book), address(pools));
        assertEq(address(proofs), challenges);

        string[5] memory names = ["node a", "node b", "node c", "node d", "node e"];
        for (uint256 i; i < 5; ++i) {
            address node = makeAddr(names[i]);
            uint256 place = i;
            for (; place > 0 && nodes[place - 1] > node; --place) {
                nodes[place] = nodes[place - 1];
            }
            nodes[place] = node;
        }
        _fundedPool(FUNDS);
        _fundedPool(FUNDS);
        uint32 closing = _fundedPool(FUNDS);
        vm.prank(streamer);
        pools.close(closing);
        vm.warp(GENESIS + EPOCH_SECONDS);
        _fundedPool(FUNDS);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       EPOCHS
    //////////////////////////////////////////////////////////////////////////*/

    function _first() internal returns (Epoch memory) {
        SessionRecord[] memory records = new SessionRecord[](4);
        records[0] = _session(1, 0, nodes[0], VIEWER, 3e9, 3e9);
        records[1] = _session(1, 0, nodes[1], VIEWER + 1, 2e9, 1e9);
        records[2] = _session(2, 0, nodes[0], VIEWER + 2, 1e9, 0);
        records[3] = _session(3, 0, nodes[4], VIEWER + 3, 5e9, 5e9);
        Epoch memory none;
        return _settleEpoch(0, none, records);
    }

    function _records() internal returns (SessionRecord[] memory records) {
        records = new SessionRecord[](11);
        records[0] = _session(1, 1, nodes[0], VIEWER, 4e9, 4e9);
        records[1] = _session(1, 1, nodes[0], VIEWER + 1, 3e9, 1e9);
        records[2] = _session(1, 1, nodes[0], VIEWER + 2, 1, 1);
        records[3] = _session(1, 1, nodes[1], VIEWER + 3, 2e9, 2e9);
        records[4] = _session(1, 1, nodes[2], VIEWER + 4, 7e9, 6e9);
        records[5] = _session(1, 1, nodes[2], VIEWER + 5, 9e9, 9e9);
        for (uint256 i = 6; i < 11; ++i) {
            records[i] = _session(2, 1, nodes[3], VIEWER + i, uint64(i * 1e9 - 1), uint64(i * 1e8));
        }
    }

    function _second(Epoch memory first) internal returns (Epoch memory) {
        return _settleEpoch(1, first, _records());
    }

    /// @dev Commits the first epoch as it is; the second is for the test to make wrong, and to commit.
    function _epochs() internal returns (Epoch memory first, Epoch memory second) {
        first = _first();
        _commit(first.header);
        second = _second(first);
    }

    /// @dev The same, both committed and honest.
    function _committed() internal returns (Epoch memory first, Epoch memory second) {
        (first, second) = _epochs();
        _commit(second.header);
    }

    /// @dev Commits the epoch with what was made wrong in its leaves.
    function _rebuildAndCommit(Epoch memory epoch) internal {
        EpochTrees.build(epoch);
        _commit(epoch.header);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                    EXPECTATIONS
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev The next call comes from the challenger and must fail, as nothing is wrong.
    function _expectNothingWrong() internal {
        _expectRevert(abi.encodeWithSelector(Errors.Challenges_NothingWrong.selector));
    }

    function _expectRevert(bytes memory reason) internal {
        vm.expectRevert(reason);
        vm.prank(challenger);
    }

    /// @dev The next call comes from the challenger and must void the header of that epoch and all after it.
    function _expectVoid(uint64 epoch) internal {
        vm.expectEmit(address(book));
        emit IEpochBook.HeadersVoided(epoch, book.nextEpoch() - 1, challenger);
        vm.expectEmit(address(book));
        emit IEpochBook.BondSlashed(poster, challenger, BOND / 2, BOND - BOND / 2);
        vm.prank(challenger);
    }

    /// @dev The same call must fail for each header that cannot be voided, which a proof must ask before all else.
    function _expectNotPending(EpochHeader memory header) internal {
        _expectRevert(
            abi.encodeWithSelector(Errors.Challenges_HeaderNotPending.selector, header.epoch, _hash(header))
        );
    }
}
