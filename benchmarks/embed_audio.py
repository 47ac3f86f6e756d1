"""Clips a second through HTSAT-base from files on disk: ours against the way of the paper's code.

    python benchmarks/embed_audio.py [--clips 64] [--threads 2] [--device cpu]

The paper's released code embeds one clip at a time, and every clip once for each space. That way is
written here on the laion-clap package (`reference_clips`), on the same random full-size checkpoint
and the same files. Loading is not measured, see `start_up.py`.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import common

#: Work of HTSAT-base on 10 s of sound, counted by torch's profiler.
GFLOP_PER_CLIP = 33.0
BATCH = 16


def main(argv: list[str] | None = None) -> list[common.Row]:
    """Measure; rows for the table of all benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=48, help="files that ours embeds")
    parser.add_argument("--reference-clips", type=int, default=12)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="keeps the checkpoint between two runs")
    chosen = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="listenread-bench-") as temporary:
        folder = chosen.folder or Path(temporary)
        checkpoint, tokenizer = common.random_laion_model(folder)
        model = folder / "model"
        if not (model / "model.json").exists():
            common.convert(checkpoint, tokenizer, model)
        write_clips(folder / "clips", 3 * chosen.clips)
        return compare(folder, chosen)


def compare(folder: Path, chosen: argparse.Namespace) -> list[common.Row]:
    """Time ours, the bare tower, the machine and the reference by turns."""
    measured: dict[str, list[float]] = {}
    peaks = {}
    for _ in range(chosen.repeats):
        for kind in ("ours", "reference"):
            found = _measure(kind, folder, chosen, chosen.clips)
            for name, value in found.items():
                measured.setdefault(name, []).append(value)
        measured.setdefault("core taken", []).append(_next_to_a_busy_process(folder, chosen))
        measured.setdefault("two jobs", []).append(_two_at_once(folder, chosen))
    # the smaller number fills all batches that are held ready
    for clips in (chosen.clips, 3 * chosen.clips):
        peaks[clips] = _measure("memory", folder, chosen, clips)["peak_gib"]
    found = {name: statistics.median(values) for name, values in measured.items()}
    (few, low), (many, high) = peaks.items()
    where = f"{chosen.device}, {chosen.threads} threads, median of {chosen.repeats}"
    return [
        common.rate(
            "audio from files, against the paper's way",
            found["files"], found["reference"], "clips/s", 2.4,
            f"laion-clap, one clip at a time, once for each space; {where}; the goal is 3",
        ),
        common.rate(
            "audio from files, against the bare tower",
            found["files"], found["tower"], "clips/s", 0.8,
            "the same tower on random input that is there already",
        ),
        common.rate(
            "the bare tower, against the machine's matrix products",
            found["tower"] * GFLOP_PER_CLIP, found["matmul"], "GFLOP/s", None,
            "products of 2048 x 2048 in float32, the quicker of two libraries",
        ),
        common.rate(
            "decoding and resampling, against the bare tower",
            found["decoding"], found["tower"], "clips/s", 3.0,
            "files to waveforms alone; it runs in parallel with the tower",
        ),
        common.rate(
            "a core taken by something else, against the machine for itself",
            found["core taken"], found["files"], "clips/s", 0.3,
            f"a process that computes on one core; {chosen.threads} threads all the same",
        ),
        common.rate(
            "two jobs at once with half the threads, against one",
            found["two jobs"], found["files"], "clips/s", 0.8, "clips of both together",
        ),
        common.duration(
            f"peak memory, {many} clips against {few}", high, low, 0.9, "flat in the clips", "GiB"
        ),
    ]  # fmt: skip


def _next_to_a_busy_process(folder: Path, chosen: argparse.Namespace) -> float:
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
        try:
            return _measure("files", folder, chosen, chosen.clips)["files"]
        finally:
            busy.kill()


