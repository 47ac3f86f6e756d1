from listenread.job import job
from listenread.report import confusion, similarity

with job(snakemake.log[0]):
    similarity.draw_text_audio(
        snakemake.input.scores, snakemake.output.similarity, bins=snakemake.params.bins
    )
    confusion.draw(snakemake.input.scores, snakemake.output.confusion)
