"""`%register` and `%deploy`: from a tracked run to a model that answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments

from hubyard.contract.deployment import DeploymentRequest, parse_model
from hubyard.contract.tracking import RegisterRequest
from hubyard.contract.workload import Status
from hubyard.magics.arguments import COMPUTE, DRY_RUN, LIFETIME
from hubyard.magics.show import Lines, asking, confirmed, read, say
from hubyard.showing import price_line

if TYPE_CHECKING:
    from hubyard.contract.deployment import Deployment


@magics_class
class ModelMagics(Magics):
    """The magics of models."""

    @magic_arguments()
    @argument("run", help="id of a tracked run, or last")
    @argument("name", help="of the model")
    @argument("--alias", help="for the new version, such as champion")
    @line_magic
    def register(self, line: str) -> Lines:
        """Make the model of a tracked run a version of a registered model."""
        given = read(self.register, line)
        with asking() as client:
            run = client.last_tracked_run().id if given.run == "last" else given.run
            version = client.models.register(
                RegisterRequest(run_id=run, name=given.name, alias=given.alias)
            )
        known = "".join(f", @{alias}" for alias in version.aliases)
        return Lines(f"Registered as {version.model}/{version.version}{known}")

    @magic_arguments()
    @argument("model", help="MODEL@alias or MODEL/VERSION")
    @COMPUTE
    @LIFETIME
    @argument("--name", help="of the deployment")
    @DRY_RUN
    @line_magic
    def deploy(self, line: str) -> Lines | None:
        """Serve a model version from an endpoint of its own."""
        given = read(self.deploy, line)
        with asking() as client:
            model, version = parse_model(given.model)
            wish = DeploymentRequest(
                model=model,
                version=version,
                name=given.name,
                compute=given.compute,
                lifetime_s=given.ttl,
            )
            price = client.estimate(wish.compute, wish.lifetime_s)
            say(price_line(price))
            question = f"Deploy {given.model} for at most {price.total.text}?"
            if given.dry_run or not confirmed(question):
                return None
            made = client.deployments.create(wish)
            say(f"{made.name} starts")
            ready = client.deployments.wait(made.id)
        return _ready(ready)


def _ready(deployment: Deployment) -> Lines:
    if deployment.status is not Status.READY:
        why = deployment.reason or "its log says more"
        raise UsageError(f"{deployment.name} {deployment.status}: {why}")
    revision = deployment.revision
    return Lines(
        f"{deployment.name} serves {revision.model}/{revision.version} on "
        f"{deployment.compute} for {deployment.price.text} an hour",
        link=deployment.url,
    )
