// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IEpochBook } from "../../../contracts/interfaces/IEpochBook.sol";

/// @title RefusingReceiver
/// @notice Takes no ether.
contract RefusingReceiver {
    receive() external payable {
        revert("no");
    }
}

/// @title ReentrantReceiver
/// @notice Withdraws again while it is being paid.
contract ReentrantReceiver {
    IEpochBook private immutable _book;
    uint256 public attempts;

    constructor(IEpochBook book) {
        _book = book;
    }

    function withdraw() external {
        _book.withdrawCredit(address(this));
    }

    receive() external payable {
        ++attempts;
        try _book.withdrawCredit(address(this)) { } catch { }
    }
}
