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

function usage(it, feature) {
  const { used, limit, resetsAt } = it.usage(feature)
  const amount = limit === Infinity ? 'unlimited' : limit
  const again = resetsAt === null ? 'never' : resetsAt.getTime() / 1000
  return `usage=${escape(feature)}=${used}=${amount}=${again}`
}

function gate(it, feature) {
  const refusal = it.gate(feature)
  const said = refusal === null ? 'go' : `${refusal.status}=${escape(refusal.body)}`
  return `gate=${escape(feature)}=${said}`
}

/** One step with a seat: the one that is held then. */
async function sit(it, seat, verb, holder, days) {
  if (verb === 'seat') return it.seat(holder, { borrowDays: Number(days) })
  await (verb === 'seat_renew' ? seat.renew() : seat.release())
  return seat
}

/** One step of a story: what it says, or nothing; null if it is none. */
async function tell(it, verb, name, data) {
  const text = data.toString()
  const at = text === 'now' ? undefined : Number(text)
  if (verb === 'site') it.set(name, text)
  else if (verb === 'apply') await it.apply(data)
  else if (verb === 'apply_older') await it.apply(data, { older: true })
  else if (verb === 'remove') return `removed=${(await it.remove()) ? 'yes' : 'no'}`
  else if (verb === 'first_use') await it.firstUse(at)
  else if (verb === 'record') await it.record(name, Number(text))
  else if (verb === 'record_later') it.recordLater(name, Number(text))
  else if (verb === 'record_level') await it.recordLevel(name, Number(text))
  else if (verb === 'record_key') await it.recordKey(name, text)
  else if (verb === 'call') await (text ? it.call(name, text) : it.call(name))
  else if (verb === 'sync') await it.sync()
  else if (verb === 'access') return `access=${escape(text)}=${it.access(text)}`
  else if (verb === 'gate') return gate(it, text)
  else if (verb === 'usage') return usage(it, text)
  else if (verb === 'status') return `status=${escape(JSON.stringify(it.status(at)))}`
  else if (verb === 'explain') return `explain=${escape(JSON.stringify(it.explain(at)))}`
  else if (verb === 'request') {
    return `request=${name}=${escape(text ? it.request(name, text) : it.request(name))}`
  } else return null
}

async function run(line) {
  const out = ['ok']
  let code, product, license, folder, it, seat
  for (const field of line.split('\t')) {
    const [verb, ...rest] = field.split('=')
    const data = unescape(rest.at(-1))
    const name = unescape(rest[0]).toString()
    if (verb === 'product') code = data.toString()
    else if (verb === 'keys') product = new Product(code, data.toString())
    else if (verb === 'trust') product.trust(data.toString())
    else if (verb === 'set') product.set(name, data.toString())
    else if (verb === 'verify' || verb === 'inspect') {
      license = product[verb](data)
      out.push(...facts(license))
    } else if (verb === 'ask') out.push(grant(license, data.toString()))
    else if (verb === 'open' || verb === 'reopen') {
      folder = data.toString() || folder
      it = product.open(folder)
    } else if (['seat', 'seat_renew', 'seat_release'].includes(verb)) {
      seat = await sit(it, seat, verb, name, data.toString())
      out.push(`seat=${seat.expires === null ? 'none' : seat.expires.getTime() / 1000}`)
    } else {
      const told = await tell(it, verb, name, data)
      if (told === null) return ['!', `not a request: ${verb}`]
      if (told !== undefined) out.push(told)
    }
  }
  return out
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer
  try {
    answer = await run(line)
  } catch (error) {
    answer = error.code ? [error.code, escape(error.message)] : ['!', escape(String(error))]
  }
  if (!process.stdout.write(answer.join('\t') + '\n')) {
    await new Promise((resolve) => process.stdout.once('drain', resolve))
  }
}
