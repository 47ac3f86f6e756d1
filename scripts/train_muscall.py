from pathlib import Path

from listenread.models.muscall.training.loop import train_two_tower
from listenread.models.muscall.training.settings import TrainingSettings
from listenread.workflow.job import job

with job(snakemake.log[0]):
    settings = TrainingSettings.from_dict(
        {
            "sizes": snakemake.params.sizes,
            "tokenizer": snakemake.input.get("tokenizer") or None,
            **snakemake.params.training,
        }
    )
    train_two_tower(
        snakemake.input.captions,
        Path(snakemake.output.description).parent,
        settings,
        threads=snakemake.threads,
        device=snakemake.params.device,
        checkpoint_dir=snakemake.params.checkpoint_dir,
    )
