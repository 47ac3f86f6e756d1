"""Prompts: templates, definitions and fillers -> one text per label and variant."""

import itertools
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, Field, model_validator

from listenread.datasets.csv_files import read_csv
from listenread.errors import ConfigError, DataError
from listenread.labels import normalise
from listenread.settings import Settings, unique

#: A place in a template.
_PLACE = re.compile(r"\{(\w+)\}")
#: Words of the fillers: the usual typesetters' Latin, which says nothing about music.
_FILLER_WORDS = (
    "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut "
    "labore et dolore magna aliqua enim ad minim veniam quis nostrud exercitation ullamco laboris "
    "nisi aliquip ex ea commodo consequat duis aute irure in reprehenderit voluptate velit esse "
    "cillum fugiat nulla pariatur excepteur sint occaecat cupidatat non proident"
).split()


class PromptText(NamedTuple):
    """One text of a prompt.

    Attributes:
        label: the class, as in the manifest.
        variant: number of the variant, from 0, for prompts that say one thing in several ways.
        text: what the text tower reads.
    """

    label: str
    variant: int
    text: str


def check_template(template: str, places: Iterable[str] = ("label", "filler")) -> str:
    """Refuse braces that nothing replaces: a tower would read them.

    Raises:
        ValueError: which braces, and what may stand in them.
    """
    rest = _PLACE.sub(lambda found: "" if found[1] in places else found[0], template)
    if "{" not in rest and "}" not in rest and "{{" not in template and "}}" not in template:
        return template
    unknown = [name for name in _PLACE.findall(template) if name not in places]
    if unknown:
        raise ValueError(f"nothing says what {{{unknown[0]}}} in {template!r} stands for")
    raise ValueError(
        f"{template!r} has braces that a tower would read; write {{label}} once braced"
    )


Template = Annotated[
    str,
    Field(
        pattern=r"\{label\}",
        description="The prompt template; `{label}` is replaced by the words of the label.",
    ),
]


class PromptSettings(Settings):
    """What every prompt of the catalogue can say."""

    spelling: str | None = Field(
        default=None,
        description="Which of the dataset's spellings the labels are written in; null is the "
        "vocabulary's own.",
    )
    same_texts: Literal["stop", "flag"] = Field(
        default="stop",
        description="What two labels with the same text do, of which none can be told from the "
        "other: `stop` refuses the prompt and names both, also where a tower alone reads them "
        "alike (cut after its last token, or words that it does not know); `flag` says so on the "
        "page.",
    )
    datasets: list[str] | None = Field(
        default=None,
        description="The datasets that this prompt is for; null is every dataset except those that "
        "a prompt of the experiment names in this way.",
    )


class TemplatePrompt(PromptSettings):
    """A template; a prompt given as a string is one, too."""

    template: Template
    filler_seeds: Annotated[list[Annotated[int, Field(ge=0)]], AfterValidator(unique)] | None = (
        Field(
            default=None,
            min_length=1,
            description="`{filler}` in the template is replaced by a random sentence without "
            "meaning; one variant of the prompt for each seed.",
        )
    )

    @model_validator(mode="after")
    def _filler_and_seeds(self) -> "TemplatePrompt":
        check_template(self.template)
        has_filler = "{filler}" in self.template
        if has_filler and not self.filler_seeds:
            raise ValueError("the template has {filler}, so it needs `filler_seeds`")
        if self.filler_seeds and not has_filler:
            raise ValueError("`filler_seeds` are given, but the template has no {filler}")
        return self


class Grid(Settings):
    """One template with places that are filled in every way."""

    template: Template = Field(description="With `{label}` and the names of `words` in braces.")
    words: dict[str, Annotated[list[str], Field(min_length=1), AfterValidator(unique)]] = Field(
        min_length=1,
        description="Name of a place -> what stands there, in turn; the last place changes first.",
    )


class PromptSet(PromptSettings):
    """Many templates under one name: one job, one file.

    The tidy table has the mean over them, and zero-shot rows of each, whose prompt is
    `<name>: <template>`.
    """

    templates: Annotated[list[Template], AfterValidator(unique)] | None = Field(
        default=None,
        min_length=1,
        max_length=32767,
        description="The templates, each with `{label}`.",
    )
    grid: Grid | None = Field(
        default=None, description="One template with places that are filled in every way."
    )

    @model_validator(mode="after")
    def _is_complete(self) -> "PromptSet":
        if (self.templates is None) == (self.grid is None):
            raise ValueError("needs one of `templates`, `grid`")
        if self.grid is not None:
            for place in self.grid.words:
                if f"{{{place}}}" not in self.grid.template:
                    raise ValueError(f"`grid.words`: the template has no {{{place}}}")
        for template in self.filled():
            check_template(template, ["label"])
        if len(set(self.filled())) < len(self.filled()):
            raise ValueError("`grid`: two ways to fill it in give the same template")
        return self

    def filled(self) -> list[str]:
        """Return the templates of the set."""
        if self.grid is not None:
            return fill_grid(self.grid.template, self.grid.words)
        return list(self.templates or [])


