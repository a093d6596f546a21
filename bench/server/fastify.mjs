// A license server as one writes it oneself: fastify, better-sqlite3, a transaction for each
// request, on the tables of licentia's server.
//   fastify.mjs DATABASE API-KEY PUBLIC-KEY

import { createPublicKey, generateKeyPairSync, randomUUID, sign, verify } from 'node:crypto'
import Database from 'better-sqlite3'
import Fastify from 'fastify'

const [file, apiKey, x] = process.argv.slice(2)
const db = new Database(file, { fileMustExist: true })
db.pragma('journal_mode = WAL')
db.pragma('synchronous = FULL')
db.pragma('busy_timeout = 10000')

const bearer = `Bearer ${apiKey}`
const trusted = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
const { privateKey } = generateKeyPairSync('ed25519')
const organization = db.prepare('SELECT id FROM organizations ORDER BY id LIMIT 1').pluck().get()

const COLUMNS = `id, product_id, serial, customer_id, customer_email, valid_from, valid_until,
  features_json, max_seats, created_at, revoked_at, suspended_at`
const STANDING = 'id, serial, revoked_at, suspended_at, valid_until'
const bySerial = db.prepare(
  `SELECT ${STANDING} FROM licenses WHERE organization_id = ? AND serial = ?`)
const byId = db.prepare(`SELECT ${COLUMNS} FROM licenses WHERE organization_id = ? AND id = ?`)
const report = db.prepare(`INSERT INTO reports (organization_id, license_id, fingerprint,
  app_version, features_json, seats_in_use, count, created_at, last_seen_at)
  VALUES (:organization, :license, :fingerprint, :version, :features, :seats, 1, :now, :now)
  ON CONFLICT (license_id, fingerprint) DO UPDATE SET app_version = excluded.app_version,
  features_json = excluded.features_json, seats_in_use = excluded.seats_in_use,
  count = count + 1, last_seen_at = excluded.last_seen_at`)
const taken = db.prepare('SELECT count(*) FROM seats WHERE license_id = ?').pluck()
const take = db.prepare(`INSERT INTO seats (organization_id, license_id, seat, id, holder, borrowed,
  acquired_at, renewed_at, expires_at) VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?)`)

const now = () => Math.floor(Date.now() / 1000)
const bytes = (uuid) => Buffer.from(uuid.replaceAll('-', ''), 'hex')
const text = (id) =>
  id.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')

function standing(row, at) {
  if (row.revoked_at !== null) return 'revoked'
  if (row.suspended_at !== null) return 'suspended'
  return row.valid_until !== null && row.valid_until <= at ? 'expired' : 'active'
}

function shown(row, at) {
  const { features_json, suspended_at, ...rest } = row
  return { ...rest, id: text(row.id), product_id: text(row.product_id),
    features: JSON.parse(features_json), status: standing(row, at) }
}

function claims(blob) {
  const token = Buffer.from(blob, 'base64').toString().trim()
  const end = token.lastIndexOf('.')
  const signature = Buffer.from(token.slice(end + 1), 'base64url')
  if (!verify(null, Buffer.from(token.slice(0, end)), trusted, signature)) return null
  return JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString())
}

const synced = db.transaction((body, at) => {
  const row = bySerial.get(organization, body.license_serial)
  if (row === undefined) return 'not_found'
  report.run({ organization, license: row.id, fingerprint: body.hardware_fingerprint,
    version: body.app_version, features: JSON.stringify(body.features_used),
    seats: body.seats_in_use, now: at })
  const word = standing(row, at)
  return word === 'active' ? 'ok' : word
})

const seated = db.transaction((license, holder, id, at) => {
  const row = byId.get(organization, license)
  const count = taken.get(license)
  if (row === undefined || count >= row.max_seats) return false
  take.run(organization, license, count + 1, bytes(id), holder, at, at, at + 600)
  return true
})

/** What of the licenses is asked for: a condition, and its parameters. */
function filter({ customer_email: email, status }, at) {
  let where = 'WHERE organization_id = ?'
  const values = [organization]
  if (email) {
    where += ' AND customer_email_lower LIKE ?'
    values.push(`%${email}%`)
  }
  if (status) {
    where += ` AND revoked_at IS NULL AND suspended_at IS NULL
      AND (valid_until IS NULL OR valid_until > ?)`
    values.push(at)
  }
  return [where, values]
}

const app = Fastify({ bodyLimit: 1024 * 1024 })

app.addHook('onRequest', async (request, reply) => {
  if (request.headers.authorization === bearer) return
  await reply.code(401).send({ code: 'unauthorized' })
})

app.post('/api/v1/licenses/sync', async (request) => {
  const at = now()
  return { status: synced.immediate(request.body, at), message: null, server_time: at }
})

app.get('/api/v1/licenses', async (request) => {
  const at = now()
  const [where, values] = filter(request.query, at)
  const total = db.prepare(`SELECT count(*) FROM licenses ${where}`).pluck().get(...values)
  const page = `SELECT ${COLUMNS} FROM licenses ${where} ORDER BY id DESC LIMIT 20 OFFSET ?`
  const rows = db.prepare(page).all(...values, ((request.query.page ?? 1) - 1) * 20)
  return { licenses: rows.map((row) => shown(row, at)), total }
})

app.get('/api/v1/licenses/:id', async (request, reply) => {
  const row = byId.get(organization, bytes(request.params.id))
  return row === undefined ? reply.code(404).send({ code: 'not_found' }) : shown(row, now())
})

app.post('/api/v1/licenses/check-revocation', async (request) => {
  const at = now()
  const results = request.body.serials.map((serial) => {
    const row = bySerial.get(organization, serial)
    const status = row === undefined ? 'not_found' : standing(row, at)
    return { serial, status, revoked_at: row?.revoked_at ?? null }
  })
  return { results, checked_at: at }
})

app.post('/api/v1/licenses/verify', async (request) => {
  const said = claims(request.body.license_blob)
  if (said === null) return { valid: false, license: null, errors: ['Invalid signature'] }
  const license = shown(byId.get(organization, bytes(said.license.id)), now())
  return { valid: license.status === 'active', license, errors: [] }
})

app.post('/api/v1/licenses/:id/seats', async (request, reply) => {
  const [at, id] = [now(), randomUUID()]
  if (!seated.immediate(bytes(request.params.id), request.body.holder, id, at)) {
    return reply.code(409).send({ code: 'no_seat' })
  }
  const seat = { id, license_id: request.params.id, expires_at: at + 600 }
  const lease = sign(null, Buffer.from(JSON.stringify(seat)), privateKey).toString('base64url')
  return { seat, lease }
})

await app.listen({ host: '127.0.0.1', port: 0 })
console.log(`listening ${app.server.address().port}`)
process.on('SIGTERM', () => process.exit(0))
