/** What is to happen when, in the order of its time, and then in the order in which it came. */
export interface Schedule<Item> {
  add(item: Item, due: number): void
  /** At most `limit` of what is due by `now`, in order. */
  takeDue(now: number, limit: number): Item[]
  /** When the next one is due; null where there is none. */
  next(): number | null
}

interface Entry<Item> {
  item: Item
  due: number
  place: number
}

/** A binary heap: a burst keeps thousands waiting. */
export function createSchedule<Item>(): Schedule<Item> {
  const heap: Entry<Item>[] = []
  let places = 0

  const isBefore = (a: Entry<Item> | undefined, b: Entry<Item> | undefined) =>
    a !== undefined && (b === undefined || a.due < b.due || (a.due === b.due && a.place < b.place))

  const swap = (a: number, b: number) => {
    const [first, second] = [heap[a], heap[b]]
    if (first === undefined || second === undefined) return
    heap[a] = second
    heap[b] = first
  }

  const rise = () => {
    for (let at = heap.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1
      if (!isBefore(heap[at], heap[parent])) return
      swap(at, parent)
      at = parent
    }
  }

  const sink = () => {
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2]
      const child = isBefore(heap[right], heap[left]) ? right : left
      if (!isBefore(heap[child], heap[at])) return
      swap(at, child)
      at = child
    }
  }

  const take = (): Item | undefined => {
    swap(0, heap.length - 1)
    const taken = heap.pop()
    sink()
    return taken?.item
  }

  return {
    add(item, due) {
      heap.push({ item, due, place: places++ })
      rise()
    },
    takeDue(now, limit) {
      const taken: Item[] = []
      while (taken.length < limit && (heap[0]?.due ?? Number.POSITIVE_INFINITY) <= now) {
        const item = take()
        if (item !== undefined) taken.push(item)
      }
      return taken
    },
    next: () => heap[0]?.due ?? null,
  }
}
