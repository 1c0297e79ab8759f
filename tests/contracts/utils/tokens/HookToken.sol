// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

interface ITokenHooks {
    function tokensToSend(address to, uint256 amount) external;
    function tokensReceived(address from, uint256 amount) external;
}

/// @title HookToken
/// @notice Calls senders before and receivers after each transfer, like ERC-777.
contract HookToken is ERC20("Hook", "HOOK") {
    mapping(address account => bool) public hasHooks;

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function register(address account) external {
        hasHooks[account] = true;
    }

    function _update(address from, address to, uint256 value) internal override {
        if (hasHooks[from]) ITokenHooks(from).tokensToSend(to, value);
        super._update(from, to, value);
        if (hasHooks[to]) ITokenHooks(to).tokensReceived(from, value);
    }
}
