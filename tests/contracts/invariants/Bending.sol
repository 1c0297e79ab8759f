// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ClaimLeafAt, RecordLeaf, SumNode } from "../../../contracts/libraries/ProtocolTypes.sol";
import { Test } from "../utils/Test.sol";

/// @title Bending
/// @notice Draws numbers from a seed, and bends what was right so that it is nearly right. Half of the time it bends nothing.
abstract contract Bending is Test {
    /// @dev Half of secp256k1's order, rounded down, and the order.
    uint256 internal constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    uint256 private _seed;

    modifier seeded(uint256 seed) {
        _seed = seed;
        _;
    }

    function _draw(uint256 end) internal returns (uint256) {
        _seed = uint256(keccak256(abi.encode(_seed)));
        return _seed % end;
    }

    function _isBent() internal returns (bool) {
        return _draw(2) == 0;
    }

    /// @dev Rarely: material is made of several parts, which would otherwise seldom all be right.
    function _isBentHere() internal returns (bool) {
        return _draw(8) == 0;
    }

    function _bend(RecordLeaf memory leaf) internal {
        uint256 way = _draw(10);
        if (way < 2) leaf.index = _index(leaf.index);
        else if (way < 6) leaf.path = _path(leaf.path);
        else if (way < 9) leaf.record = _bytes(leaf.record);
        else (leaf.index, leaf.path) = (leaf.index / 2, _path(leaf.path));
    }

    function _bend(ClaimLeafAt memory claim) internal {
        uint256 way = _draw(8);
        uint256[] memory entries = claim.leaf.entries;
        if (way < 2) claim.index = _index(claim.index);
        else if (way < 5) claim.path = _path(claim.path);
        else if (way == 5) claim.leaf.account = address(uint160(claim.leaf.account) + 1);
        else if (way == 6 && entries.length > 0) entries[_draw(entries.length)] += 1;
        else claim.leaf.entries = new uint256[](_draw(3));
    }

    function _bend(RecordLeaf[] memory leaves) internal returns (RecordLeaf[] memory) {
        if (leaves.length == 0 || _draw(4) == 0) {
            RecordLeaf[] memory more = new RecordLeaf[](leaves.length + 1);
            for (uint256 i; i < more.length; ++i) {
                if (leaves.length > 0) more[i] = leaves[i % leaves.length];
            }
            return more;
        }
        if (_draw(4) == 0) {
            RecordLeaf[] memory fewer = new RecordLeaf[](leaves.length - 1);
            for (uint256 i; i < fewer.length; ++i) {
                fewer[i] = leaves[i];
            }
            return fewer;
        }
        _bend(leaves[_draw(leaves.length)]);
        return leaves;
    }

    function _index(uint256 index) internal returns (uint32) {
        uint256 way = _draw(5);
        if (way == 0) return uint32(index + 1);
        if (way == 1) return uint32(index ^ 1);
        if (way == 2) return uint32(index ^ 2);
        return way == 3 ? uint32(index / 2) : type(uint32).max;
    }

    /// @dev Longer, shorter, turned round, or one node or sum of it another.
    function _path(SumNode[] memory path) internal returns (SumNode[] memory bent) {
        uint256 way = _draw(5);
        if (path.length == 0) way = 0;
        bent = new SumNode[](way == 0 ? path.length + 1 : way == 1 ? path.length - 1 : path.length);
        for (uint256 i; i < bent.length; ++i) {
            if (i < path.length) bent[i] = path[way == 2 ? path.length - 1 - i : i];
        }
        if (way == 3) bent[_draw(bent.length)] = SumNode(0, 0);
        if (way == 4) bent[_draw(bent.length)].sum ^= 1;
    }

    function _path(bytes32[] memory path) internal returns (bytes32[] memory bent) {
        uint256 way = _draw(4);
        if (path.length == 0) way = 0;
        bent = new bytes32[](way == 0 ? path.length + 1 : way == 1 ? path.length - 1 : path.length);
        for (uint256 i; i < bent.length; ++i) {
            if (i < path.length) bent[i] = path[way == 2 ? path.length - 1 - i : i];
        }
        if (way == 3) bent[_draw(bent.length)] = 0;
    }

    /// @dev One byte another, one less, one more; or, of a session record, a signature that its signer did not give.
    function _bytes(bytes memory data) internal returns (bytes memory bent) {
        uint256 way = _draw(5);
        if (data.length == 274 && way > 2) return _malleated(data, way == 3 ? 108 : 209);
        uint256 length =
            way == 0 ? data.length + 1 : way == 1 && data.length > 0 ? data.length - 1 : data.length;
        bent = new bytes(length);
        for (uint256 i; i < length && i < data.length; ++i) {
            bent[i] = data[i];
        }
        if (way > 1 && length > 0) bent[_draw(length)] ^= bytes1(uint8(1 << _draw(8)));
    }

    /// @dev The other signature of the same key over the same digest: `s -> n - s`, and `v` flipped.
    function _malleated(bytes memory data, uint256 offset) internal pure returns (bytes memory bent) {
        bent = bytes.concat(data);
        assembly ("memory-safe") {
            let s := add(add(bent, 0x40), offset)
            mstore(s, sub(ORDER, mload(s)))
        }
        bent[offset + 64] = bytes1(uint8(bent[offset + 64]) ^ 7);
    }
}
