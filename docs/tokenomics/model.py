"""The executable model of the reward rule: it runs the very function that settles epochs.

`make tokenomics` writes the plots beside this file; `make check` fails when they would differ.
"""

import io
import random
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from streamrp2p.allocation import Terms, allocate
from streamrp2p.numbers import BYTES_PER_GB, ZERO_ADDRESS
from streamrp2p.receipt import weight_of

FOLDER = Path(__file__).parent
TOKEN = 10**18
"""Base units of one token of 18 decimals."""
HOURLY = Terms(price_per_gb=TOKEN // 20, epoch_budget=10 * TOKEN, ticket_signer=ZERO_ADDRESS)
"""The table's example: 0.05 tokens per GB, at most 10 tokens an epoch."""

mpl.rcParams.update(
    {
        "svg.hashsalt": "streamrp2p",  # the same file on every run
        "svg.fonttype": "none",
        "figure.figsize": (7, 4),
        "axes.grid": True,
        "grid.alpha": 0.3,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
)


def spend_curve(axes: Axes) -> None:
    """Spend follows the bytes until the epoch's budget binds; then nodes share the budget."""
    gigabytes = range(0, 501, 5)
    spends = [
        allocate([max(gb * BYTES_PER_GB, 1)], HOURLY, 10**6 * TOKEN, 0).spend for gb in gigabytes
    ]
    axes.plot(gigabytes, [spend / TOKEN for spend in spends], label="spend of the epoch")
    per_gb = [
        spend / TOKEN / gb if gb else 0.05 for spend, gb in zip(spends, gigabytes, strict=True)
    ]
    axes.set(
        xlabel="weighted GB in the epoch",
        ylabel="tokens",
        title="Spend is capped by the epoch's budget",
    )
    twin = axes.twinx()
    twin.plot(gigabytes, per_gb, color="tab:orange", linestyle="--", label="paid per GB")
    twin.set(ylabel="tokens per GB", ylim=(0, 0.055))
    twin.grid(visible=False)
    axes.legend(loc="lower right")
    twin.legend(loc="center right")


def sybil_split(axes: Axes) -> None:
    """One node that poses as many earns no more: flooring can only take."""
    dice = random.Random(1)  # noqa: S311 - a model, not a key
    own, others = 40 * BYTES_PER_GB, [25 * BYTES_PER_GB, 35 * BYTES_PER_GB]
    # A token of few decimals, so that base units are coarse enough for the loss to be seen at all.
    terms = Terms(price_per_gb=50, epoch_budget=4_999, ticket_signer=ZERO_ADDRESS)
    whole = allocate([own, *others], terms, 10**9, 0).rewards[0]
    counts = range(1, 201)
    gains = []
    for count in counts:
        cuts = sorted(dice.sample(range(1, own), count - 1))
        parts = [right - left for left, right in zip([0, *cuts], [*cuts, own], strict=True)]
        rewards = allocate([*parts, *others], terms, 10**9, 0).rewards
        gains.append(sum(rewards[:count]) - whole)
    axes.plot(counts, gains, drawstyle="steps-mid", label="measured")
    axes.plot(
        counts,
        [-count for count in counts],
        linestyle=":",
        color="grey",
        label="bound: less than one base unit each",
    )
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set(
        xlabel="identities that one node splits into",
        ylabel="gain in base units",
        title="Splitting never pays",
    )
    axes.legend()


def lateness(axes: Axes) -> None:
    """Late bytes earn half, so a slow node loses share to a fast one even when it carries as much."""
    percent = range(0, 101, 2)
    delivered = 100 * BYTES_PER_GB
    shares = []
    for late in percent:
        slow = weight_of(delivered, delivered * (100 - late) // 100)
        rewards = allocate([slow, delivered], HOURLY, 10**6 * TOKEN, 0).rewards
        shares.append([reward / TOKEN for reward in rewards])
    for index, name in enumerate(("node with late bytes", "node always on time")):
        axes.plot(percent, [share[index] for share in shares], label=name)
    axes.set(xlabel="late bytes of the first node, %", ylabel="tokens per epoch", ylim=(0, None),
             title="What lateness costs (100 GB each)")  # fmt: skip
    axes.legend()


def runway(axes: Axes) -> None:
    """Show a pool of 500 tokens under growing audiences: it never spends more than it was funded."""
    funded = 500 * TOKEN
    for growth_percent in (0, 5, 20):
        left, spent, audience_gb = [], 0, 60.0
        for _ in range(120):
            left.append((funded - spent) / TOKEN)
            weight = int(audience_gb * BYTES_PER_GB)
            spent = allocate([weight], HOURLY, funded, spent).cumulative_spend
            audience_gb *= 1 + growth_percent / 100
        axes.plot(left, label=f"audience grows {growth_percent} % an epoch")
    axes.set(
        xlabel="epoch", ylabel="tokens left in the pool", ylim=(0, None), title="A pool's runway"
    )
    axes.legend()


def fake_viewers(axes: Axes) -> None:
    """Show what admitted fake viewers take: the rate rule and the epoch's budget bound it."""
    honest, fakes = 200, range(0, 401, 4)
    session_bytes = (
        312_500 * 3600
    )  # 2.5 Mbit/s for an hour: the most that the rate rule lets one session claim
    taken, honest_reward = [], []
    for fake in fakes:
        weights = [honest * session_bytes] + ([fake * session_bytes] if fake else [])
        rewards = allocate(weights, HOURLY, 10**6 * TOKEN, 0).rewards
        honest_reward.append(rewards[0] / TOKEN)
        taken.append(rewards[1] / TOKEN if fake else 0)
    axes.plot(fakes, taken, label="attacker's node")
    axes.plot(fakes, honest_reward, label="honest nodes together")
    axes.axhline(HOURLY.epoch_budget / TOKEN, color="grey", linestyle=":", label="epoch's budget")
    axes.set(xlabel="fake viewers admitted beside 200 honest ones", ylabel="tokens per epoch", ylim=(0, None),
             title="Fake viewers are what tickets must keep out")  # fmt: skip
    axes.legend()


PLOTS = (spend_curve, sybil_split, lateness, runway, fake_viewers)


def draw(plot: Callable[[Axes], None]) -> bytes:
    """Return one plot as deterministic SVG."""
    figure, axes = plt.subplots(layout="constrained")
    plot(axes)
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)
    return file.getvalue()


def files() -> dict[Path, bytes]:
    """Return every plot by its path."""
    return {FOLDER / f"{plot.__name__}.svg": draw(plot) for plot in PLOTS}


if __name__ == "__main__":
    for path, content in files().items():
        path.write_bytes(content)
        print(f"wrote {path.name}")
