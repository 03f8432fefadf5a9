"""Break a platform on several machines under load, and write what happened: `make bench-hosts`.

Every fault begins in the same state, lasts some seconds and is undone; then the load goes on until
everything has recovered. Writes its section of docs/hosts.md. Needs root, iproute2 and nginx.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import starmap
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from benchmarks.hosts import network, outcome
from benchmarks.hosts.machines import NAMES, PORT, Machines
from tests.platform import until

RATE, RECORDS = 40.0, 500  # requests a second; records of each version
RECOVERY = 60.0  # seconds to wait until a version is published after a fault


class Fault(NamedTuple):
    name: str
    begin: Callable[[Machines], None]
    end: Callable[[Machines], None]


def killed(name: str) -> Fault:
    """Kill all processes of a host at once, and start them again at the end."""
    return Fault(f"{name} killed", lambda m: m.hosts[name].kill(), lambda m: m.start(name))


def unplugged(name: str) -> Fault:
    """Take a host off the network; to the others it looks like a machine without power."""
    return Fault(
        f"{name} silent", lambda m: m.hosts[name].unplug(), lambda m: m.hosts[name].plug_in()
    )


def cut(one: str, other: str) -> Fault:
    return Fault(
        f"{one} and {other} cut",
        lambda m: network.cut(m.hosts[one], m.hosts[other]),
        lambda m: network.mend(m.hosts[one], m.hosts[other]),
    )


# Pairs of hosts that talk to each other; web2 and worker2 talk to the same hosts as their twins.
PAIRS = (
    *(("balancer", "web1"), ("web1", "replica"), ("web1", "primary"), ("web1", "valkey")),
    *(("web1", "warehouse"), ("worker1", "primary"), ("worker1", "replica")),
    *(("worker1", "valkey"), ("worker1", "warehouse"), ("schedule", "primary")),
    *(("schedule", "valkey"), ("primary", "replica")),
)
HOSTS = ("web1", "worker1", "schedule", "replica", "primary", "valkey", "warehouse")
FAULTS = (
    Fault("none", lambda _: None, lambda _: None),
    *starmap(cut, PAIRS),
    *map(unplugged, HOSTS),
    *map(killed, ("balancer", *HOSTS)),
)


def main() -> None:
    parser = argparse.ArgumentParser("make bench-hosts", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="duration of each fault")
    parser.add_argument("--only", nargs="*", help="faults with one of these words in the name")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and remove the hosts
    faults = [f for f in FAULTS if not options.only or any(w in f.name for w in options.only)]
    results = []
    with tempfile.TemporaryDirectory(prefix="airsense-hosts-") as folder:
        Path(folder).chmod(0o711)  # PostgreSQL's account enters it
        with network.network(NAMES) as hosts:
            for result in run(Machines(hosts, Path(folder)), faults, options.seconds):
                results.append(result)
                Console().print(" | ".join(result.cells()), soft_wrap=True)
                if not options.only:
                    outcome.write(results, options.seconds, RATE)


def run(machines: Machines, faults: list[Fault], seconds: float) -> Iterator[outcome.Outcome]:
    machines.create()
    start_load(machines)
    assert (pairs := _pairs(machines)) <= set(map(frozenset, PAIRS)), pairs
    for fault in faults:
        yield _try(machines, fault, seconds)


def _pairs(machines: Machines) -> set[frozenset[str]]:
    """The pairs of hosts that have connections to each other, except those of the client."""
    twins = {"web2": "web1", "worker2": "worker1"}
    pairs = network.pairs(machines.hosts)
    return {frozenset(twins.get(name, name) for name in p) for p in pairs if "client" not in p}


def start_load(machines: Machines) -> None:
    """Publish versions and request them, from the host of the clients."""
    responses, transfers = machines.files
    url = f"http://{machines.hosts['balancer'].address}:{PORT}"
    module = (sys.executable, "-m")
    machines.spawn("client", *module, "benchmarks.hosts.publisher", str(RECORDS), transfers)
    until(lambda: any(t.published for t in outcome.transfers(transfers)), 180)
    machines.spawn("client", *module, "benchmarks.hosts.client", url, str(RATE), responses)
    time.sleep(5)


def _try(machines: Machines, fault: Fault, seconds: float) -> outcome.Outcome:
    responses, transfers = machines.files
    began = time.time()
    fault.begin(machines)
    time.sleep(seconds)
    fault.end(machines)
    ended = time.time()

    while not _has_recovered(transfers, ended) and time.time() < ended + RECOVERY:
        time.sleep(0.2)
    return outcome.Outcome(fault.name, began, ended, time.time(), responses, transfers, RECORDS)


def _has_recovered(transfers: Path, ended: float) -> bool:
    """Whether a version was published after the fault, and clients had three seconds to get it."""
    times = [t.at for t in outcome.transfers(transfers) if t.published and t.at > ended]
    return bool(times) and time.time() > times[0] + 3


if __name__ == "__main__":
    main()
