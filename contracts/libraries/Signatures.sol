// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title Signatures
/// @notice Signatures of 65 bytes `r ‖ s ‖ v`, with `v` 27 or 28 and the low `s`.
library Signatures {
    /// @notice Whether that account signed the digest. Nobody is the zero address, so it signs nothing.
    function isBy(address signer, bytes32 digest, bytes memory signature) internal pure returns (bool) {
        // It refuses another length, a high s, another v and a recovered zero.
        // slither-disable-next-line unused-return
        (address recovered, ECDSA.RecoverError failure,) = ECDSA.tryRecover(digest, signature);
        return failure == ECDSA.RecoverError.NoError && recovered == signer && signer != address(0);
    }
}
