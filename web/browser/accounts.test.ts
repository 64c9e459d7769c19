import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { offerLink } from '../../shared/channels/link.ts'
import { breaches, browse, phone, picture, signIn } from './browse.ts'

const browser = browse()
const offer = async (identity: string) => {
  const { world, url } = browser.stand()
  const parts = { database: world.db.database, now: () => new Date(), randomBytes }
  return await offerLink(parts, { identity, channel: 'slack', page: url })
}

test('a link leads by way of signing in to the account, which is taken on and given back', async () => {
  const page = await browser.open()
  await page.goto(await offer('slack:T1/U7'))
  await page.getByRole('link', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: 'Alice Johnson' }).click()
  // Back at the link, not at the chat.
  await page.getByText('slack:T1/U7').waitFor()
  await picture(page, 'link')
  expect(await breaches(page)).toEqual([])
  await page.getByRole('button', { name: 'Yes, it is mine' }).click()
  await page.getByText('slack:T1/U7 is you from now on').waitFor()
  await page.reload()
  await page.getByText('this link was used, or is over').waitFor()

  await page.goto(browser.stand().url)
  await page.getByRole('link', { name: 'Accounts and copies' }).click()
  await page.getByText('slack:T1/U7').waitFor()
  await picture(page, 'settings')
  expect(await breaches(page)).toEqual([])
  await page.getByRole('checkbox', { name: 'Slack' }).check()
  await page.getByText('Saved.').waitFor()
  await page.reload()
  await expect.poll(() => page.getByRole('checkbox', { name: 'Slack' }).isChecked()).toBe(true)
  await page.getByRole('button', { name: 'slack:T1/U7 is not mine' }).click()
  await page.getByText('is not your account any more').waitFor()
  expect(await page.getByRole('checkbox', { name: 'Slack' }).count()).toBe(0)
  // The address that a person is has no such button.
  expect(await page.getByRole('button', { name: /is not mine$/ }).count()).toBe(0)
})

test('whoever is somebody already cannot be taken over, and is not signed out by trying', async () => {
  const first = await browser.open()
  await signIn(first, 'Alice Johnson')
  await first.goto(await offer('slack:T1/U8'))
  await first.getByRole('button', { name: 'Yes, it is mine' }).click()
  await first.getByText('is you from now on').waitFor()
  const second = await browser.open({ viewport: phone, colorScheme: 'dark' })
  await signIn(second, 'Emily Clark')
  await second.goto(await offer('slack:T1/U8'))
  await second.getByRole('button', { name: 'Yes, it is mine' }).click()
  await second.getByText('already somebody else').waitFor()
  await picture(second, 'link-refused-dark-phone')
  expect(await breaches(second)).toEqual([])
  await second.goto(`${browser.stand().url}/settings`)
  await second.getByText('Copies of your answers').waitFor()
  await picture(second, 'settings-dark-phone')
  expect(await breaches(second)).toEqual([])
  expect(await second.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)
})
