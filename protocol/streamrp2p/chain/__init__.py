"""The chain: connections, transactions, and one typed wrapper per contract."""

from streamrp2p.chain.challenges import ChallengesContract
from streamrp2p.chain.data_demands import (
    CommittedChunk,
    DataDemandsContract,
    DemandRecord,
    DemandRules,
    DemandState,
)
from streamrp2p.chain.deploy import DeployParameters, deploy
from streamrp2p.chain.deployment import Deployment
from streamrp2p.chain.epoch_book import (
    BookRules,
    BookState,
    CommittedHeader,
    EpochBookContract,
    EpochStatus,
    Voiding,
)
from streamrp2p.chain.epoch_facts import Chain, EpochFacts
from streamrp2p.chain.errors import (
    ChainError,
    ChainMovedError,
    DeploymentError,
    EpochNotCommittedError,
    EpochVoidedError,
    FeeCeilingError,
    HeaderMissingError,
    InsufficientFundsError,
    NoContractError,
    NonceTooLowError,
    RpcRefusedError,
    RpcUnavailableError,
    TransactionPendingError,
    TransactionRevertedError,
    WrongChainError,
)
from streamrp2p.chain.fees import Fees
from streamrp2p.chain.node_registry import NodeRecord, NodeRegistryContract
from streamrp2p.chain.reward_pools import Payment, PoolRecord, RewardPoolsContract, Stream
from streamrp2p.chain.rpc_errors import decode_revert
from streamrp2p.chain.rpc_pool import connect
from streamrp2p.chain.stream_token import Permit, StreamTokenContract
from streamrp2p.chain.transactions import (
    Call,
    Log,
    Receipt,
    SignedTransaction,
    broadcast,
    outcomes,
    receipt_of,
    send,
    sign_call,
    wait_for,
)
from streamrp2p.chain.unsigned import UnsignedTransaction

__all__ = [
    "BookRules",
    "BookState",
    "Call",
    "Chain",
    "ChainError",
    "ChainMovedError",
    "ChallengesContract",
    "CommittedChunk",
    "CommittedHeader",
    "DataDemandsContract",
    "DemandRecord",
    "DemandRules",
    "DemandState",
    "DeployParameters",
    "Deployment",
    "DeploymentError",
    "EpochBookContract",
    "EpochFacts",
    "EpochNotCommittedError",
    "EpochStatus",
    "EpochVoidedError",
    "FeeCeilingError",
    "Fees",
    "HeaderMissingError",
    "InsufficientFundsError",
    "Log",
    "NoContractError",
    "NodeRecord",
    "NodeRegistryContract",
    "NonceTooLowError",
    "Payment",
    "Permit",
    "PoolRecord",
    "Receipt",
    "RewardPoolsContract",
    "RpcRefusedError",
    "RpcUnavailableError",
    "SignedTransaction",
    "Stream",
    "StreamTokenContract",
    "TransactionPendingError",
    "TransactionRevertedError",
    "UnsignedTransaction",
    "Voiding",
    "WrongChainError",
    "broadcast",
    "connect",
    "decode_revert",
    "deploy",
    "outcomes",
    "receipt_of",
    "send",
    "sign_call",
    "wait_for",
]
