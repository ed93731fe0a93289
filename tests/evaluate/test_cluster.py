"""Judging on a Dask cluster: the same results, also when workers are killed."""

from __future__ import annotations

import gc
import os
import signal

import numpy as np
import pytest

from onnxlrp.errors import InputError, RuntimeSetupError, TargetError
from onnxlrp.evaluate import Flipping, evaluate
from onnxlrp.evaluate.cluster import open_with_one_thread
from onnxlrp.evaluate.items import Item
from onnxlrp.evaluate.judge import Judge, Settings
from onnxlrp.graph.load import load
from tests.cli.conftest import small_network

distributed = pytest.importorskip("distributed")

# The cluster's own clean-up, not what is tested here.
pytestmark = pytest.mark.filterwarnings("ignore:::(distributed|tornado|asyncio)")

OPTIONS = {
    "composites": ["epsilon", "gamma"],
    "metrics": ("aopc", "abpc", "gini", "auc_random"),
    "flipping": Flipping(unit=2, steps=8, repeats=2),
}
TABLES = ("scores.csv", "curves.csv", "failures.csv", "progress.csv")


@pytest.fixture(scope="module")
def model():
    return load(small_network(), labels=["cat", "dog", "eel"])


@pytest.fixture(scope="module")
def client():
    with (
        distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def pictures(count):
    random = np.random.default_rng(0)
    return [(f"{i}", random.integers(0, 256, (12, 12, 3), np.uint8)) for i in range(count)]


def tables(out):
    return {name: (out / name).read_bytes() for name in TABLES}


def test_a_killed_worker_costs_no_picture(model, client, tmp_path):
    data = pictures(64)
    evaluate(model, data, **OPTIONS, out=tmp_path / "here")
    workers = client.run(os.getpid)
    assert len(workers) == 2

    def kill_one(done, total, name):
        if done == len(data) // 2:
            os.kill(next(iter(workers.values())), signal.SIGKILL)

    found = evaluate(
        model, data, **OPTIONS, out=tmp_path / "there", client=client, progress=kill_one
    )
    assert found.images == len(data)
    assert not list(found.failures())
    assert tables(tmp_path / "there") == tables(tmp_path / "here")
    client.wait_for_workers(2, timeout=60)
    assert set(client.run(os.getpid).values()) != set(workers.values())


def test_a_picture_that_fails_on_a_worker_is_named(model, client, tmp_path):
    (tmp_path / "torn.png").write_bytes(b"no picture")
    data = [*pictures(2), ("torn", tmp_path / "torn.png")]
    found = evaluate(model, data, **OPTIONS, client=client)
    (failure,) = found.failures()
    assert failure.image == "torn" and "no image format" in failure.reason
    assert len(list(found.scores())) == 2 * 2 * 4


def test_a_mistake_comes_back_from_the_worker_as_what_it_is(model, client):
    with pytest.raises(TargetError, match="cow"):
        evaluate(model, pictures(3), **OPTIONS, target="cow", client=client)


def test_nothing_is_left_on_the_workers(model, client):
    evaluate(model, pictures(3), **OPTIONS, client=client)
    carried = client.run(lambda dask_worker: list(dask_worker.plugins)).values()
    assert not [name for names in carried for name in names if name.startswith("onnxlrp")]


def test_workers_run_onnxruntime_on_one_thread(model):
    settings = Settings(("aopc_morf",), "top1", Flipping(unit=4, steps=2), 0, "cpu")
    judge = Judge(load(small_network()), {}, settings).portable()
    open_with_one_thread(judge.model, "cpu")
    workspace = judge.model.derived["workspace"]
    from onnxlrp import Composite

    judge = Judge(judge.model, {"epsilon": Composite.preset("epsilon")}, settings)
    assert not judge.judge(Item(*pictures(1)[0])).failure
    sessions = [
        *workspace.forwards.values(),
        *(v for k, v in judge.model.derived.items() if k.startswith("plain sessions")),
    ]
    assert [each.threads for each in sessions] == [1, 1]


def test_a_client_must_be_one(model):
    with pytest.raises(InputError, match="a int is none"):
        evaluate(model, pictures(1), **OPTIONS, client=3)
    with pytest.raises(RuntimeSetupError, match="no Dask scheduler answers"):
        evaluate(model, pictures(1), **OPTIONS, client="nonsense://host")


def test_a_cluster_that_loses_all_its_workers_is_no_endless_wait(
    model, tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr("onnxlrp.evaluate.cluster._PATIENCE", 2)
    out = tmp_path / "out"
    with (
        distributed.LocalCluster(1, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        client.wait_for_workers(1)

        def leave(done, total, name):
            if done == 2:
                cluster.scale(0)

        with pytest.raises(RuntimeSetupError, match="no worker left"):
            evaluate(model, pictures(24), **OPTIONS, out=out, client=client, progress=leave)
    gc.collect()
    assert "never retrieved" not in caplog.text
    finished = (out / "progress.csv").read_text().count("\n") - 1
    assert 2 <= finished < 24
    evaluate(model, pictures(24), **OPTIONS, out=out, existing="resume")
    evaluate(model, pictures(24), **OPTIONS, out=tmp_path / "here")
    assert tables(out) == tables(tmp_path / "here")
