"""Vectors from the laion-clap package itself, in a process of its own.

`laion_package.py` runs ``laion_vectors.py REQUEST RESPONSE``: the package changes `sys.path`, and
whether it asks the model hub is decided when it is imported.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np


def main(request_path: str, response_path: str) -> None:
    """Embed the clips and texts of a request.

    Args:
        request_path: ``.npz`` with ``settings`` (JSON: checkpoint, audio_model, texts, threads) and
            ``clip_0``, ``clip_1``, ...: float32 waveforms at 48 kHz, at most 10 s.
        response_path: ``.npz`` to write: ``audio_pre_joint``, ``audio_joint``, ``text_pre_joint``,
            ``text_joint`` and the package's ``version``.
    """
    with np.load(request_path, allow_pickle=False) as request:
        settings = json.loads(str(request["settings"]))
        clips = [request[f"clip_{i}"] for i in range(settings["clips"])]
    import laion_clap
    import torch

    torch.set_num_threads(settings["threads"])
    model = laion_clap.CLAP_Module(
        enable_fusion=False, device="cpu", amodel=settings["audio_model"]
    )
    model.load_ckpt(settings["checkpoint"], verbose=False)
    # What goes into a projection is the vector before it, in the very pass of the public method.
    pre_joint: dict[str, list[np.ndarray]] = {"audio": [], "text": []}
    for tower, vectors in pre_joint.items():
        projection = getattr(model.model, f"{tower}_projection")
        projection.register_forward_pre_hook(
            lambda _, inputs, vectors=vectors: vectors.append(inputs[0].numpy(force=True))
        )
    with torch.inference_mode():
        audio = [model.get_audio_embedding_from_data([clip]) for clip in clips]
        text = model.get_text_embedding(settings["texts"])
    partial = Path(f"{response_path}.partial.npz")
    np.savez(
        partial,
        audio_pre_joint=np.concatenate(pre_joint["audio"]),
        audio_joint=np.concatenate(audio),
        text_pre_joint=np.concatenate(pre_joint["text"]),
        text_joint=text,
        version=version("laion-clap"),
    )
    partial.replace(response_path)


if __name__ == "__main__":
    main(*sys.argv[1:])
