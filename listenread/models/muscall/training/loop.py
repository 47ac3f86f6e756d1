"""Contrastive training of a two-tower model on a captioned manifest.

The loss is CLIP's and MusCALL's: the mean of the two cross-entropies over the similarities of a
batch (Radford et al. 2021, figure 3). A run that was killed goes on from its last checkpoint and
ends with the weights that it would have had.
"""

import hashlib
import json
import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor

from listenread import __version__
from listenread.errors import ModelError
from listenread.files.checksums import checksum
from listenread.models import storage
from listenread.models.common.device import resolve_device
from listenread.models.common.weights import write_tower
from listenread.models.muscall.towers import TwoTowers, tower_states
from listenread.models.muscall.training import checkpoints
from listenread.models.muscall.training.checkpoints import RunState
from listenread.models.muscall.training.pairs import (
    Pairs,
    PairSource,
    caption_function,
    caption_source,
    make_tokenizer,
    read_rows,
    split_rows,
)
from listenread.models.muscall.training.settings import TrainingSettings
from listenread.progress import progress

CURVES_FILE = "training.csv"
#: Ranks at which recall is measured.
RANKS = (1, 5, 10)


def train_two_tower(
    manifest_path: str | Path,
    output_dir: str | Path,
    settings: TrainingSettings,
    *,
    threads: int = 1,
    device: str = "cpu",
    checkpoint_dir: str | Path | None = None,
) -> None:
    """Train a model of the family `muscall` and write it as a prepared model.

    Writes ``audio_tower.safetensors``, ``text_tower.safetensors``, ``tokenizer.json``,
    ``training.csv`` (one row per step: loss, learning rate, logit scale, and retrieval on held-out
    pairs where it was measured) and, last, ``model.json``.

    Args:
        manifest_path: parquet with `clip_id`, `path`, and what the settings name: a caption column,
            columns that a caption function reads, `one_per`, `split`.
        output_dir: folder of the model; it is created.
        settings: everything that shapes the weights.
        threads: CPU threads for torch and for decoding.
        device: a torch device such as ``cpu`` or ``cuda:0``, or ``auto``.
        checkpoint_dir: where the run keeps its checkpoints, removed at its end; None for none.

    Raises:
        ListenreadError: the manifest, a clip or a setting cannot be used.
    """
    torch.set_num_threads(threads)
    rows = read_rows(manifest_path, settings)
    draw_caption = caption_function(settings.captions, rows)
    tokenizer = make_tokenizer(settings, rows, draw_caption)
    settings = _with_vocabulary(settings, tokenizer)
    train_rows, validation_rows = split_rows(rows, settings)
    train = PairSource(train_rows, draw_caption, tokenizer, settings, threads)
    validation = PairSource(validation_rows, draw_caption, tokenizer, settings, threads)
    run = _Run(settings, torch.device(resolve_device(device)), train, validation)
    key = _key(settings, manifest_path, tokenizer)
    run.go(key, Path(checkpoint_dir) if checkpoint_dir is not None else None)
    _write_model(Path(output_dir), run, tokenizer, manifest_path)
    if checkpoint_dir is not None:
        (Path(checkpoint_dir) / checkpoints.CHECKPOINT_FILE).unlink(missing_ok=True)


def contrastive_loss(audio: Tensor, text: Tensor, logit_scale: Tensor) -> Tensor:
    """Mean of the cross-entropies audio to text and text to audio.

    Args:
        audio: L2-normalised, shape (batch, d).
        text: L2-normalised, shape (batch, d); row i is the caption of clip i.
        logit_scale: logarithm of the factor of the cosines.
    """
    logits = logit_scale.exp() * audio.float() @ text.float().T
    target = torch.arange(len(logits), device=logits.device)
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def recall_at(similarities: np.ndarray, ranks: tuple[int, ...] = RANKS) -> dict[str, float]:
    """Text-to-audio recall: how often a caption's own clip is among its k most similar clips.

    Args:
        similarities: shape (captions, clips), square, the pairs on the diagonal.
        ranks: the values of k.

    Returns:
        ``recall_at_k`` in [0, 1]. A tie counts against the model, so that constant vectors get 0.
    """
    own = np.diagonal(similarities)[:, None]
    better = (similarities >= own).sum(axis=1) - 1
    return {f"recall_at_{k}": float((better < k).mean()) for k in ranks}


