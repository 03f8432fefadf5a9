"""deploy/aws on moto's server: deployed, updated, rolled back and removed by its own command."""

import ast
import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
import yaml

from airsense.data_folder import PROJECT
from deploy.aws import settings
from deploy.aws.removal import PARTS
from deploy.aws.sizes import SIZES
from deploy.aws.stacks import TEMPLATES, DeployError, Loader, parameters
from tests.aws_resources import RECORDED
from tests.platform import free_port, until
from tests.test_bucket_exports import CREDENTIALS, listens

PLACE = {"region_name": "us-east-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
# Actions that cannot be limited to a resource: https://docs.aws.amazon.com/service-authorization/latest/reference/
WITHOUT_RESOURCE = {
    "ecr:GetAuthorizationToken",
    "ecs:DeregisterTaskDefinition",
    "ecs:DescribeTaskDefinition",
}


@dataclass
class Account:
    """An account with two images, on moto's server."""

    port: int

    def client(self, service: str) -> Any:
        return boto3.client(service, endpoint_url=f"http://127.0.0.1:{self.port}", **PLACE)

    def run(self, *arguments: str, code: int = 0, stdin: str = "") -> str:
        """Return the output of a command of deploy.aws."""
        endpoint = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}"}
        done = subprocess.run(
            [sys.executable, "-m", "deploy.aws", *arguments],
            cwd=PROJECT,
            env={**CREDENTIALS, **endpoint, "PATH": ""},  # without docker and git
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def outputs(self) -> dict[str, str]:
        stacks = self.client("cloudformation").describe_stacks()["Stacks"]
        return {o["OutputKey"]: o["OutputValue"] for s in stacks for o in s.get("Outputs", [])}

    def settings(self) -> dict[str, str]:
        return settings.download(self.client("s3"), self.outputs()["Settings"])

    def images(self) -> set[str]:
        """Images that the services run."""
        ecs = self.client("ecs")
        arns = ecs.list_services(cluster="airsense")["serviceArns"]
        services = ecs.describe_services(cluster="airsense", services=arns)["services"]
        assert {service["serviceName"] for service in services} == {"web", "worker", "beat"}
        return {self.container(service["taskDefinition"])["image"] for service in services}

    def container(self, task: str) -> dict[str, Any]:
        described = self.client("ecs").describe_task_definition(taskDefinition=task)
        (container,) = described["taskDefinition"]["containerDefinitions"]
        return dict(container)


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "tests.aws_server", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            until(lambda: listens(port))
            yield port
        finally:
            server.kill()


@pytest.fixture(scope="module")
def account(server: int, tmp_path_factory: pytest.TempPathFactory) -> Account:
    """An account with a deployed platform, which has a setting and a domain."""
    account, own = Account(server), tmp_path_factory.mktemp("aws") / "own.env"
    url, at_once = f"http://127.0.0.1:{server}", {"progression": "immediate"}
    body = json.dumps({"model_name": "ecs::task", "transition": at_once}).encode()
    urllib.request.urlopen(f"{url}/moto-api/state-manager/set-transition", body).close()
    domain = "airsense.example.org"
    certificate = account.client("acm").request_certificate(DomainName=domain)["CertificateArn"]
    own.write_text("# ours\nVERSIONS_KEPT=2\n")
    names = ("--domain", domain, "--certificate", certificate, "--settings", str(own))
    github = ("--repository", "airsense/airsense", "--alert-mail", "ops@example.org")
    # The registry is made first, and has no image yet.
    assert "docker is not installed" in account.run("deploy", "--tag=1", *names, *github, code=1)
    for tag in ("1", "2"):
        config = {"digest": f"sha256:{tag}"}
        media = "application/vnd.docker.distribution.manifest.v2+json"
        manifest = {"schemaVersion": 2, "mediaType": media, "config": config, "layers": []}
        account.client("ecr").put_image(
            repositoryName="airsense",
            imageTag=tag,
            imageManifest=json.dumps(manifest),
            imageDigest=f"sha256:{tag * 64}",
        )
    output = account.run("deploy", "--tag=1", *names, *github)
    assert output.index("tasks: create complete") < output.index("manage.py setup")
    assert output.index("manage.py setup") < output.index("jobs: create complete")
    assert "airsense-operations: create_complete" in output
    return account


def read_policy(policy: Any) -> Any:
    """A policy, which moto returns as Python text if CloudFormation has created it."""
    return ast.literal_eval(policy) if isinstance(policy, str) else policy


def inline_policies(iam: Any, role: str) -> list[Any]:
    """The statements of a role's policies."""
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    documents = [
        read_policy(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
        for name in names
    ]
    return [statement for document in documents for statement in document["Statement"]]


def test_the_tasks_get_only_known_settings_and_no_secret_in_plain_text(account: Account) -> None:
    values = account.settings()
    assert values.keys() < settings.names()
    assert values["VERSIONS_KEPT"] == "2"
    assert values["ALLOWED_HOSTS"] == "airsense.example.org"
    assert (values["HTTPS"], values["TRUSTED_PROXIES"]) == ("true", "1")
    secret = settings.SECRETS | settings.OWN_SECRETS
    assert not values.keys() & secret
    for kind in ("web", "worker", "beat", "command"):
        container = account.container(f"airsense-{kind}")
        assert not container.get("environment"), kind
        assert container["environmentFiles"][0]["value"] == account.outputs()["Settings"], kind
        names = {each["name"] for each in container["secrets"]}
        assert names == (secret if kind == "command" else secret - {"ADMIN_PASSWORD"}), kind
        assert all(each["valueFrom"].startswith("arn:aws:secrets") for each in container["secrets"])
        assert container["readonlyRootFilesystem"], kind
        assert "@sha256:" in container["image"], kind
    code = (PROJECT / "airsense" / "settings.py").read_text()
    assert set(re.findall(r'\bsecret\("([A-Z_]+)"\)', code)) | {"REDIS_URL"} == secret


def listed(value: Any) -> set[str]:
    return {value} if isinstance(value, str) else set(value)


def test_roles_may_do_only_what_they_need(account: Account) -> None:
    iam, policies = account.client("iam"), dict[str, list[Any]]()
    for role in iam.list_roles()["Roles"]:
        name = role["RoleName"]
        policies[name] = inline_policies(iam, name)
        for statement in policies[name]:
            actions, resources = listed(statement["Action"]), listed(statement["Resource"])
            assert not any("*" in action for action in actions), name
            assert "*" not in resources or actions <= WITHOUT_RESOURCE, (name, actions)
    assert set(policies) == {f"airsense-{n}" for n in ("deploy", "execution", "release", "task")}
    files = [s for s in policies["airsense-task"] if "s3:PutObject" in s["Action"]]
    assert files[0]["Resource"] == f"arn:aws:s3:::{account.outputs()['Bucket']}/exports/*"
    role = iam.get_role(RoleName="airsense-deploy")["Role"]
    trust = read_policy(role["AssumeRolePolicyDocument"])
    subject = trust["Statement"][0]["Condition"]["StringEquals"]
    allowed = "repo:airsense/airsense:environment:production"
    assert subject["token.actions.githubusercontent.com:sub"] == allowed


def test_only_the_load_balancer_is_reachable_and_only_tasks_reach_the_data(
    account: Account,
) -> None:
    groups = {
        group["Description"]: group["IpPermissions"]
        for group in account.client("ec2").describe_security_groups()["SecurityGroups"]
    }
    tasks = account.outputs()["TasksGroup"]
    for name, port in (("PostgreSQL", 5432), ("Valkey", 6379), ("The shared folder", 2049)):
        (rule,) = groups[name]
        assert (rule["FromPort"], rule["IpRanges"]) == (port, []), name
        assert [pair["GroupId"] for pair in rule["UserIdGroupPairs"]] == [tasks], name
    opened = {rule["FromPort"] for rule in groups["The load balancer"]}
    assert opened == {80, 443}
    listeners = account.client("elbv2").describe_load_balancers()["LoadBalancers"]
    arn = listeners[0]["LoadBalancerArn"]
    rules = account.client("elbv2").describe_listeners(LoadBalancerArn=arn)["Listeners"]
    actions = {rule["Port"]: rule["DefaultActions"][0]["Type"] for rule in rules}
    assert actions == {80: "redirect", 443: "forward"}


@pytest.mark.deep  # the everyday tests deploy once
def test_a_release_changes_only_the_image_and_a_rollback_returns_to_the_previous_one(
    account: Account,
) -> None:
    (first,) = account.images()
    before = account.settings()
    account.run("release", "--tag=2")
    (second,) = account.images()
    assert second != first
    assert "manage.py setup" not in account.run("rollback")
    assert account.images() == {first}
    assert "no such image" in account.run("rollback", "--tag=3", code=1)
    account.run("rollback", "--tag=2")
    assert account.images() == {second}
    assert account.settings() == before


@pytest.mark.deep
def test_deploying_again_keeps_settings_domain_and_size(account: Account) -> None:
    before = account.settings()
    output = account.run("deploy", "--tag=2", "--size=medium")
    assert "registry: unchanged" in output
    assert account.settings() == before
    assert account.container("airsense-web")["memory"] == int(SIZES["medium"]["WebMemory"])


def test_a_secret_of_another_service_is_stored_and_a_wrong_name_refused(account: Account) -> None:
    account.run("secret", "EMAIL_URL", stdin="smtp://mail.example.org\n")
    stored = account.client("secretsmanager").get_secret_value(SecretId="airsense/settings")
    values = json.loads(stored["SecretString"])
    assert values.keys() == settings.OWN_SECRETS
    assert {name for name in values if values[name]} == {"EMAIL_URL"}
    assert "is not one of" in account.run("secret", "VERSIONS_KEPT", stdin="1", code=1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("VERSION_KEPT=2", "no setting of this name: VERSION_KEPT"),
        ("EMAIL_URL=smtp://user:pass@host", "Run: secret EMAIL_URL"),
        ("VERSIONS_KEPT", "NAME=VALUE, not: VERSIONS_KEPT"),
    ],
)
def test_wrong_settings_are_refused_without_showing_them(text: str, message: str) -> None:
    with pytest.raises(DeployError, match=message) as error:
        settings.read(text)
    assert "pass" not in str(error.value)


@pytest.mark.deep
def test_removing_asks_and_then_leaves_only_the_data(account: Account) -> None:
    assert "Nothing was deleted" in account.run("remove", stdin="no\n", code=1)
    bucket = account.outputs()["Bucket"]
    images = [{"imageTag": tag} for tag in ("1", "2")]  # moto does not support EmptyOnDelete
    account.client("ecr").batch_delete_image(repositoryName="airsense", imageIds=images)
    output = account.run("remove", "--yes")
    assert f"kept: the bucket {bucket}" in output
    assert account.outputs() == {}
    assert [b["Name"] for b in account.client("s3").list_buckets()["Buckets"]] == [bucket]
    assert account.client("iam").list_roles()["Roles"] == []


def test_each_template_is_deployed_and_removed_and_each_parameter_has_a_source() -> None:
    parts = {path.stem for path in TEMPLATES.glob("*.yml")}
    assert parts == set(PARTS)
    texts = {part: (TEMPLATES / f"{part}.yml").read_text() for part in parts}
    loaded = [yaml.load(text, Loader) for text in texts.values()]  # noqa: S506
    outputs = {name for template in loaded for name in template.get("Outputs", {})}
    sources = outputs | {"Name", "Image", "Settings"} | set(SIZES["small"])
    for part, text in texts.items():
        for name, declared in parameters(text).items():
            assert name in sources or "Default" in declared, (part, name)
    assert len({frozenset(size) for size in SIZES.values()}) == 1
    text = (PROJECT / "docs" / "aws.md").read_text()
    assert [name for name in RECORDED if name not in text] == []
