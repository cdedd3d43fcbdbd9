"""HQ-SAM's weights are downloaded, checked, converted, resumed and removed; what goes wrong is one sentence."""

from __future__ import annotations

import hashlib
import resource
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import huggingface_hub
import pytest
import torch

from core.encoders.catalogue import load_encoder
from core.encoders.traits import SHIPPED
from core.encoders.weights.download import DownloadError, download, format_duration, part_of
from core.encoders.weights.files import load_state
from core.encoders.weights.model_folder import add_file, bring, held_weights, remove, verify
from core.encoders.weights.published import OFFICIAL, find_weights, weights_folder
from core.errors import BadInputError, BadWeightsError, StorageError
from core.progress import Progress, run
from tests.core.command_line import Verb
from tests.core.hub_server import HubServer, serving

pytestmark = pytest.mark.slow

CHUNK = 128 * 1024


@pytest.fixture
def hub(hq_weights: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A Hub that serves random vit_tiny weights, which the catalogue takes for the published ones."""
    content = hq_weights.read_bytes()
    entry = replace(OFFICIAL["vit_tiny"], size=len(content), sha256=hashlib.sha256(content).hexdigest())
    monkeypatch.setitem(OFFICIAL, "vit_tiny", entry)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    huggingface_hub.close_session()
    with serving(HubServer(content)) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server
    huggingface_hub.close_session()


def size() -> int:
    return OFFICIAL["vit_tiny"].size


def test_download_brings_converts_and_makes_the_encoder_usable(hub: HubServer, hq_weights: Path, verb: Verb) -> None:
    assert "boxrefine models download vit_tiny" in verb("models", "list").out
    said = verb("models", "download", "vit_tiny")
    assert said.code == 0, said.sentences
    path = find_weights("vit_tiny")
    assert path is not None
    assert (path.suffix, said.summary["file"]) == (".safetensors", str(path))
    assert [entry.name for entry in weights_folder().iterdir() if not entry.name.startswith(".")] == [path.name]
    before, after = load_state(hq_weights), load_state(path)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[key], after[key]) for key in before)
    held = held_weights("vit_tiny")
    assert held is not None and held.official
    assert load_encoder("vit_tiny", "cpu").identity == f"vit_tiny-{OFFICIAL['vit_tiny'].sha256[:12]}"
    assert verb("models", "list").summary["here"] == [*SHIPPED, "vit_tiny"]


def test_the_pinned_revision_of_the_repository_is_asked_for(hub: HubServer) -> None:
    run(download(OFFICIAL["vit_tiny"]))
    entry = OFFICIAL["vit_tiny"]
    assert {path for _, path in hub.asked} == {f"/lkeab/hq-sam/resolve/{entry.revision}/{entry.file}"}


def test_a_server_that_never_stops_is_left_at_the_published_size(hub: HubServer) -> None:
    hub.endless = True
    with pytest.raises(BadWeightsError, match=f"more than the published {size()} bytes"):
        run(download(OFFICIAL["vit_tiny"]))
    assert part_of(OFFICIAL["vit_tiny"]).stat().st_size == 0
    assert hub.sent_after_the_end < 50_000_000  # what the system's own buffers hold
    hub.endless = False
    assert run(download(OFFICIAL["vit_tiny"])).stat().st_size == size()


def test_progress_tells_megabytes_speed_and_time_left(hub: HubServer) -> None:
    said: list[Progress] = list(download(OFFICIAL["vit_tiny"]))
    moving = [progress for progress in said if "seconds_left" in progress.figures]
    assert moving and "MB/s" in moving[0].message and "left" in moving[0].message
    assert {progress.total for progress in said} == {size() // 1_000_000}
    assert [format_duration(seconds) for seconds in (0.1, 42, 200, 7_000)] == ["1 s", "42 s", "3 min", "1 h 57 min"]


def test_a_cancelled_download_goes_on_where_it_stopped(hub: HubServer) -> None:
    hub.gate.clear()
    job = bring("vit_tiny")
    while next(job).done < size() * 0.4 // 1_000_000:
        continue
    hub.gate.set()
    job.close()
    came = part_of(OFFICIAL["vit_tiny"]).stat().st_size
    assert 0 < came < size()
    assert find_weights("vit_tiny") is None
    run(bring("vit_tiny"))
    assert hub.ranges == [f"bytes={came}-"]
    assert run(verify("vit_tiny")).official


def test_a_download_cut_at_30_percent_goes_on_by_itself(hub: HubServer) -> None:
    hub.cuts, hub.cut_at = 1, int(size() * 0.3)
    run(download(OFFICIAL["vit_tiny"]))
    assert len(hub.ranges) == 1
    assert hub.cut_at - CHUNK <= int(hub.ranges[0].removeprefix("bytes=").rstrip("-")) <= hub.cut_at


@pytest.mark.slow
def test_a_server_that_always_cuts_is_told_and_what_came_is_kept(hub: HubServer) -> None:
    hub.cuts, hub.cut_at = 99, int(size() * 0.3)
    with pytest.raises(DownloadError, match=r"broke off after 1\d of 4\d MB .*goes on from there"):
        run(download(OFFICIAL["vit_tiny"]))
    assert hub.cut_at - CHUNK <= part_of(OFFICIAL["vit_tiny"]).stat().st_size <= hub.cut_at
    hub.cuts = 0
    run(bring("vit_tiny"))
    assert find_weights("vit_tiny") is not None


def test_a_file_of_the_right_size_and_the_wrong_hash_is_removed(hub: HubServer, verb: Verb) -> None:
    hub.content = hub.content[:-1] + bytes([hub.content[-1] ^ 1])
    said = verb("models", "download", "vit_tiny")
    assert (said.code, len(said.sentences)) == (2, 1)
    assert "gave another file than the published sam_hq_vit_tiny.pth" in said.sentences[0]
    assert not part_of(OFFICIAL["vit_tiny"]).exists()
    assert find_weights("vit_tiny") is None


def test_a_file_of_another_size_is_refused_before_it_is_fetched(hub: HubServer) -> None:
    hub.content += b"more"
    with pytest.raises(BadWeightsError, match="offers another sam_hq_vit_tiny.pth"):
        run(download(OFFICIAL["vit_tiny"]))
    assert [method for method, _ in hub.asked] == ["HEAD"]


def test_a_web_page_instead_of_the_hub_is_told(hub: HubServer) -> None:
    hub.page = True
    with pytest.raises(DownloadError, match="answers with a web page instead of the file"):
        run(download(OFFICIAL["vit_tiny"]))


def test_a_web_page_instead_of_the_file_leaves_nothing_to_go_on_from(hub: HubServer) -> None:
    hub.page_for_get = True
    with pytest.raises(DownloadError, match="answers with a web page instead of the file"):
        run(download(OFFICIAL["vit_tiny"]))
    assert part_of(OFFICIAL["vit_tiny"]).stat().st_size == 0


def test_a_mirror_without_the_file_is_told(hub: HubServer) -> None:
    hub.missing = True
    with pytest.raises(DownloadError, match="does not have the published file: unset HF_ENDPOINT"):
        run(download(OFFICIAL["vit_tiny"]))


def test_without_a_network_the_sentence_names_the_ways_out(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DownloadError, match=r"127\.0\.0\.1:9 cannot be reached .*boxrefine models add"):
        run(download(OFFICIAL["vit_tiny"]))


def test_a_proxy_is_heeded(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://weights.invalid")
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, hub.url)
    huggingface_hub.close_session()
    run(download(OFFICIAL["vit_tiny"]))
    assert all(path.startswith("http://weights.invalid/lkeab/hq-sam/resolve/") for _, path in hub.asked)


def test_a_full_disk_is_told_before_and_in_the_middle(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        with pytest.raises(StorageError, match=r"sam_hq_vit_tiny.pth.part could not be written .*make room"):
            run(download(OFFICIAL["vit_tiny"]))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    monkeypatch.setitem(OFFICIAL, "vit_tiny", replace(OFFICIAL["vit_tiny"], size=1 << 60))
    asked = len(hub.asked)
    with pytest.raises(StorageError, match=r"needs \d+ MB for sam_hq_vit_tiny.pth but has \d+ MB: make room"):
        run(download(OFFICIAL["vit_tiny"]))
    assert len(hub.asked) == asked


def test_two_downloads_of_one_file_do_not_mix(hub: HubServer) -> None:
    hub.gate.clear()
    first = download(OFFICIAL["vit_tiny"])
    while next(first).done < size() * 0.4 // 1_000_000:
        continue
    with pytest.raises(DownloadError, match="Another BoxRefine is downloading"):
        run(download(OFFICIAL["vit_tiny"]))
    hub.gate.set()
    run(first)


# Files that one has already


def test_a_published_file_that_one_has_is_taken_in(hub: HubServer, hq_weights: Path, verb: Verb) -> None:
    said = verb("models", "add", "vit_tiny", hq_weights)
    assert (said.code, said.summary["official"], said.sentences) == (0, True, [])
    assert hq_weights.exists()
    assert hub.asked == []
    assert verb("models", "verify").summary["whole"] == ["vit_tiny"]


def test_other_weights_of_the_right_keys_are_taken_for_ones_own(hq_weights: Path, verb: Verb) -> None:
    said = verb("models", "add", "vit_tiny", hq_weights)
    assert (said.code, said.summary["official"]) == (0, False)
    assert "weights of your own" in said.sentences[0]
    assert "your own" in verb("models", "list").out


def test_weights_of_another_encoder_and_damaged_ones_are_refused(hq_weights: Path, tmp_path: Path) -> None:
    for name in ("vit_b", "vit_l", "vit_h"):
        with pytest.raises(BadWeightsError, match="are of another model"):
            run(add_file(name, hq_weights))
    cut = tmp_path / "cut.pth"
    cut.write_bytes(hq_weights.read_bytes()[:100_000])
    with pytest.raises(BadWeightsError, match=r"cut\.pth is cut short"):
        run(add_file("vit_tiny", cut))
    with pytest.raises(BadWeightsError, match=r"gone\.pth does not exist"):
        run(add_file("vit_tiny", tmp_path / "gone.pth"))
    with pytest.raises(BadInputError, match="no weights to be had for light"):
        run(bring("light"))
    assert find_weights("vit_b") is None


def test_verify_finds_one_changed_byte(hq_weights: Path, verb: Verb) -> None:
    run(add_file("vit_tiny", hq_weights))
    path = find_weights("vit_tiny")
    assert path is not None
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    said = verb("models", "verify")
    assert (said.code, said.summary["damaged"]) == (2, ["vit_tiny"])
    assert "has changed since it came" in said.sentences[0]
    with pytest.raises(BadWeightsError, match="vit_b are not here: run boxrefine models download vit_b"):
        run(verify("vit_b"))


def test_remove_takes_everything_away(hub: HubServer, verb: Verb) -> None:
    run(bring("vit_tiny"))
    part_of(OFFICIAL["vit_tiny"]).write_bytes(b"half")
    assert verb("models", "remove", "vit_tiny").summary["bytes"] > size() * 0.9
    assert (find_weights("vit_tiny"), remove("vit_tiny")) == (None, 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vit_b", "vit_l", "vit_h"])
def test_larger_networks_are_checked_without_memory_and_filled_whole(name: str) -> None:
    from core.encoders.hq_sam.encoder import empty_network

    network = empty_network(name)
    assert all(value.is_meta for value in network.state_dict().values())
    state = {key: torch.zeros(value.shape) for key, value in network.state_dict().items()} if name == "vit_b" else {}
    if state:
        network.load_state_dict(state, assign=True)
        assert not any(value.is_meta for value in (*network.parameters(), *network.buffers()))
