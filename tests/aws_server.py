"""moto's server, with the resource types that its CloudFormation lacks: `-m tests.aws_server PORT`.

Secrets are created in moto's Secrets Manager. Of the other types only the name and the attributes
exist that templates refer to: RECORDED lists what a test of the templates therefore does not cover.
"""

import json
import sys
from typing import Any

from moto.cloudformation import parsing
from moto.core.common_models import CloudFormationModel
from moto.ec2.models import ec2_backends
from moto.ec2.models.route_tables import RouteTable
from moto.ecs.models import TaskDefinition
from moto.secretsmanager.models import secretsmanager_backends
from moto.server import main

from tests.aws_resources import RECORDED


class Recorded:
    """A resource with a name and attributes, and nothing behind them."""

    attributes: dict[str, str]

    def __init__(self, name: str) -> None:
        self.physical_resource_id = name

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr in cls.attributes

    def get_cfn_attribute(self, name: str) -> str:
        return self.attributes[name.partition(".")[0]]  # `Endpoint.Address`

    @classmethod
    def create_from_cloudformation_json(
        cls, name: str, values: Any, account: str, region: str, **kwargs: Any
    ) -> Any:
        return cls(name)

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: Any, *more: Any, **kwargs: Any
    ) -> Any:
        return original_resource

    @classmethod
    def delete_from_cloudformation_json(
        cls, name: str, values: Any, account: str, region: str
    ) -> None:
        """Do nothing, because no real resource exists."""

    def is_created(self) -> bool:
        return True


class Secret(Recorded):
    @classmethod
    def create_from_cloudformation_json(
        cls, name: str, values: Any, account: str, region: str, **kwargs: Any
    ) -> Any:
        secret, backend = values["Properties"], secretsmanager_backends[account][region]
        text = secret.get("SecretString") or "generated"
        made = backend.create_secret(
            secret["Name"], text, None, None, [], None, None, [], force_overwrite=False
        )
        return cls(json.loads(made)["ARN"])

    @classmethod
    def delete_from_cloudformation_json(
        cls, name: str, values: Any, account: str, region: str
    ) -> None:
        secretsmanager_backends[account][region].delete_secret(name, None, True)


def model(base: type[Recorded], name: str, attributes: dict[str, str]) -> type:
    """A direct subclass of moto's class, because moto looks only at these."""
    members = {"attributes": attributes, "cloudformation_type": staticmethod(lambda: name)}
    return type(name, (base, CloudFormationModel), members)


def delete_routes(cls: type, name: str, values: Any, account: str, region: str) -> None:
    """What moto's route tables lack; without it their network cannot be deleted."""
    backend = ec2_backends[account][region]
    for association in list(backend.get_route_table(name)._associations):
        backend.disassociate_route_table(association)
    backend.delete_route_table(name)


def replace_task(cls: Any, /, new_resource_name: str, cloudformation_json: Any, **more: Any) -> Any:
    """Moto's own update stores names that begin with a capital, which no client reads."""
    account, region = more["account_id"], more["region_name"]
    return cls.create_from_cloudformation_json(
        new_resource_name, cloudformation_json, account, region
    )


setattr(TaskDefinition, "update_from_cloudformation_json", classmethod(replace_task))  # noqa: B010
setattr(RouteTable, "delete_from_cloudformation_json", classmethod(delete_routes))  # noqa: B010
# After moto's own (DBInstance, which knows no Aurora), so that these win. moto keeps no reference.
assert parsing.get_model_map
MODELS = [model(Recorded, name, attributes) for name, attributes in RECORDED.items()]
MODELS.append(model(Secret, "AWS::SecretsManager::Secret", {}))

if __name__ == "__main__":
    main(["-H", "127.0.0.1", "-p", sys.argv[1]])
