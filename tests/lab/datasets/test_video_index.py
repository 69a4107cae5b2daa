"""The index of a data set, from folders, zips and a local S3 server."""

import json
import os
import struct
import subprocess
import sys
import zipfile

import pandas
import pytest

from data_sets import write_labels, write_names, write_set, zip_folder
from media import truncated, write_audio, write_playlist, write_video
from unmask.archive.entries import list_entries
from unmask.archive.sources import Opener
from unmask.data import index, read_index_file, usable, write_index_file
from unmask.errors import DataError, SettingsError
from unmask.lab.datasets.metadata import MAX_METADATA_BYTES, parse_metadata
from unmask.lab.datasets.video_index import told_status


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("set") / "dfdc")


@pytest.fixture(scope="module")
def frame(folder):
    return index(folder, sha256=True)


class TestFrame:
    def test_is_what_a_notebook_expects(self, folder, frame):
        notebook = pandas.concat([pandas.read_json(f).T for f in sorted(folder.rglob("metadata.json"))])
        notebook = notebook.loc[frame.index]
        assert (frame.label == notebook.label).all() and (frame.split == notebook.split).all()
        assert frame.original.isna().equals(notebook.original.isna())
        assert (frame.original.dropna() == notebook.original.dropna()).all()

    def test_says_what_the_containers_say(self, frame):
        assert list(frame.part.unique()) == ["part_0", "part_1"]
        assert set(frame.status) == {"ok"} and frame.readable.all() and not frame.has_audio.any()
        facts = frame.loc["a.mp4"]
        assert (facts.width, facts.height, facts.fps, facts.frames, facts.codec) == (200, 160, 10, 12, "h264")
        assert facts.duration_seconds == pytest.approx(1.2) and facts.encoder.startswith("Lavf")
        assert len(set(frame.sha256)) == 6 and frame.sha256.str.len().eq(64).all()

    def test_without_probing_reads_names_only(self, folder, frame):
        quick = index(folder, probe=False)
        assert quick.readable.isna().all() and quick.codec.isna().all()
        assert quick[["path", "label", "original"]].equals(frame[["path", "label", "original"]])

    @pytest.mark.parametrize("packed", [False, True])
    def test_is_the_same_for_a_zip_read_in_place(self, folder, frame, tmp_path, packed):
        zipped = index(zip_folder(folder, tmp_path / "dfdc.zip", packed=packed), sha256=True)
        assert zipped.drop(columns="path").equals(frame.drop(columns="path"))
        assert zipped.path.str.startswith("zip://dfdc/part_").all()
        assert [file.name for file in tmp_path.iterdir()] == ["dfdc.zip"]

    def test_takes_a_folder_of_zips_with_and_without_a_folder_inside(self, folder, frame, tmp_path):
        zip_folder(folder / "part_0", tmp_path / "train_00.zip", packed=False)
        with zipfile.ZipFile(tmp_path / "part_1.zip", "w") as flat:
            for file in (folder / "part_1").iterdir():
                flat.write(file, file.name)
        zipped = index(tmp_path, sha256=True).loc[frame.index]
        assert zipped.drop(columns="path").equals(frame.drop(columns="path"))

    def test_several_processes_find_the_same(self, folder, frame):
        told = []
        other = index(folder, sha256=True, jobs=2, on_probed=lambda done, total: told.append((done, total)))
        assert other.equals(frame) and told[-1] == (6, 6)

    @pytest.mark.parametrize("suffix", [".parquet", ".csv"])
    def test_is_stored_and_read_back(self, frame, tmp_path, suffix):
        file = tmp_path / f"index{suffix}"
        write_index_file(frame, file)
        assert read_index_file(file).equals(frame) and index(file).equals(frame)
        assert [path.name for path in tmp_path.iterdir()] == [file.name]

    @pytest.mark.parametrize("suffix", [".parquet", ".csv"])
    def test_one_of_an_earlier_version_said_both_in_its_status(self, frame, tmp_path, suffix):
        file = tmp_path / f"index{suffix}"
        old = frame.drop(columns="why")
        old.loc["a.mp4", "status"] = "damaged: decoding error (a: b)"
        old.loc["b.mp4", "status"] = "missing"
        write_index_file(old, file)
        new = read_index_file(file)
        assert new.loc["a.mp4", ["status", "why"]].tolist() == ["damaged", "decoding error (a: b)"]
        assert new.status["b.mp4"] == "missing" and new.why.drop("a.mp4").isna().all()
        assert told_status(new)["a.mp4"] == old.status["a.mp4"] and set(new.columns) == set(frame.columns)

    def test_fsspec_opens_its_paths(self, folder, tmp_path):
        import fsspec

        zipped = index(zip_folder(folder, tmp_path / "dfdc.zip", packed=True), probe=False)
        with fsspec.open(zipped.path["a.mp4"]) as file:
            assert file.read() == (folder / "part_0" / "a.mp4").read_bytes()

    def test_real_clips_and_their_zip(self, shared_data, tmp_path):
        folder = shared_data / "dfdc_mini"
        frame = index(folder)
        assert frame.label.value_counts().to_dict() == {"REAL": 20, "FAKE": 20} and len(usable(frame)) == 40
        zipped = index(zip_folder(folder, tmp_path / "mini.zip", packed=False))
        assert zipped.drop(columns="path").equals(frame.drop(columns="path"))


