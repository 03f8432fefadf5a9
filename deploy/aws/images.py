"""Build the image, push it, and find it by its tag."""

import base64
import subprocess
from typing import Any

from botocore.exceptions import ClientError

from .settings import PROJECT
from .stacks import DeployError


def tag_of_commit() -> str:
    """The commit's hash. Raises DeployError if files differ from the commit."""
    if _git("status", "--porcelain"):
        raise DeployError("Some files are not committed. Commit them, or name the image by --tag.")
    return _git("rev-parse", "--short=12", "HEAD")


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=PROJECT, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout.strip()


def by_tag(ecr: Any, repository: str, tag: str) -> str:
    """REPOSITORY@DIGEST of a tag, "" if there is none. A digest always means the same image."""
    name = repository.partition("/")[2]
    try:
        images = ecr.describe_images(repositoryName=name, imageIds=[{"imageTag": tag}])
    except ClientError as error:
        if error.response["Error"]["Code"] != "ImageNotFoundException":
            raise
        return ""
    return f"{repository}@{images['imageDetails'][0]['imageDigest']}"


def push(ecr: Any, repository: str, tag: str) -> None:
    """Build the image and push it. Needs docker."""
    login = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    user, _, password = base64.b64decode(login).decode().partition(":")
    registry, image = repository.partition("/")[0], f"{repository}:{tag}"
    _docker("login", "--username", user, "--password-stdin", registry, stdin=password)
    # App Runner and ECS refuse what buildx adds: a list of images with an attestation.
    _docker("build", "--platform=linux/amd64", "--provenance=false", "--tag", image, str(PROJECT))
    _docker("push", image)


def _docker(*arguments: str, stdin: str = "") -> None:
    try:
        subprocess.run(["docker", *arguments], input=stdin, text=True, check=True)
    except FileNotFoundError:
        raise DeployError(
            "docker is not installed. Push the image elsewhere, then use --tag."
        ) from None
    except subprocess.CalledProcessError as error:
        raise DeployError(f"docker {arguments[0]} ended with code {error.returncode}.") from None
