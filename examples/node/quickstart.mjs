import { readFileSync } from 'node:fs'
import { Product } from 'licentia'

const [keys, code, file, ...settings] = process.argv.slice(2)
if (!keys || !code || !file) {
  console.error('usage: quickstart.mjs KEYS PRODUCT LICENSE [NAME=VALUE]...')
  process.exit(2)
}

try {
  const product = new Product(code, readFileSync(keys))
  for (const setting of settings) {
    const [name = '', value = ''] = setting.split(/=(.*)/s)
    product.set(name, value)
  }
  const license = product.verify(readFileSync(file))
  const limit = license.limit('exports')
  const machine = await product.machine()

  console.log(`licensed to: ${license.customer}`)
  console.log(`serial: ${license.serial}`)
  console.log(`until: ${license.expires?.toISOString().replace('.000', '') ?? 'without end'}`)
  console.log(`allows reports: ${license.allows('reports') ? 'yes' : 'no'}`)
  console.log(`allows exports: ${license.allows('exports') ? 'yes' : 'no'}`)
  console.log(`limit of exports: ${limit === Infinity ? 'none' : limit}`)
  console.log(`machine: ${machine.id ?? 'unknown'}`)
} catch (error) {
  console.error(error.syscall ? `io: ${error.message}` : `${error.code}: ${error.message}`)
  process.exitCode = 1
}
