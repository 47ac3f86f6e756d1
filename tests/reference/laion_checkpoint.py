"""A random LAION-CLAP checkpoint in the released layout, made by the laion-clap package itself.

Run in a process of its own, ``laion_checkpoint.py OUTPUT_DIR``, with the environment of
`laion_package.offline_hub`. Writes ``HTSAT-base.pt``, and the names and shapes of
HTSAT-tiny's audio branch to ``HTSAT-tiny.json``.
"""

import json
import sys
from pathlib import Path

import numpy as np

SPECIAL_TOKENS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
SENTENCES = (
    "A violin track, a tuba track, this is a recording of clarinet in b-flat and of a french horn",
    "Solo musical instrument sound of an accordion; the definition of an alto saxophone",
    "a very long description of an instrument made of wood and strings",
)


def write_tokenizer(path: Path, vocabulary: int) -> None:
    """Train a byte-level BPE on a few sentences, in RoBERTa's format, filled up."""
    from tokenizers import ByteLevelBPETokenizer, processors

    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator(SENTENCES, 600, min_frequency=1, special_tokens=SPECIAL_TOKENS)
    tokenizer = trained._tokenizer
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 0), add_prefix_space=False
    )
    content = json.loads(tokenizer.to_str())
    words = content["model"]["vocab"]
    words |= {f"unused{i}": i for i in range(len(words), vocabulary)}
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def main(output_dir: str) -> None:
    import laion_clap
    import torch
    from clap_module.htsat import create_htsat_model

    torch.manual_seed(0)
    model = laion_clap.CLAP_Module(amodel="HTSAT-base", device="cpu").model
    state = model.state_dict()
    random = torch.Generator().manual_seed(1)
    for name, value in state.items():
        fixed = "extractor" in name or "attn_mask" in name or not value.is_floating_point()
        if not fixed:
            _randomise(name, value, random)
    positions = torch.arange(514).expand(1, -1)
    layout = {"text_branch.embeddings.position_ids": positions, **state}
    some = next(p for n, p in model.named_parameters() if n == "audio_projection.0.weight")
    optimizer = torch.optim.AdamW([some], lr=1e-4)
    some.grad = torch.ones_like(some)
    optimizer.step()
    checkpoint = {
        "epoch": 15,
        "name": "random",
        "state_dict": {f"module.{name}": value for name, value in layout.items()},
        "optimizer": optimizer.state_dict(),
        "best_score": np.float64(0.9014),
    }
    torch.save(checkpoint, Path(output_dir, "HTSAT-base.pt"))
    model.audio_cfg.model_name = "tiny"
    tiny = create_htsat_model(model.audio_cfg).state_dict()
    shapes = {f"audio_branch.{name}": list(value.shape) for name, value in tiny.items()}
    Path(output_dir, "HTSAT-tiny.json").write_text(json.dumps(shapes))


def _randomise(name, value, random):
    """Every number away from its initial value, so that one that is not loaded is noticed."""
    import torch

    noise = torch.randn(value.shape, generator=random)
    if name.endswith("running_var"):
        value.copy_(noise.abs() * 50 + 20)
    elif name.endswith("running_mean"):
        value.copy_(noise * 10 - 20)
    elif value.dim() <= 1 and name.endswith("weight"):
        value.copy_(1 + 0.2 * noise)
    elif value.dim() <= 1:
        value.add_(0.1 * noise)
    elif "relative_position_bias_table" in name:
        value.copy_(noise)
    elif "token_type" in name or "position_embeddings" in name:
        value.copy_(0.05 * noise)


if __name__ == "__main__":
    main(*sys.argv[1:])
