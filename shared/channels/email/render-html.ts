/** An agent's text as HTML: paragraphs, lists and bold, and nothing that was text becomes markup. */
export function renderHtml(text: string): string {
  const paragraphs = text.split(/\n{2,}/).map((paragraph) => {
    const lines = paragraph.split('\n')
    if (lines.every((line) => /^[-*•] /.test(line))) {
      return `<ul>${lines.map((line) => `<li>${inline(line.slice(2))}</li>`).join('')}</ul>`
    }
    return `<p>${lines.map(inline).join('<br>\n')}</p>`
  })
  const body = paragraphs.join('\n')
  return `<!doctype html>\n<html><body style="font-family: sans-serif; max-width: 42em">\n${body}\n</body></html>\n`
}

/** An agent's text as plain text: bold is left to the words. */
export function renderPlain(text: string): string {
  return text.replace(/\*\*([^*\n]+)\*\*/g, '$1')
}

function inline(line: string): string {
  return escapeHtml(line).replace(/\*\*([^*\n]+)\*\*/g, '<strong>$1</strong>')
}

function escapeHtml(text: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
  return text.replace(/[&<>"']/g, (sign) => names[sign] ?? '')
}
