"""The loop of a search, compiled once, over a fixed number of slots."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from semantic_inpaint import backend
from semantic_inpaint.backend import Tensor
from semantic_inpaint.latent import draws
from semantic_inpaint.latent.objective import Objective
from semantic_inpaint.latent.options import SearchOptions
from semantic_inpaint.latent.solvers import Solver, make_solver
from semantic_inpaint.latent.solvers.record import Record, Rows, seen

EMPTY = -1

# Called with the numbers of images, int `[n]`, the steps done of each, int `[n]`, and
# the codes that its next step begins at, float32 `[n, latent_dim]`.
Watch = Callable[[np.ndarray, np.ndarray, np.ndarray], None]


@dataclasses.dataclass(frozen=True)
class Engine:
    """The compiled parts of one kind of search.

    Attributes:
        solver: Of the objective and options.
        run: `(state, rows, num_steps) -> state`: up to so many steps of the rows whose
            search has not ended; ends sooner when all have.
        ended: `(state) -> bool [B]`.
        codes: `(state) -> float32 [B, latent_dim]`.
        finish: `(state, rows) -> Record`, with the loss of the last codes, which no
            step has seen.
        refill: `(state, z, replaced) -> state`: begin anew at `z` where `replaced`.
    """

    solver: Solver
    run: Callable
    ended: Callable
    codes: Callable
    finish: Callable
    refill: Callable


@functools.lru_cache(maxsize=16)
def make_engine(objective: Objective, options: SearchOptions) -> Engine:
    """Compile a search; the objective and options are constants of it.

    Raises:
        ValueError: The method cannot minimise this objective.
    """
    solver = make_solver(objective, options)

    def run(state: tuple, rows: Rows, num_steps: Tensor) -> tuple:
        def going(step: Tensor, state: tuple) -> Tensor:
            unfinished = ops.logical_not(ops.all(solver.terminate(state)))
            return ops.logical_and(step < num_steps, unfinished)

        def body(step: Tensor, state: tuple) -> tuple:
            # Whose search has ended stays as it is, whatever the others still do.
            active = ops.logical_not(solver.terminate(state))
            return step + 1, _chosen(active, solver.step(state, rows, active), state)

        start = ops.zeros_like(num_steps)
        _, state = ops.while_loop(going, body, (start, state))
        return state

    def finish(state: tuple, rows: Rows) -> Record:
        codes = solver.codes(state)
        return seen(state.record, codes, objective(codes, rows.target))

    def refill(state: tuple, z: Tensor, replaced: Tensor) -> tuple:
        return _chosen(replaced, solver.init(z), state)

    return Engine(
        solver=solver,
        run=backend.compile_function(run),
        ended=backend.compile_function(solver.terminate),
        codes=backend.compile_function(solver.codes),
        finish=backend.compile_function(finish),
        refill=backend.compile_function(refill),
    )


class Searches:
    """The images of one call, and those of them that are in the slots.

    Attributes:
        best_z: float32 `[N, latent_dim]`, of the images that have left.
        best_loss: float32 `[N]`.
        trace: float32 `[N, num_steps + 1]`; after an image's last step its last loss.
        count: int32 `[N]`, steps done.
    """

    def __init__(
        self,
        engine: Engine,
        z: np.ndarray,
        rows: Rows,
        slots: int,
        num_steps: int,
        watch: Watch | None = None,
    ) -> None:
        """Put the first images into the slots, at most as many as there are images."""
        self.best_z = z.copy()
        self.best_loss = np.empty(len(z), np.float32)
        self.trace = np.empty((len(z), num_steps + 1), np.float32)
        self.count = np.zeros(len(z), np.int32)
        self._left = np.zeros(len(z), bool)
        self._engine, self._z, self._all_rows = engine, z, rows
        self._watch = watch
        # Of the slots: the image in each, EMPTY once there is no more for it, and the
        # image whose rows it holds, which an empty slot goes on repeating.
        self._repeated = backend.enough_rows(np.arange(slots))
        self._image = np.full(len(self._repeated), EMPTY)
        self._image[:slots] = np.arange(slots)
        self._next = slots
        self._state = engine.solver.init(ops.convert_to_tensor(z[self._repeated]))
        self._rows = _taken(rows, self._repeated)
        self._show(self._image != EMPTY)

    @property
    def running(self) -> bool:
        """Whether any image is still in a slot."""
        return bool((self._image != EMPTY).any())

    @property
    def share_done(self) -> float:
        """Share of all steps done; who has left has done all of its own."""
        num_steps = self.trace.shape[1] - 1
        return float(np.where(self._left, num_steps, self.count).mean() / num_steps)

    def advance(self, num_steps: int) -> None:
        """Take up to `num_steps` steps; who has ended leaves, who waits takes over."""
        engine = self._engine
        self._state = engine.run(self._state, self._rows, np.int32(num_steps))
        count = ops.convert_to_numpy(self._state.record.count)
        inside = self._image != EMPTY
        self.count[self._image[inside]] = count[inside]
        self._show(inside)
        leaving = inside & ops.convert_to_numpy(engine.ended(self._state))
        if leaving.any():
            self._take_out(leaving)
            self._put_in(leaving)

    def _take_out(self, leaving: np.ndarray) -> None:
        record = self._engine.finish(self._state, self._rows)
        best_z, best_loss, trace = (
            ops.convert_to_numpy(x)[leaving]
            for x in (record.best_z, record.best_loss, record.trace)
        )
        images = self._image[leaving]
        self._left[images] = True
        last = self.count[images]
        # So that traces of unequal length make one array.
        beyond = np.arange(trace.shape[1]) > last[:, None]
        final = trace[np.arange(len(last)), last]
        self.best_z[images], self.best_loss[images] = best_z, best_loss
        self.trace[images] = np.where(beyond, final[:, None], trace)

    def _put_in(self, leaving: np.ndarray) -> None:
        vacant = np.flatnonzero(leaving)
        entering = np.arange(self._next, min(self._next + len(vacant), len(self._z)))
        self._next += len(entering)
        self._image[vacant] = EMPTY
        self._image[vacant[: len(entering)]] = entering
        if len(entering) == 0:
            return
        # Once nobody waits, an empty slot keeps its ended search, which stands still.
        replaced = np.zeros(len(leaving), bool)
        replaced[vacant[: len(entering)]] = True
        self._repeated = np.where(replaced, self._image, self._repeated)
        self._state = self._engine.refill(
            self._state, self._z[self._repeated], replaced
        )
        self._rows = _taken(self._all_rows, self._repeated)
        self._show(replaced)

    def _show(self, slots: np.ndarray) -> None:
        """Tell who watches what is in some slots, bool `[slots]`."""
        if self._watch is None:
            return
        images = self._image[slots]
        codes = ops.convert_to_numpy(self._engine.codes(self._state))
        self._watch(images, self.count[images], codes[slots])


def start_searches(
    objective: Objective,
    z: np.ndarray,
    target: Any,  # noqa: ANN401 - a nest of arrays, a row for each image
    options: SearchOptions,
    watch: Watch | None = None,
    *,
    slots: int,
    indices: np.ndarray,
    seed: int,
) -> Searches:
    """Begin the searches of many images; see `search.search_latent`."""
    rows = Rows(target, draws.keys_for(indices, seed=seed))
    engine = make_engine(objective, options)
    return Searches(engine, z, rows, slots, options.num_steps, watch)


def _taken(rows: Rows, images: np.ndarray) -> Rows:
    """Take the rows of some images onto the device."""
    return keras.tree.map_structure(
        lambda x: None if x is None else ops.convert_to_tensor(np.asarray(x)[images]),
        rows,
    )


def _chosen(condition: Tensor, new: tuple, old: tuple) -> tuple:
    """Choose each row of every array from `new` where `condition` holds."""

    def choose(new: Tensor, old: Tensor) -> Tensor:
        ones = (1,) * (len(new.shape) - 1)
        return ops.where(ops.reshape(condition, (-1, *ones)), new, old)

    return keras.tree.map_structure(choose, new, old)
