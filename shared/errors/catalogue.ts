/**
 * Every fault this system can name: a stable code, what a retry can do about it, the HTTP status that says so to a
 * broker or a caller, and the sentence an employee may read. docs/errors.md is written from this table.
 *
 * terminal:  trying again gives the same result (4xx that a broker does not retry).
 * retryable: nothing happened; the same attempt may succeed later (503, 429, 409).
 * ambiguous: it may have happened. Never repeated blindly: look it up, or ask a person.
 */
export type FaultClass = 'terminal' | 'retryable' | 'ambiguous'

export interface FaultKind {
  class: FaultClass
  status: number
  /** What the operator or calling program reads as the title of the problem. */
  title: string
  /** What the employee may read; null where an employee never meets it. */
  says: string | null
}

const person = 'A colleague will look at it.'

/** What an employee reads where no sentence fits better. */
export const apology = `Something went wrong and I could not finish this. ${person}`

export const catalogue = {
  // Events at a stage's door.
  'event.malformed': terminal(400, 'The request is not a valid CloudEvent'),
  'event.unsupported-version': terminal(400, 'The CloudEvent has a specversion other than 1.0'),
  'event.batch-refused': terminal(415, 'A batch of CloudEvents was sent where one event is taken'),
  'event.not-an-event': terminal(415, 'The request carries no CloudEvent'),
  'event.too-large': terminal(413, 'The CloudEvent is larger than this function takes'),
  'event.unknown-type': terminal(422, 'This function does not handle events of that type'),
  'event.data-invalid': terminal(422, "The event's data does not fit the schema of its type"),
  'event.unauthorised': terminal(422, 'The event names a request that no door of this system accepted'),
  'event.attribute-not-ascii': terminal(500, 'An event attribute is not printable ASCII'),
  'event.hop-limit': terminal(422, 'The event went through more hops than a turn may take'),

  // Once, in order.
  'stage.leased': retryable(503, 'Another instance is working on this event'),
  'stage.lease-lost': retryable(503, 'This instance lost its lease while it worked'),
  'stage.superseded': retryable(503, 'The session moved on while this instance worked'),
  'stage.draining': retryable(503, 'This instance is shutting down'),
  'stage.failed': retryable(500, 'The function failed in a way it does not know'),

  // The store.
  'store.unavailable': retryable(503, 'Postgres cannot be reached'),
  'store.schema-outdated': retryable(503, 'The database schema is older than this code; run the migrations'),
  'store.data-refused': terminal(422, 'Postgres refuses the data, and would again'),

  // The broker.
  'broker.unavailable': retryable(503, 'The broker did not take the event'),
  'broker.manifest-invalid': terminal(422, 'A Knative manifest has a fault'),

  // The model.
  'model.unavailable': retryable(503, 'The model service cannot be reached or is not ready'),
  'model.overloaded': retryable(503, 'The model service is full'),
  'model.timeout': retryable(503, 'The model did not answer in time'),
  'model.misconfigured': retryable(503, 'The model service refuses the address, model name or key it was given'),
  'model.answer-invalid': terminal(422, "The model's answer does not have the form that was asked for"),

  // Flows.
  'flow.invalid': terminal(422, 'An agent file has a fault'),
  'flow.step-unknown': terminal(
    422,
    'The conversation stands at a step that this agent no longer has',
    'This conversation belongs to an older version of me. Please ask again.',
  ),
  'flow.loop': terminal(422, 'A turn took more steps than it may', `I went round in circles on that. ${person}`),
  'flow.expression-failed': terminal(
    422,
    'An expression in an agent file failed on real values',
    `Something went wrong on my side. ${person}`,
  ),
  'flow.budget-spent': terminal(
    422,
    'The turn or session used up its model budget',
    `That took more of my time than I may spend. ${person}`,
  ),

  // Deliveries.

  'delivery.unavailable': retryable(503, 'The channel cannot be reached, or takes nothing at the moment'),
  'delivery.refused': terminal(422, 'The channel refuses to deliver there, and would again'),
  'delivery.unknown': ambiguous(502, 'The channel may have delivered it'),
  'webhook.not-configured': terminal(501, 'This deployment pushes no answers'),
  'channel.misconfigured': retryable(503, "The channel's settings have a fault"),
  'channel.forged': terminal(401, 'The message does not prove which channel it comes from'),
  'channel.replayed': terminal(401, "The message's proof is too old, or from the future"),
  'conversation.busy': terminal(409, 'The conversation cannot be deleted now'),

  // Knowledge.
  'knowledge.invalid': terminal(422, 'A knowledge file has a fault'),

  // Tools.
  'tool.unavailable': retryable(503, 'The tool server cannot be reached'),
  'tool.timeout': retryable(503, 'The tool did not answer in time'),
  'tool.answer-invalid': terminal(
    422,
    "The tool's answer does not fit its output schema",
    `The system I asked gave an answer I cannot use. ${person}`,
  ),
  'tool.answer-too-large': terminal(
    422,
    "The tool's answer is larger than a step may take",
    `The system I asked gave an answer I cannot use. ${person}`,
  ),
  'tool.refused': terminal(422, 'The tool refused the call', 'The system I asked refused that, so nothing was filed.'),
  'tool.limit-reached': terminal(
    409,
    'The employee has as many open requests as are allowed',
    'You already have as many open requests as are allowed, so nothing was filed.',
  ),
  'tool.in-progress': retryable(503, 'The write is under way under the same key'),
  'tool.outcome-unknown': ambiguous(
    502,
    'The write may have happened and cannot be looked up',
    'I could not find out whether your request was filed. A colleague will check before anything is filed again.',
  ),
  'tool.not-approved': terminal(403, 'A write was called without the approval that matches it'),
  'tool.not-allowed': terminal(403, "The agent's file does not list the tool"),
  'approval.decided': terminal(409, 'The approval was decided before'),
  'approval.expired': terminal(
    409,
    'The approval was given too late',
    'That question has expired, so nothing was filed. Please ask again.',
  ),
  'employee.unknown': terminal(404, 'ServiceNow has no user with that address', 'I could not find you in ServiceNow.'),
  'employee.inactive': terminal(403, 'The user is not active in ServiceNow', 'Your ServiceNow account is not active.'),

  // Callers of the API.
  'request.malformed': terminal(400, 'The request body is not what this route takes'),
  'request.too-large': terminal(413, 'The message is longer than this system takes'),
  'request.unsupported-media': terminal(415, 'This route takes application/json in UTF-8'),
  'request.idempotency-mismatch': terminal(422, 'This Idempotency-Key was used with a different body'),
  'request.too-many': retryable(
    429,
    'This person has as many messages waiting on this channel as are allowed',
    'You have more messages waiting than I can take. I did not take this one: please send it again once I have answered.',
  ),
  'request.not-found': terminal(404, 'There is no such thing, or it is not yours'),
  'request.method-not-allowed': terminal(405, 'This route does not take that method'),
  'attachment.not-configured': terminal(501, 'This deployment keeps no attachments'),
  'attachment.length-required': terminal(411, 'A file has to come with its Content-Length'),
  'attachment.too-large': terminal(413, 'The file is larger than this system takes'),
  'attachment.type-refused': terminal(415, 'Files of this type are not taken'),
  'attachment.unusable': terminal(422, 'A message names a file that is not there, or not there for it'),
  'attachment.missing': terminal(
    410,
    'The file is not kept any more',
    'That file is not kept any more. Please send it again.',
  ),
  'attachment.store-unavailable': retryable(503, 'The object store cannot be reached or is too busy'),
  'attachment.store-misconfigured': retryable(
    503,
    'The object store refuses the bucket, key or signature it was given',
  ),
  'identity.missing': terminal(401, 'A bearer token is needed'),
  'identity.invalid': terminal(401, 'The bearer token is not valid'),
  'identity.forbidden': terminal(403, 'The token does not allow this'),
  'identity.primary': terminal(409, 'The address that a person is cannot be unlinked'),
  'identity.claimed': terminal(409, "The account is another person's"),
  'preferences.not-reached': terminal(422, 'Copies go to channels on which the person is reached'),
  'identity.keys-unavailable': retryable(503, "The issuer's keys cannot be fetched"),
  'identity.issuer-unavailable': retryable(503, 'The issuer cannot be reached, so nobody can sign in to the page'),
  'identity.cross-site': terminal(403, 'A change by cookie has to come from the page itself'),
  'events.too-many': retryable(429, 'This person follows the conversation in as many places as are allowed'),

  // Turns that end badly.
  'turn.dead-lettered': terminal(422, 'An event of this turn was given up', apology),
  'turn.deadline-passed': terminal(
    422,
    'The turn was not finished before its deadline',
    `I could not finish this in time. ${person}`,
  ),
} as const satisfies Record<string, FaultKind>

export type FaultCode = keyof typeof catalogue

function terminal(status: number, title: string, says: string | null = null): FaultKind {
  return { class: 'terminal', status, title, says }
}
function retryable(status: number, title: string, says: string | null = null): FaultKind {
  return { class: 'retryable', status, title, says }
}
function ambiguous(status: number, title: string, says: string | null = null): FaultKind {
  return { class: 'ambiguous', status, title, says }
}
