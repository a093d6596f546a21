// What http.d.ts has to allow, and what it has to refuse. Compiled, never run.

import http from 'node:http'
import http2 from 'node:http2'
import type { IncomingMessage } from 'node:http'
import { Product } from 'licentia'
import type { Answer, Caller, Exchange, Installation, Right } from 'licentia'
import { handler } from 'licentia/http'
import type { HandlerOptions } from 'licentia/http'

const installation: Installation = new Product('myapp', '').open('state', {
  mount: '/admin', publicStatus: 'full', leaseWindow: 7,
})
installation.set('public_status', 'minimal')
installation.set('leaseWindow', '7')
const rights: Right[] = ['read', 'write', 'delete']
const ada: Caller = { name: 'ada', rights }
const exchange: Exchange = { method: 'GET', target: '/license', caller: ada }
const answer: Answer = await installation.handle(exchange)
const [status, body]: [number, Buffer] = [answer.status, answer.body]
const type: string | undefined = answer.headers['content-type']
const ours: boolean = installation.serves('/license')
for (const headers of [{ a: 'b' }, { a: ['b'], c: undefined }, new Map([['a', 'b']]),
  new Headers(), [['a', 'b']] as [string, string][], ({} as IncomingMessage).headers]) {
  await installation.handle({ method: 'POST', target: '/', headers, body: new Uint8Array() })
}
await installation.handle({ method: 'POST', target: '/', body: null, caller: null })

http.createServer(handler(installation))
http.createServer(handler(installation, { caller: () => ada }))
http.createServer(handler(installation, { caller: async () => null }))
http.createServer(handler(installation, {
  caller: (request) => (request.headers.authorization === undefined ? null : ada),
}))
http2.createServer(handler<http2.Http2ServerRequest>(installation, {
  caller: (request) => (request.stream.closed ? undefined : ada),
}))
interface WithUser extends IncomingMessage { user?: { id: string; isAdmin: boolean } }
const options: HandlerOptions<WithUser> = {
  caller: ({ user }) => user && { name: user.id, rights: user.isAdmin ? rights : ['read'] },
}
const listener = handler(installation, options)
listener({} as WithUser, {} as http.ServerResponse, (error) => error)
handler({ handle: async () => answer, serves: () => true })

// @ts-expect-error: no such right
const eve: Caller = { name: 'eve', rights: ['admin'] }
// @ts-expect-error: no such member
const bob: Caller = { name: 'bob', right: ['read'] }
// @ts-expect-error: it has a name
const nobody: Caller = { rights: ['read'] }
// @ts-expect-error: it has a target
installation.handle({ method: 'GET' })
// @ts-expect-error: no such member
installation.handle({ method: 'GET', target: '/', url: '/' })
// @ts-expect-error: numbers are no headers
installation.handle({ method: 'GET', target: '/', headers: { a: 7 } })
// @ts-expect-error: a promise
installation.handle(exchange).status
// @ts-expect-error: no option
handler(installation, { callers: () => ada })
// @ts-expect-error: a function
handler(installation, { caller: ada })
// @ts-expect-error: no caller
handler(installation, { caller: () => false })
// @ts-expect-error: no caller
handler(installation, { caller: async () => ({ name: 'ada', rights: 'read' }) })
// @ts-expect-error: an installation
handler(new Product('myapp', ''))
// @ts-expect-error: one of two words
new Product('myapp', '').open('state', { publicStatus: 'all' })
// @ts-expect-error: no such export
import type { Asking } from 'licentia/http'

export { status, body, type, ours, eve, bob, nobody }
