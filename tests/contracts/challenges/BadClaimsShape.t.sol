// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Errors } from "../../../contracts/libraries/Errors.sol";
import { HashAt } from "../../../contracts/libraries/ProtocolTypes.sol";
import { PlainTree } from "../../../contracts/libraries/PlainTree.sol";
import { ChallengeTest } from "../utils/ChallengeTest.sol";
import { Epoch, EpochTrees } from "../utils/EpochData.sol";
import { ReferenceTrees } from "../utils/ReferenceTrees.sol";

/// @dev Five claims: 8 places, of which 3 are padding, and the last two have a parent over padding alone.
contract BadClaimsShapeTest is ChallengeTest {
    /*//////////////////////////////////////////////////////////////////////////
                                      REVERTS
    //////////////////////////////////////////////////////////////////////////*/

    function test_RevertWhen_TheHeaderIsNotPending() public {
        (, Epoch memory epoch) = _epochs();
        HashAt memory place = _place(EpochTrees.claimHashes(epoch), 0, 0);
        _expectNotPending(epoch.header);
        proofs.badClaimsShape(epoch.header, place, "");
    }

    function test_RevertWhen_TheTreeIsHonest() public {
        (, Epoch memory epoch) = _committed();
        bytes32[] memory leaves = EpochTrees.claimHashes(epoch);
        for (uint256 level; level < 4; ++level) {
            for (uint256 index; index < 8 >> level; ++index) {
                HashAt memory place = _place(leaves, level, index);
                _expectNothingWrong();
                proofs.badClaimsShape(epoch.header, place, "");
                if (level == 0 && index > 4) continue;
                bytes memory preimage = level == 0 ? _inside(epoch, index) : _inner(leaves, level, index);
                _expectNothingWrong();
                proofs.badClaimsShape(epoch.header, place, preimage);
            }
        }
    }

    function test_RevertWhen_ThereAreNoClaims() public {
        Epoch memory first = _first();
        (first.header.claimsRoot, first.header.claimCount) = (0, 0);
        _commit(first.header);
        _expectNothingWrong();
        proofs.badClaimsShape(first.header, HashAt(0, 0, 0, _noPath()), "");
    }

    function test_RevertWhen_ThePreimageIsAnothers() public {
        (, Epoch memory epoch) = _committed();
        bytes32[] memory leaves = EpochTrees.claimHashes(epoch);
        bytes[3] memory others = [_inside(epoch, 1), _inner(leaves, 1, 1), bytes("x")];
        for (uint256 i; i < others.length; ++i) {
            for (uint256 level; level < 4; ++level) {
                HashAt memory place = _place(leaves, level, 0);
                _expectNothingWrong();
                proofs.badClaimsShape(epoch.header, place, others[i]);
            }
        }
    }

    function test_RevertWhen_TheNodeIsNotInTheTree() public {
        (, Epoch memory epoch) = _committed();
        HashAt memory place = _place(EpochTrees.claimHashes(epoch), 1, 0);
        place.index = 1;
        _expectRevert(abi.encodeWithSelector(Errors.Tree_ProofMismatch.selector, epoch.header.claimsRoot));
        proofs.badClaimsShape(epoch.header, place, "");
        place.index = 4;
        _expectRevert(abi.encodeWithSelector(Errors.Tree_NoSuchNode.selector, 1, 4));
        proofs.badClaimsShape(epoch.header, place, "");
        (place.index, place.level) = (0, 0);
        _expectRevert(abi.encodeWithSelector(Errors.Tree_WrongPathLength.selector, 2, 3));
        proofs.badClaimsShape(epoch.header, place, "");
        place.level = 255;
        _expectRevert(abi.encodeWithSelector(Errors.Tree_NoSuchNode.selector, 255, 0));
        proofs.badClaimsShape(epoch.header, place, "");
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      WRONG NODES
    //////////////////////////////////////////////////////////////////////////*/

    function test_AnInnerNodeInThePlaceOfALeaf() public {
        (, Epoch memory epoch) = _epochs();
        bytes32[] memory leaves = EpochTrees.claimHashes(epoch);
        _putAndProve(epoch, ReferenceTrees.nodeAt(leaves, 2, 0), 0, 3, _inner(leaves, 2, 0));
    }

    function test_ALeafInThePlaceOfAnInnerNode() public {
        (, Epoch memory epoch) = _epochs();
        bytes32[] memory leaves = EpochTrees.claimHashes(epoch);
        for (uint256 level = 1; level < 4; ++level) {
            uint256 id = vm.snapshotState();
            _putAndProve(epoch, leaves[4], level, 0, _inside(epoch, 4));
            vm.revertToState(id);
        }
    }

    function test_AnEmptyNodeBelowTheCount() public {
        (, Epoch memory epoch) = _epochs();
        for (uint256 level; level < 4; ++level) {
            uint256 id = vm.snapshotState();
            _putAndProve(epoch, 0, level, 4 >> level, "");
            vm.revertToState(id);
        }
    }

    function test_PaddingThatIsNotEmpty() public {
        (, Epoch memory epoch) = _epochs();
        for (uint256 index = 5; index < 8; ++index) {
            uint256 id = vm.snapshotState();
            _putAndProve(epoch, "padding", 0, index, "");
            vm.revertToState(id);
        }
        _putAndProve(epoch, 0, 1, 3, "");
    }

    function test_ARootOverNothing() public {
        (, Epoch memory epoch) = _epochs();
        (epoch.header.claimsRoot, epoch.header.claimCount) = ("root", 0);
        _commit(epoch.header);
        _expectVoid(1);
        proofs.badClaimsShape(epoch.header, HashAt("root", 0, 0, _noPath()), "");
    }

    function test_ACountThatIsTooHigh() public {
        (, Epoch memory epoch) = _epochs();
        epoch.header.claimCount = 6;
        _commit(epoch.header);
        HashAt memory place = _place(EpochTrees.claimHashes(epoch), 0, 5);
        _expectVoid(1);
        proofs.badClaimsShape(epoch.header, place, "");
    }

    function test_ThePaddingOfTheLargestTree() public {
        _large(type(uint32).max, 0, type(uint32).max, "leaf", true);
        _large(type(uint32).max, 0, type(uint32).max, 0, false);
        _large(type(uint32).max, 0, type(uint32).max - 1, "leaf", false);
        _large(type(uint32).max, 0, type(uint32).max - 1, 0, true);
        _large((1 << 31) + 1, 30, 3, "inner", true);
        _large((1 << 31) + 1, 30, 3, PlainTree.padding(30), false);
        _large((1 << 31) + 1, 31, 1, "inner", false);
        _large(1 << 31, 0, (1 << 31) - 1, "leaf", false);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      HELPERS
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev A header of epoch 0 whose claims tree has that many leaves, that node, and anything beside its path.
    function _large(uint32 count, uint8 level, uint32 index, bytes32 node, bool wrong) private {
        uint256 id = vm.snapshotState();
        Epoch memory epoch = _first();
        uint256 depth;
        while (1 << depth < count) ++depth;
        HashAt memory place = HashAt(node, level, index, new bytes32[](depth - level));
        for (uint256 i; i < place.path.length; ++i) {
            place.path[i] = keccak256(abi.encode(i));
        }
        epoch.header.claimCount = count;
        epoch.header.claimsRoot = ReferenceTrees.rootFrom(node, index, place.path);
        _commit(epoch.header);
        if (wrong) _expectVoid(0);
        else _expectNothingWrong();
        proofs.badClaimsShape(epoch.header, place, "");
        vm.revertToState(id);
    }

    /// @dev Commits the epoch with that node in its place, and proves it.
    function _putAndProve(
        Epoch memory epoch,
        bytes32 node,
        uint256 level,
        uint256 index,
        bytes memory preimage
    ) private {
        HashAt memory place = _place(EpochTrees.claimHashes(epoch), level, index);
        place.hash = node;
        epoch.header.claimsRoot = ReferenceTrees.rootFrom(node, index, place.path);
        _commit(epoch.header);
        _expectVoid(1);
        proofs.badClaimsShape(epoch.header, place, preimage);
    }

    function _place(bytes32[] memory leaves, uint256 level, uint256 index)
        private
        pure
        returns (HashAt memory)
    {
        return HashAt({
            hash: ReferenceTrees.nodeAt(leaves, level, index),
            level: uint8(level),
            index: uint32(index),
            path: ReferenceTrees.path(leaves, level, index)
        });
    }

    function _inner(bytes32[] memory leaves, uint256 level, uint256 index)
        private
        pure
        returns (bytes memory)
    {
        return bytes.concat(
            ReferenceTrees.nodeAt(leaves, level - 1, 2 * index),
            ReferenceTrees.nodeAt(leaves, level - 1, 2 * index + 1)
        );
    }

    /// @dev A leaf is hashed twice: this is what is hashed the second time.
    function _inside(Epoch memory epoch, uint256 claim) private pure returns (bytes memory) {
        return
            bytes.concat(
                keccak256(abi.encodePacked(epoch.claims[claim].account, epoch.claims[claim].entries))
            );
    }
}
