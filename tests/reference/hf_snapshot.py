"""A small random ClapModel repository, as `save_pretrained` of transformers writes it."""

import json
from pathlib import Path

import torch
from tokenizers import ByteLevelBPETokenizer, processors
from transformers import ClapConfig, ClapFeatureExtractor, ClapModel

SENTENCES = ["A violin track", "A tuba track", "a long text about a violin", "Für Elise, ä"]
AUDIO = {
    "patch_embeds_hidden_size": 16,
    "hidden_size": 128,
    "depths": [2, 1, 1, 1],
    "num_attention_heads": [2, 2, 4, 4],
}
TEXT = {
    "vocab_size": 400,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 80,
}


def randomise(model: torch.nn.Module) -> None:
    """Move every number away from its initial value, so that one that is not loaded is noticed."""
    generator = torch.Generator().manual_seed(1)
    for name, value in model.state_dict().items():
        if not value.is_floating_point():
            continue
        noise = torch.randn(value.shape, generator=generator)
        if name.endswith("running_var"):
            value.copy_(noise.abs() * 50 + 20)
        elif name.endswith("running_mean"):
            value.copy_(noise * 10 - 20)
        elif value.dim() == 1 and name.endswith("weight"):
            value.copy_(1 + 0.2 * noise)
        elif "word_embeddings" in name:
            value.copy_(noise)  # so that texts differ as they do in a trained tower
        else:
            value.add_(0.1 * noise)


def write_snapshot(folder: Path, *, fusion: bool = False) -> None:
    """Write ``config.json``, weights, the feature extractor and the tokenizer to a folder."""
    audio = {**AUDIO, "enable_fusion": fusion}
    if fusion:
        audio["fusion_type"] = "aff_2d"
    torch.manual_seed(0)
    model = ClapModel(ClapConfig(text_config=TEXT, audio_config=audio, projection_dim=24))
    randomise(model)
    model.save_pretrained(folder)
    truncation = "fusion" if fusion else "rand_trunc"
    ClapFeatureExtractor(frequency_min=50, truncation=truncation).save_pretrained(folder)
    write_tokenizer(folder)


def write_tokenizer(folder: Path) -> None:
    """Train a byte-level BPE in RoBERTa's format, with its vocabulary and merges as files, too."""
    trained = ByteLevelBPETokenizer()
    specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trained.train_from_iterator(SENTENCES, 380, min_frequency=1, special_tokens=specials)
    trained.save_model(str(folder))
    tokenizer = trained._tokenizer
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 0), add_prefix_space=False
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"model_max_length": 77}))
