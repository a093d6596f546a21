// Licenses for the page: docs/format.md, sections 1 to 3. Signed with a key that nobody trusts but
// the hosts of these tests.

import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";

const base64 = (value) => Buffer.from(value).toString("base64url");

/** A key from a number, and how it signs. */
export function signer(number) {
  const head = Buffer.from("302e020100300506032b657004220420", "hex");
  const key = createPrivateKey({
    key: Buffer.concat([head, Buffer.alloc(32, number)]),
    format: "der",
    type: "pkcs8",
  });
  const { x } = createPublicKey(key).export({ format: "jwk" });
  const thumbprint = createHash("sha256").update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`);
  const header = { alg: "EdDSA", kid: thumbprint.digest("base64url"), typ: "lic+jwt" };
  const license = (claims) => {
    const signed = `${base64(JSON.stringify(header))}.${base64(JSON.stringify(claims))}`;
    return `${signed}.${base64(sign(null, Buffer.from(signed), key))}`;
  };
  return { keys: `ed25519:${x}`, license };
}
