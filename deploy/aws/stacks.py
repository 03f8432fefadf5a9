"""CloudFormation stacks: create or update one, wait, print its events, delete it.

The stacks of a platform are called NAME-PART and are made from PART.yml. A parameter of a template
gets, in this order: an option of the command, the output of that name of another stack, its own
previous value, the template's default.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml
from botocore.exceptions import ClientError

TEMPLATES = Path(__file__).parent
PAUSE = 3.0  # seconds between two requests for the stack's status
# A stack whose first creation failed can only be deleted.
DEAD = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED")


class DeployError(Exception):
    """A step failed. The message is one line and says what to do."""


class Loader(yaml.SafeLoader):
    """Reads templates; the values of CloudFormation's functions do not matter here."""


Loader.add_multi_constructor("!", lambda loader, suffix, node: None)


def parameters(template: str) -> dict[str, dict[str, Any]]:
    """The parameters that a template declares."""
    return dict(yaml.load(template, Loader).get("Parameters", {}))  # noqa: S506  # a SafeLoader


class Outputs(dict[str, str]):
    def __missing__(self, name: str) -> str:
        raise DeployError(f"No stack has the output {name}: run deploy first.")


class Stacks:
    """The stacks of one platform."""

    def __init__(
        self, client: Any, name: str, write: Callable[[str], object], pause: float = PAUSE
    ):
        self.client, self.name, self.write, self.pause = client, name, write, pause

    def deploy(
        self, part: str, options: dict[str, str], *, role: str = "", template: str = ""
    ) -> None:
        """Create the stack, or update it if something has changed. Raises DeployError."""
        template = template or (TEMPLATES / f"{part}.yml").read_text()
        stack = self.settled(part)
        if stack and stack["StackStatus"] in DEAD:
            self.delete(part)
            stack = None
        request: dict[str, Any] = {
            "StackName": f"{self.name}-{part}",
            "TemplateBody": template,
            "Parameters": list(self._values(template, stack, options)),
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            "Tags": [{"Key": "airsense", "Value": self.name}],
            **({"RoleARN": role} if role else {}),
        }
        self._change(part, stack, request)

    def _change(self, part: str, stack: Any, request: dict[str, Any]) -> None:
        since = self._last_event(part) if stack else ""
        try:
            (self.client.update_stack if stack else self.client.create_stack)(**request)
        except ClientError as error:
            if "No updates are to be performed" not in str(error):
                raise DeployError(f"{part}: {error.response['Error']['Message']}") from error
            self.write(f"{part}: unchanged")
            return
        status = self._wait(part, since)
        if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            raise DeployError(f"The stack {self.name}-{part} ended as {status}; see above.")
        self.write(f"{part}: {status.lower().replace('_', ' ')}")

    def _values(
        self, template: str, stack: Any, options: dict[str, str]
    ) -> Iterator[dict[str, Any]]:
        new = {**self.outputs(), **options, "Name": self.name}
        previous = (stack or {}).get("Parameters", [])
        values = {each["ParameterKey"]: each["ParameterValue"] for each in previous} | new
        for key in parameters(template):
            if key in values:
                yield {"ParameterKey": key, "ParameterValue": values[key]}

    def outputs(self) -> "Outputs":
        """The outputs of all stacks together; their names are different."""
        return Outputs(
            (output["OutputKey"], output["OutputValue"])
            for stack in self.all()
            for output in stack.get("Outputs", [])
        )

    def all(self) -> list[Any]:
        parts = [path.stem for path in TEMPLATES.glob("*.yml")]
        return [stack for part in parts if (stack := self.find(part))]

    def find(self, part: str) -> Any:
        """The description of a stack, None if it does not exist."""
        try:
            return self.client.describe_stacks(StackName=f"{self.name}-{part}")["Stacks"][0]
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
            return None

    def settled(self, part: str) -> Any:
        """Like `find`, but first wait for the end of a change that another command has begun."""
        while (stack := self.find(part)) and stack["StackStatus"].endswith("IN_PROGRESS"):
            time.sleep(self.pause)
        return stack

    def delete(self, part: str) -> None:
        """Delete a stack. Raises DeployError."""
        if not (stack := self.settled(part)):
            return
        since = self._last_event(part)
        self.client.delete_stack(StackName=stack["StackId"])
        status = self._wait(part, since, stack["StackId"])
        if status != "DELETE_COMPLETE":
            raise DeployError(f"The stack {self.name}-{part} ended as {status}; see above.")
        self.write(f"{part}: deleted")

    def _wait(self, part: str, since: str, stack_id: str = "") -> str:
        """Print the events of a change until it ends; returns the stack's last status."""
        name = stack_id or f"{self.name}-{part}"
        while True:
            stack = self.client.describe_stacks(StackName=name)["Stacks"][0]
            since = self._print_events(part, name, since)
            if not stack["StackStatus"].endswith("IN_PROGRESS"):
                return str(stack["StackStatus"])
            time.sleep(self.pause)

    def _print_events(self, part: str, name: str, since: str) -> str:
        """Print what happened after the event `since`; returns the id of the last event."""
        events = self.client.describe_stack_events(StackName=name)["StackEvents"]  # newest first
        ids = [event["EventId"] for event in events]
        for event in reversed(events[: ids.index(since) if since in ids else len(ids)]):
            reason = event.get("ResourceStatusReason", "")
            line = f"{event['ResourceStatus']} {event['LogicalResourceId']} {reason}"
            self.write(f"  {part}: {line.rstrip()}")
        return ids[0] if ids else since

    def _last_event(self, part: str) -> str:
        events = self.client.describe_stack_events(StackName=f"{self.name}-{part}")["StackEvents"]
        return str(events[0]["EventId"]) if events else ""
