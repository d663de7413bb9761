"""Tracking: the experiments and tracked runs that the caller may see in MLflow."""

from __future__ import annotations

import math
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hubyard.contract import money
from hubyard.contract import tracking as contract
from hubyard.contract.base import now
from hubyard.contract.entry import milliseconds
from hubyard.contract.errors import Forbidden, Invalid, NotFound
from hubyard_hub.money.lines import LINES, read_lines
from hubyard_hub.store.tables import entries

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

    from hubyard.contract.entry import Entry
    from hubyard_hub.parts import Parts

_PAGE_LENGTH = 50
_EXPERIMENTS = 1000
_LAST_S = datetime(9999, 12, 31, tzinfo=UTC).timestamp()
_GIT_COMMIT = "mlflow.source.git.commit"
_LOG_MODEL_HISTORY = "mlflow.log-model.history"
_NO_RUN = "There is no such tracked run, or it is not yours."
_NOTEBOOK_LIMIT_BYTES = 50 * 2**20


class Tracking:
    """MLflow's tracking, read with the caller's token."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._mlflow = parts.mlflow
        self._pages = f"{parts.settings.public_url}/services/mlflow/#"

    def experiments(self, token: str) -> list[contract.Experiment]:
        """What the caller may see, the newest change first."""
        body = {"max_results": _EXPERIMENTS, "order_by": ["last_update_time DESC"]}
        answer = self._mlflow.post(token, "/experiments/search", body)
        return [
            contract.Experiment(id=e["experiment_id"], name=e["name"])
            for e in answer.get("experiments", ())
        ]

    def page(
        self, token: str, experiment: str | None, where: str | None, page: str | None
    ) -> contract.TrackedRunPage:
        """One page of tracked runs, newest first.

        Raises:
            Invalid: MLflow cannot read the filter.
        """
        names = {e.id: e.name for e in self.experiments(token)}
        chosen = [experiment] if experiment else list(names)
        if not chosen:
            return contract.TrackedRunPage(runs=(), next_page=None)
        body: dict[str, Any] = {
            "experiment_ids": chosen,
            "filter": where or "",
            "max_results": _PAGE_LENGTH,
            "order_by": ["attributes.start_time DESC"],
        }
        if page:
            body["page_token"] = page
        try:
            answer = self._mlflow.post(token, "/runs/search", body)
        except Invalid as error:
            raise Invalid(error.message, field="filter") from None
        trained = [run for run in answer.get("runs", ()) if not _is_lineage(run)]
        return contract.TrackedRunPage(
            runs=self._shown(trained, names),
            next_page=answer.get("next_page_token") or None,
        )

    def runs(
        self, token: str, run_ids: Iterable[str]
    ) -> dict[str, contract.TrackedRun]:
        """Some tracked runs that the caller may see, by their ids."""
        wanted = sorted(set(run_ids))
        names = {e.id: e.name for e in self.experiments(token)} if wanted else {}
        found: list[Mapping[str, Any]] = []
        for start in range(0, len(wanted) if names else 0, _PAGE_LENGTH):
            ids = ",".join(f"'{id_}'" for id_ in wanted[start : start + _PAGE_LENGTH])
            body = {
                "experiment_ids": [*names],
                "filter": f"attributes.run_id IN ({ids})",
                "max_results": _PAGE_LENGTH,
            }
            found += self._mlflow.post(token, "/runs/search", body).get("runs", ())
        return {run.id: run for run in self._shown(found, names)}

    def notebook(self, token: str, run_id: str) -> bytes:
        """The copy of the notebook that a tracked run was made with.

        Raises:
            NotFound: there is no such run, or it has no copy.
        """
        folder = contract.NOTEBOOK_ARTIFACT
        with missing(_NO_RUN):
            listed = self._mlflow.get(
                token, "/artifacts/list", run_id=run_id, path=folder
            )
        for file in listed.get("files", ()):
            fits = int(file.get("file_size", 0)) <= _NOTEBOOK_LIMIT_BYTES
            if file["path"].endswith(".ipynb") and fits:
                with self._mlflow.run_file(token, run_id, file["path"]) as answer:
                    return answer.read()
        raise NotFound("This tracked run has no copy of its notebook.")

    def read_run(self, token: str, run_id: str) -> dict[str, Any]:
        """A tracked run as MLflow describes it.

        Raises:
            NotFound: there is none that the caller may see.
        """
        with missing(_NO_RUN):
            run: dict[str, Any] = self._mlflow.get(token, "/runs/get", run_id=run_id)
        return run["run"]

    def _shown(
        self, runs: Iterable[Mapping[str, Any]], experiments: Mapping[str, str]
    ) -> tuple[contract.TrackedRun, ...]:
        shown = [(self._run(run, experiments), _entry_of(run)) for run in runs]
        found = {entry_id for _, entry_id in shown if entry_id}
        with self._parts.store.read() as connection:
            lines = read_lines(connection, LINES.where(entries.c.id.in_(found)))
        paid = {line.entry.id: line.entry for line in lines}
        return tuple(_with_cost(run, paid.get(entry or "")) for run, entry in shown)

    def _run(
        self, run: Mapping[str, Any], experiments: Mapping[str, str]
    ) -> contract.TrackedRun:
        info, tags = run["info"], pairs(run, "tags")
        id_, experiment = info["run_id"], info["experiment_id"]
        return contract.TrackedRun(
            id=id_,
            name=info.get("run_name") or id_,
            experiment_id=experiment,
            experiment=experiments.get(experiment, experiment),
            status=info["status"],
            started_at=moment(info["start_time"]),
            ended_at=moment(info["end_time"]) if info.get("end_time") else None,
            metrics=_metrics(run),
            params=pairs(run, "params"),
            notebook=tags.get(contract.TAG_NOTEBOOK),
            compute=tags.get(contract.TAG_COMPUTE),
            run=tags.get(contract.TAG_RUN),
            step=tags.get(contract.TAG_STEP),
            git_commit=tags.get(_GIT_COMMIT),
            lock=tags.get(contract.TAG_LOCK),
            has_model=bool(model_ids(run)) or _LOG_MODEL_HISTORY in tags,
            warnings=tuple(tags.get(contract.TAG_WARNINGS, "").splitlines()),
            url=f"{self._pages}/experiments/{quote(experiment)}/runs/{quote(id_)}",
        )


@contextmanager
def missing(message: str) -> Generator[None]:
    """Say of another person's thing what is said of one that does not exist.

    Raises:
        NotFound: MLflow has no such thing, or keeps it from the caller.
    """
    try:
        yield
    except (Forbidden, NotFound):
        raise NotFound(message) from None


def pairs(run: Mapping[str, Any], what: str) -> dict[str, str]:
    """The tags or params of a run, as MLflow answers it."""
    return {pair["key"]: pair["value"] for pair in run["data"].get(what, ())}


def model_ids(run: Mapping[str, Any]) -> list[str]:
    """The logged models that came out of a run, in order of their steps."""
    outputs = (run.get("outputs") or {}).get("model_outputs", ())
    ordered = sorted(outputs, key=lambda output: int(output.get("step", 0)))
    return [output["model_id"] for output in ordered]


def moment(milliseconds: str | int) -> datetime:
    """MLflow's milliseconds since 1970, which JSON may carry as text.

    A client may have logged any number: beyond the years that a `datetime` knows, the
    last of them.
    """
    return datetime.fromtimestamp(min(max(int(milliseconds) / 1000, 0), _LAST_S), UTC)


def _is_lineage(run: Mapping[str, Any]) -> bool:
    """Whether it stands for a run or a step, and has trained nothing itself."""
    return contract.TAG_LINEAGE in pairs(run, "tags")


def _entry_of(run: Mapping[str, Any]) -> str | None:
    """The ledger entry that paid for a tracked run, as it says itself."""
    return pairs(run, "tags").get(contract.TAG_ENTRY)


def _with_cost(run: contract.TrackedRun, entry: Entry | None) -> contract.TrackedRun:
    """A tracked run with what its time cost at the price of its workload."""
    if entry is None:
        return run
    lasted = milliseconds(run.started_at, run.ended_at or now())
    micros = money.cost_of(entry.price_micros, lasted)
    return run.model_copy(update={"cost": money.cost(micros, entry.currency)})


def _metrics(run: Mapping[str, Any]) -> dict[str, float]:
    """The newest value of each metric; JSON cannot say NaN or infinity."""
    values = {m["key"]: float(m["value"]) for m in run["data"].get("metrics", ())}
    return {key: value for key, value in values.items() if math.isfinite(value)}
