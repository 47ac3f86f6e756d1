from pathlib import Path

from listenread.models.hf_clap import convert_hf_clap
from listenread.workflow.job import job

with job(snakemake.log[0]) as say:
    conversion = convert_hf_clap(
        snakemake.input.snapshot, Path(snakemake.output.description).parent, **snakemake.params
    )
    say(conversion)
