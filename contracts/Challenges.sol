// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ChallengeBase } from "./challenges/ChallengeBase.sol";
import { ClaimChallenges } from "./challenges/ClaimChallenges.sol";
import { HeaderChallenges } from "./challenges/HeaderChallenges.sol";
import { LeafChallenges } from "./challenges/LeafChallenges.sol";
import { TreeChallenges } from "./challenges/TreeChallenges.sol";

/// @title Challenges
/// @notice See `IChallenges`. No owner, no proxy, no storage, and no ether ever comes here.
contract Challenges is LeafChallenges, TreeChallenges, ClaimChallenges, HeaderChallenges {
    /// @param epochBook_ Must name this contract as the one that may void.
    /// @param rewardPools_ The pools of that book.
    constructor(address epochBook_, address rewardPools_) ChallengeBase(epochBook_, rewardPools_) { }
}
