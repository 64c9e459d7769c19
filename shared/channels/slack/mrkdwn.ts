/**
 * Slack's markup, "mrkdwn" (docs.slack.dev, "Formatting message text"): `&`, `<` and `>` are its only control characters,
 * a mention or a link stands in angle brackets, and bold is one asterisk.
 */

/** Text as Slack shows it literally. */
export function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

const bold = /\*\*(?=\S)([^*\n]*[^*\s])\*\*/g
/** Only where nothing but space or a bracket stands before, so that no other text can become a link's label. */
const address = /(^|[\s(])(https:\/\/[^\s<>&|"'`*]*[^\s<>&|"'`*.,;:!?)\]])/g

/** A line of an answer as mrkdwn: escaped, with its **bold**, its addresses and, where it is of a list, its bullet. */
export function toMrkdwn(line: string): string {
  return escapeText(line)
    .replace(/^(\s*)- /, '$1• ')
    .replace(bold, '*$1*')
    .replace(address, '$1<$2>')
}

/**
 * What a person wrote, as they see it: their client sends text escaped, and mentions and links in brackets. A mention of
 * the bot itself is left out.
 */
export function fromMrkdwn(text: string, bot: string | null): string {
  const plain = text.replace(/<([^<>]*)>/g, (_whole, inner: string) => {
    const [target = '', label = ''] = inner.split('|', 2)
    if (target === `@${bot}`) return ''
    if (/^[@#!]/.test(target))
      return label === '' ? target.replace('!', '@') : label.replace(/^(?![@#])/, target[0] ?? '')
    const where = target.replace(/^(?:mailto|tel):/, '')
    return label === '' || label === where || `https://${label}` === where || `http://${label}` === where
      ? where
      : `${label} (${where})`
  })
  return plain.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&').trim()
}
