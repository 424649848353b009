import logging
import os
import sys
from pathlib import Path

from pipeline.quiet import quiet


def test_chatter_goes_to_the_file_and_the_screen_stream_stays(
    tmp_path: Path, capfd
) -> None:
    log = tmp_path / "logs" / "run.log"
    with quiet(log) as screen:
        os.write(2, b"from C++\n")  # what a library does below Python
        print("from Python")
        logging.getLogger("some.library").info("a record")
        screen.write("for the user\n")
    print("after")
    out, err = capfd.readouterr()
    assert out == "for the user\nafter\n"
    assert err == ""
    text = log.read_text("utf-8")
    assert "from C++" in text and "from Python" in text and "a record" in text


def test_verbose_leaves_the_screen_alone_and_still_logs(tmp_path: Path, capfd) -> None:
    log = tmp_path / "run.log"
    with quiet(log, verbose=True) as screen:
        assert screen is sys.stdout
        os.write(2, b"noise\n")
        logging.getLogger("some.library").info("a record")
    assert "noise" in capfd.readouterr().err
    assert "a record" in log.read_text("utf-8")


def test_streams_come_back_after_an_error(tmp_path: Path, capfd) -> None:
    before = sys.stdout
    try:
        with quiet(tmp_path / "run.log"):
            raise ValueError
    except ValueError:
        pass
    assert sys.stdout is before
    print("here")
    assert capfd.readouterr().out == "here\n"
