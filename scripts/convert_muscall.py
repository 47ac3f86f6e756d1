from pathlib import Path

from listenread.job import job
from listenread.models.muscall.checkpoint import convert_muscall
from listenread.models.muscall.sizes import Sizes

with job(snakemake.log[0]):
    convert_muscall(
        snakemake.input.checkpoint,
        snakemake.input.tokenizer,
        Path(snakemake.output.description).parent,
        Sizes.from_dict(snakemake.params.sizes),
    )
