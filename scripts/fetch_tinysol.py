from pathlib import Path

from listenread.datasets import tinysol
from listenread.download import fetch
from listenread.job import job

with job(snakemake.log[0]):
    archive = fetch(
        target=Path(snakemake.params.downloads, "TinySOL.tar.gz"),
        mirror=snakemake.params.mirror,
        **snakemake.params.file,
    )
    tinysol.fetch(archive, snakemake.output[0])
