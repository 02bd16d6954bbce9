"""What the gate judges: a bundle or a plain model file, and what a look at it tells."""

import hashlib
from pathlib import Path

import msgspec
from msgspec import Struct

from edgekit.budget import Budget
from edgekit.bundle import Bundle
from edgekit.engines import engine_for
from edgekit.errors import StorageError
from edgekit.measure.external import external_parts


class Subject(Struct, frozen=True, omit_defaults=True):
    """A model file or bundle. Paths are not part of reports, names are.

    Attributes:
        file: its file name.
        engine: the runtime that runs it.
        sha256: of the model file; for a bundle of its `manifest.json`, which stands for all of it.
        model_sha256: of the model file alone, with its external data.
        model_bytes: size of the model file and of the files that hold its external data.
        file_bytes: size of the whole file, external data included.
        name: of the bundle.
        version: of the bundle.
        target: that the bundle was made for.
        recipe: that the bundle was made by.
        use: digest of what a bundle wraps around its model: features, decoder and labels.
    """

    file: str
    engine: str
    sha256: str
    model_sha256: str
    model_bytes: int
    file_bytes: int
    name: str | None = None
    version: str | None = None
    target: str | None = None
    recipe: str | None = None
    use: str | None = None

    def answers_like(self, other: "Subject") -> bool:
        """Whether both are the same model with the same features and decoder."""
        return self.model_sha256 == other.model_sha256 and self.use == other.use


def is_bundle(path: Path) -> bool:
    """Whether a path names a bundle."""
    return path.suffix == ".edgekit"


def look_at(path: Path) -> Subject:
    """Read what there is to know without running it.

    Raises:
        BundleError: the bundle is damaged.
        StorageError: the file cannot be read.
        UsageError: it is neither a bundle nor a model file.
    """
    if is_bundle(path):
        return _look_at_bundle(path)
    engine = engine_for(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        problem = f"it cannot be read ({error.strerror})"
        raise StorageError(f"model {str(path)!r}", problem, "check the path") from error
    digest, size = hashlib.sha256(content), len(content)
    for part in external_parts(path, content):
        digest.update(part)
        size += len(part)
    return Subject(path.name, engine, digest.hexdigest(), digest.hexdigest(), size, size)


def budget_of(path: Path) -> Budget:
    """The budget that a bundle carries; an empty one for a plain model file."""
    if not is_bundle(path):
        return Budget()
    with Bundle.open(path) as bundle:
        return bundle.manifest.budget


def _look_at_bundle(path: Path) -> Subject:
    with Bundle.open(path) as bundle:
        manifest = bundle.manifest
        files = {file.path: file for file in manifest.files}
        labels = files[manifest.labels].sha256 if manifest.labels else ""
        use = msgspec.json.encode([manifest.features, manifest.decoder, labels])
        return Subject(
            file=path.name,
            engine=manifest.engine,
            sha256=bundle.sha256,
            model_sha256=files[manifest.model].sha256,
            model_bytes=files[manifest.model].size_bytes,
            file_bytes=bundle.size_bytes,
            name=manifest.name,
            version=manifest.version,
            target=manifest.target,
            recipe=manifest.recipe,
            use=hashlib.sha256(use).hexdigest(),
        )
