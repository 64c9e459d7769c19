import type { AuthInfo, McpServer } from '@modelcontextprotocol/server'
import * as z from 'zod'
import { Fault } from '../../shared/errors/fault.ts'
import type { Json } from '../../shared/flow/json.ts'
import { readTranscript } from '../../shared/store/transcript.ts'
import { answerCall } from './answer-call.ts'
import { checkApproval } from './check-approval.ts'
import type { Filed, Write } from './claim-write.ts'
import { type Employee, findEmployee } from './employee.ts'
import { type Filing, fileOnce } from './file-once.ts'
import {
  findRequest,
  hasUnmarkedRequest,
  type Order,
  orderItem,
  type Request,
  readOpenLaptopRequests,
} from './requests.ts'
import type { ToolParts } from './tool-parts.ts'

/** What a write tool orders. */
interface Item {
  id: string
  /** In words, as the result names it. */
  title: string
  variables: Record<string, string>
  /** What else a person should see who works on it; empty: nothing. No part of what was approved. */
  background?: (write: Write) => Promise<Record<string, string>>
  /** Finds an open request that takes the new one's place, or throws where there may be no more. */
  existing?: (employee: Employee) => Promise<Request | null>
}

const filed = z.strictObject({
  number: z.string().describe('The request, such as REQ0010001'),
  sys_id: z.string(),
  item: z.string(),
  requested_for: z.string().describe('E-mail address'),
  duplicate: z.boolean().describe('True where an open request was found instead of filing another'),
})

const shared = {
  outputSchema: filed,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
}
const line = (most: number) => z.string().min(1).max(most)

/**
 * Registers the tools that file something. Each needs a token with the approval of exactly its arguments, and files once
 * for it. Nothing may be added to or taken from the arguments before they are compared: no defaults, no trimming.
 */
export function registerWriteTools(server: McpServer, parts: ToolParts): void {
  const { settings } = parts
  server.registerTool(
    'open_laptop_refresh_ticket',
    {
      ...shared,
      title: 'Request a new laptop',
      description: 'Files a laptop refresh request for the employee.',
      inputSchema: z.strictObject({
        servicenow_laptop_code: z
          .string()
          .max(100)
          .regex(/^[a-z0-9_]+$/)
          .describe('As the offering names it'),
        business_justification: line(2000),
      }),
    },
    (given, context) =>
      file('open_laptop_refresh_ticket', given, context.http?.authInfo, parts, {
        id: settings.laptopRefreshId,
        title: 'Laptop refresh',
        variables: {
          laptop_choices: given.servicenow_laptop_code,
          business_justification: given.business_justification,
        },
        existing: (employee) => existingLaptopRequest(employee, given.servicenow_laptop_code, parts),
      }),
  )
  server.registerTool(
    'open_licence_request',
    {
      ...shared,
      title: 'Request a software licence',
      description: 'Files a request for seats of a software product for the employee.',
      inputSchema: z.strictObject({
        product: line(200),
        seats: z.int().min(1).max(10_000),
        cost_centre: line(40),
        justification: line(2000),
        manager: line(254).nullable().optional().describe('E-mail address of the manager who agreed, where one had to'),
      }),
    },
    (given, context) =>
      file('open_licence_request', given, context.http?.authInfo, parts, {
        id: settings.licenceId,
        title: 'Software licence',
        variables: {
          product: given.product,
          seats: String(given.seats),
          cost_centre: given.cost_centre,
          justification: given.justification,
          ...(typeof given.manager === 'string' ? { manager: given.manager } : {}),
        },
      }),
  )
  server.registerTool(
    'open_help_request',
    {
      ...shared,
      title: 'Ask a person for help',
      description:
        'Files a request to the service desk, with the end of the conversation, so that a person takes the matter over.',
      inputSchema: z.strictObject({ summary: line(4000) }),
    },
    (given, context) =>
      file('open_help_request', given, context.http?.authInfo, parts, {
        id: settings.helpId,
        title: 'Help from the service desk',
        variables: { summary: given.summary },
        background: async (write) => {
          const conversation = await readTranscript(parts.sql, write.key, write.person)
          return conversation === '' ? {} : { conversation }
        },
      }),
  )
}

function file(
  tool: string,
  given: Record<string, Json | undefined>,
  authInfo: AuthInfo | undefined,
  parts: ToolParts,
  item: Item,
) {
  return answerCall(tool, parts.log, () => {
    const present = Object.entries(given).filter((entry): entry is [string, Json] => entry[1] !== undefined)
    const write = checkApproval(parts.identityOf(authInfo), tool, Object.fromEntries(present))
    return fileOnce(write, filingOf(write, item, parts), { ...parts, timeoutMs: parts.settings.timeoutMs })
  })
}

function filingOf(write: Write, item: Item, parts: ToolParts): Filing<Order> {
  const { rest } = parts
  const describe = (request: Request, duplicate: boolean): Filed => ({
    number: request.number,
    sys_id: request.sysId,
    item: item.title,
    requested_for: write.person,
    duplicate,
  })
  return {
    async prepare() {
      const employee = await findEmployee(rest, write.person)
      const existing = (await item.existing?.(employee)) ?? null
      if (existing !== null) return { kind: 'existing', filed: describe(existing, true) }
      const variables = { ...item.variables, ...(await item.background?.(write)) }
      return { kind: 'order', order: { item: item.id, person: employee.sysId, variables, correlationId: write.key } }
    },
    async post(order) {
      const answer = await orderItem(rest, order)
      return answer.kind === 'answered' ? { kind: 'answered', value: describe(answer.value, false) } : answer
    },
    async find(since) {
      const finding = await findRequest(rest, write.key)
      if (finding.kind === 'found') return { kind: 'found', filed: describe(finding.request, false) }
      if (finding.kind === 'undecided') return finding
      // ServiceNow's clock may be behind this one.
      const from = new Date(since.getTime() - 5 * 60_000)
      const unmarked = await hasUnmarkedRequest(rest, write.person, item.id, from)
      return unmarked ? { kind: 'undecided' } : { kind: 'absent' }
    },
  }
}

/** The predecessor's two options: return the open request for the same laptop, and refuse beyond a number of open ones. */
async function existingLaptopRequest(employee: Employee, laptop: string, parts: ToolParts): Promise<Request | null> {
  const { laptopAvoidDuplicates, laptopRequestLimit, laptopRefreshId } = parts.settings
  if (!laptopAvoidDuplicates && laptopRequestLimit === null) return null
  const open = await readOpenLaptopRequests(parts.rest, employee.sysId, laptopRefreshId)
  const same = open.find((request) => request.laptop === laptop)
  if (laptopAvoidDuplicates && same !== undefined) return same
  if (laptopRequestLimit !== null && open.length >= laptopRequestLimit) {
    throw new Fault('tool.limit-reached', `${open.length} open laptop requests of ${laptopRequestLimit}`)
  }
  return null
}
