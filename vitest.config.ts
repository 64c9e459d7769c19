import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{shared,functions,local,scripts,test,bench,evaluations}/**/*.test.ts'],
    globalSetup: ['test/postgres.setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // A skipped or focused test is a failed run: nothing may be left out quietly.
    allowOnly: false,
    passWithNoTests: false,
  },
})
