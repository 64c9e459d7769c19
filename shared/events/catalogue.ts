import * as z from 'zod/mini'

/**
 * The event types of this system, each with the schema of its data. Events carry no authority: they name a session, a
 * turn and a step, and a stage acts only if Postgres agrees. docs/events.md is written from this table.
 */
export const prefix = 'com.self-service-agent.'

const id = z.uuid()

export const eventTypes = {
  requestCreated: `${prefix}request.created`,
  requestNormalized: `${prefix}request.normalized`,
  agentStep: `${prefix}agent.step`,
  agentHandoff: `${prefix}agent.handoff`,
  responseReady: `${prefix}agent.response-ready`,
  tick: 'dev.knative.sources.ping',
} as const

export type EventType = (typeof eventTypes)[keyof typeof eventTypes]

export const requestCreatedData = z.object({ request_id: id })

export const requestNormalizedData = z.object({ session_id: id, request_id: id, message: z.int().check(z.gte(1)) })

export const agentStepData = z.object({
  session_id: id,
  turn_id: id,
  step: z.int().check(z.gte(0)),
  agent_id: z.string(),
})

export const agentHandoffData = z.object({
  session_id: id,
  turn_id: id,
  step: z.int().check(z.gte(1)),
  agent_id: z.string(),
})

/** The predecessor's field names, so that an enterprise's consumers of this type go on working. */
export const responseReadyData = z.object({
  request_id: id,
  session_id: id,
  turn_id: id,
  user_id: z.string(),
  agent_id: z.string(),
  content: z.string(),
  response_type: z.enum(['message', 'tokens', 'error']),
  metadata: z.record(z.string(), z.unknown()),
  processing_time_ms: z.int(),
  requires_followup: z.boolean(),
  followup_actions: z.array(z.string()),
  created_at: z.string(),
})

export const tickData = z.object({ task: z.enum(['repair', 'keep-house', 'mail']) })

export const dataSchemas = {
  [eventTypes.requestCreated]: requestCreatedData,
  [eventTypes.requestNormalized]: requestNormalizedData,
  [eventTypes.agentStep]: agentStepData,
  [eventTypes.agentHandoff]: agentHandoffData,
  [eventTypes.responseReady]: responseReadyData,
  [eventTypes.tick]: tickData,
} as const

export type RequestNormalized = z.infer<typeof requestNormalizedData>

export type ResponseReady = z.infer<typeof responseReadyData>

/** Who sends each type, who takes it, and what it means: the prose half of docs/events.md. */
export const eventNotes: Record<EventType, { from: string; to: string; meaning: string }> = {
  [eventTypes.requestCreated]: {
    from: 'ingress',
    to: 'normalize',
    meaning: 'An employee said something and its row is in Postgres. The event names the row and nothing else.',
  },
  [eventTypes.requestNormalized]: {
    from: 'normalize',
    to: 'route',
    meaning: "The message stands in its session's queue and the session was idle.",
  },
  [eventTypes.agentStep]: {
    from: 'route, agent',
    to: 'agent',
    meaning: 'Run this step of this turn: at most one model call or one tool call.',
  },
  [eventTypes.agentHandoff]: {
    from: 'agent',
    to: 'route',
    meaning: 'The turn goes on with another agent, on the same words.',
  },
  [eventTypes.responseReady]: {
    from: 'agent, keeper',
    to: 'route, dispatch',
    meaning: 'The turn has its answer: dispatch delivers it, route starts the next queued message.',
  },
  [eventTypes.tick]: {
    from: 'PingSource',
    to: 'keeper',
    meaning: 'Time passed: look for what was lost or is overdue; delete what was kept long enough.',
  },
}
