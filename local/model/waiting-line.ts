/** Thrown where the line is full; the server answers 503 as vLLM does. */
export class LineFull extends Error {}

interface Waiter {
  priority: number
  order: number
  start: () => void
}

/** As many requests at a time as there are slots; the others wait, lower priority number first, then by arrival. */
export class WaitingLine {
  slots: number
  /** Running and waiting requests together that are taken at all. */
  most: number
  running = 0
  #order = 0
  #waiting: Waiter[] = []

  constructor(slots: number, most: number) {
    this.slots = slots
    this.most = most
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /**
   * Waits for a slot and gives the function that frees it (once, however often it is called). A signal takes a waiter
   * out of the line.
   * @throws LineFull, or the signal's reason
   */
  async enter(signal: AbortSignal, priority = 0): Promise<() => void> {
    signal.throwIfAborted()
    if (this.running + this.#waiting.length >= this.most) throw new LineFull()
    if (this.running >= this.slots) await this.#wait(signal, priority)
    else this.running += 1
    let freed = false
    return () => {
      if (freed) return
      freed = true
      this.running -= 1
      this.#admit()
    }
  }

  #wait(signal: AbortSignal, priority: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiter)
        reject(signal.reason)
      }
      const waiter: Waiter = {
        priority,
        order: this.#order++,
        start: () => {
          signal.removeEventListener('abort', leave)
          resolve()
        },
      }
      this.#waiting.push(waiter)
      this.#waiting.sort((a, b) => a.priority - b.priority || a.order - b.order)
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  #admit() {
    while (this.running < this.slots) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.running += 1
      next.start()
    }
  }
}
