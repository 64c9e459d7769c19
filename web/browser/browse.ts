import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import axe, { type AxeResults } from 'axe-core'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { openStand, type Stand } from './stand.ts'

const pictures = join(import.meta.dirname, '../../reports/screenshots')
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

type Look = { colorScheme?: 'light' | 'dark'; viewport?: { width: number; height: number } }

export const desk = { width: 1280, height: 860 }
export const phone = { width: 360, height: 740 }

/** The page in Chromium, for one file of tests: what goes wrong in the browser fails the test that it happened in. */
export interface Browse {
  stand(): Stand
  open(look?: Look): Promise<Page>
}

export function browse(): Browse {
  let stand: Stand | undefined
  let browser: Browser | undefined
  let contexts: BrowserContext[] = []
  /** An error, a load that the policy refuses, a warning of the browser's. */
  let trouble: string[] = []
  const opened = (): Stand => stand ?? expect.fail('the stand is not open')

  beforeAll(async () => {
    await mkdir(pictures, { recursive: true })
    stand = await openStand()
    browser = await chromium.launch({
      executablePath: process.env['TEST_CHROMIUM'] ?? '/usr/bin/chromium',
      args: flags,
    })
  })
  afterAll(async () => {
    await browser?.close()
    await stand?.close()
  })
  beforeEach(() => {
    trouble = []
    contexts = []
  })
  afterEach(async () => {
    opened().letGo()
    opened().sleep(0)
    opened().cut(0)
    for (const context of contexts) await context.close()
    expect(trouble).toEqual([])
  })

  return {
    stand: opened,
    async open(look = {}) {
      if (browser === undefined) expect.fail('the browser is not open')
      const context = await browser.newContext({ viewport: desk, reducedMotion: 'reduce', ...look })
      contexts.push(context)
      const page = await context.newPage()
      page.setDefaultTimeout(15_000)
      page.on('pageerror', (error) => trouble.push(`error: ${error.message}`))
      page.on('console', (message) => {
        // A refusal by the policy is written here; so is every answer that is no 2xx, which the page itself deals with.
        if (message.type() === 'error' && !message.text().includes('Failed to load resource'))
          trouble.push(message.text())
      })
      await page.goto(opened().url)
      return page
    },
  }
}

export async function signIn(page: Page, name: string): Promise<void> {
  await page.getByRole('link', { name: 'Sign in' }).click()
  await page.getByRole('button', { name }).click()
  await page.getByLabel('Your message').waitFor()
}

export async function say(page: Page, words: string): Promise<void> {
  await page.getByLabel('Your message').fill(words)
  await page.keyboard.press('Enter')
}

/** Keeps a picture of the page in reports/screenshots/. */
export async function picture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(pictures, `${name}.png`) })
}

/** Breaches of WCAG 2 and of good practice, each with where it is. */
export async function breaches(page: Page): Promise<string[]> {
  // Not as a script of the page: its policy would refuse that, and rightly.
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate<AxeResults>('axe.run()')
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 150)} ${failureSummary}`),
  )
}
