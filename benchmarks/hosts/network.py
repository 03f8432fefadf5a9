"""Hosts on one network: Linux network namespaces joined by a bridge (needs root and iproute2)."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

NETWORK = "10.87.0"
SWITCH = "airsense-switch"  # the namespace of the bridge
NOWHERE = "02:00:00:00:00:01"  # a hardware address that no host has: packets to it are lost


class Host(NamedTuple):
    """A network namespace with an address of its own."""

    name: str
    number: int

    @property
    def namespace(self) -> str:
        return f"airsense-{self.name}"

    @property
    def address(self) -> str:
        return f"{NETWORK}.{self.number}"

    def command(self, command: Sequence[str | Path]) -> list[str]:
        """The command that runs another one on this host."""
        return ["ip", "netns", "exec", self.namespace, *map(str, command)]

    def kill(self) -> None:
        """Kill all its processes at once (SIGKILL)."""
        for pid in _output("ip", "netns", "pids", self.namespace).split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)

    def unplug(self) -> None:
        _in(self, "link set eth0 down")

    def plug_in(self) -> None:
        _in(self, "link set eth0 up")


def cut(one: Host, other: Host) -> None:
    """Drop all packets between two hosts without an error, as a broken switch does."""
    for source, target in ((one, other), (other, one)):
        _in(source, f"neigh replace {target.address} lladdr {NOWHERE} dev eth0 nud permanent")


def mend(one: Host, other: Host) -> None:
    for source, target in ((one, other), (other, one)):
        _in(source, f"neigh del {target.address} dev eth0")


def pairs(hosts: dict[str, Host]) -> set[frozenset[str]]:
    """The pairs of hosts that have an open connection to each other."""
    names = {host.address: name for name, host in hosts.items()}
    return {
        frozenset((name, names[peer]))
        for name, host in hosts.items()
        for peer in _peers(host)
        if peer in names and peer != host.address
    }


def _peers(host: Host) -> list[str]:
    """The addresses at the other ends of a host's connections."""
    lines = _output(*host.command(["ss", "-Htn", "state", "established"])).splitlines()
    ends = [line.split()[3].rpartition(":")[0] for line in lines]
    return [end.removeprefix("[::ffff:").rstrip("]") for end in ends]


@contextmanager
def network(names: Sequence[str]) -> Iterator[dict[str, Host]]:
    """Create the hosts; at the end, kill what runs on them and remove them."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        sys.exit("This needs root and the command ip (Debian: apt-get install iproute2).")
    hosts = {name: Host(name, number) for number, name in enumerate(names, 1)}
    namespaces = [SWITCH, *(host.namespace for host in hosts.values())]
    try:
        _add_switch()
        for host in hosts.values():
            _add(host)
        yield hosts
    finally:
        for host in hosts.values():
            host.kill()
        for namespace in namespaces:
            subprocess.run(["ip", "netns", "del", namespace], check=False)


def _add_switch() -> None:
    _ip(f"netns add {SWITCH}")
    _ip(f"-n {SWITCH} link add bridge0 type bridge")
    _ip(f"-n {SWITCH} link set bridge0 up")


def _add(host: Host) -> None:
    port = f"port{host.number}"
    _ip(f"netns add {host.namespace}")
    _ip(f"-n {SWITCH} link add {port} type veth peer name eth0 netns {host.namespace}")
    _ip(f"-n {SWITCH} link set {port} master bridge0 up")
    _in(host, f"addr add {host.address}/24 dev eth0")
    _in(host, "link set lo up")
    _in(host, "link set eth0 up")


def _in(host: Host, arguments: str) -> None:
    _ip(f"-n {host.namespace} {arguments}")


def _ip(arguments: str) -> None:
    _output("ip", *arguments.split())


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
