"""Run every script of benchmarks/ and experiments/ with --quick: a table of exit codes and seconds.

python .ci/scripts.py [PART OF A NAME ...]; exit code 1 where a script fails, and what it said last is shown.
Results go to results/NAME-quick.json, which git does not keep.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
SECONDS = 600  # after which a script that says it takes under 60 is given up
SHOWN = 15  # lines of what a script that failed has said


def scripts() -> list[str]:
    """Every script by its module's name: what has a main and is not imported by others alone."""
    paths = sorted([*ROOT.glob("benchmarks/*.py"), *ROOT.glob("experiments/*.py")])
    return [f"{p.parent.name}.{p.stem}" for p in paths if '__name__ == "__main__"' in p.read_text()]


def run(name: str) -> tuple[int, float, str]:
    """The exit code, the seconds, and what was said; 124 when it took too long."""
    env = {**os.environ, "OMP_WAIT_POLICY": "passive"}
    began = time.perf_counter()
    try:
        done = subprocess.run(
            [sys.executable, "-m", name, "--quick"], cwd=ROOT, env=env, text=True, timeout=SECONDS,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        code, said = done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        code, said = 124, (late.stdout or b"").decode(errors="replace")  # bytes, whatever was asked
    return code, time.perf_counter() - began, said


def main() -> None:
    """Run those whose names hold a word that was given, or all."""
    chosen = [n for n in scripts() if not sys.argv[1:] or any(w in n for w in sys.argv[1:])]
    print(f"{'script':34} {'exit':>4} {'seconds':>8}")
    failed = {}
    for name in chosen:
        code, seconds, said = run(name)
        print(f"{name:34} {code:4} {seconds:8.1f}", flush=True)
        if code:
            failed[name] = said
    for name, said in failed.items():
        print(f"\n{name}:", *said.splitlines()[-SHOWN:], sep="\n  ")
    sys.exit(f"{len(failed)} of {len(chosen)} scripts failed" if failed else 0)


if __name__ == "__main__":
    main()
