// What index.d.ts has to allow, and what it has to refuse. Compiled, never run.

import { Installation, License, Product, Seat } from 'licentia'
import type {
  Access, ErrorCode, LicentiaError, MachineReport, OpenOptions, ProductOptions, Refusal, Status,
  StatusFeature, Usage,
} from 'licentia'

const options: ProductOptions = { clock: new Date(), machineExclude: ['nic'], issuer: undefined }
const product: Product = new Product('myapp', new Uint8Array(), options)
new Product('myapp', '{"keys":[]}')
product.set('clock', 1_763_769_600)
product.set('machineExclude', ['nic', 'disk'])
product.set('machine_exclude', ['nic', 'disk'])
product.set('machine_root', '/host')
product.set('NAME' as string, 'value')
product.trust('ed25519:…')
new Product('myapp', '', { graceDays: 31, warningDays: '30', deployment: 'saas', vendor: 'ACME' })
product.set('grace_days', 31)

const license: License = product.verify('…')
const shown: License = product.inspect(new Uint8Array())
const allowed: boolean = license.allows('reports')
const limit: number = license.limit('exports')
const ends: string | undefined = license.expires?.toISOString()
const texts: string[] = [license.serial, license.customer, license.json, ...license.features.keys()]
const signed: unknown = shown.toJSON()['license']
const report: MachineReport = await product.machine()
const id: string = report.id ?? 'unknown'
const kinds: string[] = report.components.map(({ kind, hash }) => `${kind} ${hash?.length}`)

const site: OpenOptions = {
  license: '…', licenseFile: undefined, server: ['https://a.example'], serverTimeout: 5,
}
new Product('myapp', '', { server: 'https://a.example' })
const installation: Installation = product.open('state', site)
installation.set('licenseEnv', 'LICENSE')
installation.set('license_file', '/etc/myapp.lic')
const may: boolean = installation.allows('reports')
const access: Access = installation.access('reports')
const refusal: Refusal | null = installation.gate('reports')
const answer: [number, string] | undefined = refusal ? [refusal.status, refusal.body] : undefined
const status: Status = installation.status(new Date())
const features: readonly StatusFeature[] = installation.status(1_763_769_600).features
const next: number | null = status.next_change_at
const customer: string | null | undefined = status.license?.customer.name
const why: string | undefined = installation.explain().checks[0]?.checks[0]?.found
const code: string = installation.request() + installation.request('clock', 'x')
const usage: Usage = installation.usage('exports')
const resets: string | undefined = usage.resetsAt?.toISOString()
await installation.apply('…')
await installation.apply(new Uint8Array(), { older: true })
const had: boolean = await installation.remove()
await installation.record('exports')
await installation.record('exports', 5)
installation.recordLater('exports', 5)
await Promise.all([installation.recordLevel('users', 7), installation.recordKey('hosts', 'a')])
await installation.firstUse(new Date())
const nothing: void = await installation.flush()
await installation.call('activation', 'ABCD-EFGH')
await installation.call('renewal')
const synced: void = await installation.sync()
const seat: Seat = await installation.seat('ann')
await installation.seat('ann', { borrowDays: 30 })
const seated: [string, boolean, number | undefined] =
  [seat.holder, seat.held, seat.expires?.getTime()]
await seat.renew()
await seat.release()
await seat[Symbol.asyncDispose]()
const failed: [ErrorCode, number] | null = status.issuer.failure &&
  [status.issuer.failure.code, status.issuer.failure.at]
installation.set('server', ['https://a.example', 'https://b.example'])
installation.set('server_timeout', 30)
installation.set('serverCa', '/etc/ssl/acme.pem')
installation.set('proxy', 'none')
installation.close()

try {
  product.verify('…')
} catch (error) {
  const { code, message } = error as LicentiaError
  const word: ErrorCode = code
  if (code === 'expired') console.log(word, message)
  // @ts-expect-error: no such word
  if (code === 'expird') console.log(code)
}

// @ts-expect-error: keys are missing
new Product('myapp')
// @ts-expect-error: no such option
new Product('myapp', '', { machineFil: '/x' })
// @ts-expect-error: not one of the two kinds of data
product.verify(5)
// @ts-expect-error: not a time
product.set('clock', true)
// @ts-expect-error: only `machineExclude` takes a list
product.set('machine', ['a'])
// @ts-expect-error: made by verify only
new License()
// @ts-expect-error: read only
license.serial = 'x'
// @ts-expect-error: may be null
license.expires.getTime()
// @ts-expect-error: may be null
report.id.length
// @ts-expect-error: a promise
product.machine().id
// @ts-expect-error: verify is no promise
product.verify('…').then()
// @ts-expect-error: made by open only
new Installation()
// @ts-expect-error: no such option
product.open('state', { servers: 'x' })
// @ts-expect-error: a setting of the site
new Product('myapp', '', { serverTimeout: 5 })
// @ts-expect-error: made by seat only
new Seat()
// @ts-expect-error: a promise
installation.seat('ann').holder
// @ts-expect-error: no such option
installation.seat('ann', { days: 30 })
// @ts-expect-error: somebody has it
installation.seat()
// @ts-expect-error: may be null
seat.expires.getTime()
// @ts-expect-error: read only
seat.held = true
// @ts-expect-error: says what
installation.call()
// @ts-expect-error: may be null
status.issuer.failure.code
// @ts-expect-error: a setting of the product
installation.set('graceDays', 31)
// @ts-expect-error: no such option
installation.apply('…', { force: true })
// @ts-expect-error: no such answer
if (installation.access('reports') === 'readonly') console.log()
// @ts-expect-error: may be null
refusal.status
// @ts-expect-error: may be null
installation.status().license.id
// @ts-expect-error: a promise
if (installation.remove() === true) console.log()
// @ts-expect-error: no time
installation.status('2025-11-22')
// @ts-expect-error: a level is given
installation.recordLevel('users')
// @ts-expect-error: a number
installation.record('exports', 1n)
// @ts-expect-error: no such export
import type { TableNames } from 'licentia'

export { allowed, limit, ends, texts, signed, id, kinds, may, access, answer, features, next }
export { customer, why, code, resets, had, nothing, synced, seated, failed }
