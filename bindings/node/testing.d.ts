import type { Access, Installation, Product, ProductOptions } from './index.js'

/** A state of an installation, and what the library has to say of it. */
export interface State {
  /** Its name, such as `expired`. */
  readonly name: string
  /** What it is, in a sentence. */
  readonly about: string
  /** Where the clock stands. */
  readonly clock: Date
  /** Settings of the product in this state: the machine, and terms such as `grace_days`. */
  readonly settings: Readonly<Record<string, string>>
  /** The reason that the status gives. */
  readonly reason: string
  /** Whether a license is in force. */
  readonly inForce: boolean
  /** What may be done with each feature. */
  readonly access: Readonly<Record<string, Access>>
  /** Codes that are among the warnings of the status. */
  readonly warnings: readonly string[]
}

/**
 * Prepared installations of one product, for its tests: no vendor, no waiting. Not for the product
 * itself.
 */
export class Kit {
  /**
   * Reads a kit that `licentia testkit` wrote; without a file, that of this package, for the
   * product `myapp`.
   */
  constructor(file?: string | URL)
  /** The product code. */
  get code(): string
  /** Who signed everything in the kit. The private half of this key was not kept. */
  get keys(): string
  /** The features that its licenses grant. */
  readonly features: readonly string[]
  /** The states by name. */
  readonly states: ReadonlyMap<string, State>
  /**
   * A product with the keys, the clock and the machine of a state. Settings replace the kit's.
   * Throws an error that names the nearest state where there is none of that name.
   */
  product(state: string, settings?: ProductOptions): Product
  /** An installation in a state, in a folder of its own: `close()` removes it. */
  installation(state: string, settings?: ProductOptions): Prepared
  /** Gives an installation in a state to a function, and removes its folder when that is done. */
  with<T>(
    state: string,
    use: (installation: Installation, prepared: Prepared) => T | PromiseLike<T>,
    settings?: ProductOptions,
  ): Promise<T>
}

/** An installation in a folder that was prepared. A Kit makes them. */
export class Prepared {
  private constructor()
  /** The state that it was prepared in. */
  readonly state: State
  /** Who opened it. */
  readonly product: Product
  readonly installation: Installation
  /** Its folder: for a program that opens it itself, also in another process. */
  readonly directory: string
  /**
   * Moves the clock to a time: a Date, or seconds. An installation remembers the latest time that
   * it has seen: going back is the clock being set back.
   */
  clock(at: Date | number): void
  /** Moves the clock by days from where the state, or the last call, has put it. */
  days(days: number): void
  /** Closes the installation and removes its folder. */
  close(): void
}
