// A vendor for tests: signs licenses as docs/format.md says, with node:crypto alone.

import { createHash, createPrivateKey, randomUUID, sign } from 'node:crypto'

export const NOW = 1_763_769_600 // 2025-11-22T00:00:00Z
export const DAY = 86_400

/** A signing key from 32 bytes of seed, as base64url, with the public half `x`. */
export class Vendor {
  constructor(d, x) {
    this.jwk = { kty: 'OKP', crv: 'Ed25519', x }
    this.kid = createHash('sha256')
      .update(JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x }))
      .digest('base64url')
    this.key = createPrivateKey({ key: { ...this.jwk, d }, format: 'jwk' })
  }

  /** Its key set, as text; `members` are added to the one key. */
  keys(members = {}) {
    return JSON.stringify({ keys: [{ ...this.jwk, ...members }] })
  }

  /** Signs a payload: an object, or text that is signed as it is. */
  sign(payload, header = {}) {
    const head = { alg: 'EdDSA', kid: this.kid, typ: 'lic+jwt', ...header }
    const body = typeof payload === 'string' ? payload : JSON.stringify(payload)
    const input = `${encode(JSON.stringify(head))}.${encode(body)}`
    return `${input}.${sign(null, Buffer.from(input), this.key).toString('base64url')}`
  }

  /** A license of 30 days from NOW: `license` and `claims` replace or add members. */
  license(license = {}, claims = {}) {
    return this.sign(claimSet(license, claims))
  }
}

/** The claims of a license of 30 days from NOW. */
export function claimSet(license = {}, claims = {}) {
  return {
    iss: 'https://licenses.acme.example', aud: 'myapp', sub: 'cust_12345',
    jti: randomUUID(), iat: NOW, ...claims,
    license: {
      id: '7c9e6679-7425-40de-944b-e07fc1f90ae7', serial: 'LIC-MYAPP-A1B2C3D4',
      type: 'subscription', customer: { name: 'ACME Labs' },
      valid_from: NOW, valid_until: NOW + 30 * DAY,
      features: [{ id: 'reports' }, { id: 'exports', meter: 'count', per: 'month', max: 900 }],
      ...license,
    },
  }
}

function encode(text) {
  return Buffer.from(text).toString('base64url')
}

/** The key of RFC 8037, appendix A.1. Nobody should trust it. */
export const vendor = new Vendor(
  'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
)

/** The first key of RFC 8032, section 7.1 but one: another vendor. */
export const stranger = new Vendor(
  'TM0Imyj_ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U-4pvs',
  'PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw',
)
