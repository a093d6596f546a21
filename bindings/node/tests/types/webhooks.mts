// What webhooks.d.ts has to allow, and what it has to refuse. Compiled, never run.

import type { IncomingMessage } from 'node:http'
import { Receiver, verify, verifySignature } from 'licentia/webhooks'
import type { ReceiverOptions, VerifyOptions, WebhookEvent } from 'licentia/webhooks'

declare const request: IncomingMessage
const body: Buffer = Buffer.from('{}')
const options: VerifyOptions = { now: new Date() }
const event: WebhookEvent = verify(body, request.headers, 'whsec_', options)
const { id, type, createdAt, data, sentAt } = event
const told: [string, string, Date | null, Date] = [id, type, createdAt, sentAt]
const unknown: unknown = data['seats']
const { seats }: { seats: number } =
  verify<{ seats: number }>('{}', new Headers(), ['whsec_', 'whpk_']).data
const sent: Date = verifySignature(body, [['webhook-id', 'evt_1']], 'whpk_', { now: 5 })
const once: ReceiverOptions = { window: 86_400, limit: 10, }
const receiver = new Receiver(['whsec_'], once)
const result: string = await receiver.process(body, new Map([['webhook-id', 'evt_1']]),
  async (event) => event.type)
const nothing: void = receiver.forget('evt_1')

// @ts-expect-error: what a parser made of it is not what was signed
verify({ type: 'license.created' }, request.headers, 'whsec_')
// @ts-expect-error: a secret
verify(body, request.headers)
// @ts-expect-error: no such option
verify(body, request.headers, 'whsec_', { tolerance: 600 })
// @ts-expect-error: headers
verify(body, 'webhook-id: evt_1', 'whsec_')
// @ts-expect-error: it never changes
event.id = 'evt_2'
// @ts-expect-error: whoever knows what is in it says so
const guessed: number = event.data.seats
// @ts-expect-error: what to do with it
receiver.process(body, request.headers)
// @ts-expect-error: an id
receiver.forget(event)

export { told, unknown, seats, sent, result, nothing, guessed }
