"""Opening networks and pictures: read, looked at, corrected, and only then put on the screen."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import param

from onnxlrp.errors import InputError, OnnxLrpError, UnsupportedOperationError
from onnxlrp.preprocess import Preprocessing

from .jobs import Progress
from .networks import (
    Network,
    Picture,
    open_network,
    packaged_network,
    packaged_pictures,
    read_labels,
    read_picture,
    with_labels,
    with_preprocessing,
)
from .restore import MODEL, PICTURE, Restored, read_state, show, state_of
from .session import Workbench
from .share import from_link, to_link


class Opening(param.Parameterized):
    """What a session opens; a network is a *candidate* until :meth:`accept`.

    Parameters
    ----------
    bench : Workbench
    """

    candidate = param.ClassSelector(class_=Network, doc="Read, but not on the screen yet.")
    problem = param.String("", doc="What is wrong with what was given last.")

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self.bench = bench
        self.folder = bench.folder

    @property
    def offered(self) -> tuple[str, ...]:
        """Names of the networks in the server's folder."""
        if self.folder is None:
            return ()
        return tuple(sorted(p.name for p in self.folder.glob("*.onnx") if p.is_file()))

    @property
    def network(self) -> Network:
        """The candidate, or else what is on the screen."""
        return self.candidate or self.bench.opened

    # ------------------------------------------------------------------------------- the network
    def read_upload(self, content: bytes, name: str) -> None:
        """Read a network that was uploaded; it is kept for links."""

        def work(progress: Progress) -> Network:
            progress(0, 0, "reading")
            path = self.bench.store.put(content, MODEL)
            try:
                return open_network(path, name)
            except OnnxLrpError as error:
                path.unlink(missing_ok=True)
                raise type(error)(str(error).replace(str(path), name)) from error

        self._read(work, f"Reading {name}")

    def read_offered(self, name: str) -> None:
        """Read a network of the server's folder."""
        if name not in self.offered or self.folder is None:
            self._fail(InputError(f"{name!r} is not in the server's folder."))
            return
        path = self.folder / name
        self._read(lambda progress: open_network(path, name), f"Reading {name}")

    def read_packaged(self) -> None:
        """Go back to the network that comes along."""
        self._read(lambda progress: packaged_network(), "Reading the packaged network")

    def see_as(self, **fields: Any) -> bool:
        """Correct how pictures become the input: ``see_as(channels="BGR", scale=1)``."""

        def change() -> Network:
            known = self.network.model.preprocessing
            before = {} if known is None else known.to_dict()
            return with_preprocessing(self.network, Preprocessing.from_dict({**before, **fields}))

        return self._change(change)

    def name_classes(self, content: bytes, name: str) -> bool:
        """Give the classes names from a text file, one a line."""
        return self._change(lambda: with_labels(self.network, read_labels(content, name)))

    def accept(self) -> None:
        """Put the candidate on the screen, and the open pictures as it sees them."""
        network, bench = self.candidate, self.bench
        if network is None:
            return
        if not network.explainable:
            reasons = "; ".join(report.problem for report in network.inspection.problems)
            self._fail(UnsupportedOperationError(f"{network.name} cannot be explained: {reasons}"))
            return
        files = {p.name: p.content for p in bench.pictures} or packaged_pictures()
        packaged = {p.name for p in bench.pictures if p.packaged} or set(packaged_pictures())

        def work(progress: Progress) -> list[Picture]:
            read = []
            for i, (name, content) in enumerate(files.items()):
                progress(i, len(files), "pictures")
                read.append(read_picture(network.model, content, name, name in packaged))
            return read

        def done(pictures: list[Picture]) -> None:
            bench.adopt(network, pictures)
            self.param.update(candidate=None, problem="")
            bench.place = "design"

        bench.jobs.run("open", work, done, title="Opening", failed=self._fail)

    def dismiss(self) -> None:
        """Forget the candidate."""
        self.bench.jobs.cancel("open")
        self.param.update(candidate=None, problem="")

    def _read(self, work: Callable[[Progress], Network], title: str) -> None:
        self.problem = ""
        self.bench.jobs.run(
            "open",
            work,
            lambda network: setattr(self, "candidate", network),
            title=title,
            failed=self._fail,
        )

    def _change(self, change: Callable[[], Network]) -> bool:
        try:
            self.param.update(candidate=change(), problem="")
        except OnnxLrpError as error:
            self._fail(error)
            return False
        return True

    def _fail(self, error: Exception) -> None:
        """Say it at the field and as a toast."""
        self.bench.tell_error(error)
        self.problem = self.bench.notice.text if self.bench.notice is not None else ""

    # ------------------------------------------------------------------------------ the pictures
    def add_pictures(self, files: Sequence[tuple[str, bytes]]) -> None:
        """Read pictures that were uploaded, and show the first; what is none is told by name."""
        bench, model = self.bench, self.bench.model

        def work(progress: Progress) -> tuple[list[Picture], list[OnnxLrpError]]:
            read: list[Picture] = []
            wrong: list[OnnxLrpError] = []
            for i, (name, content) in enumerate(files):
                progress(i, len(files), "pictures")
                try:
                    read.append(read_picture(model, content, name))
                except OnnxLrpError as error:
                    wrong.append(error)
                else:
                    bench.store.put(content, PICTURE)
            return read, wrong

        def done(found: tuple[list[Picture], list[OnnxLrpError]]) -> None:
            read, wrong = found
            if read:
                bench.add_pictures([_named_apart(p, bench.pictures) for p in read])
            for error in wrong:
                self._fail(error)

        bench.jobs.run("pictures", work, done, title="Reading pictures", failed=self._fail)

    # --------------------------------------------------------------------------------- the links
    def link(self) -> str:
        """The text of a link that restores the screen.

        Raises
        ------
        OutputError
            It is long, and the server's store cannot be written.
        """
        return to_link(state_of(self.bench), self.bench.store)

    def restore(self, text: str) -> None:
        """Put on the screen what a link holds."""
        store, folder = self.bench.store, self.folder

        def work(progress: Progress) -> Restored:
            progress(0, 0, "restoring")
            return read_state(from_link(text, store), store, folder)

        self.bench.jobs.run(
            "open", work, lambda found: show(self.bench, found), title="Restoring from the link"
        )


def _named_apart(picture: Picture, others: Sequence[Picture]) -> Picture:
    """The picture, under a name that no other picture of another content has."""
    taken = {p.name for p in others if p.sha256 != picture.sha256}
    if picture.name not in taken:
        return picture
    return replace(
        picture, name=f"{picture.name} ({hashlib.sha256(picture.content).hexdigest()[:4]})"
    )
