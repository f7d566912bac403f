"""Fuzz a target with atheris until it fails or the time is up: ``python tests/fuzz/run.py logs --minutes 10``.

It needs ``pip install atheris`` beside shapeplan. An input that fails, that takes more than 10 s or 2 GiB, is left in
``tests/fuzz/found/``; what is mended goes to ``tests/fuzz/corpus/TARGET/``, which the tests try ever after.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import atheris

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]
with atheris.instrument_imports(include=["shapeplan"]):
    from mutation import mutated, mutated_edits
    from targets import SAMPLES, SUFFIXES, TARGETS, documents

SECONDS, MEGABYTES, BYTES = 10, 2048, 1 << 16
"""Longest and largest run of an input; its largest size."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as grown:
        for number, seed in enumerate(seeds(given.target)):
            Path(grown, f"seed-{number}").write_bytes(seed)
            with atheris.instrument_imports(include=["shapeplan"]):
                # Much is loaded when it is first used, and would go unseen.
                TARGETS[given.target](seed)
        found = HERE / "found"
        found.mkdir(exist_ok=True)
        limits = [f"-timeout={SECONDS}", f"-rss_limit_mb={MEGABYTES}", f"-max_len={BYTES}"]
        extent = [f"-max_total_time={round(60 * given.minutes)}", f"-seed={given.seed}", "-print_final_stats=1"]
        folders = [grown, *(str(one) for one in [HERE / "corpus" / given.target] if one.is_dir())]
        arguments = [sys.argv[0], *folders, *limits, *extent, f"-artifact_prefix={found}/{given.target}-"]
        change = mutated_edits if given.target == "laws" else mutated

        def mutate(data: bytes, most: int, seed: int) -> bytes:
            chance = random.Random(seed)
            if given.target != "laws" and chance.random() < 0.3:
                return atheris.Mutate(data, most)
            return change(data.decode(errors="replace"), chance).encode(errors="replace")[:most]

        atheris.Setup(arguments, TARGETS[given.target], custom_mutator=mutate)
        atheris.Fuzz()


def seeds(target: str) -> Iterator[bytes]:
    """Yield inputs to begin from: small sound ones, and those that the tests refuse."""
    if target == "laws":
        yield from (name.encode() for name in documents())
    elif target == "quantities":
        yield from (b"1e21", b"500 EFLOP", b"9T GFLOPs", b"64M", b"0.3%", b"width=608,depth=10")
    else:
        tests = HERE.parent
        folders = {"logs": (tests / "bad_files", tests / "logs"), "models": (tests / "bad_files",)}
        files = [path for folder in folders.get(target, ()) for path in sorted(folder.rglob("*"))]
        samples = {"logs": [SAMPLES / "vit_sweep.yaml"], "settings": sorted(SAMPLES.rglob("*.yaml"))}
        files += samples.get(target, [])
        for path in files:
            if path.suffix in SUFFIXES and path.stat().st_size < BYTES:
                head = b"" if target == "settings" else f"{path.suffix}\n".encode()
                yield head + path.read_bytes()
        if target == "models":
            yield b".csv\nname,width,depth,mlp_dim,patch\na,192,12,768,16\nb,384,12,1536,16\n"
            yield b'.json\n{"model_type": "gpt2", "n_embd": 512, "n_layer": 8, "n_head": 8}'


if __name__ == "__main__":
    main()
