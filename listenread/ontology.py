"""Ontologies of instruments: trees, distances between instruments, who is related to whom.

An ontology is a csv (`instrument,path,aliases`, see `resources/ontology/README.md`) or AudioSet's
`ontology.json`. The distance of two instruments is the number of edges between them, up to the
nearest group that holds both and down again; instruments that share no top-level family are
unrelated, at distance infinity.
"""

import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from listenread.errors import DataError
from listenread.labels import normalise as as_seen

#: A place in a tree: the groups from the top-level family down, then the instrument itself.
Place = tuple[str, ...]
#: What the released distance matrix holds for two instruments without a common family.
RELEASED_UNRELATED = -1.0


@dataclass(frozen=True)
class Ontology:
    """Instruments and their places.

    Attributes:
        places: for each instrument its places, at least one; keys in the order of the file.
        aliases: other spellings, normalised as by `normalise`, of instruments in `places`.
    """

    places: Mapping[str, tuple[Place, ...]]
    aliases: Mapping[str, str]

    @property
    def instruments(self) -> list[str]:
        """All instruments, in the order of the file."""
        return list(self.places)

    def missing(self, labels: Iterable[str]) -> list[str]:
        """Labels that are neither an instrument nor an alias, in their order."""
        return [label for label in labels if normalise(label) not in self.aliases]

    def instrument(self, label: str) -> str:
        """The instrument that a label spells.

        Raises:
            DataError: no instrument or alias is spelt so.
        """
        self._require([label])
        return self.aliases[normalise(label)]

    def family(self, label: str) -> list[str]:
        """Top-level families of a label's instrument, usually one."""
        return sorted({place[0] for place in self.places[self.instrument(label)]})

    def distances(self, labels: Sequence[str]) -> np.ndarray:
        """Distances between labels in edges, float64, shape (L, L), symmetric, inf if unrelated.

        Two labels that spell the same instrument have distance 0.

        Raises:
            DataError: naming every label that the ontology does not have.
        """
        return self._pairs(labels, nearest, fill=np.inf)

    def shared_levels(self, labels: Sequence[str]) -> np.ndarray:
        """How many levels two labels share, int64, shape (L, L): 0 if unrelated, 1 for a family...

        An instrument that is itself a group (AudioSet's `Guitar`) counts as a level of those below.

        Raises:
            DataError: naming every label that the ontology does not have.
        """
        return self._pairs(labels, deepest_common_level, fill=0).astype(np.int64)

    def _require(self, labels: Iterable[str]) -> None:
        if missing := self.missing(labels):
            raise DataError(
                f"the ontology has no instrument or alias {', '.join(map(repr, missing))}; "
                "add rows or aliases to its file, or leave these labels out"
            )

    def _pairs(self, labels: Sequence[str], measure: Any, fill: float) -> np.ndarray:
        self._require(labels)
        places = [self.places[self.instrument(label)] for label in labels]
        result = np.full((len(labels), len(labels)), fill, dtype=np.float64)
        for i, one in enumerate(places):
            for j, other in enumerate(places[: i + 1]):
                result[i, j] = result[j, i] = measure(one, other)
        return result


def common_levels(one: Place, other: Place) -> int:
    """Number of leading groups that two places share.

    >>> common_levels(("wind", "brass", "tuba"), ("wind", "reed", "oboe"))
    1
    """
    level = 0
    while level < min(len(one), len(other)) and one[level] == other[level]:
        level += 1
    return level


def nearest(ones: Iterable[Place], others: Iterable[Place]) -> float:
    """Fewest edges between any two places, inf if no two share a family.

    >>> nearest([("wind", "brass", "tuba")], [("wind", "brass", "bugle"), ("toys", "bugle")])
    2
    >>> nearest([("wind", "brass", "tuba")], [("stringed", "viola")])
    inf
    """
    levels = [(common_levels(one, other), one, other) for one in ones for other in others]
    return min((len(a) + len(b) - 2 * c for c, a, b in levels if c), default=np.inf)


def deepest_common_level(ones: Iterable[Place], others: Iterable[Place]) -> int:
    """Most levels shared by any two places."""
    return max(common_levels(one, other) for one in ones for other in others)


def released_matrix(distances: np.ndarray) -> np.ndarray:
    """Write distances the way the released `tinysol_instrument_similarity.npy` does.

    The released file is named a similarity and holds distances: 0 on the diagonal, edges between
    instruments of one family, -1 between families.

    >>> released_matrix(np.array([[0.0, np.inf], [np.inf, 0.0]])).tolist()
    [[0.0, -1.0], [-1.0, 0.0]]
    """
    return np.where(np.isinf(distances), RELEASED_UNRELATED, distances)


def normalise(label: str) -> str:
    """Spell a label the way that labels are compared: lower case, single spaces.

    >>> normalise("Clarinet_in  B-flat")
    'clarinet in b flat'
    """
    return re.sub(r"[\s_-]+", " ", as_seen(label)).strip().casefold()


