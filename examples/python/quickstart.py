"""Verify a license and print what it says."""

import math
import sys
from pathlib import Path

import licentia


def main(keys: str, product_code: str, license_file: str, *settings: str) -> None:
    product = licentia.Product(product_code, Path(keys).read_bytes())
    for setting in settings:
        name, _, value = setting.partition("=")
        product.set(name, value)

    license = product.verify(Path(license_file).read_bytes())
    machine = product.machine()

    until = license.expires
    limit = license.limit("exports")
    print("licensed to:", license.customer)
    print("serial:", license.serial)
    print("until:", f"{until:%Y-%m-%dT%H:%M:%SZ}" if until else "without end")
    print("allows reports:", "yes" if license.allows("reports") else "no")
    print("allows exports:", "yes" if license.allows("exports") else "no")
    print("limit of exports:", "none" if limit == math.inf else limit)
    print("machine:", machine["id"] or "unknown")


if __name__ == "__main__":
    if len(sys.argv) < 4:
        print("usage: quickstart KEYS PRODUCT LICENSE [NAME=VALUE]...", file=sys.stderr)
        sys.exit(2)
    try:
        main(*sys.argv[1:])
    except licentia.Error as error:
        sys.exit(f"{error.code}: {error}")
    except OSError as error:
        sys.exit(f"io: {error}")
