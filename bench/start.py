"""Times whole processes in turn: a bare interpreter, and one that imports and verifies once.

start.py PYTHON NODE NODE_FOLDER TOKEN KEYS RAW_KEY PRODUCT ROUNDS
"""

import json
import subprocess
import sys
import time

PYTHON = {
    "python -c pass": "pass",
    "licentia": "import licentia; licentia.Product(P, open(K).read()).verify(open(T, 'rb').read())",
    "PyNaCl + json": "import json, base64; from nacl.signing import VerifyKey;"
    "s, _, g = open(T, 'rb').read().rpartition(b'.');"
    "VerifyKey(open(R, 'rb').read()).verify(s, base64.urlsafe_b64decode(g + b'=='));"
    "json.loads(base64.urlsafe_b64decode(s.partition(b'.')[2] + b'=='))",
    "PyJWT": "import jwt; from cryptography.hazmat.primitives.asymmetric.ed25519 import"
    " Ed25519PublicKey; jwt.decode(open(T, 'rb').read(),"
    " Ed25519PublicKey.from_public_bytes(open(R, 'rb').read()),"
    " algorithms=['EdDSA'], audience=P)",
}
NODE = {
    "node -e 0": "0",
    "licentia": "const {Product} = require('../../bindings/node');"
    "new Product(P, fs.readFileSync(K)).verify(fs.readFileSync(T))",
    "node:crypto + JSON.parse": "const c = require('crypto');"
    "const [h, p, s] = fs.readFileSync(T, 'latin1').split('.');"
    "const x = fs.readFileSync(R).toString('base64url');"
    "const k = c.createPublicKey({key: {kty: 'OKP', crv: 'Ed25519', x}, format: 'jwk'});"
    "if (!c.verify(null, Buffer.from(h + '.' + p), k, Buffer.from(s, 'base64url'))) throw 1;"
    "JSON.parse(Buffer.from(p, 'base64url'))",
    "jose": "import('jose').then(async (j) => {"
    "const x = fs.readFileSync(R).toString('base64url');"
    "const k = await j.importJWK({kty: 'OKP', crv: 'Ed25519', x}, 'EdDSA');"
    "await j.jwtVerify(fs.readFileSync(T, 'latin1'), k, {algorithms: ['EdDSA'], audience: P})})",
}


def commands(
    python: str, node: str, given: dict[str, str]
) -> dict[tuple[str, str], list[str]]:
    all_of_them = {}
    python_names = "; ".join(f"{name} = {value!r}" for name, value in given.items())
    node_names = "".join(f"const {name} = {json.dumps(value)};" for name, value in given.items())
    for name, code in PYTHON.items():
        code = code if code == "pass" else f"{python_names}; {code}"
        all_of_them["Python", name] = [python, "-c", code]
    for name, code in NODE.items():
        code = code if code == "0" else f"{node_names}const fs = require('fs');{code}"
        all_of_them["Node", name] = [node, "-e", code]
    return all_of_them


def main(
    python: str, node: str, folder: str, token: str, keys: str, key: str, product: str, rounds: str
) -> None:
    given = {"T": token, "K": keys, "R": key, "P": product}
    times: dict[tuple[str, str], list[float]] = {}
    missing = set()
    for round_number in range(-2, int(rounds)):  # two to fill the caches
        for who, command in commands(python, node, given).items():
            if who in missing:
                continue
            begin = time.perf_counter_ns()
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
            taken = time.perf_counter_ns() - begin
            if done.returncode != 0:
                missing.add(who)
                why = (done.stderr.strip() or "no message").splitlines()[-1]
                print(json.dumps({"language": who[0], "skipped": who[1], "why": why}))
            elif round_number >= 0:
                times.setdefault(who, []).append(taken)
    for (language, name), measured in times.items():
        row = {"language": language, "topic": "start", "name": name, "rounds": measured}
        print(json.dumps(row))


if __name__ == "__main__":
    main(*sys.argv[1:])
