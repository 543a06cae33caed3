"""Closed forms, brute force and planted answers for the distances of distributions."""

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist

from semantic_inpaint.metrics import vectors
from semantic_inpaint.metrics.distribution import (
    density_coverage,
    frechet_distance,
    kernel_distance,
    nearest_neighbours,
    precision_recall,
)


def normal(count, width, *, seed, mean=0.0, scale=1.0):
    return mean + scale * np.random.default_rng(seed).normal(size=(count, width))


def with_moments(mean, deviations, *, count=60, seed=0):
    """Vectors whose sample mean and (diagonal) covariance are exactly those given."""
    vectors = normal(count, len(mean), seed=seed)
    basis = np.linalg.qr(vectors - vectors.mean(axis=0))[0]
    return mean + basis * np.sqrt(count - 1) * deviations


def test_frechet_distance_of_known_diagonal_gaussians():
    a = with_moments(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 0.5]))
    b = with_moments(np.array([0.0, 2.0, 5.0]), np.array([2.0, 2.0, 3.0]), seed=1)
    # Means apart by (1, 0, 2), deviations by (1, 0, 2.5).
    expected = (1 + 4) + (1 + 6.25)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-10)


def test_frechet_distance_in_one_dimension_is_that_of_mean_and_deviation():
    a, b = normal(40, 1, seed=0), normal(50, 1, seed=1, mean=0.7, scale=3.0)
    expected = (a.mean() - b.mean()) ** 2 + (a.std(ddof=1) - b.std(ddof=1)) ** 2
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-10)


def test_frechet_distance_equals_the_formula_with_a_matrix_root():
    mixing = normal(6, 6, seed=2)
    a, b = normal(80, 6, seed=0) @ mixing, normal(70, 6, seed=1, mean=0.3)
    covariances = [np.cov(x, rowvar=False) for x in (a, b)]
    root = sqrtm(covariances[0] @ covariances[1]).real
    shift = np.square(a.mean(axis=0) - b.mean(axis=0)).sum()
    expected = shift + np.trace(covariances[0] + covariances[1] - 2 * root)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-8)
    assert frechet_distance(b, a) == pytest.approx(frechet_distance(a, b), rel=1e-10)


def test_frechet_distance_stands_fewer_vectors_than_dimensions():
    a, b = normal(5, 40, seed=0), normal(7, 40, seed=1)
    wide = np.hstack([a, np.zeros((5, 3))]), np.hstack([b, np.zeros((7, 3))])
    assert frechet_distance(*wide) == pytest.approx(frechet_distance(a, b), rel=1e-10)
    assert frechet_distance(a, a) == pytest.approx(0.0, abs=1e-10)
    # Orthogonal supports share nothing: the traces are what is left.
    apart = np.hstack([a, np.zeros_like(a)]), np.hstack([np.zeros_like(a), a])
    expected = 2 * (np.square(a.mean(axis=0)).sum() + a.var(axis=0, ddof=1).sum())
    assert frechet_distance(*apart) == pytest.approx(expected, rel=1e-10)


def discrepancy_by_loops(a, b):
    def kernel(x, y):
        return (x @ y / len(x) + 1.0) ** 3

    def within(x):
        pairs = [(i, j) for i in range(len(x)) for j in range(len(x)) if i != j]
        return np.mean([kernel(x[i], x[j]) for i, j in pairs])

    return within(a) + within(b) - 2 * np.mean([kernel(x, y) for x in a for y in b])


def test_kernel_distance_of_one_block_equals_the_double_sum():
    a, b = normal(9, 4, seed=0), normal(7, 4, seed=1, mean=0.5)
    found = kernel_distance(a, b)
    assert found.mean == pytest.approx(discrepancy_by_loops(a, b), rel=1e-12)
    # One block says nothing of its spread.
    assert np.isnan(found.standard_error)
    assert kernel_distance(b, a).mean == pytest.approx(found.mean, rel=1e-12)


def test_kernel_distance_is_unbiased_and_its_error_that_of_the_blocks():
    same = kernel_distance(
        normal(4000, 8, seed=0), normal(4000, 8, seed=1), block_size=50, num_blocks=80
    )
    assert abs(same.mean) < 4 * same.standard_error
    moved = kernel_distance(
        normal(4000, 8, seed=0),
        normal(4000, 8, seed=1, mean=0.5),
        block_size=50,
        num_blocks=80,
    )
    assert moved.mean > 20 * moved.standard_error
    # Of independent blocks the error falls with the root of their number.
    fewer = kernel_distance(
        normal(4000, 8, seed=0), normal(4000, 8, seed=1), block_size=50, num_blocks=20
    )
    assert fewer.standard_error / same.standard_error == pytest.approx(2.0, rel=0.4)