class DefinitionPrompt(PromptSettings):
    """A sentence of its own for each label, from a csv."""

    file: str = Field(
        description="A csv with `label,definition`, where `{label}` in a definition is replaced by "
        "the words of the label; or `released` for the paper authors' sentences, which are fetched "
        "at run time."
    )
    encoding: str = Field(
        default="utf-8-sig",
        description="Of the csv, as Python names it; the default is UTF-8 with or without a byte "
        "order mark.",
    )
    mask_label: bool = Field(
        default=False, description="Whether each word of the label is deleted from its definition."
    )


def settings_of(entry: str | Mapping[str, object]) -> type[PromptSettings]:
    """Tell from its keys which kind of prompt an entry of the catalogue is."""
    if isinstance(entry, Mapping):
        if "file" in entry:
            return DefinitionPrompt
        if "templates" in entry or "grid" in entry:
            return PromptSet
    return TemplatePrompt


class Prompt(NamedTuple):
    """What a prompt says.

    Attributes:
        template: of a prompt that is a template.
        templates: of a set, a variant each.
        filler_seeds: see `from_template`.
        mask_label: see `from_definitions`.
        encoding: see `definitions`.
        same_texts: see `PromptSettings`.
    """

    template: str | None = None
    templates: Sequence[str] = ()
    filler_seeds: Sequence[int] = ()
    mask_label: bool = False
    encoding: str = "utf-8-sig"
    same_texts: Literal["stop", "flag"] = "stop"

    @classmethod
    def from_settings(cls, settings: PromptSettings) -> "Prompt":
        """Take what decides about the texts from the settings of a prompt."""
        if isinstance(settings, DefinitionPrompt):
            return cls(
                mask_label=settings.mask_label,
                encoding=settings.encoding,
                same_texts=settings.same_texts,
            )
        if isinstance(settings, PromptSet):
            return cls(templates=settings.filled(), same_texts=settings.same_texts)
        if isinstance(settings, TemplatePrompt):
            return cls(
                template=settings.template,
                filler_seeds=settings.filler_seeds or [],
                same_texts=settings.same_texts,
            )
        raise TypeError(f"`{type(settings).__name__}` is not a kind of prompt")

    def texts(
        self,
        words: Mapping[str, str],
        definitions_file: str | Path | None = None,
        names: Mapping[str, Sequence[str]] | None = None,
    ) -> list[PromptText]:
        """Write the texts for some labels.

        Args:
            words: label -> what replaces ``{label}``, in vocabulary order.
            definitions_file: the csv of a prompt that has definitions; see `definitions`.
            names: see `definitions`; the labels alone by default.

        Returns:
            Variant by variant, the labels in vocabulary order.
        """
        if self.templates:
            return [
                row._replace(variant=variant)
                for variant, one in enumerate(self.templates)
                for row in from_template(one, words)
            ]
        if self.template is not None:
            return from_template(self.template, words, self.filler_seeds)
        if definitions_file is None:
            raise ConfigError("a prompt without a template needs a file of definitions")
        found = definitions(
            Path(definitions_file),
            names or {label: [label] for label in words},
            self.encoding,
        )
        return from_definitions(found, words, self.mask_label)


def from_template(
    template: str, words: Mapping[str, str], filler_seeds: Sequence[int] = ()
) -> list[PromptText]:
    """Fill a prompt template in.

    Args:
        template: contains ``{label}`` and, for prompts with random context, ``{filler}``.
        words: label -> what replaces ``{label}``, in vocabulary order.
        filler_seeds: one variant for each seed; every label gets a sentence of its own, as in the
            paper's released code (which draws them without a seed).

    Returns:
        Variant by variant, the labels in vocabulary order.

    >>> [row.text for row in from_template("A {label} track", {"Cello": "violoncello"})]
    ['A violoncello track']
    """
    rows = []
    for variant, seed in enumerate(filler_seeds or [None]):
        for position, (label, word) in enumerate(words.items()):
            places = {"label": word}
            if seed is not None:
                places["filler"] = filler_sentence(seed, position)
            rows.append(PromptText(label, variant, _fill(template, places)))
    return rows


def _fill(template: str, places: Mapping[str, str]) -> str:
    """Fill all places at once: what a label holds is text, also `{filler}`."""
    return _PLACE.sub(lambda found: places.get(found[1], found[0]), template)


