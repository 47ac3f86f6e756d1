# Vectors. In: manifests and prepared models. Out:
#   results/embeddings/audio/{dataset}/{model}.parquet
#   results/embeddings/text/{dataset}/{model}/{prompt}.parquet

from listenread import prompts


def prompt_words(wildcards):
    """Label -> words of a dataset, in the spelling that the prompt asks for."""
    spelling = CONFIG["prompts"][wildcards.prompt]["spelling"]
    return configuration.words_of(CONFIG["datasets"][wildcards.dataset], spelling)


def definition_file(wildcards):
    """The csv of a prompt that is a definition; nothing for a template."""
    name = CONFIG["prompts"][wildcards.prompt].get("file")
    return [] if name is None else str(prompts.find_file(name, PROJECT))


rule embed_audio:
    input:
        unpack(lambda wildcards: tower_files(wildcards.model, "audio")),
        manifest="results/manifests/{dataset}.parquet",
        code=lambda wildcards: code("embed_audio.py", *family_modules(wildcards.model)),
    output:
        "results/embeddings/audio/{dataset}/{model}.parquet",
    log:
        "logs/embed_audio/{dataset}/{model}.log",
    cache: True
    conda:
        "../envs/towers.yaml"
    threads: workflow.cores
    params:
        batch_size=CONFIG["embedding"]["batch_size"],
        device=CONFIG["embedding"]["device"],
    script:
        "../scripts/embed_audio.py"


rule embed_text:
    input:
        unpack(lambda wildcards: tower_files(wildcards.model, "text")),
        definitions=definition_file,
        code=lambda wildcards: code("embed_text.py", *family_modules(wildcards.model)),
    output:
        "results/embeddings/text/{dataset}/{model}/{prompt}.parquet",
    log:
        "logs/embed_text/{dataset}/{model}/{prompt}.log",
    conda:
        "../envs/towers.yaml"
    params:
        device=CONFIG["embedding"]["device"],
        words=prompt_words,
        names=lambda wildcards: configuration.names_of(
            CONFIG["datasets"][wildcards.dataset]
        ),
        template=lambda wildcards: CONFIG["prompts"][wildcards.prompt].get("template"),
        filler_seeds=lambda wildcards: CONFIG["prompts"][wildcards.prompt].get(
            "filler_seeds", []
        ),
        mask_label=lambda wildcards: CONFIG["prompts"][wildcards.prompt].get(
            "mask_label", False
        ),
    script:
        "../scripts/embed_text.py"
