from pathlib import Path

from listenread.models.muscall.checkpoint import convert_muscall
from listenread.models.muscall.sizes import Sizes
from listenread.workflow.job import job

with job(snakemake.log[0]):
    convert_muscall(
        snakemake.input.checkpoint,
        snakemake.input.tokenizer,
        Path(snakemake.output.description).parent,
        Sizes.from_dict(snakemake.params.sizes),
    )
