import { configDefaults, defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{shared,functions,local,scripts,test,bench,evaluations,web}/**/*.test.ts'],
    // The page in a real browser: make test-all, which installs one.
    exclude: [
      ...configDefaults.exclude,
      ...(process.env['TEST_CHROMIUM'] ? [] : ['web/browser/**']),
      // Mail with a real IMAP server: make test-all, too.
      ...(process.env['TEST_DOVECOT'] ? [] : ['shared/channels/email/dovecot.test.ts']),
    ],
    globalSetup: ['test/postgres.setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // A skipped or focused test is a failed run: nothing may be left out quietly.
    allowOnly: false,
    passWithNoTests: false,
  },
})
