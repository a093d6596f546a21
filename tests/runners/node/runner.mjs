// The runner for Node: tests/runners/README.md.

import { createInterface } from 'node:readline'
import { createRequire } from 'node:module'

const { Product } = createRequire(import.meta.url)('../../../bindings/node')

function escape(text) {
  const plain = (byte) => byte > 0x20 && byte < 0x7f && byte !== 0x25 && byte !== 0x3d
  const hex = (byte) => '%' + byte.toString(16).toUpperCase().padStart(2, '0')
  return Array.from(Buffer.from(text), (b) => (plain(b) ? String.fromCharCode(b) : hex(b))).join('')
}

function unescape(text) {
  const [head, ...rest] = text.split('%')
  const byte = (part) => String.fromCharCode(parseInt(part.slice(0, 2), 16))
  const parts = rest.map((part) => byte(part) + part.slice(2))
  return Buffer.from(head + parts.join(''), 'latin1')
}

function facts(license) {
  const end = license.expires
  return [
    `serial=${escape(license.serial)}`,
    `customer=${escape(license.customer)}`,
    `expires=${end === null ? 'never' : end.getTime() / 1000}`,
    `json=${escape(license.json)}`,
  ]
}

function grant(license, feature) {
  const yes = license.allows(feature) ? 'yes' : 'no'
  const limit = license.limit(feature)
  return `grant=${escape(feature)}=${yes}=${limit === Infinity ? 'unlimited' : limit}`
}

function run(line) {
  const out = ['ok']
  let code, product, license
  for (const field of line.split('\t')) {
    const [verb, ...rest] = field.split('=')
    const data = unescape(rest.at(-1))
    if (verb === 'product') code = data.toString()
    else if (verb === 'keys') product = new Product(code, data.toString())
    else if (verb === 'trust') product.trust(data.toString())
    else if (verb === 'set') product.set(unescape(rest[0]).toString(), data.toString())
    else if (verb === 'verify' || verb === 'inspect') {
      license = product[verb](data)
      out.push(...facts(license))
    } else if (verb === 'ask') out.push(grant(license, data.toString()))
    else return ['!', `not a request: ${verb}`]
  }
  return out
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer
  try {
    answer = run(line)
  } catch (error) {
    answer = error.code ? [error.code, escape(error.message)] : ['!', escape(String(error))]
  }
  if (!process.stdout.write(answer.join('\t') + '\n')) {
    await new Promise((resolve) => process.stdout.once('drain', resolve))
  }
}
