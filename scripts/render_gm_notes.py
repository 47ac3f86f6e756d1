from listenread.datasets import gm_notes
from listenread.datasets.gm.soundfont import find_soundfont
from listenread.workflow.job import job

with job(snakemake.log[0]):
    settings = dict(snakemake.params)
    gm_notes.render(
        find_soundfont(settings.pop("soundfont"), settings.pop("sha256")),
        snakemake.output.audio,
        snakemake.output.metadata,
        workers=snakemake.threads,
        **settings,
    )
