"""What cannot be exported is said, and leaves nothing behind."""

from __future__ import annotations

import shutil

import pytest

from seqnorm.lab import export as room
from seqnorm.lab.commands.export import main
from seqnorm.lab.export import formats


def refused(capsys, *words: str) -> str:
    assert main([*words]) == 1
    out, err = capsys.readouterr()
    assert "Traceback" not in err and "for Keras" not in out
    return err


def test_a_folder_that_is_there_is_replaced_on_demand_and_only_an_export(run, tmp_path, capsys):
    out = tmp_path / "out"
    words = [str(run), "--to", "keras", "--out", str(out)]
    out.mkdir()
    (out / "thesis.tex").touch()
    assert "Add --force to write over it" in refused(capsys, *words)
    assert "which is no export" in refused(capsys, *words, "--force")
    assert (out / "thesis.tex").exists()
    shutil.rmtree(out)
    assert main(words) == 0
    (out / "old").touch()
    assert main([*words, "--force"]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["encoding.json", "model.keras"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_cannot_be_a_folder_is_said_before_anything_is_loaded(run, tmp_path, capsys):
    (tmp_path / "thesis.tex").touch()
    for out, why in (("thesis.tex/out", "thesis.tex is a file"), ("x" * 300, "File name too long")):
        said = refused(capsys, str(run), "--to", "keras", "--out", str(tmp_path / out))
        assert "an export needs a folder that can be made" in said and why in said
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_options_of_a_table_are_for_rows(run, tmp_path, capsys):
    out = ("--out", str(tmp_path / "out"))
    said = refused(capsys, str(run), "--to", "keras", *out, "--text", "note")
    assert "--text is for --rows FILE" in said
    (tmp_path / "a.csv").write_text("id,note\n1,good\n2,dull\n")
    words = [str(run), "--to", "keras", *out, "--rows", str(tmp_path / "a.csv")]
    assert main([*words, "--text", "note"]) == 0
    assert "There it answered 2 given rows of up to 2 steps as here" in capsys.readouterr().out


def test_a_package_that_is_missing_is_named_with_what_installs_it(run, capsys, monkeypatch):
    monkeypatch.setattr(room, "find_spec", lambda name: None)
    for to, package in [("onnx", "onnx, tf2onnx, onnxruntime"), ("litert", "ai_edge_litert")]:
        said = refused(capsys, str(run), "--to", to)
        assert f"--to {to} needs {package}, which" in said and "'.[export]'" in said


def test_a_folder_without_a_finished_run(tmp_path, capsys):
    said = refused(capsys, str(tmp_path / "none"), "--to", "keras")
    assert "needs the folder of a finished run" in said and not list(tmp_path.iterdir())


def test_a_file_that_answers_otherwise_never_gets_its_name(run, tmp_path, capsys, monkeypatch):
    kind = formats.FORMATS["keras"]

    def other(folder):
        answer = kind.open(folder)
        return lambda rows: {name: each + 0.1 for name, each in answer(rows).items()}

    changed = {**vars(kind), "open": other}
    monkeypatch.setitem(formats.FORMATS, "keras", formats.Format(**changed))
    said = refused(capsys, str(run), "--to", "keras", "--out", str(tmp_path / "out"))
    assert "its answers are 0.1 from the network's, which rounding moves by" in said
    assert "Nothing was written" in said
    assert not list(tmp_path.iterdir())


def test_what_stands_under_networks_is_none(run, capsys, monkeypatch):
    monkeypatch.setattr("seqnorm.lab.trained.Trained.is_floor", True)
    assert "model.npz is plain arrays" in refused(capsys, str(run), "--to", "onnx")
    assert not (run / "onnx").exists()


@pytest.mark.parametrize("to", ["tflite", "ONNX"])
def test_a_format_that_there_is_not(to, run):
    with pytest.raises(
        room.UserError, match=f"saved_model, onnx, litert, keras; received to='{to}"
    ):
        room.export(run, to)
