"""Records as a benchmark keeps them, with planted effects and no network behind."""

import hashlib

import numpy as np

from semantic_inpaint.images import save_image

SHARES = {
    "random-square": 0.25,
    "big-random-square": 0.5,
    "stripes": 0.4375,
    "left": 0.5,
    "center": 0.25,
    "random": 0.7,
}
# Of the squared error over the hole, before to after the refinement.
FACTORS = {
    "random-square": 0.8,
    "big-random-square": 0.85,
    "stripes": 0.8,
    "left": 1.2,
    "center": 0.8,
    "random": 1.0,
}
OPTIONS = {
    "refined": {"first": {"num_steps": 150}, "second": {"num_steps": 100}},
    "plain": {"first": {"num_steps": 250}, "second": None},
    "biharmonic": {"max_iterations": 100},
}
SECONDS = {"refined": 0.5, "plain": 0.6, "biharmonic": 0.02}


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def metrics(mse, share, generator):
    """Of an answer whose known pixels are exact; MAE and MSSIM move with the MSE."""
    mae = 0.7 * mse**0.5
    mssim = float(np.clip(1.0 - mse / 3000.0 + 0.01 * generator.normal(), 0.0, 1.0))

    def region(mae, mse, mssim):
        psnr = None if mse == 0 else 10 * np.log10(255**2 / mse)
        return {
            "mae": mae,
            "mse": mse,
            "rmse": mse**0.5,
            "psnr": psnr,
            "mssim": mssim,
            "l1_percent": mae / 2.55,
        }

    return {
        "hole": region(mae, mse, mssim),
        "known": region(0.0, 0.0, 1.0),
        "image": region(share * mae, share * mse, 1.0 - share * (1.0 - mssim)),
        "seam_energy": 0.01,
        "relative_seam_energy": 1.1,
        "score": 0.4,
    }


def record(method, stage, mask, number, seed, mse, generator):
    image = f"{162771 + number}.jpg"
    return {
        "schema": 1,
        "key": sha(f"{method}/{stage}/{mask}/{image}/{seed}"),
        "method": method,
        "stage": stage,
        "options": OPTIONS[method],
        "options_sha256": sha(f"{method}/{mask}"),
        "prior": {"name": "slim", "sha256": sha("slim")},
        "encoder_sha256": None,
        "mask": mask,
        "mask_id": mask,
        "known_sha256": sha(f"{mask}/{number}"),
        "hole_share": SHARES[mask],
        "image": image,
        "image_number": number,
        "images": {"name": "celeba partition 1", "sha256": sha("images")},
        "seed": seed,
        "metrics": metrics(mse, SHARES[mask], generator),
        "status": "converged",
        "verdict": "fine",
        "seconds": SECONDS[method],
        "batch_size": 16,
        "versions": {"semantic_inpaint": "1.0", "numpy": "2.0"},
        "device": "CPU:0",
        "backend": "tensorflow",
        "leak_checked": True,
    }


def planted_records(count=20, *, masks=tuple(SHARES), seeds=(0,), spread=0.05):
    """Every image has its own difficulty; each stage multiplies it by a known factor.

    The error of `refined` is `FACTORS[mask]` times that of `inpainted`, but for
    log-normal noise of deviation `spread`; with none it is exact. That of `random`,
    whose factor is 1, changes by nothing at all.
    """
    found = []
    for mask in masks:
        for number in range(count):
            difficulty = np.random.default_rng([7, number]).lognormal(6.0, 0.4)
            for seed in seeds:
                generator = np.random.default_rng([number, seed, len(mask)])
                noise = np.exp(spread * generator.normal(size=2))
                before = difficulty * SHARES[mask] * 2.0
                after = before * FACTORS[mask] * (noise[0] if mask != "random" else 1)
                errors = {
                    ("refined", "unblended"): 1.3 * before,
                    ("refined", "inpainted"): before,
                    ("refined", "refined"): after,
                    ("plain", "unblended"): 1.25 * before,
                    ("plain", "inpainted"): before * 0.98 * noise[1],
                    ("biharmonic", "completed"): 2.0 * before,
                }
                for (method, stage), mse in errors.items():
                    one = record(method, stage, mask, number, seed, mse, generator)
                    found.append(one)
    return found


def failed(one):
    """The same record, had the search come to no number."""
    regions = {
        name: dict.fromkeys(values) if isinstance(values, dict) else None
        for name, values in one["metrics"].items()
    }
    return one | {
        "metrics": regions,
        "status": "nonfinite",
        "verdict": "not a number",
    }


def planted_pictures(folder, records, *, path_of, size=64, limit=8):
    """A plain colour for each answer, of the first few images."""
    for one in records:
        if one["image_number"] >= limit:
            continue
        generator = np.random.default_rng(one["image_number"])
        ramp = np.linspace(0.2, 0.9, size)
        original = ramp[:, None, None] * generator.random(3) + 0.1 * ramp[None, :, None]
        original = np.clip(original, 0.0, 1.0)
        known = np.ones((size, size), bool)
        quarter = size // 4
        known[quarter:-quarter, quarter:-quarter] = False
        answer = np.where(known[..., None], original, 0.6 * original + 0.2)
        where = (folder, one["mask"], one["image"])
        save_image(path_of(*where, one["stage"], method=one["method"]), answer)
        save_image(path_of(*where, "original"), original)
        save_image(path_of(*where, "masked"), np.where(known[..., None], original, 1.0))
