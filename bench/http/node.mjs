// The license API as the examples mount it, beside the same framework with nothing but a constant.
//   node.mjs KEYS PRODUCT FOLDER [express | fastify]

import { readFileSync } from 'node:fs'
import http from 'node:http'
import { createRequire } from 'node:module'
import { Login } from '../../examples/node/login.mjs'

const require = createRequire(new URL('../../examples/node/', import.meta.url))
const { Product } = require('licentia')
const { handler } = require('licentia/http')

const [keys, code, folder, kind = 'bare'] = process.argv.slice(2)
const installation = new Product(code, readFileSync(keys)).open(folder)
const login = new Login([])
const { status, headers, body } =
  await installation.handle({ method: 'GET', target: '/api/license' })

/** Two listeners for each framework: what the example serves, and a constant. */
const frameworks = {
  async bare() {
    const all = { ...headers, 'content-length': Buffer.byteLength(body) }
    return {
      api: handler(installation, { caller: (request) => login.caller(request) }),
      constant: (_request, response) => response.writeHead(status, all).end(body),
    }
  },

  async express() {
    const { createApp } = await import('../../examples/node/express.mjs')
    const constant = require('express')().disable('x-powered-by')
    // Its own `set` would add a charset.
    const all = new Map(Object.entries(headers))
    constant.get('/constant', (_request, response) => {
      response.status(status).setHeaders(all).end(body)
    })
    return { api: createApp(installation, login), constant }
  },

  async fastify() {
    const { createApp } = await import('../../examples/node/fastify.mjs')
    const [api, constant] = [createApp(installation, login), require('fastify')()]
    constant.get('/constant', (_request, reply) => reply.code(status).headers(headers).send(body))
    await Promise.all([api.ready(), constant.ready()])
    return { api: api.routing, constant: constant.routing }
  },
}

const { api, constant } = await frameworks[kind]()
const server = http.createServer((request, response) => {
  const which = request.url === '/constant' ? constant : api
  which(request, response)
})
process.once('SIGTERM', () => {
  server.close()
  server.closeAllConnections()
})
server.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`))
