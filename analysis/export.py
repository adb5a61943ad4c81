"""Datasets that leave: files, a manifest that repeats them, and two short scripts that redo T-4.1 and F-5.4 elsewhere.

The rule: all or nothing. Files are written beside their folder, read back and counted, put on the access record, and named
into place at the end.
"""

import hashlib
import io
import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from shlex import quote
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.catalogue import NotInCatalogue
from analysis.disclosure import CannotExport, Disclosure, Keep, check_purpose, keep_in_the_name_of, patients_named
from analysis.extract import Operator
from analysis.report import SYNTHETIC, Basis, find_study, prepare, repeat
from analysis.standards.adam import DATASETS, Dataset, leaving
from analysis.tables.groups import ALL, COHORTS
from analysis.withdrawals import sentence_about, withdrawals_in
from trial.access import Permission, Viewer
from trial.schedule import DAYS_PER_MONTH

SCRIPTS = Path(__file__).resolve().parent / "standards" / "scripts"
STANDARDS = ("adam",)


@dataclass(frozen=True, slots=True)
class Format:
    """How a dataset is written to a file, and how many rows are in the file when it is read back."""

    name: str
    write: Callable[[Dataset, pd.DataFrame, Path], None]
    count: Callable[[Path], int]


def _write_csv(dataset: Dataset, frame: pd.DataFrame, file: Path) -> None:
    frame.to_csv(file, index=False, lineterminator="\n", encoding="utf-8")


def _write_parquet(dataset: Dataset, frame: pd.DataFrame, file: Path) -> None:
    kinds = {"date": pa.date32(), "whole": pa.int64(), "number": pa.float64()}
    fields = [
        pa.field(variable.name, kinds.get(variable.kind, pa.string()), metadata={"label": variable.label})
        for variable in dataset.variables
    ]
    schema = pa.schema(fields, metadata={"label": dataset.label})
    pq.write_table(pa.Table.from_pandas(frame, schema=schema, preserve_index=False), file)


FORMATS = {
    "csv": Format("csv", _write_csv, lambda file: len(pd.read_csv(file, dtype=str))),
    "parquet": Format("parquet", _write_parquet, lambda file: pq.read_metadata(file).num_rows),
}


def export(
    viewer: Viewer | Operator,
    out: Path,
    *,
    study: str | None = None,
    cohort: str = ALL.key,
    as_of: str | datetime | None = None,
    cutoff: str | date | None = None,
    formats: Sequence[str] = tuple(FORMATS),
    purpose: str = "",
    recipient: str = "",
    keep: Keep | None = None,
) -> dict[str, Any]:
    """Write the ADaM datasets of a cohort into the new folder `out`, and return the manifest that stands beside them.

    `keep` puts on record what leaves, before it does: in the viewer's name, unless a page does it in its own way.

    The cohort `all` holds every patient of the study, screening failures included; another holds its patients alone.
    Raises `NotInCatalogue` for what there is not, `CannotExport` when purpose or recipient is missing for data of real
    patients, or the folder is in use.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        asked = ", ".join(unknown) or "nothing"
        raise NotInCatalogue(f"There is no format '{asked}'. Choose from {', '.join(FORMATS)}.", status=400)
    found = find_study(viewer, study)
    check_purpose(found, purpose, recipient)
    if out.exists() and not out.is_dir():
        raise CannotExport(f"'{out}' is not a folder. Name a new one.")
    if out.exists() and any(out.iterdir()):
        raise CannotExport(f"'{out}' is there already and not empty. Name a new folder.")
    basis = prepare(viewer, study=found, cohort=cohort, as_of=as_of, cutoff=cutoff, permission=Permission.DATA_EXPORT)

    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        frames = {dataset: _frame(dataset, basis) for dataset in DATASETS}
        manifest = _fill(unfinished, basis, frames, list(dict.fromkeys(formats)), purpose, recipient)
        unfinished.chmod(0o755)
        left = Disclosure(
            study=found,
            name=export_name(manifest),
            patients=patients_named(basis, _numbers(frames.values())),
            purpose=purpose,
            recipient=recipient,
            content_hash=hashlib.sha256((unfinished / "manifest.json").read_bytes()).hexdigest(),
        )
        (keep or keep_in_the_name_of(viewer, "export command"))(left)
        if out.exists():
            out.rmdir()  # empty, as asked above
        unfinished.rename(out)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return manifest


def export_zip(viewer: Viewer | Operator, **options: Any) -> tuple[str, bytes]:
    """The same export as one zip file: its name and its bytes. Takes what `export` takes after the folder."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "export"
        manifest = export(viewer, out, **options)
        name = export_name(manifest)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(out.iterdir()):
                archive.write(file, f"{name}/{file.name}")
        return f"{name}.zip", packed.getvalue()


def export_name(manifest: dict[str, Any]) -> str:
    """What an export is called: study, standard, cohort, cut-off, and that it is synthetic, where it is."""
    label = "-synthetic" if manifest["synthetic"] else ""
    return f"{manifest['study']}-{manifest['standard']}-{manifest['cohort']}-{manifest['cutoff']}{label}"


