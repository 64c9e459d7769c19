/**
 * A text of somebody else's as a terminal may show it: no escape sequences and no control characters but line breaks
 * and tabs, nothing that turns the reading direction round.
 */
export function plainText(text: string): string {
  return (
    text
      .replaceAll(/\r\n?/g, '\n')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what has to go.
      .replaceAll(/(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?/g, '')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the same.
      .replaceAll(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, '')
  )
}
