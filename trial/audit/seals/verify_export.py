#!/usr/bin/env python3
"""Checks an exported audit trail with nothing but the standard library of Python 3.9 or later: read it, then run it.

    python3 verify_export.py TRAIL.zip [--checkpoint FILE --key PUBLIC.pem]

A row's digest is SHA-256(salt, table, line feed, its sealed columns as JSON). A seal has the digests of an act and its rows,
and its hash is SHA-256(hash before, its place, those digests). A checkpoint is the end of the chain, signed and kept elsewhere.
"""

import argparse
import base64
import hashlib
import heapq
import itertools
import json
import sys
import zipfile


def text_of(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def rows_of(archive, table, place):
    """The rows of one table, in the order of their seals; those without a seal come last."""
    with archive.open(f"rows/{table}.jsonl") as lines:
        for line in lines:
            row = json.loads(line)
            yield (row["seal"] is None, row["seal"] or 0, place), row


def sealed_again(table, rows, columns):
    """What a seal says of these rows, worked out from what they are now."""
    lines = []
    for row in rows:
        text = text_of({name: row["row"].get(name) for name in columns})
        digest = hashlib.sha256(bytes.fromhex(row["salt"] or "") + f"{table}\n{text}".encode())
        lines.append(f"{row['number']} {row['record']} {row['version']} {digest.hexdigest()}")
    return lines


def lines_by_table(content):
    """The lines of a seal, each under the line that names its table and columns."""
    found = {}
    for line in content.splitlines():
        if line.count(" ") == 1:
            lines = found.setdefault(line.split(" ")[0], [line])
        else:
            lines.append(line)
    return found


def differences(seal, groups, kinds, columns_now):
    """Compare the rows of an act with its seal, and name those that are not what was sealed."""
    sealed = lines_by_table(seal["content"])
    for table in sorted(sealed.keys() | groups.keys()):
        heading, *then = sealed.get(table, [f"{table} -"])
        columns = kinds.get(heading.split(" ")[1], {"columns": []})["columns"]
        if not set(columns) <= set(columns_now[table]):
            continue  # columns were removed since, so their digests cannot be worked out again: `check` says of which tables
        now = sealed_again(table, groups.get(table, []), columns)
        for what, lines, other in (
            ("altered since it was sealed, or is gone", then, now),
            ("altered or added since", now, then),
        ):
            for line in sorted(set(lines) - set(other)):
                number, record, version, _ = line.split(" ")
                yield f"{table} {record} version {version} (row {number}, recording {seal['recording']}) was {what}."


def check(archive, checkpoint):
    """Every sentence about what is wrong."""
    manifest = json.loads(archive.read("manifest.json"))
    for file in manifest["files"]:
        digest = hashlib.sha256()
        with archive.open(file["name"]) as content:
            for piece in iter(lambda: content.read(1 << 20), b""):
                digest.update(piece)
        if digest.hexdigest() != file["sha256"]:
            yield f"{file['name']} is not the file of the manifest."
    kinds = json.loads(archive.read("columns.json"))
    for key, kind in kinds.items():
        if hashlib.sha256(f"{kind['table']}\n{' '.join(kind['columns'])}".encode()).hexdigest()[:32] != key:
            yield f"The columns {key} of {kind['table']} were altered."
    tables = list(manifest["tables"])
    for kind in kinds.values():
        if gone := sorted(set(kind["columns"]) - set(manifest["tables"].get(kind["table"], []))):
            print(
                f"Note: {kind['table']} lost {', '.join(gone)} since rows of it were sealed. Their digests stand as they are."
            )
    streams = [rows_of(archive, table, place) for place, table in enumerate(tables)]
    merged = heapq.merge(*streams, key=lambda row: row[0])
    acts = itertools.groupby(merged, key=lambda row: row[0][:2])
    act, before, position, unsealed = next(acts, None), "0" * 64, 0, 0
    end = next((end for end in checkpoint["chains"] if end["chain"] == manifest["chain"]), None) if checkpoint else None
    with archive.open("seals.jsonl") as lines:
        for seal in map(json.loads, lines):
            position += 1
            text = f"{before}\n{seal['chain']} {position} {seal['recording']} {seal['settled']}\n{seal['content']}"
            if seal["position"] != position or seal["hash"] != hashlib.sha256(text.encode()).hexdigest():
                yield f"Seal {seal['position']} (recording {seal['recording']}) does not follow from the one before."
            before = seal["hash"]
            groups = {}
            if act is not None and act[0] == (False, seal["position"]):
                found = itertools.groupby(act[1], key=lambda row: row[0][2])
                groups = {tables[place]: [row for _, row in rows] for place, rows in found}
                act = next(acts, None)
            yield from differences(seal, groups, kinds, manifest["tables"])
            if end and position == end["seals"] and before != end["hash"]:
                yield f"Up to seal {position} the chain is not that of the checkpoint: it was hashed anew."
    if end and position < end["seals"]:
        yield f"There are {position} seals, and the checkpoint knows {end['seals']}: the end was cut off."
    if checkpoint and not end:
        yield f"The checkpoint knows no chain {manifest['chain']}."
    while act is not None:
        for (is_unsealed, seal, _), row in act[1]:
            unsealed += is_unsealed
            if not is_unsealed:
                yield f"Row {row['number']} of record {row['record']} names the seal {seal}, which is not there."
        act = next(acts, None)
    print(f"{position} seals, {unsealed} rows that are not sealed, as of {manifest['settled']}.")


# Ed25519 (RFC 8032, 5.1), to check the signature of a checkpoint. `openssl pkeyutl -verify -rawin` does the same.
P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(a, b):
    e, f = (a[1] - a[0]) * (b[1] - b[0]), (a[1] + a[0]) * (b[1] + b[0])
    g, h = 2 * a[3] * b[3] * D, 2 * a[2] * b[2]
    x, y, z, t = f - e, h - g, h + g, f + e
    return x * y % P, z * t % P, y * z % P, x * t % P


def times(number, point):
    result = (0, 1, 1, 0)
    while number:
        result = add(result, point) if number & 1 else result
        point, number = add(point, point), number >> 1
    return result


def point_of(code):
    y = int.from_bytes(code, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if (x * x - square) % P == 0 else x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        raise ValueError("not a point of the curve")
    x = x if x & 1 == sign else P - x
    return x, y, 1, x * y % P


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def is_signed(key, text, signature):
    """Whether an Ed25519 signature of 64 bytes over a text is by the public key of 32 bytes."""
    s = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or s >= ORDER:
        return False
    try:
        r, a = point_of(signature[:32]), point_of(key)
    except ValueError:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + text).digest(), "little") % ORDER
    left, right = times(s, BASE), add(r, times(h, a))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


