from listenread.models.released_files import read_audio
from listenread.workflow.job import job

with job(snakemake.log[0]):
    read_audio(
        snakemake.output[0],
        folder=snakemake.input.folder,
        ground_truth=snakemake.input.ground_truth,
        listing=snakemake.input.listing,
        **snakemake.params,
    )
