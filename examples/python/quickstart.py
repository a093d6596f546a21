"""Verify a license and print what it allows.

quickstart.py KEYS PRODUCT LICENSE [NAME=VALUE]...
"""

import math
import sys
from pathlib import Path

import licentia


def main(keys: str, product_code: str, license_file: str, *settings: str) -> None:
    product = licentia.Product(product_code, Path(keys).read_text())
    for setting in settings:
        name, _, value = setting.partition("=")
        product.set(name, value)

    license = product.verify(Path(license_file).read_bytes())

    print("licensed to:", license.customer)
    print("serial:", license.serial)
    print("until:", f"{license.expires:%Y-%m-%dT%H:%M:%SZ}" if license.expires else "without end")
    for feature in ("reports", "exports"):
        print(f"allows {feature}:", "yes" if license.allows(feature) else "no")
    limit = license.limit("exports")
    print("limit of exports:", "none" if limit == math.inf else limit)
    print("machine:", product.machine()["id"] or "unknown")


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except licentia.Error as error:
        sys.exit(f"{error.code}: {error}")
