from __future__ import annotations

import hashlib
import http.server
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from seqnorm.lab.data import sources, staging


@contextmanager
def serving(handler):
    """A web server on this machine; yields its address."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_address[1]}/"
        httpd.shutdown()
        thread.join()


@pytest.fixture
def server(tmp_path):
    """A web server with one file; yields its address."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "words.txt").write_text("one two three")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def log_message(self, format, *args):
            pass

    with serving(Handler) as address:
        yield address


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


def test_a_refused_download_leaves_the_cache_as_it_was(server, keras_home):
    path = keras_home / "datasets" / "words.txt"
    path.parent.mkdir()
    path.write_text("an older file")
    for name, file_hash in (("words.txt", "0" * 64), ("gone.txt", GOOD)):
        with pytest.raises(OSError, match=r"words\.txt is required"):
            sources.download("words.txt", server + name, file_hash)
        assert path.read_text() == "an older file"
    assert sorted(item.name for item in path.parent.iterdir()) == [".words.txt.lock", "words.txt"]
    assert sources.download("words.txt", server + "words.txt", GOOD).read_text() == "one two three"


def test_a_download_that_breaks_off_is_refused(keras_home):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"one two")

        def log_message(self, format, *args):
            pass

    with serving(Handler) as address, pytest.raises(OSError, match=r"words\.txt is required"):
        sources.download("words.txt", address + "words.txt", GOOD)
    assert [item.name for item in (keras_home / "datasets").iterdir()] == [".words.txt.lock"]


def test_processes_at_once_download_it_once_each_whole(tmp_path):
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "13")
            self.end_headers()
            for word in (b"one ", b"two ", b"three"):
                time.sleep(0.2)
                self.wfile.write(word)

        def log_message(self, format, *args):
            pass

    code = (
        "import sys; from pathlib import Path; from seqnorm.lab.data import sources\n"
        "print(sources.fetch(Path(sys.argv[1]), sys.argv[2], sys.argv[3]).read_text())"
    )
    with serving(Handler) as address:
        command = [sys.executable, "-c", code, str(tmp_path / "words.txt"), address + "w", GOOD]
        processes = [
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _ in range(3)
        ]
        answers = [process.communicate(timeout=60)[0] for process in processes]
    assert answers == ["one two three\n"] * 3
    assert asked == ["/w"]


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


def test_a_server_is_reachable_if_it_answers(server, tmp_path):
    sources.check_reachable("words.txt", server + "words.txt", tmp_path)
    sources.check_reachable("other.txt", server + "other.txt", tmp_path)


def test_no_server_is_an_error(no_network, tmp_path):
    with pytest.raises(OSError, match=r"words\.txt is required .*Check the network"):
        sources.check_reachable("words.txt", "http://example.invalid/words.txt", tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process")
def test_a_disk_that_takes_no_more_is_not_blamed_on_the_network(server, tmp_path):
    code = (
        "import resource, sys; from pathlib import Path; from seqnorm.lab.data import sources\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5, 5))\n"
        "sources.fetch(Path(sys.argv[1]), sys.argv[2], sys.argv[3])"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "words.txt"), server + "words.txt", GOOD]
    done = subprocess.run(command, capture_output=True, text=True)
    *_, last = done.stderr.strip().splitlines()
    assert last == (
        f"OSError: {tmp_path} must be a folder that can be written to, received OSError: File too "
        "large. Choose another folder."
    )


def test_who_waits_says_so(tmp_path, capsys):
    def hold(_):
        with staging.exclusive(tmp_path, "words"):
            held.set()
            release.wait(30)

    held, release = threading.Event(), threading.Event()
    holder = threading.Thread(target=hold, args=(None,))
    holder.start()
    held.wait(30)
    threading.Timer(0.5, release.set).start()
    with staging.exclusive(tmp_path, "words"):
        pass
    holder.join()
    assert f"Waiting for another process that makes {tmp_path / 'words'}" in capsys.readouterr().err
