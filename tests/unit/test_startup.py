"""What a job does to start and end quickly, each in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

from listenread.datasets.base import ClipRow
from listenread.datasets.manifest import Manifest, manifest_table, write_manifest
from listenread.files import tables

ARROW = "import sys, pyarrow as pa\nfrom listenread.workflow import startup\n"


def run(code, cwd=None):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(
        [sys.executable, "-c", code],
        check=True, capture_output=True, text=True, cwd=cwd, env=environment,
    ).stdout.split()  # fmt: skip


def test_pandas_stays_out_and_comes_when_it_is_asked_for():
    code = ARROW + (
        "startup.keep_pandas_out()\n"
        "table = pa.table({'a': [1, None], 'b': ['x', 'y']})\n"
        "table['a'].to_pylist(), table['a'].to_numpy()\n"
        "print('pandas' in sys.modules, startup._NoPandas in map(type, sys.meta_path))\n"
        "print(table.to_pandas()['b'].iloc[1], 'pandas' in sys.modules)\n"
        "import pandas as pd\n"
        "print(pa.Table.from_pandas(pd.DataFrame({'c': [5]}))['c'][0])"
    )
    seen, still, value, later, back = run(code)
    assert (seen, value, later, back) == ("False", "y", "True", "5")
    assert still == "False"


def test_without_it_pyarrow_imports_pandas():
    """What the function is for; when this fails, it can go."""
    assert run(ARROW + "pa.array([1]); print('pandas' in sys.modules)") == ["True"]


def test_a_process_without_pyarrow_imports_nothing():
    code = "import sys\nfrom listenread.workflow import startup\nstartup.keep_pandas_out()\n"
    assert run(code + "print('pyarrow' in sys.modules)") == ["False"]


def test_what_a_long_process_keeps_is_looked_through_seldom():
    """Looks for garbage while many objects come that stay; a cycle is found in the end."""
    code = (
        "import gc, weakref\nfrom listenread.workflow import startup\n"
        "looks = []\n"
        "gc.callbacks.append(lambda phase, info: looks.append(phase))\n"
        "def fill():\n"
        "    looks.clear(); kept = [[number] for number in range(200_000)]; return len(looks)\n"
        "before = fill(); startup.collect_seldom(); after = fill()\n"
        "class Node: pass\n"
        "node = Node(); node.itself = node; seen = weakref.ref(node); del node; kept = fill()\n"
        "print(before, after, gc.get_freeze_count() > 1000, seen() is None)"
    )
    before, after, frozen, found = run(code)
    assert int(after) * 20 < int(before)
    assert (frozen, found) == ("True", "True")


def test_a_metric_is_measured_without_pandas(tmp_path):
    scores = {"clip_id": ["a", "b"], "x": [0.9, 0.1], "y": [0.2, 0.3]}
    tables.write(tmp_path / "scores.parquet", scores)
    clips = [ClipRow("a", Path("a.wav"), ("x",)), ClipRow("b", Path("b.wav"), ("y",))]
    table = manifest_table(clips, [None, None], tmp_path)
    write_manifest(tmp_path / "manifest.parquet", Manifest(table, ["x", "y"]))
    code = (
        "import sys\nfrom listenread.workflow.job import job\n"
        "from listenread.tasks.cell import cell_of\n"
        "from listenread.tasks.runner import measure_cell\n"
        "cell = cell_of({'dataset': 'd', 'model': 'm', 'prompt': 'p'}, "
        "{'scores': 'scores.parquet', 'manifest': 'manifest.parquet'}, "
        "names={}, ontology={}, parts={})\n"
        "with job('log'):\n"
        "    measure_cell('zero_shot', cell, {'top_k': [1], 'permutations': 2}, "
        "{'n': 5, 'confidence_level': 0.9, 'seed': 0}, 'tidy.parquet', 'each.parquet')\n"
        "print('pandas' in sys.modules)"
    )
    assert run(code, cwd=tmp_path) == ["False"]
    assert tables.read(tmp_path / "tidy.parquet").data["value"][0].as_py() == 1
