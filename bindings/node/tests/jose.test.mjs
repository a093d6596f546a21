// Interoperation with jose, an independent implementation of JWS: either reads the other's.

import assert from 'node:assert/strict'
import { webcrypto } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { CompactSign, SignJWT, calculateJwkThumbprint, compactVerify, exportJWK, generateKeyPair,
  importJWK, jwtVerify } from 'jose'
import { Product } from '../index.mjs'
import { NOW, claimSet, vendor } from './vendor.mjs'

// jose looks for it where Node has it from version 20 on.
globalThis.crypto ??= webcrypto

/** A key of jose's own making, the text of its key set, and a header that names it. */
async function joseVendor() {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), use: 'sig', alg: 'EdDSA' }
  jwk.kid = await calculateJwkThumbprint(jwk)
  return { privateKey, keys: JSON.stringify({ keys: [jwk] }), kid: jwk.kid }
}

test('we accept what jose signs, with a key that jose made', async () => {
  const { privateKey, keys, kid } = await joseVendor()
  const product = new Product('myapp', keys, { clock: NOW })
  for (const alg of ['EdDSA', 'Ed25519']) {
    const header = { alg, kid, typ: 'lic+jwt' }
    const jwt = await new SignJWT(claimSet()).setProtectedHeader(header).sign(privateKey)
    const license = product.verify(jwt)
    assert.deepEqual([license.allows('reports'), license.limit('exports')], [true, 900])
    const payload = new TextEncoder().encode(JSON.stringify(claimSet(), null, 2))
    const jws = await new CompactSign(payload).setProtectedHeader(header).sign(privateKey)
    assert.equal(product.verify(jws).json, new TextDecoder().decode(payload))
  }
})

test('we refuse what jose signs with a header that is not ours', async () => {
  const { privateKey, keys, kid } = await joseVendor()
  const product = new Product('myapp', keys, { clock: NOW })
  const header = { alg: 'EdDSA', kid, typ: 'lic+jwt' }
  const cases = [[{ typ: 'JWT' }, /wrong_kind|malformed/], [{ cty: 'x' }, /malformed/],
    [{ typ: undefined }, /malformed/], [{ kid: undefined }, /malformed/]]
  for (const [change, code] of cases) {
    const signer = new SignJWT(claimSet()).setProtectedHeader({ ...header, ...change })
    const jwt = await signer.sign(privateKey)
    assert.throws(() => product.verify(jwt), { code })
  }
})

test('jose names a key as we do, and verifies a license as a JWT', async () => {
  assert.equal(await calculateJwkThumbprint(vendor.jwk), vendor.kid)
  const key = await importJWK(vendor.jwk, 'EdDSA')
  const { payload, protectedHeader } = await jwtVerify(vendor.license(), key, {
    algorithms: ['EdDSA'], audience: 'myapp', typ: 'lic+jwt', currentDate: new Date(NOW * 1000),
  })
  assert.equal(protectedHeader.kid, vendor.kid)
  assert.equal(payload.license.serial, 'LIC-MYAPP-A1B2C3D4')
})

test('jose and we agree on the worked example of docs/format.md', async () => {
  const page = readFileSync(new URL('../../../docs/format.md', import.meta.url), 'utf8')
  const example = page.match(/<!-- example:.*?<!-- \/example -->/s)[0]
  const [token] = example.replaceAll(/\s/g, '').match(/eyJ[\w-]+\.eyJ[\w-]+\.[\w-]{86}/)
  const { payload } = await compactVerify(token, await importJWK(vendor.jwk, 'EdDSA'))
  const { aud } = JSON.parse(new TextDecoder().decode(payload))
  const license = new Product(aud, vendor.keys()).inspect(token)
  assert.equal(license.json, new TextDecoder().decode(payload))
})
