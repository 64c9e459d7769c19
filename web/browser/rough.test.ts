import { expect, test } from 'vitest'
import { breaches, browse, phone, picture, say, signIn } from './browse.ts'

const browser = browse()

test('what is written can never become markup, in a message or in an answer', async () => {
  const page = await browser.open()
  await signIn(page, 'Maria Garcia')
  const hostile =
    '<img src=x onerror="document.title=1"><script>document.title=2</script> **[1]** <b>bold</b> javascript:alert(1)'
  await say(page, hostile)
  const words = page.getByRole('article', { name: 'You, Maria Garcia' }).locator('.text')
  await words.waitFor()
  expect(await words.textContent()).toBe(hostile)
  await page.locator('.message.theirs').first().waitFor()
  // As an agent would say it: laid out, and nothing more.
  const db = browser.stand().world.db.database
  await db`update messages set content = ${`${hostile}\n\n- a: <i>x</i>\n- b: <u>y</u>`} where role = 'agent' and session in (
    select s.id from sessions s join people p on p.id = s.person where p.email = 'maria.garcia@company.com')`
  await page.reload()
  const answer = page.locator('.message.theirs .text').first()
  await answer.waitFor()
  expect(await answer.textContent()).toContain('<script>document.title=2</script>')
  expect(
    await page.locator('#log').evaluate((log) => log.querySelectorAll('img, script, b, i, u, a, iframe').length),
  ).toBe(0)
  expect(await page.title()).toBe('Self-service')
  await picture(page, 'hostile')
})

test('while the function wakes, the page waits and says so quietly; nothing is sent twice', async () => {
  browser.stand().sleep(3)
  const page = await browser.open()
  await page.getByText('Waking up').waitFor()
  expect(await page.getByRole('alert').count()).toBe(0)
  await signIn(page, 'Oliver Smith')
  browser.stand().sleep(3)
  await say(page, 'refresh')
  await page.getByText('eligible').first().waitFor()
  expect(await page.locator('.failed').count()).toBe(0)
  const sent = await browser.stand().world.db.database`
    select 1 from requests where identity = 'email:oliver.smith@company.com'`
  expect(sent).toHaveLength(1)
})

test('what is under way is shown, survives a reload, and a picture of it is kept', async () => {
  const page = await browser.open({ colorScheme: 'dark', viewport: phone })
  await signIn(page, 'Yuki Tanaka')
  browser.stand().hold()
  browser.stand().cut(300)
  await say(page, 'refresh')
  await page.getByText('In the queue').first().waitFor()
  await page.reload()
  await page.getByText('In the queue').first().waitFor()
  await page.locator('.mine').filter({ hasText: 'refresh' }).waitFor()
  await picture(page, 'phone-working')
  expect(await breaches(page)).toEqual([])
  browser.stand().letGo()
  await page.getByRole('group', { name: 'Choices' }).waitFor()
  await page.getByText('In the queue').first().waitFor({ state: 'hidden' })
  await picture(page, 'phone-facts')
  // However often it broke off and went on: each message once, and one request.
  expect(await page.locator('.message').count()).toBe(2)
  expect(
    await browser.stand().world.db.database`select 1 from requests where identity = 'email:yuki.tanaka@company.com'`,
  ).toHaveLength(1)
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(phone.width)
})

test('earlier messages come when they are asked for', async () => {
  const page = await browser.open()
  await signIn(page, 'Carlos Rodriguez')
  for (let number = 1; number <= 30; number += 1) {
    await browser.stand().world.pipeline.say('carlos.rodriguez@company.com', `hello ${number}`)
  }
  await page.reload()
  const earlier = page.getByRole('button', { name: 'Earlier messages' })
  await earlier.waitFor()
  expect(await page.locator('.message').count()).toBe(50)
  expect(await page.getByText('hello 1', { exact: true }).count()).toBe(0)
  await earlier.click()
  await page.getByText('hello 1', { exact: true }).waitFor()
  expect(await page.locator('.message').count()).toBe(60)
  expect(await earlier.isVisible()).toBe(false)
})

test('files go with a message and can be had again; a program is refused', async () => {
  const page = await browser.open()
  await signIn(page, 'Isabella Mueller')
  await page.locator('#picker').setInputFiles([
    { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('the lid is cracked') },
    { name: 'run.exe', mimeType: 'application/x-msdownload', buffer: Buffer.from('MZ') },
  ])
  await page.getByText('not a type that is taken').first().waitFor()
  await picture(page, 'files')
  await page.getByRole('button', { name: 'Remove run.exe' }).click()
  await say(page, 'my laptop is broken')
  const file = page.locator('#log').getByRole('link', { name: /notes.txt/ })
  await file.waitFor()
  const [download] = await Promise.all([page.waitForEvent('download'), file.click()])
  expect(download.suggestedFilename()).toBe('notes.txt')
})
