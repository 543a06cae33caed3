"""The rules of the house, read off the source with `ast`: nothing here loads Keras."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:  # pytest itself brings the same module to Python 3.10.
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "semantic_inpaint"

# From the bottom to the top: a part imports only from lines above its own.
LAYERS = (
    {"metrics", "masks"},
    {"images", "problem", "datasets", "backend"},
    {"adam"},
    {"losses", "models", "blending"},
    {"latent", "training"},
    {"inpainters"},
    {"benchmark", "report"},
    {"app"},
    {"cli"},
    {"__main__"},
)
# Neighbours on one line that may still see each other: (who imports, what).
SIDEWAYS = {("datasets", "images"), ("adam", "backend"), ("report", "benchmark")}

NUMERIC, KERAS = {"numpy", "scipy"}, {"numpy", "keras"}
# What each part may import from outside, beside the standard library.
OUTSIDE = {
    "metrics": NUMERIC | {"skimage"},
    "masks": {"numpy", "PIL"},
    "images": {"numpy", "PIL"},
    "problem": {"numpy"},
    "datasets": {"numpy", "PIL", "skimage"},
    "backend": KERAS | {"tensorflow", "jax"},
    "adam": KERAS,
    "losses": KERAS,
    "models": KERAS | {"safetensors"},
    "blending": NUMERIC | {"cvxpy"},
    "latent": KERAS | {"scipy"},
    "training": KERAS,
    "inpainters": KERAS | {"skimage", "cv2", "patchmatch"},
    "benchmark": NUMERIC | {"pandas", "lpips", "torch", "torchvision"},
    "report": NUMERIC | {"pandas", "matplotlib", "PIL"},
    "app": KERAS
    | {"tyro", "rich", "matplotlib", "PIL", "tensorboard", "torch_fidelity"}
    | {"onnxruntime"},
    "cli": set(),
    "__main__": set(),
}
FRAMEWORKS = {"keras", "tensorflow", "jax", "torch"}
ABOVE_THE_LIBRARY = {"benchmark", "report", "app", "cli", "__main__"}
FORBIDDEN_FILES = {"utils.py", "common.py", "helpers.py", "util.py", "misc.py"}
SEEDED = {"default_rng", "Generator", "SeedSequence", "PCG64", "BitGenerator"}
CLOCKS = {"time", "datetime", "random"}
IMPORT_NAMES = {
    "opencv-python-headless": "cv2",
    "pypatchmatch": "patchmatch",
    "scikit-image": "skimage",
    "pillow": "PIL",
    "torch-fidelity": "torch_fidelity",
}


def sources(*folders):
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def part_of(path):
    """Name the folder or top module of the package that a file belongs to."""
    return path.relative_to(ROOT / PACKAGE).parts[0].removesuffix(".py")


def layer_of(part):
    return next((i for i, names in enumerate(LAYERS) if part in names), None)


def imported_names(tree):
    """Every module named by an import, `from a import b` as both `a` and `a.b`."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            names |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    return names


def import_violations(part, tree):
    """Say where one module of `part` reaches up, aside, or outside its list."""
    if layer_of(part) is None:
        return [f"{part} stands on no line of LAYERS"]
    found = []
    for name in sorted(imported_names(tree)):
        top, _, rest = name.partition(".")
        if name.startswith("."):
            found.append(f"relative import {name}")
        elif top == PACKAGE:
            # A name that the package itself offers lazily belongs to no line either:
            # inside the library it is imported from its own module.
            other = rest.split(".")[0]
            below = layer_of(other) is not None and layer_of(other) < layer_of(part)
            free = other in ("", "__version__", part) or (part, other) in SIDEWAYS
            if not (below or free):
                found.append(f"{part} imports {other}")
        elif top not in sys.stdlib_module_names and top not in OUTSIDE[part]:
            found.append(f"{part} imports {top}")
    return found


def conduct_violations(tree):
    """Find print, assert, clocks and global random state in a library module."""
    found = [f"imports {name}" for name in imported_names(tree) if name in CLOCKS]
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            found.append(f"assert, line {node.lineno}")
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            last = name.rsplit(".", 1)[-1]
            is_global = (
                re.fullmatch(r"(np|numpy)\.random\.\w+", name) and last not in SEEDED
            )
            if name == "print" or is_global or last == "set_random_seed":
                found.append(f"{name}(), line {node.lineno}")
            if last == "default_rng" and not node.args and not node.keywords:
                found.append(f"{name}() without a seed, line {node.lineno}")
    return found


