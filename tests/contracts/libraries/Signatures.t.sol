// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Signatures } from "../../../contracts/libraries/Signatures.sol";
import { Test } from "../utils/Test.sol";

contract SignaturesTest is Test {
    uint256 private constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    function testFuzz_TheSignerAloneSigned(uint256 key, bytes32 digest, address other) public pure {
        key = bound(key, 1, ORDER - 1);
        vm.assume(other != vm.addr(key));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        bytes memory signature = abi.encodePacked(r, s, v);
        assertTrue(Signatures.isBy(vm.addr(key), digest, signature));
        assertFalse(Signatures.isBy(other, digest, signature));
        assertFalse(Signatures.isBy(vm.addr(key), ~digest, signature));
    }

    /// @dev For each signature there is a second one that recovers to the same key.
    function testFuzz_AHighSIsRefused(uint256 key, bytes32 digest) public pure {
        key = bound(key, 1, ORDER - 1);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        bytes32 high = bytes32(ORDER - uint256(s));
        assertEq(ecrecover(digest, 55 - v, r, high), vm.addr(key));
        assertFalse(Signatures.isBy(vm.addr(key), digest, abi.encodePacked(r, high, 55 - v)));
    }

    function test_OtherFormsAreRefused() public pure {
        address signer = vm.addr(5);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(5, "digest");
        assertTrue(Signatures.isBy(signer, "digest", abi.encodePacked(r, s, v)));
        assertFalse(Signatures.isBy(signer, "digest", abi.encodePacked(r, s, v - 27)));
        assertFalse(Signatures.isBy(signer, "digest", abi.encodePacked(r, s, v, uint8(0))));
        assertFalse(Signatures.isBy(signer, "digest", abi.encodePacked(r, s)));
        // The 64 bytes of ERC-2098.
        bytes32 vs = s | bytes32(uint256(v - 27) << 255);
        assertFalse(Signatures.isBy(signer, "digest", abi.encodePacked(r, vs)));
        assertFalse(Signatures.isBy(signer, "digest", ""));
    }

    /// @dev A recovery that fails gives zero.
    function test_ZeroSignsNothing() public pure {
        assertFalse(Signatures.isBy(address(0), "digest", new bytes(65)));
        assertFalse(
            Signatures.isBy(address(0), "digest", abi.encodePacked(bytes32(0), bytes32(0), uint8(27)))
        );
        assertFalse(Signatures.isBy(address(0), "digest", ""));
    }
}
