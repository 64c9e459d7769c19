import { catalogue, type FaultKind } from '../../shared/errors/catalogue.ts'

/** docs/errors.md, from the catalogue. */
export function writeErrorsPage(): string {
  const rows = Object.entries<FaultKind>(catalogue).map(
    ([code, kind]) => `| \`${code}\` | ${kind.class} | ${kind.status} | ${kind.title} | ${kind.says ?? '–'} |`,
  )
  return `# Errors

Written from \`shared/errors/catalogue.ts\` by \`npm run docs:write\`.

- **terminal**: trying again gives the same result. A broker sends it to the dead letter sink at once.
- **retryable**: nothing happened; the same attempt may succeed later. A broker retries it.
- **ambiguous**: it may have happened. Never repeated blindly: it is looked up, or a person decides.

Callers of the API read code, title and status as problem+json (RFC 9457). Employees read only the last column.

| code | class | status | title | what the employee reads |
| --- | --- | --- | --- | --- |
${rows.join('\n')}
`
}
