from pathlib import Path

from listenread import entries
from listenread.files.material import Source
from listenread.workflow.job import job

with job(snakemake.log[0]):
    make = entries.load(snakemake.params.make)
    source = snakemake.params.source | {"downloads": Path(snakemake.params.source["downloads"])}
    make(
        {name: Path(path) for name, path in snakemake.output.items()},
        snakemake.params.settings,
        Source(**source, threads=snakemake.threads),
    )
