"""What the training of an inpainter begins with: nothing, a run, or a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from semantic_inpaint.models.inpainting_files import (
    NETWORK_CARD,
    load_network,
    network_names,
)
from semantic_inpaint.training.descent import State, copies
from semantic_inpaint.training.inpainting_recipes import InpaintingRecipe
from semantic_inpaint.training.state import STATE_FILE, SavedRun, has_state
from semantic_inpaint.training.steps import begin_run


def begin_inpainting(
    recipe: InpaintingRecipe, fresh: State, go_on_from: Path | None
) -> SavedRun:
    """Return what a new run begins with.

    Args:
        recipe: What it is trained with.
        fresh: The state before the first step.
        go_on_from: Folder of a run with another recipe (see `adopt_state`) or of a
            network, or the name of a network that ships; None: nothing.

    Returns:
        The state, and the steps and legs that led to it.

    Raises:
        ValueError: There is no such run or network, it is damaged, or its networks are
            others.
    """
    if go_on_from is None or has_state(go_on_from):
        return begin_run(fresh, go_on_from)
    shipped = network_names()
    if str(go_on_from) not in shipped and not (go_on_from / NETWORK_CARD).is_file():
        raise ValueError(
            f"{go_on_from} holds neither a training run ({STATE_FILE}) nor a network "
            f"({NETWORK_CARD}), nor is it the name of one that ships "
            f"({', '.join(shipped)}). Name one of these, or leave it out to begin anew."
        )
    return adopt_network(go_on_from, recipe, fresh)


def adopt_network(source: Path, recipe: InpaintingRecipe, fresh: State) -> SavedRun:
    """Take over the weights of a network, as generator and as its moving average.

    What no network file has begins afresh: optimisers and a critic. The steps go on
    from those of its card, so that a falling rate and the order of the images do too.

    Args:
        source: A folder with card and weights, or the name of a network that ships.
        recipe: Of the new run.
        fresh: The state before its first step.

    Returns:
        The run so far, with what its card says of the training in its history.

    Raises:
        ValueError: There is no such network, it is damaged, of another kind or
            architecture than the recipe's, or its card does not say how it was trained.
    """
    network = load_network(source)
    card = network.card
    _check_architecture(source, card, recipe)
    try:
        leg = {"recipe": card["recipe"], "steps": int(card["steps"])}
        seconds = float(card["training_seconds"] or 0.0)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"the card of {source} does not say how it was trained ({error!r}); use a "
            "network that train_inpainter.py made."
        ) from error
    taken = _state_of(network.model)
    state = {group: taken.get(group, values) for group, values in fresh.items()}
    return SavedRun(state, leg["steps"], seconds, (*card.get("history", ()), leg))


def _state_of(model: keras.Model) -> State:
    groups = {"": model.trainable_variables, "_stats": model.non_trainable_variables}
    return {
        f"{name}{suffix}": copies(variables)
        for name in ("generator", "average")
        for suffix, variables in groups.items()
    }


def _check_architecture(
    source: Path, card: dict[str, Any], recipe: InpaintingRecipe
) -> None:
    kind, architecture = recipe.network()
    if card["network"] != kind:
        raise ValueError(
            f"{source} is a network {card['network']!r}, the recipe trains {kind!r}; "
            "go on from one of the same kind."
        )
    changed = [
        f"{name} {card['architecture'].get(name)!r} -> {value!r}"
        for name, value in architecture.items()
        if card["architecture"].get(name) != value
    ]
    if changed:
        raise ValueError(
            f"{source} is built otherwise than the recipe's network "
            f"({', '.join(changed)}); use the same words, or begin anew."
        )
