from pathlib import Path

from listenread.models.base import PreparationContext
from listenread.models.storage import prepare
from listenread.workflow.job import job

with job(snakemake.log[0]) as log:
    params = snakemake.params
    result = prepare(
        params.family,
        params.rule,
        {name: Path(path) for name, path in snakemake.input.items() if name != "code"},
        Path(snakemake.output[0]).parent,
        params.settings,
        PreparationContext(
            family=params.family,
            device=params.device,
            threads=snakemake.threads,
            checkpoint_dir=Path(params.checkpoint_dir),
        ),
    )
    if result is not None:
        log(result)
