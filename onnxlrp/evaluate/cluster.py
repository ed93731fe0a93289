"""Judging pictures on a Dask cluster: the model travels once to each worker, pictures one by one.

A picture whose worker is killed is judged again elsewhere. Judgements come back in the order of the
pictures, so a run writes the same files with a cluster as without.
"""

from __future__ import annotations

import asyncio
import pickle
import uuid
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from distributed import Client, LocalCluster, WorkerPlugin, get_worker
from distributed.scheduler import KilledWorker

from onnxlrp.errors import InputError, RuntimeSetupError
from onnxlrp.evaluate.items import Item
from onnxlrp.evaluate.judge import Judge
from onnxlrp.evaluate.judgement import Judgement
from onnxlrp.evaluate.predictor import plain_sessions
from onnxlrp.explainer import Workspace
from onnxlrp.graph.model import Model
from onnxlrp.kernels import ensure_compiled
from onnxlrp.kernels.threads import set_num_threads
from onnxlrp.reads import fusable_tensors, readable_tensors
from onnxlrp.runtime.device import Device
from onnxlrp.runtime.session import Sessions

LOCAL: Final = "local"
"""Stands for a cluster on this machine: one process a core."""

_AHEAD: Final = 4  # pictures under way for each thread: enough that no worker waits
_PATIENCE: Final = 30  # seconds until a scheduler, and one worker, must have answered


class JudgePlugin(WorkerPlugin):
    """Carries a judge to every worker, also to those that join later or are started again.

    Parameters
    ----------
    judge : Judge
        Pickled at once: sessions stay behind, and are opened on the worker.
    """

    def __init__(self, judge: Judge) -> None:
        self.name = f"onnxlrp-{uuid.uuid4().hex}"
        self.judge: Judge | None = None
        self._content = pickle.dumps(judge.portable())

    def setup(self, worker: Any) -> None:
        """Unpack the judge. Each of the worker's threads judges a picture of its own, alone."""
        set_num_threads(1)
        ensure_compiled(lambda line: None)
        self.judge = pickle.loads(self._content)
        open_with_one_thread(self.judge.model, self.judge.settings.device)

    def teardown(self, worker: Any) -> None:
        """Let go of the model."""
        self.judge = None


def open_with_one_thread(model: Model, device: Device) -> None:
    """Give a model sessions that run on one thread, before it opens others."""
    workspace = Workspace.of(model)
    readable = readable_tensors(model, workspace.operations)
    fusable = fusable_tensors(model)
    workspace.forwards[device, "single"] = Sessions(model, device, 1, readable, fusable)
    plain_sessions(model, device, threads=1)


def judgements_on(client: Client, judge: Judge, items: Iterator[Item]) -> Iterator[Judgement]:
    """Judge pictures on a cluster; only as many as keep it busy are under way at a time.

    Raises
    ------
    RuntimeSetupError
        The cluster has no worker, or none any more.
    OnnxLrpError
        What would be wrong with every picture.
    """
    ahead = _AHEAD * _threads(client)
    plugin = JudgePlugin(judge)
    client.register_plugin(plugin)
    waiting: deque[tuple[str, Any]] = deque()
    try:
        for item in items:
            future = client.submit(_judged, plugin.name, item, pure=False)
            waiting.append((item.name, future))
            if len(waiting) >= ahead:
                yield _result(client, *waiting.popleft())
        while waiting:
            yield _result(client, *waiting.popleft())
    finally:
        client.cancel([future for _, future in waiting])
        client.unregister_worker_plugin(plugin.name)


@contextmanager
def connected(client: Client | str) -> Iterator[Client]:
    """Give a client: the one passed in, of the scheduler at an address, or of one made for this.

    Parameters
    ----------
    client : Client or str
        "local" starts one process a core, and ends them afterwards.

    Raises
    ------
    RuntimeSetupError
        Nobody answers at that address.
    """
    if isinstance(client, Client):
        yield client
    elif client == LOCAL:
        with (
            LocalCluster(threads_per_worker=1, dashboard_address=None) as cluster,
            Client(cluster) as made,
        ):
            yield made
    elif isinstance(client, str):
        try:
            made = Client(client, timeout=_PATIENCE)
        except (OSError, ValueError) as error:
            raise RuntimeSetupError(
                f"client {client!r}: no Dask scheduler answers there ({error}); check the address, "
                f"tcp://host:8786, or use {LOCAL!r}."
            ) from error
        with made:
            yield made
    else:
        raise InputError(
            f"client: a {type(client).__name__} is none; pass a dask.distributed.Client, a "
            f"scheduler's address, or {LOCAL!r}."
        )


def _threads(client: Client) -> int:
    """How many pictures the workers judge at a time, once there is a worker."""
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except OSError as error:
        raise RuntimeSetupError(
            f"client {client.scheduler_info().get('address', '')}: no worker has joined the "
            "cluster; start one with 'dask worker'."
        ) from error
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    return max(1, sum(int(worker["nthreads"]) for worker in workers))


def _judged(plugin: str, item: Item) -> Judgement:
    """Judge a picture on the worker that this runs on."""
    carrier = get_worker().plugins[plugin]
    assert isinstance(carrier, JudgePlugin) and carrier.judge is not None
    return carrier.judge.judge(item)


def _result(client: Client, name: str, future: Any) -> Judgement:
    """Wait for a picture's judgement; one that has cost several workers their lives fails.

    Raises
    ------
    RuntimeSetupError
        There is nobody left to wait for.
    """
    # Fetched on the client's own loop: a wait that is given up there would be called an error.
    loop: Any = client.loop
    fetched = client.gather(future, asynchronous=True)
    pending = asyncio.run_coroutine_threadsafe(fetched, loop.asyncio_loop)
    while True:
        try:
            found = pending.result(timeout=_PATIENCE)
        except KilledWorker as error:
            return Judgement(name, failure=f"its workers died one after the other: {error}")
        except TimeoutError as error:
            if not client.scheduler_info(n_workers=-1)["workers"]:
                raise RuntimeSetupError(
                    "client: the cluster has no worker left. What is finished is kept: start "
                    "workers, and resume."
                ) from error
        else:
            assert isinstance(found, Judgement)
            return found
