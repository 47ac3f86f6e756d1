from pathlib import Path

from listenread.datasets.tinysol import VOCABULARY
from listenread.paper.definitions import SOURCE, extract_definitions
from listenread.paper.files import fetch_file
from listenread.workflow.job import job

with job(snakemake.log[0]):
    source, where = Path(snakemake.output[0]).with_name(SOURCE), snakemake.params.source
    fetch_file(
        source,
        path=SOURCE,
        base_url=where["released_url"],
        listing=snakemake.input.listing,
        mirror=where["mirror"],
        retries=where["retries"],
    )
    extract_definitions(source, snakemake.output[0], labels=VOCABULARY)
