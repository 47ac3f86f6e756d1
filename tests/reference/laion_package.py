"""Comparison of a prepared LAION-CLAP model with the laion-clap package, vector by vector.

    PYTHONPATH=. python tests/reference/laion_package.py results/models/music_clap CHECKPOINT.pt

prints the vectors that differ. The tests compare random checkpoints of the released layout.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from listenread.audio import loading
from listenread.audio.base import AudioInput
from listenread.errors import ModelError
from listenread.models import storage
from listenread.models.base import TwoTower, Vectors

#: The package runs in a process of its own: it changes `sys.path` and reads the command line.
_SCRIPT = Path(__file__).with_name("laion_vectors.py")
#: Limits for the elements and for the cosine of two vectors, in both spaces.
LARGEST_DIFFERENCE, SMALLEST_COSINE = 1e-4, 0.99999
#: Texts to compare: short, long, cut at 77 tokens, empty, accents.
TEXTS = (
    "A violin track",
    "A tuba track",
    "This is a recording of clarinet in b-flat",
    "A no accordion track",
    "Für Elise, played on a piano, très doucement",
    "",
    "a very long description of an instrument made of wood and strings " * 12,
)


class Reference(NamedTuple):
    """Vectors of the laion-clap package.

    Attributes:
        audio: of the clips' windows, in their order.
        text: of the texts.
        version: of the package.
    """

    audio: Vectors
    text: Vectors
    version: str


def known_clips(sample_rate: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Clips with which towers are compared: noise of 3, 7, 10 and 12 s, silence, a tone.

    Args:
        sample_rate: in Hz.
        seed: of the noise.

    Returns:
        Name -> float32 waveform in [-1, 1].
    """
    random = np.random.default_rng(seed)
    clips = {
        f"noise, {seconds} s": random.uniform(-0.5, 0.5, seconds * sample_rate)
        for seconds in (3, 7, 10, 12)
    }
    clips["silence, 5 s"] = np.zeros(5 * sample_rate)
    time = np.arange(4 * sample_rate) / sample_rate
    clips["tone of 440 Hz, 4 s"] = 0.8 * np.sin(2 * np.pi * 440.0 * time)
    return {name: waveform.astype(np.float32) for name, waveform in clips.items()}


def verify(
    model_dir: str | Path,
    checkpoint_path: str | Path,
    *,
    texts: Sequence[str] = TEXTS,
    threads: int = 1,
) -> tuple[list[dict[str, Any]], Reference]:
    """Embed known clips and texts with the laion-clap package and with ours, and compare.

    The package crops clips over 10 s at random, so both get clips that are cropped by the model's
    own policy.

    Args:
        model_dir: a prepared model of the family `laion_clap`.
        checkpoint_path: the ``.pt`` that it was made of.
        texts: to be embedded.
        threads: CPU threads.

    Returns:
        The rows of `compare`, and the package's vectors.
    """
    model = storage.load(model_dir, threads=threads)
    clips = known_clips(model.audio_input.sample_rate)
    windows = list(unpadded_windows(clips, model.audio_input).values())
    reference = embed_with_laion_clap(checkpoint_path, model_dir, windows, texts, threads)
    return compare(model, reference, clips, texts), reference


def unpadded_windows(
    clips: Mapping[str, np.ndarray], audio_input: AudioInput
) -> dict[str, np.ndarray]:
    """Crop clips by a model's policy without quantising or padding them, which the package does."""
    found = {}
    for name, waveform in clips.items():
        if len(waveform) <= audio_input.samples:
            found[name] = waveform
            continue
        cropped = loading.windows(
            waveform, audio_input.samples, audio_input.padding, audio_input.cropping
        )
        found |= {f"{name}, window {i}": window for i, window in enumerate(cropped)}
    return found


def compare(
    model: TwoTower,
    reference: Reference,
    clips: Mapping[str, np.ndarray],
    texts: Sequence[str],
) -> list[dict[str, Any]]:
    """Embed clips and texts with a model of ours and compare with a reference.

    Returns:
        One row per window or text and space: ``tower, item, space, max_abs_difference, cosine,
        agrees``.
    """
    rate = model.audio_input.sample_rate
    prepared = [
        loading.prepare(loading.Sound(waveform[:, None], rate), model.audio_input)
        for waveform in clips.values()
    ]
    towers = (
        (
            "audio",
            list(unpadded_windows(clips, model.audio_input)),
            model.encode_audio(np.concatenate(prepared)),
            reference.audio,
        ),
        ("text", list(texts), model.encode_text(list(texts)), reference.text),
    )
    rows = []
    for tower, items, ours, theirs in towers:
        for space in Vectors._fields:
            parts = zip(items, getattr(ours, space), getattr(theirs, space), strict=True)
            for item, vector, wanted in parts:
                difference, cosine = _difference(vector, wanted)
                row = {"tower": tower, "item": item, "space": space}
                row |= {"max_abs_difference": difference, "cosine": cosine}
                row["agrees"] = difference <= LARGEST_DIFFERENCE and cosine >= SMALLEST_COSINE
                rows.append(row)
    return rows


