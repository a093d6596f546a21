// Reports what was used to the vendor's license server, and takes its answer: plain HTTP.
//   report.mjs URL KEYS PRODUCT FOLDER AMOUNT [KEY] [NAME=VALUE]...
// Opens the installation in FOLDER, activates it with a license key if one is given (the first time
// is enough), counts AMOUNT more of its feature, and syncs. Prints one line of JSON. It ends with 0
// if the server has the report, with 3 if it was not reached, and with 1 if something was refused.
//
// What is sent is signed by this installation, and the answer by the vendor for this request alone:
// whoever changes it on its way is refused. So plain HTTP is safe; with HTTPS it is private too.

import { readFileSync } from 'node:fs'
import { Product } from 'licentia'

const FEATURE = 'exports'

const [address = '', keys = '', code = '', folder = '', amount = '', ...rest] =
  process.argv.slice(2)
if (!/^\d+$/.test(amount)) {
  console.error('usage: report.mjs URL KEYS PRODUCT FOLDER AMOUNT [KEY] [NAME=VALUE]...')
  process.exit(2)
}
const url = `${address.replace(/\/+$/, '')}/api/v1/requests`

/**
 * An error like those of licentia.
 * @param {string} code
 * @param {string} message
 */
const failure = (code, message) => Object.assign(new Error(message), { code })

/**
 * Sends a request to the license server, and gives what was signed for it.
 * @param {string} text
 * @returns {Promise<string>}
 */
async function post(text) {
  const asked = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ request: text }),
    signal: AbortSignal.timeout(30_000),
  }
  let status, answer
  try {
    const response = await fetch(url, asked)
    status = response.status
    answer = JSON.parse(await response.text())
  } catch (error) {
    throw failure('unreachable', `${url}: ${error.cause?.message ?? error.message}`)
  }
  if (status === 200 && typeof answer?.answer === 'string') return answer.answer
  if (status >= 400 && status < 500 && status !== 429 && answer?.code) {
    throw failure(answer.code, answer.detail)
  }
  // A proxy that wants a login, a server that has too much to do: later, things may be better.
  throw failure('unreachable', `${url} answered ${status}, and nothing that was signed`)
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
    // No answer says nothing of the license. What was counted is on disk, for the next report.
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
  const installation = product.open(folder)
  /** @param {string} what @param {string} [argument] */
  const exchange = async (what, argument) => {
    // What apply refuses changes nothing.
    await installation.apply(await post(installation.request(what, argument)))
  }
  // Where counting is refused it still syncs: so it learns of a renewal.
  const ended = [
    key ? await attempt(() => exchange('activation', key)) : 0,
    Number(amount) ? await attempt(() => installation.record(FEATURE, Number(amount))) : 0,
    await attempt(() => exchange('sync')),
  ]
  const { reason, features, issuer } = installation.status()
  const used = features.find((feature) => feature.id === FEATURE)?.used ?? null
  console.log(JSON.stringify({ status: reason, used, last_contact: issuer.last_contact }))
  process.exitCode = ended.find((status) => status !== 0) ?? 0
} catch (error) {
  console.error(error.syscall ? `io: ${error.message}` : `${error.code}: ${error.message}`)
  process.exitCode = 1
}
