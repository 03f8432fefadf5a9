"""The steps of a deployment, a release and a rollback."""

import json
from dataclasses import dataclass, field
from typing import Any

from . import images, settings
from .commands import Tasks
from .stacks import TEMPLATES, DeployError, Stacks

# An empty place in apprunner.yml for the settings that ECS reads from a file.
NO_VARIABLES = "RuntimeEnvironmentVariables: []"


@dataclass
class Platform:
    """A platform in an account: `session` is a session of boto3."""

    session: Any
    stacks: Stacks
    options: dict[str, str] = field(default_factory=dict)  # parameters of the templates

    def deploy(self, tag: str, domain: str, own: str | None, *, on_app_runner: bool) -> None:
        """Create or update everything. `own` is the text of the operator's settings."""
        front = [] if on_app_runner else ["balancer"]
        for part in ("registry", "network", "data", *front, "platform"):
            self.stacks.deploy(part, self.options)
        self.options["Settings"] = self._settings(domain, own)
        self.release(self._image(tag), on_app_runner=on_app_runner)
        self.stacks.deploy("operations", self.options)

    def release(self, image: str, *, on_app_runner: bool, setup: bool = True) -> None:
        """Run an image: new definitions of the tasks, the migration, then the services."""
        outputs = self.stacks.outputs()
        role = self._release_role(outputs)
        if image != outputs.get("Image"):
            self.options["PreviousImage"] = outputs.get("Image", "")
        self.options["Image"] = image
        self.stacks.deploy("tasks", self.options, role=role)
        if setup:
            self.tasks().run("setup")
        self.stacks.deploy("jobs", self.options, role=role)
        if on_app_runner:
            self.stacks.deploy("apprunner", self.options, template=self._app_runner())
        else:
            self.stacks.deploy("web", self.options, role=role)

    def release_tag(self, tag: str) -> None:
        """Run the image of a tag, which is built if the registry does not have it."""
        self.release(self._image(tag), on_app_runner="ServiceHost" in self.stacks.outputs())

    def rollback(self, tag: str) -> None:
        """Run the previous image, or that of a tag. The database stays: migrations only add."""
        outputs = self.stacks.outputs()
        if tag:
            repository = outputs["ImageRepository"]
            image = images.by_tag(self.session.client("ecr"), repository, tag)
        else:
            image = outputs.get("PreviousImage", "")
        if not image:
            raise DeployError("The registry has no such image. Name another one by --tag.")
        self.release(image, on_app_runner="ServiceHost" in outputs, setup=False)

    def tasks(self) -> Tasks:
        return Tasks(self.session, self.stacks.outputs(), self.stacks.write)

    def set_secret(self, name: str, value: str) -> None:
        """Store one of OWN_SECRETS, and restart all services so that they read it."""
        if name not in settings.OWN_SECRETS:
            allowed = ", ".join(sorted(settings.OWN_SECRETS))
            raise DeployError(f"{name} is not one of: {allowed}")
        client, secret_id = self.session.client("secretsmanager"), f"{self.stacks.name}/settings"
        values = json.loads(client.get_secret_value(SecretId=secret_id)["SecretString"])
        text = json.dumps({**values, name: value})
        client.put_secret_value(SecretId=secret_id, SecretString=text)
        self.tasks().restart()

    def _image(self, tag: str) -> str:
        repository = self.stacks.outputs()["ImageRepository"]
        image = images.by_tag(self.session.client("ecr"), repository, tag)
        if not image:
            images.push(self.session.client("ecr"), repository, tag)
            image = images.by_tag(self.session.client("ecr"), repository, tag)
        return image

    def _settings(self, domain: str, own: str | None) -> str:
        """Store the settings and return the file's ARN. Other settings stay."""
        outputs, s3 = self.stacks.outputs(), self.session.client("s3")
        earlier = settings.download(s3, outputs["Settings"]) if "Settings" in outputs else {}
        host = domain or earlier.get("ALLOWED_HOSTS", "").lstrip(".")
        values = settings.computed(outputs, self.session.region_name, host)
        if own is None:
            chosen = {name: value for name, value in earlier.items() if name not in values}
        else:
            chosen = settings.read(own)
        return settings.upload(s3, outputs["Bucket"], values | chosen)

    def _app_runner(self) -> str:
        stored = settings.download(self.session.client("s3"), self.stacks.outputs()["Settings"])
        variables = [{"Name": name, "Value": value} for name, value in stored.items()]
        filled = f"RuntimeEnvironmentVariables: {json.dumps(variables)}"  # JSON is YAML, too
        return (TEMPLATES / "apprunner.yml").read_text().replace(NO_VARIABLES, filled)

    def _release_role(self, outputs: dict[str, str]) -> str:
        """CloudFormation's role for releases, if GitHub's role is the caller."""
        caller = self.session.client("sts").get_caller_identity()["Arn"]
        name = outputs.get("DeployRole", "").rpartition("/")[2]
        return outputs["ReleaseRole"] if name and f"/{name}/" in caller else ""