def main():
    parser = argparse.ArgumentParser(description="Checks an exported audit trail.")
    parser.add_argument("trail", metavar="TRAIL.zip")
    parser.add_argument("--checkpoint", metavar="FILE")
    parser.add_argument("--key", metavar="PUBLIC.pem", help="the public key of the checkpoint")
    options = parser.parse_args()
    if (options.checkpoint is None) != (options.key is None):
        parser.error("Give both: the checkpoint and its public key.")
    checkpoint = None
    if options.checkpoint:
        with open(options.checkpoint, encoding="utf-8") as file, open(options.key, encoding="ascii") as pem:
            whole, lines = json.load(file), pem.read().split("-----")[2]
        key, checkpoint = base64.b64decode(lines)[-32:], whole["checkpoint"]
        if not is_signed(key, text_of(checkpoint).encode(), bytes.fromhex(whole["signature"])):
            sys.exit(f"The signature of {options.checkpoint} is not by this key.")
    with zipfile.ZipFile(options.trail) as archive:
        wrong = 0
        for sentence in check(archive, checkpoint):
            print(sentence)
            wrong += 1
    if wrong:
        sys.exit(f"The exported trail is not whole: {wrong} findings.")
    print(
        "The exported trail is whole"
        + (f", and that of the checkpoint of {checkpoint['settled']}." if checkpoint else ".")
    )


if __name__ == "__main__":
    main()
