// What testing.d.ts has to allow, and what it has to refuse. Compiled, never run.

import type { Access, Installation, Product } from 'licentia'
import { Kit, Prepared } from 'licentia/testing'
import type { State } from 'licentia/testing'

const kit: Kit = new Kit()
new Kit('kit.json')
new Kit(new URL('kit.json', import.meta.url))
const states: State[] = [...kit.states.values()]
const access: Access | undefined = states[0]?.access['feature']
const at: string | undefined = kit.states.get('active')?.clock.toISOString()
const product: Product = kit.product('active', { vendor: 'ACME', graceDays: 3 })
const prepared: Prepared = kit.installation('active')
const installation: Installation = prepared.installation
prepared.clock(new Date())
prepared.clock(1_763_769_600)
prepared.days(-0.5)
prepared.close()
const seven: number = await kit.with('active', async (it, { directory }) => {
  await it.record('counter')
  return directory.length
})
const yes: boolean = await kit.with('expired', (it) => it.allows('feature'), { clock: 0 })

// @ts-expect-error A state is named.
kit.installation()
// @ts-expect-error Nobody makes one.
new Prepared()
// @ts-expect-error No such setting.
kit.product('active', { clok: 1 })
// @ts-expect-error The clock is no text here.
prepared.clock('2026-01-01')
// @ts-expect-error What a kit says is not changed.
kit.states.clear()

export { access, at, installation, product, seven, yes }
