/** One event of a stream. */
export interface ServerEvent {
  /** Of the last event that had one: what Last-Event-ID takes. */
  id: string
  type: string
  data: string
}

/**
 * Reads a stream of server-sent events (HTML, section 9.2.6) that comes in pieces cut anywhere: each call gives the
 * events that its piece completes.
 */
export function createEventReader(lastId = ''): (piece: string) => ServerEvent[] {
  let rest = ''
  let id = lastId
  let type = ''
  let data: string[] = []
  let begun = false

  const readLine = (line: string): ServerEvent | null => {
    if (line === '') {
      const event = data.length === 0 ? null : { id, type: type || 'message', data: data.join('\n') }
      type = ''
      data = []
      return event
    }
    const colon = line.indexOf(':')
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'data') data.push(value)
    if (field === 'event') type = value
    if (field === 'id' && !value.includes('\0')) id = value
    return null
  }

  return (piece) => {
    rest += piece
    if (!begun && rest !== '') {
      rest = rest.replace(/^\uFEFF/, '')
      begun = true
    }
    const events: ServerEvent[] = []
    // A \r at the very end may be half of a line's end.
    for (let end = /\r\n|\n|\r(?!$)/.exec(rest); end !== null; end = /\r\n|\n|\r(?!$)/.exec(rest)) {
      const event = readLine(rest.slice(0, end.index))
      rest = rest.slice(end.index + end[0].length)
      if (event !== null) events.push(event)
    }
    return events
  }
}
