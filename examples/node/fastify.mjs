// The license API and its page in a Fastify application, behind the application's own login.
//   npm install fastify ./bindings/node
//   APP_TOKEN=… node fastify.mjs KEYS PRODUCT FOLDER PORT [NAME=VALUE]...
// Start it, open /login, and sign in with what is in APP_TOKEN. login.mjs, beside this file, stands
// in for the login that your product has.

import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { fastify } from 'fastify'
import { Product } from 'licentia'
import { handler } from 'licentia/http'
import { FORM, Login } from './login.mjs'

/**
 * The license API takes its own paths, and leaves all others to the application. It is asked
 * first, before Fastify reads a body, and answers by itself.
 * @param {import('fastify').FastifyInstance} app
 * @param {import('licentia').Installation} installation
 * @param {Login} login
 */
export function mount(app, installation, login) {
  const license = handler(installation, { caller: (request) => login.caller(request) })
  app.addHook('onRequest', (request, reply, done) => {
    if (!installation.serves(request.raw.url ?? '')) return done()
    reply.hijack()
    license(request.raw, reply.raw)
  })
}

/**
 * @param {import('licentia').Installation} installation
 * @param {Login} login
 */
export function createApp(installation, login) {
  const app = fastify()
  mount(app, installation, login)

  // Yours: how somebody signs in.

  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' },
    (_request, body, done) => done(null, new URLSearchParams(String(body))))
  app.get('/login', (_request, reply) => {
    reply.type('text/html').send(FORM)
  })
  app.post('/login', (request, reply) => {
    const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams()
    const cookie = login.begin(form.get('token') ?? '')
    if (cookie === null) return reply.code(403).send()
    return reply.header('set-cookie', cookie).redirect('/license', 303)
  })

  // What the product does, if the license allows it.

  app.get('/reports', { preHandler: needs(installation, 'reports') }, () => {
    return { reports: ['Everything is well.'] }
  })
  return app
}

/**
 * Refuses what the license does not allow. It is asked each time.
 * @param {import('licentia').Installation} installation
 * @param {string} feature
 * @returns {import('fastify').preHandlerHookHandler}
 */
const needs = (installation, feature) => (_request, reply, done) => {
  const refusal = installation.gate(feature)
  if (refusal === null) return done()
  reply.code(refusal.status).type('application/json').send(refusal.body)
}

/**
 * Call it at each start. From the first one on, the days run that the product works without a
 * license, if its setting `grace_days` gives any; without this call they never end. If your own
 * data remembers an earlier start, give that.
 * @param {import('licentia').Installation} installation
 */
async function begin(installation) {
  try {
    await installation.firstUse()
  } catch (error) {
    console.error(`${error.code}: ${error.message}`)
  }
}

async function main() {
  const [keys = '', code = '', folder = '', port = '', ...settings] = process.argv.slice(2)
  const token = process.env['APP_TOKEN']
  if (!keys || !code || !folder || !port || !token) {
    console.error('usage: APP_TOKEN=… fastify.mjs KEYS PRODUCT FOLDER PORT [NAME=VALUE]...')
    return process.exit(2)
  }
  if (token.length < 16) {
    console.error('APP_TOKEN: give it 16 characters or more, or it is guessed')
    return process.exit(2)
  }
  const product = new Product(code, readFileSync(keys))
  for (const setting of settings) {
    const [name = '', value = ''] = setting.split(/=(.*)/s)
    product.set(name, value)
  }
  const login = new Login([[token, { name: 'admin', rights: ['read', 'write', 'delete'] }]])
  const installation = product.open(folder)
  await begin(installation)
  const app = createApp(installation, login)
  const address = await app.listen({ host: '127.0.0.1', port: Number(port) })
  console.log(`listening on ${address}/login`)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    await main()
  } catch (error) {
    console.error(error.syscall ? `io: ${error.message}` : `${error.code}: ${error.message}`)
    process.exitCode = 1
  }
}
