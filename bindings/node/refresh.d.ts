import type { Installation, LicentiaError } from './index.js'

export interface RefreshOptions {
  /** Ends it, as `stop` does. */
  signal?: AbortSignal | undefined
  /**
   * What a sync failed with, each time. `status().issuer.failure` has it too, for every process.
   * The next try comes all the same. What this throws is a warning of the process.
   */
  onError?: ((error: LicentiaError) => unknown) | undefined
}

/** What keeps an installation in sync, until it is stopped. */
export interface Refresher {
  /** Ends it. Kept once no sync is under way. */
  stop(): Promise<void>
}

/**
 * Syncs whenever `status().issuer.next_contact` has come, within half a minute, and looks for that
 * at least once an hour; without a license, or a server to ask, once a minute. What fails is tried
 * again after a minute, then after two, and so on up to an hour. Any number of processes may do
 * this with one folder: whoever comes first asks for all of them.
 *
 * It is a timer of the event loop. A process does not stay for it, but for a sync under way.
 * @throws {LicentiaError} `invalid_argument`
 */
export declare function keepSynced(
  installation: Pick<Installation, 'status' | 'sync'>,
  options?: RefreshOptions,
): Refresher

// Only what says so is exported.
export {}
