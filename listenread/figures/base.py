"""The contract of a figure: what it shows, what it reads, and what draws it."""

from dataclasses import dataclass
from typing import Literal, get_args

from listenread.entries import code_problems
from listenread.settings import NoSettings, Settings

#: What a figure or a task can read; see `listenread.tasks.base.Cell`.
Reads = Literal["scores", "audio", "text", "ontology_text", "ontology", "metrics"]


@dataclass(frozen=True)
class Figure:
    """A figure that belongs to a task.

    Attributes:
        name: folder of its files, ``figures/{name}/{dataset}[/{model}[/{prompt}]].svg``.
        caption: what it shows, one sentence without a full stop.
        per: what there is one of it for: each prompt (the first few of an experiment), each model
            of a dataset, or each dataset (all models and prompts in one).
        reads: what it needs; ``metrics`` are the rows that its task measured.
        draw: ``package.module:function``, called as ``draw(cell, svg, settings)`` with a
            `listenread.tasks.base.Cell`, the path of the svg to write (see
            `listenread.figures.style.save`) and the settings. A reference, because drawing imports
            matplotlib, which planning a run must not.
        settings: constants of the section `report` or `metrics` of the configuration that it uses,
            under the same names.
        question: section of the page: ``listens``, ``reads`` or ``meets``; None where the page's
            viewer shows it.
        wide: whether it takes the width of the page.
        pools_variants: whether it shows all variants of a prompt; else it shows the first.
    """

    name: str
    caption: str
    per: Literal["prompt", "model", "dataset"]
    reads: tuple[Reads, ...]
    draw: str
    settings: type[Settings] = NoSettings
    question: Literal["listens", "reads", "meets"] | None = None
    wide: bool = False
    pools_variants: bool = False

    def problems(self) -> list[str]:
        """List what breaks the contract."""
        found = []
        if not (isinstance(self.name, str) and self.name.isidentifier()):
            found.append(f"figure `{self.name}`: the name is not an identifier")
        if not (isinstance(self.draw, str) and ":" in self.draw):
            found.append(f"figure `{self.name}`: `draw` is not `package.module:function`")
        else:
            found += code_problems(self.draw, f"figure `{self.name}`: `draw`")
        if not self.caption:
            found.append(f"figure `{self.name}` has no caption")
        if self.per not in ("prompt", "model", "dataset"):
            found.append(f"figure `{self.name}`: `per` is {self.per!r}")
        if self.question not in (None, "listens", "reads", "meets"):
            found.append(f"figure `{self.name}`: `question` is {self.question!r}")
        if not self.reads:
            found.append(f"figure `{self.name}`: `reads` is empty")
        if unknown := sorted(set(self.reads) - set(get_args(Reads))):
            found.append(f"figure `{self.name}`: `reads` has unknown name(s) {', '.join(unknown)}")
        if not (isinstance(self.settings, type) and issubclass(self.settings, Settings)):
            found.append(
                f"figure `{self.name}`: `settings` is not a subclass of "
                "`listenread.settings.Settings`"
            )
        return found


def figure_path(
    name: str, dataset: str, model: str | None = None, prompt: str | None = None
) -> str:
    """Path of a figure below ``figures/``, without a suffix.

    >>> figure_path("map", "tones", "mini", "track"), figure_path("prompts", "tones")
    ('map/tones/mini/track', 'prompts/tones')
    """
    return "/".join(part for part in (name, dataset, model, prompt) if part)