def _fill(
    folder: Path,
    basis: Basis,
    frames: dict[Dataset, pd.DataFrame],
    formats: Sequence[str],
    purpose: str,
    recipient: str,
) -> dict[str, Any]:
    """Write everything into a folder that nobody sees yet."""
    suffix = "_synthetic" if basis.extract.study.is_synthetic else ""
    files = [
        write_dataset(folder, dataset, frame, FORMATS[name], suffix=suffix)
        for name in formats
        for dataset, frame in frames.items()
    ]
    if "csv" in formats:
        files += [_write_script(folder, name, basis, suffix) for name in ("redo.R", "redo.py")]
    options = ["--standard adam", f"--format {','.join(formats)}"]
    options += [f"--{name} {quote(text)}" for name, text in (("purpose", purpose), ("recipient", recipient)) if text]
    manifest = basis.header | {
        "standard": "adam",
        "cohort_name": basis.cohort.name,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "purpose": purpose,
        "recipient": recipient,
        "repeat": repeat(basis.header, "export", *options, "--out DIR"),
        "note": SYNTHETIC if suffix else "",
        "withdrawals": withdrawals_in(basis.extract.frames, _numbers(frames.values())),
        "files": files,
    }
    (folder / "README.txt").write_text(_readme(manifest), encoding="utf-8")
    text = json.dumps(manifest, ensure_ascii=False, indent=2)
    (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")
    return manifest


def _numbers(frames: Iterable[pd.DataFrame]) -> set[str]:
    """The numbers of the patients in datasets that leave."""
    return {number for frame in frames for number in frame["USUBJID"]}


def _frame(dataset: Dataset, basis: Basis) -> pd.DataFrame:
    """A dataset of the cohort as it leaves."""
    frame: pd.DataFrame = getattr(basis.datasets, dataset.name.lower())
    if basis.cohort != ALL:
        adsl = basis.datasets.adsl
        chosen = adsl.loc[(adsl["FASFL"] == "Y") & (adsl[basis.cohort.flag] == "Y"), "USUBJID"]
        frame = frame[frame["USUBJID"].isin(chosen)]
    return leaving(dataset, frame.reset_index(drop=True), basis.extract.study.code)


def write_dataset(folder: Path, dataset: Dataset, frame: pd.DataFrame, kind: Format, *, suffix: str) -> dict[str, Any]:
    """Write one file, read it back, and describe it for the manifest. Raises `CannotExport` when rows are missing."""
    file = folder / f"{dataset.name.lower()}{suffix}.{kind.name}"
    kind.write(dataset, frame, file)
    read_back = kind.count(file)
    if read_back != len(frame):
        raise CannotExport(f"{file.name} has {read_back} rows, {len(frame)} were to be written. Nothing is exported.")
    return {
        "name": file.name,
        "dataset": dataset.name,
        "label": dataset.label,
        "format": kind.name,
        "rows": len(frame),
        "rows_read_back": read_back,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "variables": [{"name": one.name, "kind": one.kind, "label": one.label} for one in dataset.variables],
    }


def _write_script(folder: Path, name: str, basis: Basis, suffix: str) -> dict[str, Any]:
    """Write one of the scripts that redo T-4.1 and F-5.4, for the columns whose patients are all in the files."""
    cohorts = COHORTS.values() if basis.cohort == ALL else [basis.cohort]
    separator = " = " if name.endswith(".R") else ": "
    text = (SCRIPTS / f"{name}.txt").read_text(encoding="utf-8")
    for placeholder, value in (
        ("@SUFFIX@", suffix),
        ("@GROUPS@", ", ".join(f'"{one.name}"{separator}"{one.flag}"' for one in cohorts)),
        ("@LANDMARKS@", ", ".join(str(month) for month in basis.extract.parameters.survival_landmarks_months)),
        ("@MONTH@", str(DAYS_PER_MONTH)),
    ):
        text = text.replace(placeholder, value)
    (folder / name).write_text(text, encoding="utf-8")
    return {"name": name, "sha256": hashlib.sha256(text.encode()).hexdigest()}


def _readme(manifest: dict[str, Any]) -> str:
    datasets = sorted({(file["dataset"], file["label"]) for file in manifest["files"] if "dataset" in file})
    lines = [
        f"{manifest['study']}: analysis datasets (ADaM), {manifest['cohort_name']}, patients of {manifest['scope']}",
        f"Data as of {manifest['as_of']}, clinical cut-off {manifest['cutoff']}, Marrow {manifest['marrow']}",
        manifest["note"],
        sentence_about(manifest["withdrawals"]),
        "",
        *(f"{name}  {label}" for name, label in datasets),
        "",
        "manifest.json has every variable with its label, the number of rows and the SHA-256 of each file.",
        "redo.R (R with the package survival) and redo.py (Python with pandas and SciPy) redo T-4.1 and F-5.4",
        "from the CSV files: run them in this folder.",
        f"To make these files again: {manifest['repeat']}",
    ]
    return "\n".join(line for line in lines) + "\n"
