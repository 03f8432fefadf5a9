"""Three sizes of a platform, as parameters of the templates (docs/aws.md gives their cost)."""

SIZES: dict[str, dict[str, str]] = {
    # The demo, and a team.
    "small": {
        "NatGateways": "1",
        "MinCapacity": "0.5",
        "MaxCapacity": "2",
        "QueueNode": "cache.t4g.micro",
        "WebCpu": "512",
        "WebMemory": "1024",
        "WebMin": "1",
        "WebMax": "2",
        "RequestsPerTask": "20000",
        "WorkerCpu": "1024",
        "WorkerMemory": "4096",
        "Workers": "1",
    },
    # 10,000 requests a second, most of them cached.
    "medium": {
        "NatGateways": "2",
        "MinCapacity": "2",
        "MaxCapacity": "16",
        "QueueNode": "cache.t4g.small",
        "WebCpu": "2048",
        "WebMemory": "4096",
        "WebMin": "2",
        "WebMax": "8",
        "RequestsPerTask": "300000",
        "WorkerCpu": "2048",
        "WorkerMemory": "8192",
        "Workers": "2",
    },
    # 100,000 requests a second, most of them cached.
    "large": {
        "NatGateways": "2",
        "MinCapacity": "8",
        "MaxCapacity": "64",
        "QueueNode": "cache.m7g.large",
        "WebCpu": "4096",
        "WebMemory": "8192",
        "WebMin": "6",
        "WebMax": "24",
        "RequestsPerTask": "600000",
        "WorkerCpu": "4096",
        "WorkerMemory": "16384",
        "Workers": "3",
    },
}
