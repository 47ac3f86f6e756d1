from pathlib import Path

from listenread.datasets import tinysol
from listenread.files.download import extract, fetch
from listenread.workflow.job import job

with job(snakemake.log[0]):
    archive = fetch(
        target=Path(snakemake.params.downloads, "TinySOL.tar.gz"),
        mirror=snakemake.params.mirror,
        **snakemake.params.file,
    )
    extract(
        archive,
        snakemake.output[0],
        placed=tinysol.place_in_root,
        max_bytes=snakemake.params.max_bytes,
    )
