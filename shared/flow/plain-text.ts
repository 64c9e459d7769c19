/**
 * What no reader sees: controls, format characters, halves of emoji, and letters and marks that are drawn as nothing,
 * which can carry a message past a person to a machine. A single emoji selector stays: it draws the sign before it.
 */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}]|(?!\ufe0f)\p{Default_Ignorable_Code_Point}/gu

/**
 * A text of a record, a document or an employee as it may stand in an answer or in a field of a ticket: on one line,
 * without what nobody sees, and with nothing in it that a reader of Markdown or HTML would follow, load or run. The words
 * stay as they are. A plain text is its own plain text, so that what was shown and what is filed can be the same.
 */
export function plainText(text: string): string {
  return (
    text
      .replace(/[\s\p{Zl}\p{Zp}]+/gu, ' ')
      .replace(unseen, '')
      .replace(/ {2,}/g, ' ')
      .replace(/\ufe0f{2,}/g, '\ufe0f')
      .replace(/\](?=[([:])/g, '] ')
      .replace(/<(?=[a-z!/?])/gi, '< ')
      .replace(/`{3,}/g, "'''")
      .trim()
      // At the start of a line it would be a heading.
      .replace(/^(?:#+(?: +|$))+/, '')
  )
}
