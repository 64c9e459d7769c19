/** A threat of one of the lists, what stands against it here, and the tests that try it. */
export interface Threat {
  id: string
  name: string
  /** What holds, in one sentence. */
  holds: string
  /** Paths of test files. */
  tests: readonly string[]
}

/** OWASP Top 10 for LLM Applications 2025 (genai.owasp.org/llm-top-10). */
export const llmThreats: readonly Threat[] = [
  {
    ...{ id: 'LLM01', name: 'Prompt injection' },
    holds:
      'Text of people, tickets, documents and tools is marked as data, and decides nothing: labels and slots come from closed lists, a yes from code.',
    tests: ['test/hostile/attacks.test.ts', 'test/hostile/hostile.test.ts', 'shared/model/prompts.test.ts'],
  },
  {
    ...{ id: 'LLM02', name: 'Sensitive information disclosure' },
    holds:
      "Nobody reads what is another person's, by any route, tool, record or event; secrets are in no log line and no prompt.",
    tests: [
      'functions/ingress/refusals.test.ts',
      'functions/ingress/who-may.test.ts',
      'functions/servicenow/foreign-records.test.ts',
      'functions/servicenow/read-tools.test.ts',
      'test/erase/erase.test.ts',
    ],
  },
  {
    ...{ id: 'LLM03', name: 'Supply chain' },
    holds:
      'Versions are exact and locked; the schemas of tools are pinned in agents/tools.json, and an answer that departs from them is not used.',
    tests: [
      'shared/tools/catalogue.test.ts',
      'shared/tools/call-tool.test.ts',
      'functions/servicenow/protocol.test.ts',
    ],
  },
  {
    ...{ id: 'LLM04', name: 'Data and model poisoning' },
    holds:
      'Nothing is learnt from conversations; knowledge comes from the folders of agents alone, and a poisoned answer of a tool changes no fact.',
    tests: ['shared/knowledge/ingest.test.ts', 'test/hostile/attacks.test.ts'],
  },
  {
    ...{ id: 'LLM05', name: 'Improper output handling' },
    holds: 'What a model writes is text: it becomes markup on no channel, no template, no expression and no query.',
    tests: [
      'web/markdown.test.ts',
      'web/browser/page.test.ts',
      'shared/channels/slack/mrkdwn.test.ts',
      'shared/flow/template.test.ts',
    ],
  },
  {
    ...{ id: 'LLM06', name: 'Excessive agency' },
    holds:
      'A step calls the one tool that its flow names; a write needs the approval that matches its arguments, once, in time.',
    tests: ['test/lying-model.test.ts', 'test/hostile/switched-off.test.ts', 'functions/servicenow/file-once.test.ts'],
  },
  {
    ...{ id: 'LLM07', name: 'System prompt leakage' },
    holds: 'Prompts hold no secret and no rule that code does not enforce by itself.',
    tests: ['test/hostile/attacks.test.ts'],
  },
  {
    ...{ id: 'LLM08', name: 'Vector and embedding weaknesses' },
    holds: 'There are no embeddings; a search sees the documents of its own agent only.',
    tests: ['shared/knowledge/search.test.ts'],
  },
  {
    ...{ id: 'LLM09', name: 'Misinformation' },
    holds:
      'Facts are shown from records; an answer from documents is made of their sentences; numbers of tickets come from the tool.',
    tests: ['test/lying-model.test.ts', 'test/hostile/hostile.test.ts'],
  },
  {
    ...{ id: 'LLM10', name: 'Unbounded consumption' },
    holds:
      'Messages that wait, streams, bytes, steps, tokens and tries have limits; over them a person is told, and nothing is dropped.',
    tests: [
      'functions/ingress/too-many.test.ts',
      'functions/ingress/hostile.test.ts',
      'test/misbehaving/burst.test.ts',
    ],
  },
]

/** OWASP Top 10 for Agentic Applications 2026 (genai.owasp.org). */
export const agenticThreats: readonly Threat[] = [
  {
    ...{ id: 'ASI01', name: 'Agent goal hijack' },
    holds:
      'The goal is the flow, in a file: whatever is said, read or answered, the same steps with the same tools are left.',
    tests: ['test/hostile/attacks.test.ts', 'test/hostile/hostile.test.ts'],
  },
  {
    ...{ id: 'ASI02', name: 'Tool misuse and exploitation' },
    holds: 'Allow-list by step, arguments by schema from slots that code checked, confirmation bound to their hash.',
    tests: [
      'test/hostile/switched-off.test.ts',
      'functions/servicenow/write-tools.test.ts',
      'test/lying-model.test.ts',
    ],
  },
  {
    ...{ id: 'ASI03', name: 'Identity and privilege abuse' },
    holds:
      'Who somebody is comes from a proof alone; keys and tokens open what their scopes say; accounts are linked by a verified address or a sign-in.',
    tests: [
      'functions/ingress/refusals.test.ts',
      'functions/ingress/openapi.test.ts',
      'functions/ingress/api-keys.test.ts',
      'functions/ingress/me.test.ts',
      'shared/identity/verify.test.ts',
      'shared/channels/slack/signature.test.ts',
      'shared/channels/email/judge-mail.test.ts',
    ],
  },
  {
    ...{ id: 'ASI04', name: 'Agentic supply chain vulnerabilities' },
    holds: 'Tool servers are named in the settings, with schemas pinned; agents are files of this repository, checked.',
    tests: ['shared/tools/catalogue.test.ts', 'shared/tools/call-tool.test.ts'],
  },
  {
    ...{ id: 'ASI05', name: 'Unexpected code execution' },
    holds:
      'Nothing that a model, a person or a tool says is run: expressions and templates are those of the agent files, with values as data.',
    tests: ['shared/flow/expression.test.ts', 'shared/flow/template.test.ts'],
  },
  {
    ...{ id: 'ASI06', name: 'Memory and context poisoning' },
    holds:
      "A conversation's state is slots of one person, checked when they were filled; no other conversation reads them.",
    tests: ['test/hostile/attacks.test.ts', 'functions/ingress/refusals.test.ts'],
  },
  {
    ...{ id: 'ASI07', name: 'Insecure inter-agent communication' },
    holds: 'Events carry no authority: a stage acts only if Postgres says that it is the turn of what an event names.',
    tests: ['test/queue.test.ts', 'test/misbehaving/broker.test.ts', 'shared/channels/events/events.test.ts'],
  },
  {
    ...{ id: 'ASI08', name: 'Cascading failures' },
    holds: 'A fault is routed by its kind; one conversation, channel, target or model that fails holds up no other.',
    tests: ['test/model-away.test.ts', 'functions/dispatch/dispatch.test.ts', 'test/misbehaving/burst.test.ts'],
  },
  {
    ...{ id: 'ASI09', name: 'Human-agent trust exploitation' },
    holds:
      'What a person confirms is written by code from the arguments that will be sent; a link of an account says which one and asks who sent it.',
    tests: ['shared/flow/affirmation.test.ts', 'test/second-person.test.ts', 'test/lying-model.test.ts'],
  },
  {
    ...{ id: 'ASI10', name: 'Rogue agents' },
    holds:
      'An agent has no credentials, no loop of its own and no way out but its flow; every step is in the journal and can be replayed.',
    tests: ['test/replay.test.ts', 'test/hostile/hostile.test.ts'],
  },
]
