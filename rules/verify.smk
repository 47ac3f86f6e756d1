# Checksums. In: everything of an experiment that is the same at every run on this machine. Out:
#   results/experiments/{experiment}/checksums.sha256    checked by `make verify` or `sha256sum -c`
# The page and the health reports are not listed: they hold times and the machine they were made on.


include: "inputs/verify.smk"


rule write_checksums:
    input:
        files=listed_files,
        code=code("write_checksums.py"),
    output:
        "results/experiments/{experiment}/checksums.sha256",
    log:
        "logs/write_checksums/{experiment}.log",
    conda:
        "../envs/tables.yaml"
    script:
        "../scripts/write_checksums.py"
