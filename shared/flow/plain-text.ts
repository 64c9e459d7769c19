/**
 * A text of a record, a document or an employee as it may stand in an answer: on one line, without what nobody sees, and
 * with nothing in it that a reader of Markdown or HTML would follow, load or run. The words stay as they are.
 */
export function plainText(text: string): string {
  return text
    .replace(/[\s\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '')
    .replace(/\](?=[([:])/g, '] ')
    .replace(/<(?=[a-z!/?])/gi, '< ')
    .replace(/`{3,}/g, "'''")
    .trim()
}
