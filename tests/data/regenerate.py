"""Make the files of this folder from the released ones: ``python regenerate.py MIRROR``."""

import csv
import gzip
import sys
from pathlib import Path

import numpy as np

from listenread.metrics import prototypes

FOLDER = Path(__file__).parent
REPOSITORY = Path(
    "raw.githubusercontent.com/YannisBilly/i_can_listen_but_cannot_read",
    "dd3dfd1e3d36f4bff2ce6444b4911df4f7468051",
)
TRUTH = REPOSITORY / "tinysol_groundtruth_reordered.csv"
COPIED = (
    REPOSITORY / "tinysol_instrument_similarity.npy",
    REPOSITORY / "model_embeddings/muscall/text/joint_space/muscall_prompt.npy",
    REPOSITORY / "model_embeddings/muscall/text/pre_joint/muscall_prompt.npy",
    *(
        REPOSITORY / "evaluation_output" / task / f"{system}.csv"
        for task in ("audio_only", "zeroshot_baseline")
        for system in ("muscall", "music_laion_clap", "music_speech_laion_clap")
    ),
)
COMPRESSED = (TRUTH, Path("zenodo.org/record/3685367/files/TinySOL_metadata.csv"))


def labels(truth: Path) -> np.ndarray:
    """Read the class index of each clip from the one-hot ground truth, shape (n,)."""
    with truth.open(encoding="utf-8") as file:
        _, *rows = csv.reader(file)
    return np.array([row[1:].index("1") for row in rows])


def scores(mirror: Path) -> np.ndarray:
    """Compute the similarity of clips and prototypes, shape (n, 14), float32."""
    vectors = np.load(mirror / REPOSITORY / "model_embeddings/muscall/audio/pre_joint/tinysol.npy")
    found = prototypes.scores(vectors, labels(mirror / TRUTH), 14, protocol="published")
    return found.astype(np.float32)


def main(mirror: Path) -> None:
    """Write every file."""
    for path in (*COPIED, *COMPRESSED):
        content = (mirror / path).read_bytes()
        target = FOLDER / "mirror" / path
        if path in COMPRESSED:
            target = target.with_name(f"{path.name}.gz")
            content = gzip.compress(content, mtime=0)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    np.save(FOLDER / "muscall_audio_only_scores.npy", scores(mirror))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
