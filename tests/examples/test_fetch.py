import hashlib
import importlib
import zipfile

import pytest

METADATA = "Metadata-Version: 2.1\nName: some-font\nVersion: 1.0\n"
WHEEL = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@pytest.fixture
def fetch(tmp_path, monkeypatch):
    """The module with an empty cache folder, and pip that finds wheels in `wheels` alone."""
    (tmp_path / "wheels").mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    module = importlib.import_module("fetch")
    module.fetch.cache_clear()
    yield module
    module.fetch.cache_clear()


@pytest.fixture
def wheel(tmp_path):
    """A wheel with a font, its licence and code that must not be unpacked."""
    path = tmp_path / "wheels" / "some_font-1.0-py3-none-any.whl"
    about = "some_font-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("some_font/Some.ttf", b"font")
        archive.writestr("some_font/LICENSE.txt", b"licence")
        archive.writestr("some_font/__init__.py", b"raise SystemExit")
        archive.writestr(f"{about}/METADATA", METADATA)
        archive.writestr(f"{about}/WHEEL", WHEEL)
        archive.writestr(f"{about}/RECORD", b"")
    return path


def pins(tmp_path, digest):
    path = tmp_path / "pins.txt"
    path.write_text(f"some-font==1.0 --hash=sha256:{digest}\n")
    return path


def test_fonts_and_licences_are_unpacked_and_nothing_else(fetch, wheel, tmp_path):
    folder = fetch.fetch(pins(tmp_path, hashlib.sha256(wheel.read_bytes()).hexdigest()))
    files = {path.name for path in folder.rglob("*") if path.is_file()}
    assert files == {"Some.ttf", "LICENSE.txt"}


def test_what_was_fetched_is_not_fetched_again(fetch, wheel, tmp_path):
    path = pins(tmp_path, hashlib.sha256(wheel.read_bytes()).hexdigest())
    first = fetch.fetch(path)
    wheel.unlink()
    fetch.fetch.cache_clear()
    assert fetch.fetch(path) == first


def test_a_wheel_with_another_digest_is_refused_and_leaves_nothing(fetch, wheel, tmp_path):
    with pytest.raises(fetch.FetchError, match=r"(?i)hash"):
        fetch.fetch(pins(tmp_path, "0" * 64))
    assert list(fetch.cache_folder().iterdir()) == []


def test_a_missing_wheel_is_said_by_name(fetch, tmp_path):
    with pytest.raises(fetch.FetchError, match="some-font"):
        fetch.fetch(pins(tmp_path, "0" * 64))


def test_every_download_is_pinned_by_version_digest_and_licence(fetch):
    blocks = fetch.PINS.read_text().replace("\\\n", "").splitlines()
    pinned = [line for line in blocks if line and not line.startswith("#")]
    assert pinned
    for line in pinned:
        assert "==" in line
        assert "--hash=sha256:" in line
    licences = ("Apache-2.0", "Open Font License", "Bitstream Vera")
    assert sum(any(name in line for name in licences) for line in blocks) == len(pinned)


def test_a_damaged_model_is_refused(fetch):
    pinned = hashlib.sha256(fetch.PINS.read_bytes()).hexdigest()[:12]
    damaged = fetch.cache_folder() / f"ocr-{pinned}" / fetch.MODEL
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b"not the model")
    with pytest.raises(fetch.FetchError, match="sha256"):
        fetch.model()