class TestContainers:
    def test_rotated_sound_truncated_and_no_video(self, tmp_path):
        write_video(tmp_path / "turned.mp4", rotation=90, frames=5)
        whole = write_video(tmp_path / "sound.mp4", frames=30, audio=True)
        write_video(tmp_path / "other.webm", encoding="vp9", frames=5)
        write_audio(tmp_path / "only_sound.mp4")
        write_video(tmp_path / "moov_first.mp4", frames=30, size=(320, 240))
        truncated(whole, tmp_path / "cut.mp4", fraction=0.5)
        (tmp_path / "empty.mp4").write_bytes(b"")
        (tmp_path / "garbage.mp4").write_bytes(b"\xff" * 5000)
        write_playlist(tmp_path / "list.mp4", whole)
        frame = index(tmp_path)
        turned = frame.loc["turned.mp4"]
        assert (turned.width, turned.height, turned.rotation) == (120, 160, 270)
        assert frame.has_audio["sound.mp4"] and frame.codec["other.webm"] == "vp9"
        for name in ("only_sound.mp4", "cut.mp4", "empty.mp4", "garbage.mp4", "list.mp4"):
            assert frame.status[name] == "damaged" and frame.why[name], name
            assert not frame.readable[name]
        assert "audio only" in frame.why["only_sound.mp4"] and frame.why["empty.mp4"] == "the file is empty"
        assert frame.label.isna().all()

    def test_a_tail_that_is_missing_is_seen_from_the_index_of_the_container(self, tmp_path):
        file = write_video(tmp_path / "first.mp4", frames=60, options={"g": "10"})
        data = file.read_bytes()
        moov = data.find(b"moov") - 4
        size = struct.unpack(">I", data[moov : moov + 4])[0]
        # The table first, as web video has it, with its offsets moved along.
        head, table = data[: data.find(b"mdat") - 4], bytearray(data[moov : moov + size])
        start = table.find(b"stco") + 8
        for number in range(struct.unpack(">I", table[start : start + 4])[0]):
            at = start + 4 + 4 * number
            table[at : at + 4] = struct.pack(">I", struct.unpack(">I", table[at : at + 4])[0] + size)
        quick = head + bytes(table) + data[len(head) : moov]
        file.write_bytes(quick)
        assert index(tmp_path).status["first.mp4"] == "ok"
        file.write_bytes(quick[: len(quick) * 3 // 4])
        found = index(tmp_path).loc["first.mp4"]
        assert found.status == "damaged" and found.why.startswith("cut short")

    def test_a_zip_member_with_flipped_bits(self, folder, tmp_path):
        file = zip_folder(folder, tmp_path / "dfdc.zip", packed=True)
        with zipfile.ZipFile(file) as zipped:
            place = zipped.getinfo("dfdc/part_0/a.mp4").header_offset
        data = bytearray(file.read_bytes())
        data[place + 400 : place + 420] = bytes(20)
        file.write_bytes(bytes(data))
        frame = index(file)
        assert frame.status["a.mp4"] == "damaged" and frame.why["a.mp4"] and (frame.status == "ok").sum() == 5


class TestStatus:
    def test_missing_unlisted_and_duplicate_files_are_rows(self, folder, tmp_path):
        video = (folder / "part_0" / "a.mp4").read_bytes()
        write_labels(tmp_path / "p0", {"a.mp4": ("REAL", None), "lost.mp4": ("FAKE", "a.mp4")})
        write_labels(tmp_path / "p1", {"a.mp4": ("FAKE", "z.mp4")})
        for name in ("p0/a.mp4", "p1/a.mp4", "p1/extra.mp4", "loose/b.mp4"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(video)
        frame = index(tmp_path)
        rows = frame.reset_index().set_index(["part", "name"])["status"]
        assert rows["p0", "a.mp4"] == "ok" and rows["p0", "lost.mp4"] == "missing"
        first = tmp_path / "p0" / "a.mp4"
        assert rows["p1", "a.mp4"] == "duplicate"
        assert frame[frame.status == "duplicate"].why.tolist() == [f"of {first}, labelled otherwise"]
        assert rows["p1", "extra.mp4"] == "unlisted" and rows["loose", "b.mp4"] == "ok"
        assert sorted(usable(frame).index) == ["a.mp4", "b.mp4"]

    def test_links_that_lead_in_circles_and_nowhere(self, tmp_path):
        write_names(tmp_path / "set" / "real", ["a.mp4"])
        (tmp_path / "set" / "real" / "again").symlink_to(tmp_path / "set")
        (tmp_path / "set" / "real" / "gone.mp4").symlink_to(tmp_path / "nowhere.mp4")
        frame = index(tmp_path / "set", probe=False)
        assert list(frame.index) == ["real/a.mp4", "real/gone.mp4"]
        assert frame.status["real/gone.mp4"] == "damaged" and frame.why["real/gone.mp4"]


REFUSED = {
    '{"a.mp4": {"label": "REAL"}, "a.mp4": {"label": "FAKE"}}': "a.mp4.*twice",
    '{"b.mp4": {"label": "REAL", "label": "FAKE"}}': "row 'b.mp4'.*'label' comes twice",
    '{"b.mp4": {"label": "REAL", "score": NaN}}': "row 'b.mp4': score: NaN",
    '{"b.mp4": {"label": "REAL", "score": 1e999}}': "row 'b.mp4': score: 1e999",
    '{"b.mp4": {"label": "REAL", "score": ' + "9" * 5000 + "}}": "b.mp4.*score: a number of 5000 digits",
    '{"../b.mp4": {"label": "REAL"}}': "row '../b.mp4'",
    '{"/etc/b.mp4": {"label": "REAL"}}': "row '/etc/b.mp4'",
    '{"C:\\\\b.mp4": {"label": "REAL"}}': "row 'C:",
    '{"a\\u0000.mp4": {"label": "REAL"}}': "plain file name",
    '{"b.mp4": {"label": "FAKE", "original": "../../a.mp4"}}': "row 'b.mp4': original: row '../../a.mp4'",
    '{"b.mp4": {"label": "fake"}}': "row 'b.mp4': label must be REAL or FAKE, got 'fake'",
    '{"b.mp4": {}}': "row 'b.mp4': label must be REAL or FAKE, got None",
    '{"b.mp4": {"label": "REAL", "split": 3}}': "row 'b.mp4': split must be text",
    '{"b.mp4": ["REAL"]}': "row 'b.mp4' must be a table",
    '{"b.mp4": {"label": NaN}}': "row 'b.mp4': label: NaN",
    '{"videos\\\\b.mp4": {"label": "REAL"}}': r"row 'videos.*plain file name",
    '{"b.mp4": {"label": "REAL"},\n}': "no JSON: .*line 1: take it out",
    "[1]": "must map file names",
    "{": "is no JSON",
    "[" * 100_000: "is no JSON",
}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_no_part_of_a_table(encoding):
    text = '{"a.mp4": {"label": "REAL"}}'
    assert parse_metadata(text.encode(encoding), where="metadata.json")["a.mp4"].label == "REAL"


def test_a_zip_with_backslashes_is_read_as_one_with_slashes(tmp_path):
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as zipped:
        for name in ("real", "fake"):
            info = zipfile.ZipInfo("x")
            info.filename = f"{name}\\a.mp4"
            zipped.writestr(info, name.encode())
    frame = index(tmp_path / "set.zip", probe=False)
    assert dict(frame.label) == {"real/a.mp4": "REAL", "fake/a.mp4": "FAKE"}
    with Opener() as opener, opener.open(frame.path["fake/a.mp4"]) as file:
        assert file.read() == b"fake"


class TestRefused:
    @pytest.mark.parametrize("text", REFUSED, ids=range(len(REFUSED)))
    def test_tables_that_lie(self, text, tmp_path):
        (tmp_path / "metadata.json").write_text(text)
        with pytest.raises(DataError, match=REFUSED[text]):
            index(tmp_path, probe=False)

    def test_a_zip_within_a_zip(self, folder, tmp_path):
        inner = zip_folder(folder / "part_0", tmp_path / "part_0.zip", packed=False)
        with zipfile.ZipFile(tmp_path / "all.zip", "w") as outer:
            outer.write(inner, "part_0.zip")
        with pytest.raises(DataError, match=r"member 'part_0\.zip': a zip within a zip .* unpack"):
            index(tmp_path / "all.zip")

    def test_a_table_that_is_too_large_is_not_parsed(self):
        with pytest.raises(DataError, match="may have"):
            parse_metadata(b" " * (MAX_METADATA_BYTES + 1), where="metadata.json")

    @pytest.mark.parametrize(
        "name", ["../a.mp4", "/etc/a.mp4", "x/../../a.mp4", "C:/a.mp4", "a\\..\\b.mp4", "x//a.mp4"]
    )
    def test_zip_members_that_lead_elsewhere(self, name, tmp_path):
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as zipped:
            info = zipfile.ZipInfo("x")
            info.filename = name
            zipped.writestr(info, b"video")
        with pytest.raises(DataError, match=r"a\.zip: member .*inside the zip"):
            index(tmp_path / "a.zip")

    def test_zip_bombs(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as zipped:
            zipped.writestr("bomb.mp4", bytes(20_000_000))
        with pytest.raises(DataError, match=r"member 'bomb\.mp4' unpacks .* zip bomb"):
            list_entries(tmp_path / "bomb.zip")

    def test_a_metadata_table_that_unpacks_far(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "m.zip", "w", zipfile.ZIP_DEFLATED) as zipped:
            zipped.writestr("metadata.json", b" " * 900_000 + b"{}")
        assert list_entries(tmp_path / "m.zip")  # Small enough to be read, and read with a limit.
        with Opener() as opener, pytest.raises(DataError, match="may have 1000 bytes"):
            opener.read(list_entries(tmp_path / "m.zip")[0].path, limit_bytes=1000)

    def test_members_that_share_their_bytes(self, folder, tmp_path):
        file = zip_folder(folder, tmp_path / "dfdc.zip", packed=False)
        data = bytearray(file.read_bytes())
        start = data.find(b"PK\x01\x02")
        while start >= 0:  # Every member's table entry says it has the whole file.
            data[start + 20 : start + 24] = struct.pack("<I", len(data))
            start = data.find(b"PK\x01\x02", start + 1)
        file.write_bytes(bytes(data))
        with pytest.raises(DataError, match="overlap"):
            index(file)

    def test_what_is_no_zip_no_folder_no_layout_no_video(self, tmp_path):
        (tmp_path / "a.zip").write_bytes(b"PK no")
        (tmp_path / "text").mkdir()
        (tmp_path / "text" / "a.txt").write_text("a")
        with pytest.raises(DataError, match=r"a\.zip: it is no zip file"):
            index(tmp_path / "a.zip")
        with pytest.raises(DataError, match="must hold videos, found none among 1 files"):
            index(tmp_path / "text")
        with pytest.raises(DataError, match="no such file or folder"):
            index(tmp_path / "absent")
        with pytest.raises(SettingsError, match="unknown layout 'dfdcc'; choose from: auto, dfdc"):
            index(tmp_path / "text", layout="dfdcc")

    def test_encrypted_members_are_damaged_rows(self, folder, tmp_path):
        file = zip_folder(folder / "part_1", tmp_path / "part_1.zip", packed=False)
        data = bytearray(file.read_bytes())
        entry = data.find(b"b.mp4", data.find(b"PK\x01\x02")) - len("part_1/") - 46
        data[entry + 8] |= 1
        file.write_bytes(bytes(data))
        found = index(file).loc["b.mp4"]
        assert (found.status, found.why) == ("damaged", "it is encrypted")


class TestLayouts:
    def test_faceforensics(self, tmp_path):
        names = [
            "original_sequences/youtube/c23/videos/000.mp4",
            "original_sequences/youtube/c40/videos/000.mp4",
            "original_sequences/actors/c23/videos/01__walking.mp4",
            "manipulated_sequences/Deepfakes/c23/videos/000_003.mp4",
            "manipulated_sequences/Face2Face/c23/videos/000_003.mp4",
            "manipulated_sequences/Deepfakes/masks/videos/000_003.mp4",
            "manipulated_sequences/DeepFakeDetection/c23/videos/01_02__walking__YVGY8LOK.mp4",
        ]
        frame = index(write_names(tmp_path / "ff", names), probe=False)
        assert len(frame) == 6 and set(frame.status) == {"ok"}
        assert frame.label.to_dict()["youtube/c23/000.mp4"] == "REAL"
        swap = frame.loc["Face2Face/c23/000_003.mp4"]
        assert (swap.label, swap.original, swap.donor) == (
            "FAKE",
            "youtube/c23/000.mp4",
            "youtube/c23/003.mp4",
        )
        same = ["youtube/c23/000.mp4", "youtube/c40/000.mp4", "Deepfakes/c23/000_003.mp4"]
        assert set(frame.person[same]) == {"youtube 000"}
        acted = frame.loc["DeepFakeDetection/c23/01_02__walking__YVGY8LOK.mp4"]
        assert acted.original == "actors/c23/01__walking.mp4" in frame.index and acted.person == "actor 01"

    def test_celebdf(self, tmp_path):
        names = ["Celeb-real/id0_0003.mp4", "Celeb-synthesis/id0_id1_0003.mp4", "YouTube-real/00170.mp4"]
        write_names(tmp_path, names)
        (tmp_path / "List_of_testing_videos.txt").write_text("1 YouTube-real/00170.mp4\n")
        frame = index(tmp_path, probe=False)
        assert frame.label.tolist() == ["REAL", "FAKE", "REAL"]
        assert (
            frame.original["id0_id1_0003.mp4"] == "id0_0003.mp4" and frame.person["id0_id1_0003.mp4"] == "id0"
        )
        assert frame.split.tolist() == ["train", "train", "test"]

    def test_real_and_fake_folders(self, tmp_path):
        write_names(tmp_path, ["real/a.mp4", "real/b.mp4", "fake/a.mp4", "FAKE/deep/c.mp4", "other/d.mp4"])
        frame = index(tmp_path, probe=False)
        assert frame.label.dropna().to_dict() == {
            "real/a.mp4": "REAL", "real/b.mp4": "REAL", "fake/a.mp4": "FAKE", "fake/deep/c.mp4": "FAKE",
        }  # fmt: skip
        assert frame.original.dropna().to_dict() == {"fake/a.mp4": "real/a.mp4"}
        assert index(tmp_path / "real", probe=False).label.tolist() == ["REAL", "REAL"]


class TestFiles:
    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("a.txt", b"", "must end in .parquet or .csv"),
            ("a.csv", b"name,label\na,REAL\n", "lacks path, part"),
            ("a.csv", b"\xff\xfe\0", "cannot be read"),
            ("a.parquet", b"PAR1", "cannot be read"),
        ],
    )
    def test_what_is_no_index(self, tmp_path, name, content, message):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=message):
            read_index_file(tmp_path / name)

    def test_a_label_that_is_none(self, frame, tmp_path):
        wrong = frame.copy()
        wrong.loc["b.mp4", "label"] = "MAYBE"
        write_index_file(wrong, tmp_path / "a.csv")
        with pytest.raises(DataError, match=r"row 'b\.mp4': label must be REAL or FAKE, got 'MAYBE'"):
            read_index_file(tmp_path / "a.csv")

    def test_an_absent_one_says_how_to_make_it(self, tmp_path):
        with pytest.raises(DataError, match="make it with: unmask data index"):
            read_index_file(tmp_path / "a.csv")


@pytest.fixture(scope="module")
def bucket(tmp_path_factory):
    """An S3 server on this machine, by its environment only, as a user would set it."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    patch = pytest.MonkeyPatch()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": str(tmp_path_factory.mktemp("aws") / "none"),
    }.items():
        patch.setenv(name, value)
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    store = s3fs.S3FileSystem()
    store.mkdir("videos")
    yield store
    s3fs.S3FileSystem.clear_instance_cache()
    patch.undo()
    server.stop()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
class TestObjectStore:
    def test_a_folder_and_a_zip_in_a_bucket_are_the_same(self, bucket, folder, frame, tmp_path):
        bucket.put(str(folder), "videos/dfdc", recursive=True)
        remote = index("s3://videos/dfdc", sha256=True)
        assert remote.drop(columns="path").equals(frame.drop(columns="path"))
        assert remote.path["a.mp4"] == "s3://videos/dfdc/part_0/a.mp4"
        bucket.put(str(zip_folder(folder, tmp_path / "dfdc.zip", packed=False)), "videos/dfdc.zip")
        zipped = index("s3://videos/dfdc.zip", sha256=True)
        assert zipped.drop(columns="path").equals(frame.drop(columns="path"))
        with Opener() as opener, opener.local(zipped.path["a.mp4"]) as copy:
            assert copy.read_bytes() == (folder / "part_0" / "a.mp4").read_bytes()
        assert not copy.exists()

    def test_an_empty_place_is_refused(self, bucket):
        with pytest.raises(DataError, match="s3://videos/nothing"):
            index("s3://videos/nothing")

    def test_an_unknown_protocol_is_refused(self):
        with pytest.raises(DataError, match="bogus"):
            index("bogus://videos")


class TestCommand:
    def run(self, *arguments):
        command = [sys.executable, "-m", "unmask", "data", *map(str, arguments)]
        environment = os.environ | {"COLUMNS": "200"}
        found = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert "Traceback" not in found.stderr
        return found

    def test_index_then_split(self, folder, tmp_path):
        made = self.run("index", folder, "-o", tmp_path / "i.parquet", "--json", "--no-probe")
        counts = json.loads(made.stdout)
        assert (counts["videos"], counts["real"], counts["fake"], counts["wrong"]) == (6, 3, 3, {})
        split = self.run(
            "split", tmp_path / "i.parquet", "-o", tmp_path / "s.csv", "--shares", "train=.5,val=.5"
        )
        assert split.returncode == 0 and "on two sides by group: 0 of 3" in split.stdout
        assert set(read_index_file(tmp_path / "s.csv").split) <= {"train", "val"}

    def test_bad_input_is_one_line(self, tmp_path):
        for arguments in (
            ["index", tmp_path / "absent", "-o", tmp_path / "i.parquet"],
            ["index", tmp_path, "-o", tmp_path / "i.txt"],
            ["index", tmp_path, "-o", tmp_path / "absent" / "i.csv"],
            ["split", tmp_path / "absent.csv", "-o", tmp_path / "i.csv"],
        ):
            found = self.run(*arguments)
            assert found.returncode == 2 and found.stderr.startswith("error: ") and not found.stdout
        assert not list(tmp_path.iterdir())


def test_a_fault_of_our_own_is_not_damage(tmp_path, monkeypatch, faults_folder):
    import unmask.lab.datasets.probe as probe

    for name in ("a.mp4", "b.mp4"):
        write_video(tmp_path / name)
    real = probe.probe_file

    def stumble(opener, path, settings):
        if path.endswith("b.mp4"):
            raise TypeError("an argument that is none")
        return real(opener, path, settings)

    monkeypatch.setattr(probe, "probe_file", stumble)
    frame = index(tmp_path)
    assert frame.status["a.mp4"] == "ok"
    assert frame.status["b.mp4"] == "failed"
    assert frame.why["b.mp4"].startswith("unmask failed on it (TypeError: ")
    assert pandas.isna(frame.readable["b.mp4"]) and list(usable(frame).index) == ["a.mp4"]
