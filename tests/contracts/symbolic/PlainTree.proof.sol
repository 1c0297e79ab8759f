// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { PlainTree } from "../../../contracts/libraries/PlainTree.sol";
import { ClaimLeaf } from "../../../contracts/libraries/ProtocolTypes.sol";

/// @notice Plain trees. Keccak is any function that never gives two inputs one output; trees are as deep as the proof says.
contract PlainTreeProof {
    /// @custom:halmos --array-lengths path={0,1,2,3,4}
    function check_TheRootIsThatOfPlainHashing(
        bytes32 leaf,
        uint256 index,
        uint32 count,
        bytes32[] calldata path
    ) external pure {
        index = _known(index, path.length);
        bytes32 root = PlainTree.rootFromPath(leaf, index, count, path);
        bytes32 node = leaf;
        for (uint256 i; i < path.length; ++i) {
            node = (index >> i) % 2 == 0
                ? keccak256(bytes.concat(node, path[i]))
                : keccak256(bytes.concat(path[i], node));
        }
        assert(root == node);
    }

    /// @custom:halmos --array-lengths path={0,1,2},other={0,1,2}
    function check_APlaceHoldsOneLeaf(
        bytes32 root,
        uint256 index,
        uint32 count,
        bytes32 leaf,
        bytes32[] calldata path,
        bytes32 otherLeaf,
        bytes32[] calldata other
    ) external pure {
        index = _known(index, path.length);
        PlainTree.requireLeaf(root, leaf, index, count, path);
        PlainTree.requireLeaf(root, otherLeaf, index, count, other);
        assert(leaf == otherLeaf);
        assert(keccak256(abi.encode(path)) == keccak256(abi.encode(other)));
    }

    /// @custom:halmos --array-lengths claim.entries={0,1,2,4}
    function check_AClaimsLeafIsThePlainLeafOfItsRecord(ClaimLeaf calldata claim) external pure {
        bytes memory record = abi.encodePacked(claim.account, claim.entries);
        assert(PlainTree.claimLeafOf(claim) == keccak256(bytes.concat(keccak256(record))));
        assert(PlainTree.claimLeafOf(claim) == PlainTree.leafOf(record));
    }

    /// @custom:halmos --array-lengths claim.entries={0,1,2},other.entries={0,1,2}
    function check_AClaimsLeafSaysWhatItHolds(ClaimLeaf calldata claim, ClaimLeaf calldata other)
        external
        pure
    {
        require(PlainTree.claimLeafOf(claim) == PlainTree.claimLeafOf(other));
        assert(claim.account == other.account);
        assert(claim.entries.length == other.entries.length);
        for (uint256 i; i < claim.entries.length; ++i) {
            assert(claim.entries[i] == other.entries[i]);
        }
    }

    /// @custom:halmos --array-lengths claim.entries={0,1,2}
    function check_AClaimsLeafIsNoInnerNodeAndNoPadding(ClaimLeaf calldata claim, bytes32 left, bytes32 right)
        external
        pure
    {
        assert(PlainTree.claimLeafOf(claim) != keccak256(bytes.concat(left, right)));
        assert(PlainTree.claimLeafOf(claim) != 0);
    }

    /// @dev The same index, but known on each way through the proof: the tree uses its bits as places in memory.
    function _known(uint256 index, uint256 depth) private pure returns (uint256) {
        for (uint256 i; i < 2 ** depth; ++i) {
            if (index == i) return i;
        }
        revert();
    }
}
