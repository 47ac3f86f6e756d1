"""Small folders of clips, tables and overlays such as people have them, in which something is odd.

Every sound is synthetic: four "instruments" that differ in their overtones, three notes each. Each
function writes one case, what a user would have, into the folder `out`.
"""

import unicodedata

import numpy as np
import soundfile as sf

RATE = 16_000
PARTIALS = {
    "flute": [1, 0.15, 0.05],
    "oboe": [0.5, 1, 0.9, 0.8, 0.5, 0.3],
    "clarinet": [1, 0, 0.75, 0, 0.5, 0, 0.2],
    "violin": [1, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2],
}


def note(instrument, midi, seconds=2.0, rate=RATE):
    """A decaying harmonic tone, float32, shape (seconds * rate,), peak 0.5."""
    t = np.arange(round(seconds * rate)) / rate
    f = 440 * 2 ** ((midi - 69) / 12)
    wave = sum(a * np.sin(2 * np.pi * f * (k + 1) * t) for k, a in enumerate(PARTIALS[instrument]))
    wave *= np.minimum(1, t / 0.02) * np.exp(-t)
    return (0.5 * wave / np.abs(wave).max()).astype(np.float32)


def clips(folder, instruments=PARTIALS, notes=(60, 64, 67), names=None):
    for instrument in instruments:
        sub = folder / (names or {}).get(instrument, instrument)
        sub.mkdir(parents=True, exist_ok=True)
        for midi in notes:
            sf.write(sub / f"{instrument}_{midi}.wav", note(instrument, midi), RATE)


def table(path, header, lines):
    rows = "".join(",".join(map(str, line)) + "\n" for line in lines)
    path.write_text(f"{header}\n{rows}", encoding="utf-8")


def flat(folder):
    """clips/<instrument>_<midi>.wav and their rows (path, instrument)."""
    (folder / "clips").mkdir(parents=True)
    rows = []
    for instrument in PARTIALS:
        for midi in (60, 64, 67):
            sf.write(folder / "clips" / f"{instrument}_{midi}.wav", note(instrument, midi), RATE)
            rows.append((f"clips/{instrument}_{midi}.wav", instrument))
    return rows


def codes(out):
    code = dict(zip(PARTIALS, ("01", "1", "1_1", "007"), strict=True))
    lines = [(path, name, code[name], row % 3) for row, (path, name) in enumerate(flat(out))]
    table(out / "metadata.csv", "path,label,code,fold", lines)


def unread(out):
    clips(out, ["flute", "oboe"])
    for name in ("bassoon/one.m4a", "bassoon/two.mp4", "flute/take.mp4"):
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_bytes(b"\0\0\0\x20ftypM4A " + bytes(64))
    (out / "harp").mkdir()


def hidden(out):
    clips(out)
    for sub in ("violin/.ipynb_checkpoints", "oboe/.Trash"):
        (out / sub).mkdir()
        sf.write(out / sub / "again.wav", note("flute", 72), RATE)


def splits(out):
    clips(out / "train", notes=(60, 64))
    clips(out / "test", notes=(67,))


def spelt_twice(out):
    rows = flat(out)
    ways = {
        "flute": ("flûte", unicodedata.normalize("NFD", "flûte")),
        "oboe": ("oboe", "oboe\u200b"),
        "clarinet": ("alto clarinet", "alto  clarinet"),
        "violin": ("violin", "\ufeffviolin"),
    }
    lines = [(path, ways[name][row % 2]) for row, (path, name) in enumerate(rows)]
    table(out / "metadata.csv", "path,label", lines)


def trailing_space(out):
    clips(out, names={"oboe": "flute "})


def class_fold(out):
    fold = {name: row for row, name in enumerate(PARTIALS)}
    table(
        out / "metadata.csv",
        "path,label,fold",
        [(path, name, fold[name]) for path, name in flat(out)],
    )


def late_sound(out):
    for instrument in PARTIALS:
        (out / instrument).mkdir(parents=True)
        for midi in (60, 64, 67):
            wave = np.concatenate([np.zeros(3 * RATE, np.float32), note(instrument, midi)])
            sf.write(out / instrument / f"{instrument}_{midi}.wav", wave, RATE)


def mp3_without_xing(out):
    """MP3 without a header frame (Info, Xing), whose length can only be estimated.

    `tagged` has an ID3v2.2 tag as well.
    """
    out.mkdir(parents=True)
    noise = np.random.default_rng(0).standard_normal(44_100 // 2).astype(np.float32) * 0.4
    for instrument in PARTIALS:
        wave = note(instrument, 60, 3.0, 44_100)
        # A loud start: the first frames need more bits than the rest.
        wave[: len(noise)] += 0.3 * noise
        whole = out / f"{instrument}_whole.mp3"
        sf.write(whole, wave, 44_100, format="MP3", bitrate_mode="VARIABLE", compression_level=0.4)
        bare = without_header_frame(whole.read_bytes())
        (out / f"{instrument}_bare.mp3").write_bytes(bare)
        (out / f"{instrument}_tagged.mp3").write_bytes(id3v22() + bare)


def without_header_frame(content):
    """Cut off the frame that says how long an MP3 is."""
    first = content.find(b"\xff\xfb")
    second = content.find(b"\xff\xfb", first + 4)
    has_header = any(name in content[:second] for name in (b"Xing", b"Info"))
    return content[second if has_header else first :]


def id3v22():
    """Make a tag as old encoders wrote it."""
    frame = b"TT2" + (8).to_bytes(3, "big") + b"\x00example"
    size = bytes((len(frame) >> shift) & 127 for shift in (21, 14, 7, 0))
    return b"ID3\x02\x00\x00" + size + frame
