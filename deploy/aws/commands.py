"""Run a command of manage.py as a task of its own, and restart services."""

import time
from collections.abc import Callable
from typing import Any

from .stacks import DeployError

PAUSE = 5.0  # seconds between two requests for the task's status


class Tasks:
    """The tasks of one platform."""

    def __init__(self, session: Any, outputs: dict[str, str], write: Callable[[str], object]):
        self.ecs, self.logs = session.client("ecs"), session.client("logs")
        self.outputs, self.write = outputs, write

    def run(self, *command: str) -> None:
        """Run a command, print its log, and raise DeployError if it fails."""
        self.write(f"manage.py {' '.join(command)}")
        network = {
            "subnets": self.outputs["PrivateSubnets"].split(","),
            "securityGroups": [self.outputs["TasksGroup"]],
            "assignPublicIp": "DISABLED",
        }
        started = self.ecs.run_task(
            cluster=self.outputs["Cluster"],
            taskDefinition=self.outputs["CommandTask"],
            launchType="FARGATE",
            platformVersion="1.4.0",
            networkConfiguration={"awsvpcConfiguration": network},
            overrides={"containerOverrides": [{"name": "command", "command": list(command)}]},
        )
        if started["failures"]:
            raise DeployError(f"The task cannot start: {started['failures'][0]['reason']}")
        task = self._wait(started["tasks"][0]["taskArn"])
        if task["containers"][0].get("exitCode") != 0:
            reason = task.get("stoppedReason", "")
            raise DeployError(f"manage.py {command[0]} failed. {reason}".strip())

    def _wait(self, arn: str) -> Any:
        stream, token = f"command/command/{arn.rpartition('/')[2]}", ""
        while True:
            described = self.ecs.describe_tasks(cluster=self.outputs["Cluster"], tasks=[arn])
            token = self._print(stream, token)
            if described["tasks"][0]["lastStatus"] == "STOPPED":
                self._print(stream, token)
                return described["tasks"][0]
            time.sleep(PAUSE)

    def _print(self, stream: str, token: str) -> str:
        """Print the new lines of a log; returns where the next ones begin."""
        position = {"nextToken": token} if token else {"startFromHead": True}
        group = f"/{self.outputs['Cluster']}/command"
        try:
            page = self.logs.get_log_events(logGroupName=group, logStreamName=stream, **position)
        except self.logs.exceptions.ResourceNotFoundException:
            return token  # the task has not written yet
        for event in page["events"]:
            self.write(f"  {event['message']}")
        return str(page["nextForwardToken"])

    def restart(self) -> None:
        """Replace the tasks of all services, so that they read secrets again."""
        for arn in self._services():
            self.ecs.update_service(
                cluster=self.outputs["Cluster"], service=arn, forceNewDeployment=True
            )

    def states(self) -> list[tuple[str, int, int]]:
        """Name, running and desired tasks of each service."""
        arns = self._services()
        if not arns:
            return []
        services = self.ecs.describe_services(cluster=self.outputs["Cluster"], services=arns)
        return [
            (service["serviceName"], service["runningCount"], service["desiredCount"])
            for service in services["services"]
        ]

    def _services(self) -> list[str]:
        return list(self.ecs.list_services(cluster=self.outputs["Cluster"])["serviceArns"])
