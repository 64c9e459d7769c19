import { byId, icon, icons } from './element.ts'

const kept = 'theme'

/** The colours follow the system until the button was pressed; what was chosen is kept in this browser. */
export function startTheme(): void {
  const button = byId('theme')
  const prefers = matchMedia('(prefers-color-scheme: dark)')
  const isDark = (): boolean => {
    const chosen = document.documentElement.dataset['theme']
    return chosen === undefined ? prefers.matches : chosen === 'dark'
  }
  const draw = (): void => {
    const next = isDark() ? 'light' : 'dark'
    button.replaceChildren(icon(icons[next]))
    button.setAttribute('aria-label', `Use ${next} colours`)
    button.title = `Use ${next} colours`
  }
  const chosen = localStorage.getItem(kept)
  if (chosen === 'dark' || chosen === 'light') document.documentElement.dataset['theme'] = chosen
  button.addEventListener('click', () => {
    const next = isDark() ? 'light' : 'dark'
    document.documentElement.dataset['theme'] = next
    localStorage.setItem(kept, next)
    draw()
  })
  prefers.addEventListener('change', draw)
  draw()
}
