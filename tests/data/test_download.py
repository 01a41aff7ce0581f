"""A download ends with the files, or with an error of one line that names the remedies."""

import logging
import os
import socket
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from latentlab.data import download as module
from latentlab.data.download import download
from latentlab.data.torchvision_sets import (
    EMNISTDataModule,
    FashionMNISTDataModule,
    KMNISTDataModule,
    MNISTDataModule,
)
from latentlab.errors import DataError

REMEDIES = "; set data.root=FOLDER or LATENTLAB_DATA to their folder, or use data=digits, which needs no files"


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A proxy that refuses every connection."""
    for variable in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    for variable in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    urllib.request.install_opener(urllib.request.build_opener())  # the first request of a process keeps its proxies
    yield
    monkeypatch.undo()
    urllib.request.install_opener(urllib.request.build_opener())


@pytest.fixture
def unwritable() -> Iterator[Path]:
    """A folder that this process may read but not write; root becomes another user for that."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o555)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            yield folder
        finally:
            os.seteuid(user)
            folder.chmod(0o755)


def missing(*paths: Path) -> list[Path]:
    return [path for path in paths if not path.exists()]


def test_missing_files_are_downloaded_once(tmp_path: Path) -> None:
    wanted, fetched = tmp_path / "root/SET/a", []

    def fetch() -> None:
        fetched.append(1)
        wanted.parent.mkdir()
        wanted.write_text("here")

    for _ in range(2):
        download("SET", tmp_path / "root", lambda: missing(wanted), fetch)
    assert fetched == [1]
    assert wanted.read_text() == "here"


def test_output_of_the_download_is_suppressed_and_one_line_is_logged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    def fetch() -> None:
        print("100%")
        print("100%", file=sys.stderr)
        (tmp_path / "a").touch()

    with caplog.at_level(logging.INFO):
        download("SET", tmp_path, lambda: missing(tmp_path / "a"), fetch)
    assert capsys.readouterr() == ("", "")
    assert caplog.messages == [f"downloading SET into {tmp_path}"]


def test_an_archive_without_the_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected a and 1 more in .*the archive does not contain it"):
        download("SET", tmp_path, lambda: missing(tmp_path / "a", tmp_path / "b"), lambda: None)


def test_a_server_without_a_response_causes_a_timeout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert module.SOCKET_TIMEOUT == 15
    monkeypatch.setattr(module, "SOCKET_TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with pytest.raises(DataError, match=r"downloading failed .*timed out") as raised:
            download("SET", tmp_path, lambda: missing(tmp_path / "a"), lambda: opener.open(address))
    assert str(raised.value).endswith(REMEDIES)
    assert socket.getdefaulttimeout() is None


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(
    ("data", "file"),
    [
        (MNISTDataModule, "MNIST/raw: train-images-idx3-ubyte and 3 more"),
        (FashionMNISTDataModule, "FashionMNIST/raw: train-images-idx3-ubyte and 3 more"),
        (EMNISTDataModule, "EMNIST/raw: emnist-balanced-train-images-idx3-ubyte and 3 more"),
    ],
)
def test_without_a_network_one_line_names_the_missing_files_and_the_remedies(
    data: type[MNISTDataModule], file: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError) as raised:
        data(tmp_path).prepare_data()
    folder, names = file.split(": ")
    message = str(raised.value)
    assert message.startswith(f"data.root: expected {names} in {tmp_path / folder}, found none, and downloading")
    assert "Connection refused" in message
    assert message.endswith(REMEDIES)
    assert "\n" not in message
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == []  # nothing is left


@pytest.mark.usefixtures("no_network")
def test_a_root_that_cannot_be_written_is_named(unwritable: Path) -> None:
    with pytest.raises(DataError, match=rf"in {unwritable}/MNIST/raw, .*Permission denied"):
        MNISTDataModule(unwritable).prepare_data()


@pytest.mark.usefixtures("no_network")
def test_a_root_that_cannot_be_created_is_named(unwritable: Path) -> None:
    with pytest.raises(DataError, match=rf"in {unwritable}/new/MNIST/raw, .*Permission denied"):
        MNISTDataModule(unwritable / "new").prepare_data()


@pytest.mark.timeout(20)
def test_a_root_in_which_no_lock_can_be_made_is_named_at_once() -> None:
    root = Path("/proc")
    if not root.is_dir():
        pytest.skip("no file system here that refuses files in that way")
    with pytest.raises(DataError, match=r"in /proc/KMNIST/raw, .*No such file or directory"):
        KMNISTDataModule(root).prepare_data()


@pytest.mark.parametrize("picture", ["cat.JPG", "cats/1.png"])
def test_nothing_is_downloaded_into_a_folder_of_pictures(tmp_path: Path, picture: str) -> None:
    (tmp_path / picture).parent.mkdir(exist_ok=True)
    (tmp_path / picture).touch()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(DataError, match=rf"holds MNIST/raw/train.*, found pictures such as {picture} in {tmp_path}"):
        MNISTDataModule(tmp_path).prepare_data()
    assert sorted(tmp_path.rglob("*")) == before


def test_a_root_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"data\.root: expected .* in .*/file/MNIST/raw"):
        MNISTDataModule(tmp_path / "file").prepare_data()
