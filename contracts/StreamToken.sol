// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import { ERC20Permit } from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import { ERC20Votes } from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import { Nonces } from "@openzeppelin/contracts/utils/Nonces.sol";

/// @title StreamToken
/// @notice The token that streamers fund pools with, nodes earn and holders vote with.
/// @dev The supply is fixed at deployment: nobody can mint, burn for others, pause or upgrade.
contract StreamToken is ERC20, ERC20Permit, ERC20Votes {
    /// @param owner Receives the whole supply.
    /// @param initialSupply In base units; ERC20Votes caps it at `type(uint208).max`.
    constructor(address owner, uint256 initialSupply)
        ERC20("StreamrP2P Token", "SRP")
        ERC20Permit("StreamrP2P Token")
    {
        _mint(owner, initialSupply);
    }

    /// @inheritdoc ERC20Permit
    function nonces(address owner) public view override(ERC20Permit, Nonces) returns (uint256) {
        return super.nonces(owner);
    }

    /// @dev Moves the votes with the tokens.
    function _update(address from, address to, uint256 value) internal override(ERC20, ERC20Votes) {
        super._update(from, to, value);
    }
}
