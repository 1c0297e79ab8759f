"""`streamrp2p` with a coordinator that offers more for its gas as soon as two seconds went by without a block."""

from streamrp2p import cli
from streamrp2p_coordinator.use_cases import send_transactions

if __name__ == "__main__":
    send_transactions.PATIENCE_SECONDS = 2
    cli.main()