def learning_rate(step: int, settings: TrainingSettings) -> float:
    """Linear warm-up, then half a cosine that ends at 0."""
    if step < settings.warmup_steps:
        return settings.learning_rate * (step + 1) / settings.warmup_steps
    done = (step - settings.warmup_steps) / (settings.steps - settings.warmup_steps)
    return settings.learning_rate * 0.5 * (1.0 + math.cos(math.pi * done))


@dataclass
class _Run:
    """A training run in memory."""

    settings: TrainingSettings
    device: torch.device
    train: PairSource
    validation: PairSource

    def __post_init__(self):
        settings = self.settings
        torch.manual_seed(settings.seed)
        self.module = TwoTowers(settings.sizes).to(self.device)
        # a fifth faster through convolutions on a CPU; documented, but not in its type hints
        self.module.audio.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.AdamW(
            self.module.parameters(),
            lr=settings.learning_rate,
            betas=settings.betas,
            eps=settings.epsilon,
            weight_decay=settings.weight_decay,
        )
        self.dtype = getattr(torch, settings.precision)
        self.scaler = torch.amp.GradScaler(
            self.device.type, enabled=settings.precision == "float16"
        )
        self.state = RunState()

    def go(self, key: str, folder: Path | None) -> None:
        """Train from the last checkpoint, or from the start, to the end."""
        settings = self.settings
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self.state = checkpoints.resume(folder, key, self.module, self.optimizer)
            if self.state.scale:
                self.scaler.load_state_dict(self.state.scale)
        total = settings.steps * settings.batch_size
        with progress(total=total, unit="pairs", label="training") as bar:
            bar.initial = bar.n = self.state.step * settings.batch_size
            for step, pairs in self._pairs():
                row = self._step(step, pairs)
                self.state.step = step + 1
                self.state.rows.append(row)
                last = self.state.step == settings.steps
                if last or self.state.step % settings.evaluate_every == 0:
                    row |= self._measure()
                    self._keep_best(row)
                    bar.set_postfix_str(
                        f"loss {row['loss']:.2f}, R@10 {row['recall_at_10']:.0%}", refresh=False
                    )
                bar.update(settings.batch_size)
                every = settings.checkpoint_every
                if folder is not None and every and self.state.step % every == 0:
                    self._checkpoint(folder, key)

    def _pairs(self) -> Iterator[tuple[int, Pairs]]:
        """Pairs of the remaining steps, one batch ahead where clips are decoded at each use."""
        steps = range(self.state.step, self.settings.steps)
        if not steps:
            return
        if self.train.clips.kept is not None and self.device.type == "cpu":
            for step in steps:
                yield step, self.train.pairs(step)
            return
        with ThreadPoolExecutor(1, thread_name_prefix="ahead") as ahead:
            following = ahead.submit(self.train.pairs, steps[0])
            for step in steps:
                pairs = following.result()
                if step + 1 < self.settings.steps:
                    following = ahead.submit(self.train.pairs, step + 1)
                yield step, pairs

    def _step(self, step: int, pairs: Pairs) -> dict[str, float]:
        rate = learning_rate(step, self.settings)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        # dropout, too, depends on the seed and the step only
        torch.manual_seed(int(np.random.default_rng([self.settings.seed, step]).integers(2**63)))
        self.module.train()
        self.optimizer.zero_grad(set_to_none=True)
        audio, text = self._vectors(pairs)
        loss = contrastive_loss(audio, text, self.module.logit_scale)
        if not math.isfinite(loss.item()):
            raise ModelError(
                f"the loss is {loss.item()} after {step} steps: training diverged. Lower "
                f"learning_rate ({self.settings.learning_rate}) or raise warmup_steps "
                f"({self.settings.warmup_steps})."
            )
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        with torch.no_grad():
            self.module.logit_scale.clamp_(max=math.log(self.settings.largest_logit_scale))
        scale = self.module.logit_scale.exp().item()
        return {"step": step + 1, "loss": loss.item(), "learning_rate": rate, "logit_scale": scale}

    def _vectors(self, pairs: Pairs) -> tuple[Tensor, Tensor]:
        waveforms = torch.from_numpy(pairs.waveforms).to(self.device)
        token_ids = torch.from_numpy(pairs.token_ids).to(self.device)
        mixed = self.settings.precision != "float32"
        with torch.autocast(self.device.type, self.dtype if mixed else None, enabled=mixed):
            return self.module.audio(waveforms)[1], self.module.text(token_ids)[1]

    def _measure(self) -> dict[str, float]:
        self.module.eval()
        with torch.inference_mode():
            held_out = self.validation.in_order(self.settings.batch_size)
            batches = [self._vectors(pairs) for pairs in held_out]
            audio, text = (torch.cat(parts).float() for parts in zip(*batches, strict=True))
            return recall_at((text @ audio.T).cpu().numpy())

    def _keep_best(self, row: dict[str, float]) -> None:
        if self.settings.keep != "best" or row["recall_at_10"] <= self.state.best_value:
            return
        self.state.best_value, self.state.best_step = row["recall_at_10"], int(row["step"])
        weights = self.module.state_dict()
        self.state.best = {name: value.to("cpu", copy=True) for name, value in weights.items()}

    def _checkpoint(self, folder: Path, key: str) -> None:
        self.state.scale = self.scaler.state_dict()
        checkpoints.save(folder, key, self.module, self.optimizer, self.state)

    def weights(self) -> dict[str, Tensor]:
        """The weights and buffers that become the model."""
        return self.state.best or self.module.state_dict()


