// Reports what was used to the vendor's license server, and takes its answer.
//   online.mjs URL KEYS PRODUCT FOLDER AMOUNT [KEY] [NAME=VALUE]...
// Opens the installation in FOLDER, activates it with a license key if one is given (the first time
// is enough), counts AMOUNT more of its feature, and syncs. Prints one line of JSON. It ends with 0
// if the server has the report, with 3 if it was not reached, and with 1 if something was refused.

import { readFileSync } from 'node:fs'
import { Product } from 'licentia'

const FEATURE = 'exports'

const [server = '', keys = '', code = '', folder = '', amount = '', ...rest] =
  process.argv.slice(2)
if (!/^\d+$/.test(amount)) {
  console.error('usage: online.mjs URL KEYS PRODUCT FOLDER AMOUNT [KEY] [NAME=VALUE]...')
  process.exit(2)
}

/**
 * Does something, and says what went wrong; the status to end with.
 * @param {() => Promise<unknown>} step
 */
async function attempt(step) {
  try {
    await step()
    return 0
  } catch (error) {
    if (!error.code) throw error
    console.error(`${error.code}: ${error.message}`)
    // No answer says nothing of the license. What was counted is on disk, for the next sync.
    return error.code === 'unreachable' ? 3 : 1
  }
}

try {
  const product = new Product(code, readFileSync(keys))
  let key = ''
  for (const word of rest) {
    const [name = '', value] = word.split(/=(.*)/s)
    if (value === undefined) key = word
    else product.set(name, value)
  }
  const installation = product.open(folder, { server })
  // Where counting is refused it still syncs: so it learns of a renewal.
  const ended = [
    key ? await attempt(() => installation.call('activation', key)) : 0,
    Number(amount) ? await attempt(() => installation.record(FEATURE, Number(amount))) : 0,
    await attempt(() => installation.sync()),
  ]
  const { reason, features, issuer } = installation.status()
  const used = features.find((feature) => feature.id === FEATURE)?.used ?? null
  console.log(JSON.stringify({ status: reason, used, last_contact: issuer.last_contact }))
  process.exitCode = ended.find((status) => status !== 0) ?? 0
} catch (error) {
  console.error(error.syscall ? `io: ${error.message}` : `${error.code}: ${error.message}`)
  process.exitCode = 1
}
