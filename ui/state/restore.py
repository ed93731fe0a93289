"""A session's state as plain data, for links, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onnxlrp.composites import Composite
from onnxlrp.errors import InputError, OnnxLrpError
from onnxlrp.preprocess import Preprocessing

from . import designs as edits
from .designs import Design
from .history import History, Snapshot
from .look import Look
from .networks import (
    Network,
    Picture,
    open_network,
    packaged_network,
    packaged_pictures,
    read_picture,
    with_labels,
    with_preprocessing,
)
from .scores import Question
from .session import Workbench
from .store import Store

MODEL = ".onnx"
PICTURE = ".picture"


def state_of(bench: Workbench) -> dict[str, Any]:
    """What a link must hold to restore the screen.

    Uploads are named by their hash: they lie in the server's store.
    """
    network, preprocessing = bench.opened, bench.model.preprocessing
    return {
        "network": {"sha": network.sha256, "name": network.name, "packaged": network.packaged},
        "preprocessing": None if preprocessing is None else preprocessing.to_dict(),
        "labels": [] if network.packaged else list(bench.model.labels),
        "pictures": [[p.name, p.sha256] for p in bench.pictures],
        "picture": bench.picture,
        "target": bench.question.target,
        "kind": bench.question.kind,
        "designs": [_design_data(d) for d in bench.designs],
        "current": bench.current,
        "selection": sorted(bench.selection),
        "look": bench.look.to_dict(),
        "place": bench.place,
    }


@dataclass(frozen=True, slots=True)
class Restored:
    """A state that was read, ready to be shown.

    Attributes
    ----------
    notes : tuple of str
        What could not be found again.
    """

    network: Network
    pictures: tuple[Picture, ...]
    values: Mapping[str, Any]
    notes: tuple[str, ...] = ()


def read_state(state: Mapping[str, Any], store: Store, folder: Path | None = None) -> Restored:
    """Find the network and the pictures of a state again and check its values; for any thread.

    Parameters
    ----------
    state : mapping
        From :func:`state_of`.
    store : Store
    folder : Path, optional
        Networks that the server offers.

    Raises
    ------
    InputError
        The network is not on this server, or the state makes no sense.
    """
    try:
        return _read(state, store, folder)
    except OnnxLrpError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, StopIteration) as error:
        raise InputError(f"the link's state makes no sense ({type(error).__name__}).") from error


def _read(state: Mapping[str, Any], store: Store, folder: Path | None) -> Restored:
    network = _network(state, store, folder)
    pictures, notes = _pictures(state["pictures"], network, store)
    made = tuple(
        Design(Composite.from_dict(d["composite"]), tuple(map(int, d["cuts"])), str(d["id"]))
        for d in state["designs"]
    )
    for design in made:
        edits.segments(design, network.model)
    snapshot = Snapshot(made, str(state["current"]), "Start")
    layers = range(len(network.model.layers))
    values = {
        "picture": min(max(int(state["picture"]), 0), len(pictures) - 1),
        "question": Question(str(state["target"]), state["kind"]),
        "history": History.of(snapshot),
        "designs": made,
        "current": snapshot.design.id,
        "selection": frozenset(i for i in state["selection"] if i in layers),
        "look": Look(**state["look"]),
        "place": str(state["place"]),
    }
    return Restored(network, pictures, values, notes)


def show(bench: Workbench, restored: Restored) -> None:
    """Put a state on the screen."""
    bench.param.update(
        network=restored.network, pictures=restored.pictures, **dict(restored.values)
    )
    for note in restored.notes:
        bench.tell(note, "warning")


def _design_data(design: Design) -> dict[str, Any]:
    return {
        "id": design.id,
        "composite": design.composite.to_dict(),
        "cuts": list(design.cuts),
    }


def _network(state: Mapping[str, Any], store: Store, folder: Path | None) -> Network:
    """The network of a state, seen as it was."""
    wanted = state["network"]
    network = _found(wanted, store, folder)
    preprocessing = state["preprocessing"]
    if preprocessing is not None:
        given = Preprocessing.from_dict(preprocessing)
        if given != network.model.preprocessing:
            network = with_preprocessing(network, given)
    return with_labels(network, state["labels"]) if state["labels"] else network


def _found(wanted: Mapping[str, Any], store: Store, folder: Path | None) -> Network:
    if wanted["packaged"]:
        network = packaged_network()
        if network.sha256 == wanted["sha"]:
            return network
    path = store.find(wanted["sha"], MODEL)
    name = str(wanted["name"])
    if path is not None:
        return open_network(path, name)
    beside = None if folder is None else folder / Path(name).name
    if beside is not None and beside.is_file():
        network = open_network(beside, name)
        if network.sha256 == wanted["sha"]:
            return network
    raise InputError(
        f"the link speaks of the network {name!r} (SHA-256 {wanted['sha'][:12]}…), which is not "
        "on this server: open it there first."
    )


def _pictures(
    wanted: list[tuple[str, str]], network: Network, store: Store
) -> tuple[tuple[Picture, ...], tuple[str, ...]]:
    """The pictures that are still there, and a line on each that is not."""
    packaged = [
        read_picture(network.model, data, name, packaged=True)
        for name, data in packaged_pictures().items()
    ]
    own = {p.sha256: p for p in packaged}
    found, notes = [], []
    for name, sha in wanted:
        path = None if sha in own else store.find(sha, PICTURE)
        if sha in own:
            found.append(own[sha])
        elif path is not None:
            found.append(read_picture(network.model, path.read_bytes(), str(name)))
        else:
            notes.append(f"The picture {name!r} is not on this server any more.")
    return tuple(found or packaged), tuple(notes)
