from pathlib import Path

from listenread.models.released_fetch import fetch_file
from listenread.paper.definitions import SOURCE, extract_definitions
from listenread.workflow.job import job

with job(snakemake.log[0]):
    settings = dict(snakemake.params)
    labels = settings.pop("labels")
    source = Path(snakemake.output[0]).with_name(SOURCE)
    fetch_file(source, path=SOURCE, listing=snakemake.input.listing, **settings)
    extract_definitions(source, snakemake.output[0], labels=labels)
