from pathlib import Path

from listenread.models.laion_clap import convert_laion_clap
from listenread.workflow.job import job

with job(snakemake.log[0]) as say:
    conversion = convert_laion_clap(
        snakemake.input.checkpoint,
        snakemake.input.tokenizer,
        Path(snakemake.output.description).parent,
        **snakemake.params,
    )
    say(conversion)
