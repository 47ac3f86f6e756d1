"""Material: files that are fetched or made once, before clips are read or a model is prepared."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Source:
    """Where downloads come from and go to.

    Attributes:
        downloads: folder of archives that are kept for the next time.
        mirror: a folder in `wget -x` layout that is looked into before the network, or None.
        released_url: the authors' repository of the paper at its pinned commit.
        retries: how often a failed request is tried again.
        threads: of the job.
    """

    downloads: Path
    mirror: str | None = None
    released_url: str = ""
    retries: int = 3
    threads: int = 1


@dataclass(frozen=True)
class Material:
    """Files of an entry that one job fetches or makes.

    Attributes:
        rule: name of its rule, verb first, e.g. ``fetch_tinysol``.
        outputs: what the files are called by the entry -> their path below the entry's folder,
            `data/{name of the dataset or model}/`; a path that ends with ``/`` is a folder.
        make: ``package.module:function`` or a function, called as ``make(outputs, settings,
            source)`` with the paths by the same names, a mapping of the settings that `uses` names,
            and a `Source`.
        uses: settings of the entry that it depends on; a change of any other fetches nothing.
        when: called with the entry's settings: whether the files are needed; always by default.
        network: whether it uses the network, so that a cluster runs it where the workflow runs.
        minutes: run time to ask a scheduler for.
        megabytes: memory to ask for.
        all_cores: whether it uses all cores.
    """

    rule: str
    outputs: Mapping[str, str]
    make: str | Callable[[Mapping[str, Path], Mapping[str, Any], Source], None]
    uses: tuple[str, ...] = ()
    when: Callable[[Any], bool] = lambda settings: True
    network: bool = True
    minutes: int = 5
    megabytes: int = 2000
    all_cores: bool = False
