from listenread.figures import confusion, map, margin, similarity
from listenread.workflow.job import job

with job(snakemake.log[0]):
    scores, params = snakemake.input.scores, snakemake.params
    similarity.draw_text_audio(scores, snakemake.output.similarity[0], bins=params.bins)
    confusion.draw(scores, snakemake.output.confusion[0])
    margin.draw(
        scores,
        snakemake.output.confidence[0],
        histogram_bins=params.bins,
        reliability_bins=params.reliability_bins,
        resamples=params.resamples,
        confidence=params.confidence,
        seed=params.seed,
    )
    map.draw(snakemake.input.audio, snakemake.input.text, snakemake.output.map[0])
