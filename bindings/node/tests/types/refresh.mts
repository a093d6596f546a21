// What refresh.d.ts has to allow, and what it has to refuse. Compiled, never run.

import { Product } from 'licentia'
import type { ErrorCode, Installation } from 'licentia'
import { keepSynced } from 'licentia/refresh'
import type { RefreshOptions, Refresher } from 'licentia/refresh'

const installation: Installation = new Product('myapp', '').open('state')
const refresher: Refresher = keepSynced(installation)
const words: ErrorCode[] = []
const options: RefreshOptions = {
  signal: new AbortController().signal, onError: ({ code }) => words.push(code),
}
keepSynced(installation, options)
keepSynced(installation, { onError: async (error) => error.message, signal: undefined })
keepSynced({ status: () => installation.status(), sync: async () => {} })
const stopped: void = await refresher.stop()

// @ts-expect-error: an installation
keepSynced(new Product('myapp', ''))
// @ts-expect-error: no such option
keepSynced(installation, { onerror: () => {} })
// @ts-expect-error: the signal of a controller
keepSynced(installation, { signal: new AbortController() })
// @ts-expect-error: a function
keepSynced(installation, { onError: true })
// @ts-expect-error: read as it is, waited for
refresher.stop().then().stop()

export { stopped }
