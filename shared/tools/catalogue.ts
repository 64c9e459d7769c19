import { readFile } from 'node:fs/promises'
import * as z from 'zod/mini'
import { Fault } from '../errors/fault.ts'
import type { Json, JsonObject } from '../flow/json.ts'

const json: z.ZodMiniType<Json> = z.lazy(() =>
  z.union([z.null(), z.boolean(), z.number(), z.string(), z.array(json), z.record(z.string(), json)]),
)
const jsonObject: z.ZodMiniType<JsonObject> = z.record(z.string(), json)

const toolSchema = z.object({
  name: z.string(),
  title: z.optional(z.string()),
  description: z._default(z.string(), ''),
  inputSchema: jsonObject,
  outputSchema: z.optional(jsonObject),
  annotations: z.optional(
    z.object({
      title: z.optional(z.string()),
      readOnlyHint: z.optional(z.boolean()),
      destructiveHint: z.optional(z.boolean()),
      idempotentHint: z.optional(z.boolean()),
      openWorldHint: z.optional(z.boolean()),
    }),
  ),
})
const catalogueSchema = z.record(z.string(), z.object({ tools: z.array(toolSchema) }))

/** A tool as its server describes it. Only a server of our own is believed what its annotations say. */
export type Tool = z.infer<typeof toolSchema>
/** The pinned tools/list of each MCP server, by the server's name. */
export type ToolCatalogue = z.infer<typeof catalogueSchema>

/**
 * Reads `agents/tools.json`.
 * @throws Fault `flow.invalid` where the file is missing or is no catalogue.
 */
export async function readToolCatalogue(path: string): Promise<ToolCatalogue> {
  let value: unknown
  try {
    value = JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    throw new Fault('flow.invalid', `${path}: cannot be read as JSON`, { cause: error })
  }
  return parseToolCatalogue(value, path)
}

/** As {@link readToolCatalogue}, from a value; `name` is what the fault calls it. */
export function parseToolCatalogue(value: unknown, name = 'tool catalogue'): ToolCatalogue {
  const parsed = catalogueSchema.safeParse(value)
  if (!parsed.success) throw new Fault('flow.invalid', `${name}: ${z.prettifyError(parsed.error)}`)
  return parsed.data
}

/** Finds `server.tool`; undefined where the catalogue has no such tool. */
export function findTool(catalogue: ToolCatalogue, qualified: string): Tool | undefined {
  const [server, name] = [qualified.slice(0, qualified.indexOf('.')), qualified.slice(qualified.indexOf('.') + 1)]
  return Object.hasOwn(catalogue, server) ? catalogue[server]?.tools.find((tool) => tool.name === name) : undefined
}

/** The catalogue as plain JSON, for comparing and hashing. */
export function toJson(catalogue: ToolCatalogue): Json {
  return json.parse(JSON.parse(JSON.stringify(catalogue)))
}
