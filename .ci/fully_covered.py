"""Print coverage's settings for the files whose every branch must be tested: the audit core, and the pure core as its contract names it.

Nothing else is measured: following every line of every page would cost the gate a third of its time. Nor are threads followed:
Python 3.11 fails now and then when two begin at once under a tracer, and a test of a page fails with it. To coverage they are
followed unless the concurrency is said to be another.
"""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = {contract["id"]: contract for contract in settings["tool"]["importlinter"]["contracts"]}
    patterns = ["trial/audit/*"]
    for module in contracts["pure-core"]["source_modules"]:
        path = module.replace(".", "/")
        patterns.append(f"{path}/*" if (ROOT / path).is_dir() else f"{path}.py")
    print("[run]\nbranch = true\nconcurrency = multiprocessing\ninclude =", *patterns, sep="\n    ")
    print(
        "omit =", "trial/audit/seals/verify_export.py", sep="\n    "
    )  # its tests run it as an inspector does, in a process of its own
    print("[report]\nshow_missing = true\nskip_covered = true\nexclude_also =\n    if TYPE_CHECKING:\n    @overload")


if __name__ == "__main__":
    main()
