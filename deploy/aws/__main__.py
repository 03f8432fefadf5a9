"""Deploy AirSense to Amazon Web Services: `.venv/bin/python -m deploy.aws deploy`.

docs/aws.md is a walkthrough from an empty account.
"""

import argparse
import getpass
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from . import images
from .platform import Platform
from .removal import remove
from .sizes import SIZES
from .stacks import DeployError, Stacks

# Options of `deploy` that are parameters of the templates.
PARAMETERS = {
    "certificate": "Certificate",
    "alert_mail": "AlertMail",
    "repository": "Repository",
    "github_provider": "GitHubProvider",
}


def parser() -> argparse.ArgumentParser:
    main = argparse.ArgumentParser(prog="python -m deploy.aws", description=__doc__)
    main.add_argument("--name", default="airsense", help="name of the platform (default: airsense)")
    main.add_argument("--region", help="default: that of the profile or of AWS_DEFAULT_REGION")
    commands = main.add_subparsers(dest="command", required=True)

    deploy = commands.add_parser("deploy", help="create or update everything")
    deploy.add_argument("--size", choices=SIZES, help="default: the present size, or small")
    deploy.add_argument("--domain", default="", help="host name of the platform")
    deploy.add_argument("--certificate", help="ARN of the domain's certificate in ACM")
    deploy.add_argument("--alert-mail", help="address that receives CloudWatch's alarms")
    deploy.add_argument("--repository", help="OWNER/NAME on GitHub that may deploy")
    deploy.add_argument("--github-provider", help="ARN, if the account has GitHub's OIDC provider")
    deploy.add_argument("--settings", type=Path, help="file of lines NAME=VALUE as .env.example")
    deploy.add_argument("--app-runner", action="store_true", help="serve by App Runner")

    release = commands.add_parser("release", help="run another image; change nothing else")
    for command in (deploy, release):
        command.add_argument("--tag", help="of the image (default: the commit's hash)")
    rollback = commands.add_parser("rollback", help="run the previous image again")
    rollback.add_argument(
        "--tag", default="", help="of an earlier image (default: that of the previous one)"
    )
    commands.add_parser("status", help="stacks, images and services")
    run = commands.add_parser("run", help="run a command of manage.py: run -- ingest --demo")
    run.add_argument("arguments", nargs="+")
    secret = commands.add_parser("secret", help="set a secret, read from the terminal or a pipe")
    secret.add_argument("setting", help="such as DATABRICKS_TOKEN")
    removing = commands.add_parser("remove", help="delete everything except the data")
    removing.add_argument("--with-data", action="store_true", help="delete the data, too")
    removing.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    return main


def deploy(platform: Platform, options: argparse.Namespace) -> None:
    existing = platform.stacks.find("tasks")
    if options.size or not existing:
        platform.options |= SIZES[options.size or "small"]
    for option, parameter in PARAMETERS.items():
        if (value := getattr(options, option)) is not None:
            platform.options[parameter] = value
    own = options.settings.read_text() if options.settings else None
    tag = options.tag or images.tag_of_commit()
    on_app_runner = options.app_runner or platform.stacks.find("apprunner") is not None
    platform.deploy(tag, options.domain, own, on_app_runner=on_app_runner)
    status(platform, options)


def release(platform: Platform, options: argparse.Namespace) -> None:
    platform.release_tag(options.tag or images.tag_of_commit())


def rollback(platform: Platform, options: argparse.Namespace) -> None:
    platform.rollback(options.tag)


def status(platform: Platform, options: argparse.Namespace) -> None:
    write, outputs = platform.stacks.write, platform.stacks.outputs()
    for stack in platform.stacks.all():
        write(f"{stack['StackName']}: {stack['StackStatus'].lower()}")
    for name in ("Image", "PreviousImage", "BalancerHost", "ServiceHost", "DeployRole"):
        if outputs.get(name):
            write(f"{name}: {outputs[name]}")
    for service, running, desired in platform.tasks().states() if "Cluster" in outputs else []:
        write(f"{service}: {running} of {desired} tasks run")


def run(platform: Platform, options: argparse.Namespace) -> None:
    platform.tasks().run(*options.arguments)


def secret(platform: Platform, options: argparse.Namespace) -> None:
    typed = sys.stdin.isatty()
    value = getpass.getpass(f"{options.setting}: ") if typed else sys.stdin.read()
    platform.set_secret(options.setting, value.strip())


def removal(platform: Platform, options: argparse.Namespace) -> None:
    name = platform.stacks.name
    if not options.yes and input(f"Delete the platform {name}? Type its name: ") != name:
        raise DeployError("Nothing was deleted.")
    remove(platform.session, platform.stacks, with_data=options.with_data)


COMMANDS: dict[str, Callable[[Platform, argparse.Namespace], None]] = {
    "deploy": deploy,
    "release": release,
    "rollback": rollback,
    "status": status,
    "run": run,
    "secret": secret,
    "remove": removal,
}


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    session = boto3.Session(region_name=options.region)
    write = lambda line: print(line, flush=True)  # noqa: E731, T201  # a program
    try:
        stacks = Stacks(session.client("cloudformation"), options.name, write)
        COMMANDS[options.command](Platform(session, stacks), options)
    except (DeployError, BotoCoreError, ClientError) as error:
        print(f"deploy: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
