import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describeIssue, type Finding } from '../../flow/check/describe-issue.ts'
import { readSource } from '../../flow/check/source.ts'
import { expressionFaultIn } from '../../flow/expression.ts'
import { readTemplate } from '../../flow/template.ts'
import { type Integration, integrationFile, type Mapping, namesOfEvent, sourceName } from './integration.ts'

export interface IntegrationFault {
  file: string
  /** From 1. */
  line: number
  message: string
}

/** Every integration of a folder whose file is right, and every fault of the others, by file and line. */
export async function readIntegrations(
  folder: string,
): Promise<{ integrations: Map<string, Integration>; faults: IntegrationFault[] }> {
  const integrations = new Map<string, Integration>()
  const faults: IntegrationFault[] = []
  for (const name of (await listFiles(folder)).sort()) {
    const file = join(folder, name)
    const read = readIntegration(name.replace(/\.yaml$/, ''), await readFile(file, 'utf8'))
    faults.push(...read.faults.map((fault) => ({ file, ...fault })))
    if (read.integration !== null) integrations.set(read.integration.name, read.integration)
  }
  return { integrations, faults }
}

/** One file; `integration` is null where it has a fault. */
export function readIntegration(
  name: string,
  text: string,
): { integration: Integration | null; faults: { line: number; message: string }[] } {
  const source = readSource(text)
  if (source.faults.length > 0) return { integration: null, faults: source.faults }
  const parsed = integrationFile.safeParse(source.value)
  const findings = parsed.success
    ? Object.entries(parsed.data.events).flatMap(([type, mapping]) => mappingFindings(type, mapping))
    : parsed.error.issues.flatMap((issue) => describeIssue(issue, [], source.value))
  if (!sourceName.test(name)) {
    findings.push({ path: [], message: `"${name}" is no name of a source: use a-z, digits and "-"` })
  }
  const faults = findings
    .map(({ path, line, message }) => ({
      line: line === undefined ? source.lineOf(path) : source.lineInText(path, line),
      message,
    }))
    .sort((a, b) => a.line - b.line)
  if (!parsed.success || faults.length > 0) return { integration: null, faults }
  return { integration: { name, ...parsed.data }, faults }
}

function mappingFindings(type: string, { when, person, text }: Mapping): Finding[] {
  const path = ['events', type]
  const findings: Finding[] = []
  for (const [key, expression] of Object.entries({ when, person })) {
    const fault = expression === undefined ? null : expressionFaultIn({ name: type, names: namesOfEvent }, expression)
    if (fault !== null) findings.push({ path: [...path, key], message: `"${key}": ${fault}` })
  }
  const { fault, names } = readTemplate(text)
  if (fault !== null) findings.push({ path: [...path, 'text'], message: `"text": ${fault}` })
  for (const [name, line] of names) {
    if (namesOfEvent.has(name)) continue
    findings.push({ path: [...path, 'text'], line, message: `"text" knows nothing but event: ${name}` })
  }
  return findings
}

async function listFiles(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith('.yaml'))
}
