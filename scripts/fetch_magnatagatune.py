from pathlib import Path

from listenread.datasets import magnatagatune
from listenread.files.download import extract, fetch
from listenread.workflow.job import job

with job(snakemake.log[0]):
    downloads = Path(snakemake.params.downloads)
    parts = [
        fetch(
            target=downloads / Path(part["url"]).name,
            mirror=snakemake.params.mirror,
            **part,
        )
        for part in snakemake.params.parts
    ]
    archive = magnatagatune.join_parts(parts, downloads / "magnatagatune.zip")
    extract(
        archive,
        snakemake.output[0],
        placed=magnatagatune.place_in_root,
        max_bytes=snakemake.params.max_bytes,
    )
    archive.unlink()