def _with_vocabulary(settings: TrainingSettings, tokenizer: Tokenizer) -> TrainingSettings:
    sizes = settings.sizes
    text = replace(sizes.text, vocabulary=tokenizer.get_vocab_size())
    return replace(settings, sizes=replace(sizes, text=text))


def _key(settings: TrainingSettings, manifest_path: str | Path, tokenizer: Tokenizer) -> str:
    """What a checkpoint must agree with to be resumed."""
    parts = [
        json.dumps(settings.to_dict(), sort_keys=True),
        checksum(manifest_path),
        tokenizer.to_str(),
        caption_source(settings.captions),
        __version__,
        torch.__version__,
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _write_model(
    output_dir: Path, run: _Run, tokenizer: Tokenizer, manifest_path: str | Path
) -> None:
    output_dir.mkdir(parents=True, exist_ok=True)
    # model.json makes the folder a model: it goes first and comes last
    (output_dir / storage.DESCRIPTION_FILE).unlink(missing_ok=True)
    audio, text = tower_states(run.weights())
    write_tower(output_dir / storage.AUDIO_TOWER_FILE, audio)
    write_tower(output_dir / storage.TEXT_TOWER_FILE, text)
    tokenizer.save(str(output_dir / storage.TOKENIZER_FILE))
    pd.DataFrame(run.state.rows).to_csv(output_dir / CURVES_FILE, index=False)
    settings = run.settings
    storage.write_description(
        output_dir,
        "muscall",
        settings.sizes.audio.audio_input,
        sizes=settings.sizes.to_dict(),
        provenance={
            "trained_on": checksum(manifest_path),
            "settings": settings.to_dict(),
            "weights_of_step": run.state.best_step or settings.steps,
            "listenread_version": __version__,
            "torch_version": torch.__version__,
        },
    )
