"""Makes a wheel the same wherever it is built from the same sources.

clean_wheel.py WHEEL ROOT

maturin's list of components (CycloneDX) names the folder of the sources. It becomes /licentia.
"""

import base64
import csv
import hashlib
import io
import sys
import zipfile
from pathlib import Path


def record_line(name: str, data: bytes) -> list[str]:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return [name, f"sha256={digest}", str(len(data))]


def main(wheel: str, root: str) -> None:
    with zipfile.ZipFile(wheel) as old:
        files = {info.filename: (info, old.read(info)) for info in old.infolist()}
    record = next(name for name in files if name.endswith(".dist-info/RECORD"))
    for name, (info, data) in files.items():
        if name.endswith(".cyclonedx.json"):
            files[name] = info, data.replace(root.encode(), b"/licentia")
    rows = [record_line(name, data) for name, (_, data) in files.items() if name != record]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([*rows, [record, "", ""]])
    files[record] = files[record][0], text.getvalue().encode()
    new = Path(wheel).with_suffix(".new")
    with zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for name, (info, data) in files.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = info.external_attr
            entry.compress_type = zipfile.ZIP_DEFLATED
            out.writestr(entry, data)
    new.replace(wheel)


if __name__ == "__main__":
    main(*sys.argv[1:])
