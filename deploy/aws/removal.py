"""Remove a platform, with or without its data."""

from typing import Any

from .stacks import Stacks

# In the order of deletion: a stack that uses another one is deleted before it.
PARTS = (
    "operations",
    "apprunner",
    "web",
    "jobs",
    "tasks",
    "platform",
    "balancer",
    "data",
    "network",
    "registry",
)


def remove(session: Any, stacks: Stacks, *, with_data: bool) -> None:
    """Delete all stacks. A last snapshot of PostgreSQL, the bucket and the shared folder stay."""
    outputs = stacks.outputs()
    for part in PARTS:
        if part == "data" and stacks.find(part):
            stacks.deploy("data", {"Protection": "false"})
        stacks.delete(part)
    if with_data:
        _delete_data(session, stacks.name, outputs)
    for kind, name in (("bucket", "Bucket"), ("shared folder", "Folder")):
        if name in outputs and not with_data:
            stacks.write(f"kept: the {kind} {outputs[name]}")


def _delete_data(session: Any, name: str, outputs: dict[str, str]) -> None:
    if bucket := outputs.get("Bucket"):
        own = session.resource("s3").Bucket(bucket)
        own.objects.all().delete()
        own.delete()
    if folder := outputs.get("Folder"):
        session.client("efs").delete_file_system(FileSystemId=folder)
    rds = session.client("rds")
    snapshots = rds.describe_db_cluster_snapshots(SnapshotType="manual")["DBClusterSnapshots"]
    for snapshot in snapshots:
        if snapshot["DBClusterIdentifier"] == name:
            rds.delete_db_cluster_snapshot(
                DBClusterSnapshotIdentifier=snapshot["DBClusterSnapshotIdentifier"]
            )
