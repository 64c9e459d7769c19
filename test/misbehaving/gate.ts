/** Stands before a call outside: lets it pass, or holds it for as long as the test likes. */
export interface Gate {
  pass(): Promise<void>
  /** Holds the next one to come; resolves once it stands there. */
  holdNext(): Promise<void>
  /** Holds none: the one that was waited for did not come. */
  cancel(): void
  /** Lets the one on that has been held longest; false where none is. */
  release(): boolean
  /** Lets all on, and whoever comes. */
  open(): void
}

export function createGate(): Gate {
  const held: (() => void)[] = []
  let arrived: (() => void) | null = null
  const release = () => {
    const goOn = held.shift()
    goOn?.()
    return goOn !== undefined
  }
  return {
    async pass() {
      if (arrived === null) return
      const there = arrived
      arrived = null
      await new Promise<void>((resolve) => {
        held.push(resolve)
        there()
      })
    },
    holdNext: () =>
      new Promise((resolve) => {
        arrived = resolve
      }),
    cancel() {
      arrived = null
    },
    release,
    open() {
      arrived = null
      while (release());
    },
  }
}
