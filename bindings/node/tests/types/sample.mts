// What index.d.ts has to allow, and what it has to refuse. Compiled, never run.

import { License, Product } from 'licentia'
import type { ErrorCode, LicentiaError, MachineReport, ProductOptions } from 'licentia'

const options: ProductOptions = { clock: new Date(), machineExclude: ['nic'], issuer: undefined }
const product: Product = new Product('myapp', new Uint8Array(), options)
new Product('myapp', '{"keys":[]}')
product.set('clock', 1_763_769_600)
product.set('machineExclude', ['nic', 'disk'])
product.set('machine_exclude', ['nic', 'disk'])
product.set('machine_root', '/host')
product.set('NAME' as string, 'value')
product.trust('ed25519:…')

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
// @ts-expect-error: no such export
import type { TableNames } from 'licentia'

export { allowed, limit, ends, texts, signed, id, kinds }
