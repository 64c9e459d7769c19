import { expect, test } from 'vitest'
import { readMailboxSettings, readMailSettings } from './settings.ts'

const environment = {
  MAIL_FROM: 'Service Desk <Agent@Company.com>',
  SMTP_HOST: 'smtp.company.com',
  IMAP_HOST: 'imap.company.com',
}
const mail = (more = {}) => readMailSettings({ ...environment, ...more })
const mailbox = (more = {}) => readMailboxSettings({ ...environment, ...more })

test('what is left out is what most deployments have', () => {
  expect(mail()).toEqual({
    from: { name: 'Service Desk', address: 'agent@company.com' },
    smtp: { host: 'smtp.company.com', port: 587, tls: 'upgrade', login: null },
  })
  expect(mailbox()).toMatchObject({
    imap: { port: 993, tls: 'at-once' },
    mailbox: 'INBOX',
    proof: { addresses: ['agent@company.com'], domains: ['company.com'], authservId: null, borderHost: null },
    pointer: null,
  })
})

test.each([
  ['smtp.company.com', '25', 'upgrade'],
  ['smtp.company.com', '465', 'at-once'],
  ['127.0.0.1', '2525', 'none'],
  ['localhost', '587', 'none'],
  ['::1', '587', 'none'],
  ['127.0.0.1.evil.example', '587', 'upgrade'],
  ['localhost.company.com', '587', 'upgrade'],
])('%s at port %s: TLS %s', (SMTP_HOST, SMTP_PORT, tls) => {
  expect(mail({ SMTP_HOST, SMTP_PORT }).smtp.tls).toBe(tls)
})

test('lists are read with their white space', () => {
  expect(mailbox({ MAIL_ALIASES: ' IT@company.com, ', MAIL_DOMAINS: 'company.com, Company.DE' }).proof).toMatchObject({
    addresses: ['agent@company.com', 'it@company.com'],
    domains: ['company.com', 'company.de'],
  })
})

test.each([
  [{ MAIL_FROM: 'nobody' }, 'MAIL_FROM'],
  [{ MAIL_FROM: 'a@b.example, c@d.example' }, 'MAIL_FROM'],
  [{ MAIL_FROM: 'x\r\nBcc: y <a@b.example>' }, 'MAIL_FROM'],
  [{ SMTP_HOST: '' }, 'SMTP_HOST'],
  [{ SMTP_PORT: 'smtp' }, 'SMTP_PORT'],
  [{ SMTP_USER: 'agent' }, 'SMTP_PASSWORD'],
])('%j is refused with what to set', (more, name) => {
  expect(() => mail(more)).toThrow(name)
})

test.each([
  [{ IMAP_HOST: '' }, 'IMAP_HOST'],
  [{ IMAP_PASSWORD: 'secret' }, 'IMAP_USER'],
  [{ MAIL_ALIASES: 'it' }, 'MAIL_ALIASES'],
  [{ MAIL_DOMAINS: '*' }, 'MAIL_DOMAINS'],
])('%j is refused with what to set, and without a secret', (more, name) => {
  expect(() => mailbox(more)).toThrow(name)
  expect(() => mailbox(more)).not.toThrow('secret')
})
