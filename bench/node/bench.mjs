// Times all contenders in Node in turn: one batch of each per round.
//   bench.mjs TOKEN KEYS RAW_KEY PRODUCT FOLDER ROUNDS

import { createPublicKey, verify as verifySignature } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { jwtVerify } from 'jose'
import licentia from '../../bindings/node/index.js'

const [tokenFile, keysFile, keyFile, productCode, folder, roundCount] = process.argv.slice(2)
const token = readFileSync(tokenFile, 'latin1')
const keys = readFileSync(keysFile, 'utf8')
const rawKey = readFileSync(keyFile)
const rounds = Number(roundCount)

/** What one checks by oneself once a signature holds. */
function checkClaims(claims) {
  const now = Date.now() / 1000
  const { valid_from: from, valid_until: until } = claims.license
  if (claims.aud !== productCode || claims.exp <= now || from > now || now >= until) {
    throw new Error('not for this product, or over')
  }
  return claims
}

/** Splits a token, checks its signature with `good`, and reads it. */
function checkToken(good) {
  const [header, payload, signature] = token.split('.')
  const signed = Buffer.from(`${header}.${payload}`, 'latin1')
  if (!good(signed, Buffer.from(signature, 'base64url'))) throw new Error('bad signature')
  return checkClaims(JSON.parse(Buffer.from(payload, 'base64url').toString()))
}

const publicKey = createPublicKey({
  key: { kty: 'OKP', crv: 'Ed25519', x: rawKey.toString('base64url') }, format: 'jwk',
})
const product = new licentia.Product(productCode, keys)

const verifiers = {
  licentia: () => product.verify(token),
  'node:crypto + JSON.parse': () =>
    checkToken((signed, signature) => verifySignature(null, signed, publicKey, signature)),
  jose: async () => {
    const options = { algorithms: ['EdDSA'], audience: productCode }
    return checkClaims((await jwtVerify(token, publicKey, options)).payload)
  },
}
try {
  const sodium = (await import('sodium-native')).default
  verifiers['sodium-native + JSON.parse'] = () => checkToken((signed, signature) =>
    sodium.crypto_sign_verify_detached(signature, signed, rawKey))
} catch (error) {
  const why = error.message.split('\n')[0]
  console.log(JSON.stringify({ language: 'Node', skipped: 'sodium-native + JSON.parse', why }))
}

/** What one writes without licentia, once the claims are there. */
class Dated {
  #features
  #until
  constructor(features, until) {
    this.#features = features
    this.#until = until
  }

  allows(feature) {
    return this.#features.has(feature) && Date.now() < this.#until
  }
}

const license = product.verify(token)
const installation = product.open(folder)
await installation.apply(token)
const features = new Set(license.features.keys())
const askers = {
  licentia: [license, 'it.allows(f)'],
  'licentia, of an installation': [installation, 'it.allows(f)'],
  'Set.has': [features, 'it.has(f)'],
  'a JS class over a Set, with the clock':
    [new Dated(features, license.expires.getTime()), 'it.allows(f)'],
}

/** A loop of its own for each, so that none is compiled for another's types. */
function loop(body) {
  return new Function('it', 'names', 'count', `
    let yes = 0
    for (let i = 0; i < count; i++) {
      const f = names[i & 3]
      if (${body}) yes++
    }
    return yes`)
}

async function measure(topic, contenders, batch) {
  const names = Object.keys(contenders)
  const times = new Map(names.map((name) => [name, []]))
  const warm = 20
  for (let round = -warm; round < rounds; round++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round + warm) % names.length]
      const begin = process.hrtime.bigint()
      const done = contenders[name](batch)
      if (done instanceof Promise) await done
      const taken = Number(process.hrtime.bigint() - begin) / batch
      if (round >= 0) times.get(name).push(Math.round(taken * 100) / 100)
    }
  }
  for (const [name, measured] of times) {
    console.log(JSON.stringify({ language: 'Node', topic, name, rounds: measured }))
  }
}

const verifyBatches = Object.fromEntries(Object.entries(verifiers).map(([name, once]) => {
  const waits = name === 'jose'
  const each = (count) => {
    for (let i = 0; i < count; i++) once()
  }
  const eachAwaited = async (count) => {
    for (let i = 0; i < count; i++) await once()
  }
  return [name, waits ? eachAwaited : each]
}))
const allowBatches = Object.fromEntries(Object.entries(askers).map(([name, [it, body]]) => {
  const run = loop(body)
  const asked = ['exports', 'reports', 'api', 'analytics']
  return [name, (count) => {
    if (run(it, asked, count) !== count) throw new Error(`${name} denies what was granted`)
  }]
}))

await measure('verify', verifyBatches, 20)
await measure('allows', allowBatches, 20000)
