"""Models by their names in a catalogue, without the workflow: fetched and prepared when needed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pydantic
import yaml

from listenread.entries import resolve
from listenread.errors import ConfigError
from listenread.files.material import Source
from listenread.models import storage
from listenread.models.base import Family, PreparationContext, find_family


def prepared_model(
    name: str,
    catalogue: str | Path,
    *,
    models_dir: str | Path = "results/models",
    data_dir: str | Path = "data",
    mirror: str | None = None,
) -> Path:
    """Return the folder of a prepared model; fetch and convert it where it is not there yet.

    The folders are those of the workflow, which takes what it finds, and this takes what the
    workflow made. The health gate is the workflow's: see `listenread.health.check_model`.

    Args:
        name: of an entry under ``models:``.
        catalogue: a YAML file such as ``catalogue/models.yaml``.
        models_dir: folder of the prepared models.
        data_dir: folder of what is downloaded.
        mirror: a folder in `wget -x` layout that is looked into before the network.

    Raises:
        ConfigError: the catalogue has no such model, its settings are wrong, or it has to be
            trained, which needs a captioned dataset and so the workflow.
        DownloadError: a file cannot be fetched.
    """
    folder = Path(models_dir) / name
    if (folder / storage.DESCRIPTION_FILE).is_file():
        return folder
    family, settings = _entry(name, Path(catalogue))
    way = family.preparation(settings)
    if way.dataset(settings) is not None:
        raise ConfigError(
            f"{catalogue}: the model `{name}` has to be trained. Run the workflow with it once, "
            f"then {folder} can be loaded."
        )
    source = Source(Path(data_dir) / "downloads", mirror)
    material = Path(data_dir) / "models" / name
    made = _fetch(family, settings, material, source)
    context = PreparationContext(settings.family, source=source)
    inputs = way.inputs(settings, made)
    storage.prepare(settings.family, way.rule, inputs, folder, _used(settings, way.uses), context)
    return folder


def _entry(name: str, catalogue: Path) -> tuple[Family, Any]:
    try:
        entries = yaml.safe_load(catalogue.read_text("utf-8"))["models"]
    except (OSError, yaml.YAMLError, TypeError, KeyError) as error:
        raise ConfigError(f"{catalogue} is not a catalogue of models: {error!r}") from error
    if name not in entries:
        raise ConfigError(f"{catalogue} has no model `{name}`; it has {', '.join(entries)}")
    try:
        family = find_family(entries[name]["family"])
        return family, family.settings.model_validate(entries[name])
    except (pydantic.ValidationError, TypeError, KeyError) as error:
        raise ConfigError(f"{catalogue}: models.{name}: {error}") from error


def _fetch(family: Family, settings: Any, folder: Path, source: Source) -> dict[str, Path]:
    made: dict[str, Path] = {}
    for material in family.material:
        if not material.when(settings):
            continue
        outputs = {what: folder / path for what, path in material.outputs.items()}
        if not all(path.exists() for path in outputs.values()):
            folder.mkdir(parents=True, exist_ok=True)
            resolve(material.make)(outputs, _used(settings, material.uses), source)
        made |= outputs
    return made


def _used(settings: Any, names: tuple[str, ...]) -> Mapping[str, Any]:
    values = settings.plain()
    return {name: values[name] for name in names}
