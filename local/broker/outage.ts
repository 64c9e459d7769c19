import type { Clock } from './clock.ts'

/** Milliseconds between two looks at a store that was lost. */
const interval = 250

/** Whether the store is there. Nobody looks while it is; once lost, it is looked at until it is back. */
export class Outage {
  private lost = false
  private readonly clock: Clock
  private readonly check: () => Promise<void>
  private readonly back: () => void
  private cancel: (() => void) | undefined

  constructor(clock: Clock, check: () => Promise<void>, back: () => void) {
    this.clock = clock
    this.check = check
    this.back = back
  }

  get active(): boolean {
    return this.lost
  }

  begin(): void {
    if (this.lost) return
    this.lost = true
    this.look()
  }

  end(): void {
    this.cancel?.()
  }

  private look(): void {
    this.cancel = this.clock.after(interval, () => {
      this.check().then(
        () => {
          this.lost = false
          this.back()
        },
        () => this.look(),
      )
    })
  }
}
