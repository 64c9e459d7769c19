import type { McpServer } from '@modelcontextprotocol/server'
import * as z from 'zod'
import { answerCall } from './answer-call.ts'
import { findEmployee, readLaptopInfo, readManager } from './employee.ts'
import { regions } from './region.ts'
import { readOpenRequests } from './requests.ts'
import type { ToolParts } from './tool-parts.ts'

const annotations = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false }

const laptopInfo = z.strictObject({
  employee_id: z.string().nullable(),
  name: z.string(),
  email: z.string(),
  location: z.string().describe('As ServiceNow spells it'),
  region: z.enum(regions).nullable().describe('null where the location names no region'),
  laptop: z
    .strictObject({
      model: z.string(),
      serial_number: z.string(),
      purchase_date: z.string().nullable().describe('YYYY-MM-DD'),
      age_months: z.int().min(0).max(30_000).nullable().describe('Completed months since the purchase'),
      age_text: z.string().nullable().describe('Such as "3 years and 2 months"'),
      warranty_expiry: z.string().nullable().describe('YYYY-MM-DD'),
      warranty_status: z.enum(['Active', 'Expired']).nullable(),
    })
    .nullable()
    .describe('null where no computer is assigned to the employee'),
})

const openRequests = z.strictObject({
  requests: z.array(
    z.strictObject({
      number: z.string(),
      item: z.string(),
      state: z.string(),
      opened_at: z.string().describe('ISO 8601, UTC'),
      summary: z.string(),
    }),
  ),
})

const managerInfo = z.strictObject({
  manager: z
    .strictObject({ name: z.string(), email: z.string() })
    .nullable()
    .describe('null where ServiceNow names no active manager with an address'),
})

/** Registers the tools that only look. The employee is the token's, in all. */
export function registerReadTools(server: McpServer, parts: ToolParts): void {
  const { rest, now, log } = parts
  server.registerTool(
    'get_employee_laptop_info',
    {
      title: 'Laptop of the employee',
      description: 'Who the employee is, where, and which laptop they have: model, age and warranty.',
      inputSchema: z.strictObject({}),
      outputSchema: laptopInfo,
      annotations,
    },
    (_given, context) =>
      answerCall('get_employee_laptop_info', log, () =>
        readLaptopInfo(rest, parts.identityOf(context.http?.authInfo).person, now()),
      ),
  )
  server.registerTool(
    'get_manager',
    {
      title: 'Manager of the employee',
      description: 'Whom ServiceNow names as the manager of the employee.',
      inputSchema: z.strictObject({}),
      outputSchema: managerInfo,
      annotations,
    },
    (_given, context) =>
      answerCall('get_manager', log, async () => ({
        manager: await readManager(rest, parts.identityOf(context.http?.authInfo).person),
      })),
  )
  server.registerTool(
    'list_open_requests',
    {
      title: 'Open requests of the employee',
      description: 'The requests of the employee that ServiceNow has not closed, newest first, at most 20.',
      inputSchema: z.strictObject({}),
      outputSchema: openRequests,
      annotations,
    },
    (_given, context) =>
      answerCall('list_open_requests', log, async () => {
        const employee = await findEmployee(rest, parts.identityOf(context.http?.authInfo).person)
        return { requests: await readOpenRequests(rest, employee.sysId) }
      }),
  )
}
