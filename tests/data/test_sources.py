from __future__ import annotations

import hashlib
import http.server
import threading
from pathlib import Path

import pytest

from seqnorm.data import sources


@pytest.fixture
def server(tmp_path):
    """A web server on this machine with one file; yields its address."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "words.txt").write_text("one two three")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def log_message(self, format, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_address[1]}/"
        httpd.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def keras_home(tmp_path, monkeypatch) -> Path:
    home = tmp_path / "keras"
    home.mkdir()
    monkeypatch.setenv("KERAS_HOME", str(home))
    return home


GOOD = hashlib.sha256(b"one two three").hexdigest()


def test_a_file_is_downloaded_once(server, monkeypatch):
    path = sources.find(None, "words.txt", server + "words.txt", GOOD)
    assert path.read_text() == "one two three"
    assert sources.find(None, "words.txt", "http://127.0.0.1:9/gone", GOOD) == path


def test_a_file_with_another_hash_is_refused(server):
    with pytest.raises(OSError, match=r"words\.txt is required .*hash.*set data\.dir"):
        sources.find(None, "words.txt", server + "words.txt", "0" * 64)


def test_a_page_that_is_not_there_is_refused(server):
    with pytest.raises(OSError, match=r"other\.txt is required .*404.*set data\.dir"):
        sources.find(None, "other.txt", server + "other.txt", GOOD)


def test_a_folder_is_never_completed_by_a_download(server, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"words\.txt is required, received nothing at"):
        sources.find(tmp_path, "words.txt", server + "words.txt", GOOD)


def test_a_home_directory_is_understood(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "words.txt").write_text("anything")
    assert sources.find("~", "words.txt", "http://unused", GOOD) == tmp_path / "words.txt"


def test_a_server_is_reachable_if_it_answers(server):
    sources.check_reachable("words.txt", server + "words.txt")
    sources.check_reachable("other.txt", server + "other.txt")


def test_no_server_is_an_error(no_network):
    with pytest.raises(OSError, match=r"words\.txt is required .*Check the network"):
        sources.check_reachable("words.txt", "http://example.invalid/words.txt")