def long_functions(tree, *, limit=50):
    """Name the functions whose code, less the docstring, reaches `limit` lines."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = node.end_lineno - node.lineno + 1
            if ast.get_docstring(node) is not None:
                lines -= node.body[0].end_lineno - node.body[0].lineno + 1
            if lines >= limit:
                found.append(f"{node.name}: {lines} lines")
    return found


def violations(check, paths):
    found = {str(p.relative_to(ROOT)): check(p) for p in paths}
    return {path: problems for path, problems in found.items() if problems}


def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def requirement_lines(name):
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def library():
    return [p for p in sources(PACKAGE) if p != ROOT / PACKAGE / "__init__.py"]


def test_the_checks_below_see_the_package():
    parts = {part_of(path) for path in library()}
    assert {"masks", "metrics", "blending", "models", "latent", "cli"} <= parts
    assert set(OUTSIDE) == set().union(*LAYERS)


def test_imports_point_down_the_layers():
    assert not violations(lambda p: import_violations(part_of(p), parse(p)), library())


@pytest.mark.parametrize(
    ("part", "source"),
    [
        ("masks", "from semantic_inpaint.images import load_images"),
        ("masks", "from semantic_inpaint import images"),
        ("losses", "import semantic_inpaint.models.dcgan"),
        ("blending", "def f():\n    import keras"),
        ("metrics", "import tensorflow as tf"),
        ("latent", "import tensorflow"),
        ("models", "from . import dcgan"),
        ("app", "from semantic_inpaint import load_images"),
        ("problem", "from semantic_inpaint.images import load_images"),
        ("helpers", "import numpy"),
    ],
)
def test_an_import_against_the_layers_is_found(part, source):
    assert import_violations(part, ast.parse(source))


@pytest.mark.parametrize(
    ("part", "source"),
    [
        ("latent", "from semantic_inpaint.losses.content import content_loss"),
        ("datasets", "from semantic_inpaint.images import load_images"),
        ("blending", "import scipy.sparse\nfrom semantic_inpaint import masks"),
        ("cli", "from semantic_inpaint import __version__"),
        ("masks", "from semantic_inpaint.masks.validation import validate_known"),
    ],
)
def test_an_import_with_the_layers_is_let_through(part, source):
    assert not import_violations(part, ast.parse(source))


def test_the_numpy_parts_import_no_framework():
    numpy_parts = {"blending", "masks", "metrics", "datasets", "images", "problem"}
    assert not any(OUTSIDE[part] & FRAMEWORKS for part in numpy_parts)


def test_the_library_neither_prints_nor_asserts_nor_draws_unseeded_numbers():
    paths = [p for p in library() if part_of(p) not in ABOVE_THE_LIBRARY]
    assert not violations(lambda p: conduct_violations(parse(p)), paths)


@pytest.mark.parametrize(
    "source",
    [
        "print(1)",
        "assert x",
        "np.random.rand(3)",
        "numpy.random.seed(0)",
        "rng = np.random.default_rng()",
        "keras.utils.set_random_seed(0)",
        "import time",
        "from random import choice",
    ],
)
def test_a_breach_of_conduct_is_found(source):
    assert conduct_violations(ast.parse(source))


def test_files_and_functions_stay_short():
    def too_long(path):
        limit = 120 if path.parent == ROOT / "pipelines" else 300
        lines = len(path.read_text(encoding="utf-8").splitlines())
        return [f"{lines} lines, at most {limit}"] if lines > limit else []

    paths = sources(PACKAGE, "pipelines", "benchmarks", "tests")
    assert not violations(too_long, paths)
    assert not violations(lambda p: long_functions(parse(p)), library())
    assert not [path for path in paths if path.name in FORBIDDEN_FILES]


@pytest.mark.parametrize("module", [PACKAGE, f"{PACKAGE}.metrics", f"{PACKAGE}.cli"])
def test_importing_the_light_modules_starts_no_framework(module):
    program = f"import sys, {module}; print(*{FRAMEWORKS!r} & sys.modules.keys())"
    shown = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True
    )
    assert (shown.returncode, shown.stdout.strip()) == (0, ""), shown.stderr


def test_every_public_name_is_bound_where_the_package_looks_for_it():
    import semantic_inpaint

    exports = semantic_inpaint._MODULE_OF
    assert set(semantic_inpaint.__all__) == {*exports, "__version__"}
    for name, module in exports.items():
        base = ROOT / module.replace(".", "/")
        path = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
        bound = {
            getattr(node, "name", None) or getattr(node, "asname", None)
            for node in ast.walk(parse(path))
        }
        assert name in bound, f"{module} does not define {name}"


def test_the_package_needs_what_requirements_txt_lists():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    dynamic = project["tool"]["setuptools"]["dynamic"]
    assert "dependencies" not in project["project"]
    assert dynamic["dependencies"] == {"file": ["requirements.txt"]}
    assert not [
        line for line in requirement_lines("requirements.txt") if line[0] == "-"
    ]
    assert requirement_lines("requirements-dev.txt")[0] == "-r requirements.txt"


def optional_lines():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    return [line for lines in extras.values() for line in lines]


def test_everything_the_library_imports_is_listed_with_bounds():
    lines = requirement_lines("requirements.txt") + optional_lines()
    listed = {re.split(r"[<>=;\s]", line)[0] for line in lines}
    names = {IMPORT_NAMES.get(name, name) for name in listed}
    used = {name.split(".")[0] for p in library() for name in imported_names(parse(p))}
    # JAX is the second backend, by choice, and installed for the tests alone.
    assert used - set(sys.stdlib_module_names) - names <= {PACKAGE, "jax"}
    assert all(">=" in line and "<" in line for line in lines)