def _difference(vector: np.ndarray, wanted: np.ndarray) -> tuple[float, float]:
    """Largest difference of two elements, and the cosine."""
    vector, wanted = vector.astype(np.float64), wanted.astype(np.float64)
    cosine = vector @ wanted / (np.linalg.norm(vector) * np.linalg.norm(wanted))
    return float(np.abs(vector - wanted).max()), float(cosine)


def embed_with_laion_clap(
    checkpoint_path: str | Path,
    model_dir: str | Path,
    clips: Sequence[np.ndarray],
    texts: Sequence[str],
    threads: int = 1,
) -> Reference:
    """Embed clips and texts through the laion-clap package's public methods, without a network.

    Args:
        checkpoint_path: a released ``.pt``.
        model_dir: the model prepared from it; names its HTSAT variant and lends its tokenizer.
        clips: float32 waveforms at 48 kHz, at most 10 s each.
        texts: to be embedded.
        threads: CPU threads.

    Raises:
        ModelError: the package is not installed or fails.
    """
    description = storage.describe(model_dir)
    clips = list(clips)
    with tempfile.TemporaryDirectory(prefix="listenread-verify-") as folder:
        request, response = Path(folder, "request.npz"), Path(folder, "response.npz")
        settings = {
            "checkpoint": str(Path(checkpoint_path).resolve()),
            "audio_model": description["audio_model"],
            "texts": list(texts),
            "clips": len(clips),
            "threads": threads,
        }
        waveforms = {f"clip_{i}": clip for i, clip in enumerate(clips)}
        np.savez(request, settings=json.dumps(settings), **waveforms)
        environment = offline_hub(
            Path(folder, "hub"),
            Path(model_dir, storage.TOKENIZER_FILE),
            description["sizes"]["text"],
        )
        command = [sys.executable, _SCRIPT, request, response]
        run_reference(command, environment)
        with np.load(response, allow_pickle=False) as found:
            return Reference(
                Vectors(found["audio_pre_joint"], found["audio_joint"]),
                Vectors(found["text_pre_joint"], found["text_joint"]),
                str(found["version"]),
            )


def run_reference(command: Sequence[Any], environment: Mapping[str, str]) -> None:
    """Run a command that imports the laion-clap package.

    Raises:
        ModelError: it fails; with the end of what it said.
    """
    done = subprocess.run(
        [str(part) for part in command],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ModelError(f"the laion-clap package failed:\n{done.stderr[-2000:]}")


def offline_hub(
    folder: Path, tokenizer_path: Path, text_sizes: Mapping[str, Any]
) -> dict[str, str]:
    """Make a model hub cache that holds what the laion-clap package asks for: ``roberta-base``.

    The weights are left out: those of the checkpoint take their place when the package loads it.

    Args:
        folder: to be created.
        tokenizer_path: a ``tokenizer.json`` with RoBERTa's byte-level vocabulary.
        text_sizes: fields of `listenread.models.clap.sizes.TextSizes`.

    Returns:
        Environment variables under which no network is asked.
    """
    from safetensors.numpy import save_file

    revision = "0" * 40
    repository = folder / "hub" / "models--roberta-base"
    snapshot = repository / "snapshots" / revision
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(revision)
    _write_json(snapshot / "config.json", _roberta_config(text_sizes))
    save_file({"none": np.zeros(1, np.float32)}, snapshot / "model.safetensors", {"format": "pt"})
    content = json.loads(tokenizer_path.read_text(encoding="utf-8"))
    _write_json(snapshot / "tokenizer.json", {**content, "truncation": None, "padding": None})
    _write_json(snapshot / "vocab.json", content["model"]["vocab"])
    merges = [m if isinstance(m, str) else " ".join(m) for m in content["model"]["merges"]]
    (snapshot / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]) + "\n", "utf-8")
    tokenizer_config = {"tokenizer_class": "RobertaTokenizer", "model_max_length": 512}
    _write_json(snapshot / "tokenizer_config.json", tokenizer_config)
    return {
        "HF_HOME": str(folder),
        "HF_HUB_CACHE": str(folder / "hub"),
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
    }


def _roberta_config(text_sizes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "architectures": ["RobertaModel"],
        "model_type": "roberta",
        "vocab_size": text_sizes["vocabulary"],
        "hidden_size": text_sizes["d_encoder"],
        "intermediate_size": text_sizes["d_feed_forward"],
        "num_hidden_layers": text_sizes["layers"],
        "num_attention_heads": text_sizes["heads"],
        "max_position_embeddings": text_sizes["positions"],
        "layer_norm_eps": text_sizes["layer_norm_eps"],
        "pad_token_id": text_sizes["pad_id"],
        "type_vocab_size": 1,
        "bos_token_id": 0,
        "eos_token_id": 2,
    }


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    differing = [row for row in verify(*sys.argv[1:])[0] if not row["agrees"]]
    print(*(differing or ["all vectors agree"]), sep="\n")
    sys.exit(bool(differing))
