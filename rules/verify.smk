# Checksums. In: everything of an experiment that is the same at every run on this machine. Out:
#   results/models/{model}/checksums.sha256              a model's files, gigabytes, read once
#   results/experiments/{experiment}/checksums.sha256    checked by `make verify` or `sha256sum -c`
# The page and the health reports are not listed: they hold times and the machine they were made on.


include: "inputs/verify.smk"


rule hash_model:
    input:
        files=prepared_files,
        code=code("hash_model.py"),
    output:
        "results/models/{model}/checksums.sha256",
    log:
        "logs/hash_model/{model}.log",
    wildcard_constraints:
        model=one_of(WITH_TOWERS),
    conda:
        "../envs/tables.yaml"
    script:
        "../scripts/hash_model.py"


rule write_checksums:
    input:
        files=listed_files,
        lists=model_files("checksums.sha256"),
        code=code("write_checksums.py"),
    output:
        "results/experiments/{experiment}/checksums.sha256",
    log:
        "logs/write_checksums/{experiment}.log",
    conda:
        "../envs/tables.yaml"
    script:
        "../scripts/write_checksums.py"
