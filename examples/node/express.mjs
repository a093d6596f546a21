// The license API and its page in an Express application, behind the application's own login.
//   npm install express ./bindings/node
//   APP_TOKEN=… node express.mjs KEYS PRODUCT FOLDER PORT [NAME=VALUE]...
// Start it, open /login, and sign in with what is in APP_TOKEN. login.mjs, beside this file, stands
// in for the login that your product has.

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import { pathToFileURL } from 'node:url'
import express from 'express'
import { Product } from 'licentia'
import { handler } from 'licentia/http'
import { FORM, Login } from './login.mjs'

/**
 * The license API takes its own paths, and leaves all others to the application. It comes in front
 * of what reads bodies.
 * @param {import('express').Express} app
 * @param {import('licentia').Installation} installation
 * @param {Login} login
 */
export function mount(app, installation, login) {
  app.use(handler(installation, { caller: (request) => login.caller(request) }))
}

/**
 * @param {import('licentia').Installation} installation
 * @param {Login} login
 */
export function createApp(installation, login) {
  const app = express().disable('x-powered-by')
  mount(app, installation, login)

  // Yours: how somebody signs in.

  app.get('/login', (_request, response) => {
    response.send(FORM)
  })
  app.post('/login', express.urlencoded({ extended: false }), (request, response) => {
    const cookie = login.begin(String(request.body?.token ?? ''))
    if (cookie === null) return response.sendStatus(403)
    response.set('set-cookie', cookie).redirect(303, '/license')
  })

  // What the product does, if the license allows it.

  app.get('/reports', needs(installation, 'reports'), (_request, response) => {
    response.json({ reports: ['Everything is well.'] })
  })
  return app
}

/**
 * Refuses what the license does not allow. It is asked each time.
 * @param {import('licentia').Installation} installation
 * @param {string} feature
 * @returns {import('express').RequestHandler}
 */
const needs = (installation, feature) => (_request, response, next) => {
  const refusal = installation.gate(feature)
  if (refusal === null) return next()
  response.status(refusal.status).type('json').send(refusal.body)
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
    console.error('usage: APP_TOKEN=… express.mjs KEYS PRODUCT FOLDER PORT [NAME=VALUE]...')
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
  const server = http.createServer(createApp(installation, login))
  await once(server.listen(Number(port), '127.0.0.1'), 'listening')
  const address = server.address()
  const at = typeof address === 'object' ? address?.port : address
  console.log(`listening on http://127.0.0.1:${at}/login`)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    await main()
  } catch (error) {
    console.error(error.syscall ? `io: ${error.message}` : `${error.code}: ${error.message}`)
    process.exitCode = 1
  }
}