def fill_grid(template: str, words: Mapping[str, Sequence[str]]) -> list[str]:
    """Fill the places of a template in every way; the last place changes first.

    A place that is filled with nothing leaves no double space.

    >>> fill_grid("{opening} {label} track", {"opening": ["A", "One"]})
    ['A {label} track', 'One {label} track']
    """
    filled = []
    for chosen in itertools.product(*words.values()):
        text = template
        for place, word in zip(words, chosen, strict=True):
            text = text.replace(f"{{{place}}}", word)
        filled.append(" ".join(text.split()))
    return filled


def filler_sentence(seed: int, position: int) -> str:
    """Return a sentence of 4 to 12 meaningless words, lower case, without a full stop.

    >>> filler_sentence(0, 0) == filler_sentence(0, 0) != filler_sentence(1, 0)
    True
    """
    generator = random.Random(f"{seed}/{position}")
    return " ".join(generator.choices(_FILLER_WORDS, k=generator.randint(4, 12)))


def from_definitions(
    definitions_of: Mapping[str, str], words: Mapping[str, str], mask_label: bool
) -> list[PromptText]:
    """Use a definition of each label as its prompt, with or without the words of the label."""
    rows = []
    for label, word in words.items():
        text = _fill(definitions_of[label], {"label": word})
        rows.append(PromptText(label, 0, mask(text, word) if mask_label else text))
    return rows


def mask(text: str, label_words: str) -> str:
    """Delete every occurrence of each word of a label, whatever its case, and close the gaps.

    The paper's masked definitions (Section 3.2; `definition_no_label_word` in the released files).

    >>> mask("A French horn is a horn of brass.", "french horn")
    'A is a of brass.'
    """
    for word in label_words.split():
        text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", "", text, flags=re.IGNORECASE)
    return re.sub(r"\s+", " ", text).strip()


def alike(texts: Sequence[PromptText]) -> list[tuple[list[str], str]]:
    """Find the labels that one variant of a prompt gives the same text.

    Returns:
        Labels with one text, and the text, for each text that several labels have, or that is
        empty; of the first variant in which there are any.

    >>> alike([PromptText("flute", 0, "A pipe"), PromptText("fife", 0, "A pipe")])
    [(['flute', 'fife'], 'A pipe')]
    """
    together: dict[tuple[int, str], list[str]] = {}
    for label, variant, text in texts:
        together.setdefault((variant, text), []).append(label)
    found = [(key, labels) for key, labels in together.items() if len(labels) > 1 or not key[1]]
    first = min((variant for (variant, _), _ in found), default=0)
    return [(labels, text) for (variant, text), labels in found if variant == first]


def say_alike(found: Sequence[tuple[Sequence[str], str]]) -> str:
    """Say which labels have one text.

    >>> say_alike([(["flute", "fife"], "A pipe"), (["oboe"], "")])
    "'flute' and 'fife' have the same text 'A pipe'; 'oboe' has an empty text"
    """
    parts = []
    for labels, text in found:
        names = " and ".join(map(repr, labels[:5])) + (" and others" if len(labels) > 5 else "")
        has = "have the same" if len(labels) > 1 else "has an"
        shown = f" {text[:60] + '...' if len(text) > 60 else text!r}" if text else ""
        parts.append(f"{names} {has} {'' if text else 'empty '}text{shown}")
    return "; ".join(parts)


def definitions(
    path: Path, names: Mapping[str, Sequence[str]], encoding: str = "utf-8-sig"
) -> dict[str, str]:
    """Read a csv with `label,definition` and find the row of every label.

    Args:
        path: the csv.
        names: label -> what its row may be called: the label itself and its words in every
            spelling; upper and lower case are one.
        encoding: of the csv.

    Raises:
        ConfigError: the file is not there or not such a csv, has a label twice, or misses one; or a
            definition has braces around anything but `{label}`.
    """
    try:
        rows = read_csv(
            path,
            ["label", "definition"],
            encoding,
            encoding_advice=", or name its `encoding` in the prompt",
        ).values()
        for row in rows:
            check_template(row["definition"], ["label"])
    except DataError as error:
        raise ConfigError(str(error)) from error
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from error
    found: dict[str, str] = {}
    for row in rows:
        key = normalise(row["label"]).casefold()
        if key in found:
            raise ConfigError(f"{path} has the label {row['label']!r} twice")
        found[key] = row["definition"]
    chosen = {
        label: next(
            (text for name in known_as if (text := found.get(normalise(name).casefold()))), ""
        )
        for label, known_as in names.items()
    }
    absent = [label for label, text in chosen.items() if not text]
    if absent:
        raise ConfigError(f"{path} has no definition of {', '.join(map(repr, absent))}")
    return chosen


def find_file(name: str, base: Path) -> Path:
    """Find `name` in the working directory, else below `base`, the folder of the package."""
    path = Path(name)
    return path if path.exists() or path.is_absolute() else base / path