def test_kernel_distance_follows_its_seed():
    a, b = normal(40, 3, seed=0), normal(40, 3, seed=1)
    options = {"block_size": 10, "num_blocks": 5}
    assert kernel_distance(a, b, **options) == kernel_distance(a, b, **options)
    assert kernel_distance(a, b, **options) != kernel_distance(a, b, seed=1, **options)


def balls_by_loops(centres, points, neighbours):
    """Which balls (rows) hold which points (columns)."""
    radii = np.sort(cdist(centres, centres), axis=1)[:, neighbours]
    return cdist(centres, points) <= radii[:, None]


@pytest.mark.parametrize("block_entries", [1 << 22, 64])
def test_the_four_of_the_manifolds_equal_brute_force(monkeypatch, block_entries):
    monkeypatch.setattr(vectors, "BLOCK_ENTRIES", block_entries)
    real, generated = normal(30, 3, seed=0), normal(25, 3, seed=1, mean=1.5)
    of_real = balls_by_loops(real, generated, 3)
    of_generated = balls_by_loops(generated, real, 3)
    precision, recall = precision_recall(real, generated)
    assert precision == of_real.any(axis=0).mean()
    assert recall == of_generated.any(axis=0).mean()
    of_real = balls_by_loops(real, generated, 5)
    density, coverage = density_coverage(real, generated)
    assert density == pytest.approx(of_real.sum() / (5 * len(generated)), rel=1e-12)
    assert coverage == of_real.any(axis=1).mean()
    assert 0 < precision < 1
    assert 0 < recall < 1


def test_what_is_the_same_is_covered_and_what_is_far_is_not():
    real = normal(50, 4, seed=0)
    assert precision_recall(real, real) == (1.0, 1.0)
    assert density_coverage(real, real).coverage == 1.0
    assert precision_recall(real, real + 100.0) == (0.0, 0.0)
    assert density_coverage(real, real + 100.0) == (0.0, 0.0)


def test_a_collapsed_set_has_precision_without_recall():
    real = normal(60, 4, seed=0)
    collapsed = real[:1] + normal(60, 4, seed=1, scale=1e-3)
    precision, recall = precision_recall(real, collapsed)
    assert precision == 1.0
    assert recall <= 1 / 60
    assert density_coverage(real, collapsed).coverage < 0.3


@pytest.mark.parametrize("block_entries", [1 << 22, 500])
def test_a_copied_row_of_the_gallery_is_found_at_distance_zero(
    monkeypatch, block_entries
):
    monkeypatch.setattr(vectors, "BLOCK_ENTRIES", block_entries)
    rng = np.random.default_rng(0)
    gallery = rng.integers(0, 256, (40, 4, 4, 3), dtype=np.uint8)
    queries = np.concatenate([gallery[[17, 3]], 255 - gallery[:9]])
    index, distance = nearest_neighbours(queries, gallery)
    expected = cdist(
        queries.reshape(11, -1).astype(float), gallery.reshape(40, -1).astype(float)
    )
    assert index[:2].tolist() == [17, 3]
    assert distance[:2].tolist() == [0.0, 0.0]
    assert np.array_equal(index, expected.argmin(axis=1))
    np.testing.assert_allclose(distance, expected.min(axis=1), rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a: frechet_distance(a, a[:, :2]), r"one D; got \(6, 3\) and \(6, 2\)"),
        (
            lambda a: frechet_distance(a, a[:1]),
            "need 2 and 2 vectors or more; got 6 and 1",
        ),
        (lambda a: frechet_distance(a, a * np.nan), "not finite"),
        (lambda a: kernel_distance(a, a, block_size=1), "got 1 and 100"),
        (lambda a: kernel_distance(a, a, num_blocks=0), "got 1000 and 0"),
        (
            lambda a: precision_recall(a, a, neighbours=6),
            "need 7 and 7 vectors or more",
        ),
        (lambda a: density_coverage(a, a, neighbours=0), "1 or more; got 0"),
        (lambda a: nearest_neighbours(a, a[:0]), r"got \(6, 3\) and \(0, 3\)"),
    ],
)
def test_what_cannot_be_compared_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(normal(6, 3, seed=0))
