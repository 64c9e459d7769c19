/** 'laptop-refresh' as people read it: 'Laptop refresh'. The router has no name of its own. */
export function agentTitle(agent: string | null): string {
  if (agent === null || agent === 'router' || agent === 'system') return 'Assistant'
  const words = agent.replaceAll('-', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** The name in an address: 'alice.johnson@company.com' is 'Alice Johnson'. */
export function nameOf(email: string): string {
  const parts = (email.split('@')[0] ?? '').split(/[._-]+/).filter((part) => part !== '')
  return parts.map((part) => part.charAt(0).toUpperCase() + part.slice(1)).join(' ') || email
}

export function initialsOf(email: string): string {
  const [first = '?', ...others] = nameOf(email).split(' ')
  return (first.charAt(0) + (others.at(-1)?.charAt(0) ?? '')).toUpperCase()
}

/** 'software_licence' and 'business_justification' as people read them. */
export function fieldTitle(name: string): string {
  const words = name.replace(/[_-]+/g, ' ').trim()
  return words.charAt(0).toUpperCase() + words.slice(1)
}

export function fileSize(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`
  if (bytes < 1_048_576) return `${Math.round(bytes / 1_024)} KB`
  return `${(bytes / 1_048_576).toFixed(1)} MB`
}

/** What people call a channel; null for this page itself. */
export function channelTitle(channel: string | null): string | null {
  const names: Record<string, string> = {
    slack: 'Slack',
    email: 'e-mail',
    cli: 'the terminal',
    generic: 'the API',
    tool: 'a program',
  }
  return channel === null || channel === 'web' ? null : (names[channel] ?? channel)
}

export function timeOf(iso: string): string {
  return new Date(iso).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
}

export function dayOf(iso: string): string {
  return new Date(iso).toLocaleDateString([], { weekday: 'long', day: 'numeric', month: 'long' })
}