def _two_at_once(folder: Path, chosen: argparse.Namespace) -> float:
    half = argparse.Namespace(**{**vars(chosen), "threads": max(1, chosen.threads // 2)})
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(_measure, "files", folder, half, chosen.clips) for _ in range(2)]
        return sum(one.result()["files"] for one in both)


def _measure(kind: str, folder: Path, chosen: argparse.Namespace, clips: int) -> dict[str, float]:
    """Run one of the ways of `child` in a new process."""
    number = min(clips, chosen.reference_clips) if kind == "reference" else clips
    code = "import sys; from benchmarks import embed_audio as b; b.child(*sys.argv[1:])"
    arguments = [kind, folder, number, chosen.threads, chosen.device]
    return common.load_json(common.python(code, *arguments, threads=chosen.threads).output)


def child(kind: str, folder: str, clips: str, threads: str, device: str) -> None:
    """Measure one kind in this process and print the numbers."""
    paths = sorted(Path(folder, "clips").glob("*.wav"))[: int(clips)]
    ways = {
        "ours": our_rates,
        "files": our_files,
        "memory": our_memory,
        "reference": reference_rate,
    }
    print(json.dumps(ways[kind](Path(folder), paths, int(threads), device)))


def write_clips(folder: Path, clips: int) -> None:
    """Sounds of TinySOL's format and lengths: mono, 44.1 kHz, 16 bits, 2 to 10 s."""
    import soundfile

    folder.mkdir(exist_ok=True)
    random = np.random.default_rng(0)
    for number in range(clips):
        seconds = random.uniform(2, 10)
        time_s = np.arange(int(seconds * 44_100)) / 44_100
        sound = 0.4 * np.sin(2 * np.pi * random.uniform(80, 2000) * time_s)
        sound += 0.01 * random.standard_normal(len(sound))
        soundfile.write(folder / f"{number:04d}.wav", sound, 44_100, subtype="PCM_16")


def _loader(paths: list[Path], audio_input: object, threads: int):
    from listenread.audio.loading import ClipLoader
    from listenread.files.checksums import checksum

    clips = [SimpleNamespace(clip_id=path.stem, path=path, sha256=checksum(path)) for path in paths]
    return ClipLoader(clips, audio_input, BATCH, workers=threads)


def our_rates(folder: Path, paths: list[Path], threads: int, device: str) -> dict[str, float]:
    """Clips/s of what the job `embed_audio` does, of the tower alone and of decoding alone."""
    import torch

    from listenread.embed import clip_vectors
    from listenread.models import storage
    from listenread.models.clap.linear import OneDNNLinear
    from listenread.models.common.inference import Encoder

    model = storage.load(folder / "model", tower="audio", device=device, threads=threads)
    random = np.random.default_rng(0)
    batch = random.uniform(-0.5, 0.5, (BATCH, model.audio_input.samples)).astype(np.float32)
    model.encode_audio(batch)

    def seconds(work) -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    loader = _loader(paths, model.audio_input, threads)
    files = seconds(lambda: list(clip_vectors(Encoder(model.encode_audio), loader)))
    decoding = seconds(lambda: list(loader))
    batches = max(1, len(paths) // BATCH)
    tower = seconds(lambda: [model.encode_audio(batch) for _ in range(batches)])
    layer = torch.nn.Linear(2048, 2048, bias=False, device=device)
    matrix, products = torch.rand(2048, 2048, device=device), 20
    ways = [layer] if device != "cpu" else [layer, OneDNNLinear(layer)]
    with torch.inference_mode():
        for way in ways:
            way(matrix)
        matmul = min(
            seconds(lambda way=way: [way(matrix) for _ in range(products)][-1].cpu())
            for way in ways
        )
    return {
        "files": len(paths) / files,
        "tower": batches * BATCH / tower,
        "decoding": len(paths) / decoding,
        "matmul": products * 2 * 2048**3 / matmul / 1e9,
    }


def our_memory(folder: Path, paths: list[Path], threads: int, device: str) -> dict[str, float]:
    """Peak memory of the loop over files."""
    our_files(folder, paths, threads, device)
    return {"peak_gib": common.peak_gib()}


def our_files(folder: Path, paths: list[Path], threads: int, device: str) -> dict[str, float]:
    """Clips/s of the loop over files."""
    from listenread.embed import clip_vectors
    from listenread.models import storage
    from listenread.models.common.inference import Encoder

    model = storage.load(folder / "model", tower="audio", device=device, threads=threads)
    model.encode_audio(np.zeros((BATCH, model.audio_input.samples), dtype=np.float32))
    loader = _loader(paths, model.audio_input, threads)
    start = time.perf_counter()
    for _ in clip_vectors(Encoder(model.encode_audio), loader):
        pass
    return {"files": len(paths) / (time.perf_counter() - start)}


def reference_rate(folder: Path, paths: list[Path], threads: int, device: str) -> dict[str, float]:
    """Clips/s of the paper's way: a clip at a time through the package, once for each space."""
    import os

    environment = {"HF_HOME": str(folder / "hub"), "HF_HUB_CACHE": str(folder / "hub" / "hub")}
    os.environ.update(environment, HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1")
    arguments, sys.argv = sys.argv, sys.argv[:1]  # the package reads the command line
    import laion_clap
    import torch

    sys.argv = arguments
    torch.set_num_threads(threads)
    model = laion_clap.CLAP_Module(enable_fusion=False, device=device, amodel="HTSAT-base")
    model.load_ckpt(str(folder / "HTSAT-base.pt"), verbose=False)
    pre_joint = []
    model.model.audio_projection.register_forward_pre_hook(
        lambda _, inputs: pre_joint.append(inputs[0].numpy(force=True))
    )
    with torch.inference_mode():
        model.get_audio_embedding_from_filelist([str(paths[0])])
        start = time.perf_counter()
        for path in paths:
            for _ in ("joint", "pre_joint"):
                model.get_audio_embedding_from_filelist([str(path)])
        return {"reference": len(paths) / (time.perf_counter() - start)}


if __name__ == "__main__":
    print(common.as_markdown(main()))