def read(path: str | Path, *, column: str = "path", root: str | None = None) -> Ontology:
    """Read an ontology, by its ending from a csv or from AudioSet's json.

    Args:
        path: a `.csv` as described in `resources/ontology/README.md`, or a `.json` in the format of
            AudioSet's `ontology.json`.
        column: the csv column with the places, e.g. `path_as_released`.
        root: csv: a node above the families, dropped where a place starts with it. json: the name
            of the node whose descendants are wanted, `Musical instrument` if not given.

    Raises:
        DataError: listing everything that is wrong with the file.
    """
    path = Path(path)
    if path.suffix == ".json":
        return read_audioset(path, root=root or "Musical instrument")
    return read_csv(path, column=column, root=root)


def read_csv(path: str | Path, *, column: str = "path", root: str | None = None) -> Ontology:
    """Read an ontology from a csv; see `read`."""
    places: dict[str, tuple[Place, ...]] = {}
    spellings: list[tuple[str, str]] = []
    problems = []
    for line, row in enumerate(_rows(path, column), start=2):
        instrument = (row["instrument"] or "").strip()
        groups = [group.strip() for group in (row[column] or "").split("/")]
        if not instrument or not all(groups):
            problems.append(f"line {line}: an empty instrument or an empty group in the path")
            continue
        if root is not None and groups[0] == root:
            groups = groups[1:]
        place = (*groups, instrument)
        places[instrument] = (*places.get(instrument, ()), place)
        aliases = (row.get("aliases") or "").split(";")
        spellings += [(alias.strip(), instrument) for alias in aliases if alias.strip()]
    return _build(path, places, spellings, problems)


def _rows(path: str | Path, column: str) -> list[dict[str, str]]:
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            columns, rows = reader.fieldnames or [], list(reader)
    except (OSError, UnicodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as a csv in UTF-8: {error}") from error
    if absent := {"instrument", column} - set(columns):
        raise DataError(f"{path} has no column {', '.join(sorted(absent))}; it has {columns}")
    return rows


def read_audioset(path: str | Path, *, root: str = "Musical instrument") -> Ontology:
    """Read the descendants of a node from AudioSet's `ontology.json`.

    Every descendant is an instrument, groups included (a clip may be labelled `Guitar`), except
    nodes that AudioSet restricts as `abstract`, which no clip is labelled with. A name with commas
    (`Violin, fiddle`) has each part as an alias.

    Format: https://github.com/audioset/ontology, a list of nodes with `id`, `name`, `child_ids` and
    `restrictions` (Gemmeke et al., ICASSP 2017).
    """
    try:
        nodes = {node["id"]: node for node in json.loads(Path(path).read_text(encoding="utf-8"))}
        names = {identifier: str(node["name"]) for identifier, node in nodes.items()}
        children = {identifier: list(node["child_ids"]) for identifier, node in nodes.items()}
        abstract = {
            identifier
            for identifier in nodes
            if "abstract" in nodes[identifier].get("restrictions", [])
        }
        hash(tuple(map(tuple, children.values())))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(
            f"{path} is not in the format of AudioSet's ontology.json, a list of nodes with id, "
            f"name and child_ids ({type(error).__name__}: {error})"
        ) from error
    roots = [identifier for identifier, name in names.items() if name == root]
    if not roots:
        raise DataError(f"{path} has no node named {root!r}")
    places: dict[str, tuple[Place, ...]] = {}
    problems = []
    waiting: list[tuple[str, Place]] = [(child, ()) for child in reversed(children[roots[0]])]
    while waiting:
        identifier, above = waiting.pop()
        if identifier not in nodes:
            problems.append(f"child id {identifier} is not a node")
            continue
        place = (*above, names[identifier])
        if names[identifier] in above:
            problems.append(f"{names[identifier]} is among its own descendants")
            continue
        if identifier not in abstract:
            places[names[identifier]] = (*places.get(names[identifier], ()), place)
        waiting += [(child, place) for child in reversed(children[identifier])]
    spellings = [(part, name) for name in places if "," in name for part in name.split(",")]
    return _build(path, places, spellings, problems)


def _build(
    path: str | Path,
    places: dict[str, tuple[Place, ...]],
    spellings: list[tuple[str, str]],
    problems: list[str],
) -> Ontology:
    """Put names and aliases together; a name wins over an alias, two of the same kind clash."""
    aliases: dict[str, str] = {}
    for instrument in places:
        other = aliases.setdefault(normalise(instrument), instrument)
        if other != instrument:
            problems.append(f"{instrument!r} and {other!r} are the same label")
    names = set(aliases)
    for alias, instrument in spellings:
        if normalise(alias) in names:
            continue
        other = aliases.setdefault(normalise(alias), instrument)
        if other != instrument:
            problems.append(f"alias {alias!r} stands for {other!r} and for {instrument!r}")
    if not places:
        problems.append("it holds no instrument")
    if problems:
        raise DataError(f"{path} cannot be used as an ontology: " + "; ".join(problems))
    return Ontology(places, aliases)
