import type { Page } from 'playwright-core'
import { expect, test, vi } from 'vitest'
import { breaches, browse, desk, phone, picture, say, signIn } from './browse.ts'

const browser = browse()

test('from signing in to a ticket, by words, a card and a button', async () => {
  const page = await browser.open()
  await page.getByRole('link', { name: 'Sign in' }).waitFor()
  await picture(page, 'signed-out')
  expect(await breaches(page)).toEqual([])
  await page.getByRole('link', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: 'Alice Johnson' }).waitFor()
  await picture(page, 'issuer')
  await page.getByRole('button', { name: 'Alice Johnson' }).click()
  await page.getByText('Hello Alice, what do you need?').waitFor()
  await picture(page, 'welcome')
  expect(await page.getByLabel('Your message').evaluate((field) => field === document.activeElement)).toBe(true)
  await say(page, 'refresh')
  await page.getByText('You are eligible for a refresh.').waitFor()
  await picture(page, 'facts')
  await say(page, 'yes')
  const cards = page.getByRole('group', { name: 'Choices' }).getByRole('button')
  await cards.first().waitFor()
  expect(await cards.count()).toBeGreaterThan(1)
  await picture(page, 'choices')
  expect(await breaches(page)).toEqual([])
  const choice = await cards.nth(2).textContent()
  await cards.nth(2).click()
  await page.getByRole('button', { name: 'Yes, do it' }).waitFor()
  await picture(page, 'confirm')
  await page.emulateMedia({ colorScheme: 'dark' })
  expect(await breaches(page)).toEqual([])
  await page.setViewportSize(phone)
  await picture(page, 'phone-confirm')
  await page.setViewportSize(desk)
  await page.emulateMedia({ colorScheme: 'light' })
  expect(await breaches(page)).toEqual([])
  await page.getByRole('button', { name: 'Yes, do it' }).click()
  const [ticket] = await waitForTickets(page)
  await picture(page, 'ticket')
  expect(ticket).toMatchObject({ number: expect.stringMatching(/^REQ\d+$/) })
  expect(await page.getByRole('log').textContent()).toContain(ticket?.number)
  expect(await page.getByRole('log').textContent()).toContain(choice)
  expect(await page.getByRole('button', { name: 'Yes, do it' }).count()).toBe(0)
  const [pressed] = await browser.stand().world.db
    .database`select button from requests where content = 'yes' and button is not null`
  expect(pressed?.['button']).not.toBeNull()

  // The same conversation in the dark, on a phone, and for whoever listens to it.
  expect(await breaches(page)).toEqual([])
  await page.emulateMedia({ colorScheme: 'dark' })
  await picture(page, 'dark')
  expect(await breaches(page)).toEqual([])
  await page.setViewportSize(phone)
  expect(await breaches(page)).toEqual([])
  await picture(page, 'phone-dark')
  await page.emulateMedia({ colorScheme: 'light' })
  expect(await breaches(page)).toEqual([])
  await picture(page, 'phone')
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(phone.width)

  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('link', { name: 'Sign in' }).waitFor()
  expect(await page.context().cookies()).toEqual([])
})

async function waitForTickets(page: Page) {
  await page
    .getByText(/REQ\d{7}/)
    .first()
    .waitFor()
  return browser.stand().world.mock.tickets()
}

test("other people's requests wait for this person's decision, and are decided here", async () => {
  const [sophie, jane] = ['sophie.dubois@company.com', 'jane.smith@company.com']
  for (const words of ['I need 40 seats of Figma on CC-1234', 'we design the new web shop', jane, 'yes']) {
    await browser.stand().world.pipeline.say(sophie, words)
  }
  const before = browser.stand().world.mock.tickets().length
  const page = await browser.open()
  await signIn(page, 'Jane Smith')
  const waiting = page.getByRole('region', { name: 'Waiting for your decision' })
  await waiting.getByText('Sophie Dubois').waitFor()
  expect(await waiting.textContent()).toContain('40')
  await picture(page, 'decisions')
  expect(await breaches(page)).toEqual([])
  await waiting.getByRole('button', { name: 'Approve' }).click()
  await page.getByText('Approved. Sophie Dubois is told.').waitFor()
  await waiting.waitFor({ state: 'hidden' })
  await vi.waitFor(() => expect(browser.stand().world.mock.tickets()).toHaveLength(before + 1), 5_000)
})

test('the keyboard alone reaches everything, in the order in which it is read', async () => {
  const page = await browser.open()
  await signIn(page, 'Emily Clark')
  await say(page, 'hello')
  await page.getByRole('group', { name: 'Choices' }).waitFor()
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur())
  const reached: string[] = []
  for (let step = 0; step < 12; step += 1) {
    await page.keyboard.press('Tab')
    reached.push(
      await page.evaluate(() => {
        const at = document.activeElement
        return at?.getAttribute('aria-label') ?? at?.id ?? at?.textContent ?? ''
      }),
    )
  }
  const order = ['Use dark colours', 'Sign out', 'Messages', 'Attach files']
  expect(reached.filter((name) => order.includes(name)).slice(0, 4)).toEqual(order)
  // A card is pressed by Enter, and the field has the focus again.
  const card = page.getByRole('group', { name: 'Choices' }).getByRole('button').first()
  const title = (await card.textContent()) ?? ''
  await card.focus()
  await page.keyboard.press('Enter')
  await page.getByRole('article', { name: 'You, Emily Clark' }).filter({ hasText: title }).waitFor()
  await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('words')
  // The colours that were chosen are kept.
  await page.getByRole('button', { name: 'Use dark colours' }).click()
  await page.reload()
  await page.getByRole('button', { name: 'Use light colours' }).waitFor()
})

test('whoever would rather not sign in is told so without an error', async () => {
  const page = await browser.open()
  await page.getByRole('link', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: 'Do not sign in' }).click()
  await page.getByText('You did not sign in.').waitFor()
})
