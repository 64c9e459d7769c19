import type { ExtractQuestion, Prompt, SlotQuestion } from './model.ts'
import { cutMiddle, cutStart, dataRule, oneLine, spotlight } from './spotlight.ts'

const descriptionLength = 160
const valueLength = 120
const messageLength = 3_000
const askedLength = 280
/** Completion tokens a text slot may take; a longer passage than this is no slot. */
const textTokens = 160

/**
 * The prompt of an extract: rule and slots first, what was asked and the employee's message last. Descriptions, known
 * values and limits stand in the prompt; the schema carries only types and enums, which every server understands.
 */
export function extractPrompt(question: ExtractQuestion): Prompt {
  const asked = question.asked === null ? '' : cutStart(question.asked, askedLength)
  const rule = 'Fill the fields from <message> only, texts word for word; null for what it does not say.'
  return {
    name: 'slots',
    messages: [
      { role: 'system', content: `${rule} ${dataRule}\n${question.slots.map(slotLine).join('\n')}` },
      {
        role: 'user',
        content: [
          ...(asked === '' ? [] : [spotlight('asked', asked)]),
          spotlight('message', cutMiddle(question.message, messageLength)),
        ].join('\n'),
      },
    ],
    schema: {
      type: 'object',
      properties: Object.fromEntries(question.slots.map((slot) => [slot.name, slotSchema(slot)])),
      required: question.slots.map((slot) => slot.name),
      additionalProperties: false,
    },
    maxTokens: 16 + question.slots.reduce((sum, slot) => sum + slotTokens(slot), 0),
  }
}

function slotLine(slot: SlotQuestion): string {
  const description = oneLine(slot.description).slice(0, descriptionLength)
  const values = slot.values?.map((value) => `"${oneLine(value).replaceAll('"', "'").slice(0, valueLength)}"`)
  const limits = [
    slot.type === 'integer' ? 'integer' : slot.type === 'choice' ? 'one value' : 'text',
    ...(slot.minimum === undefined ? [] : [`from ${slot.minimum}`]),
    ...(slot.maximum === undefined ? [] : [`to ${slot.maximum}`]),
    ...(slot.pattern === undefined ? [] : [`matching ${oneLine(slot.pattern)}`]),
  ].join(' ')
  return `- ${slot.name} (${limits}): ${description}${values === undefined || values.length === 0 ? '' : `. Values: ${values.join('; ')}`}`
}

function slotSchema(slot: SlotQuestion): { [key: string]: unknown } {
  if (slot.type === 'integer') return { anyOf: [{ type: 'integer' }, { type: 'null' }] }
  if (slot.type === 'text') return { anyOf: [{ type: 'string' }, { type: 'null' }] }
  // An enum must not be empty; with no value to choose from there is only null.
  if (slot.values === undefined || slot.values.length === 0) return { type: 'null' }
  return { anyOf: [{ type: 'string', enum: [...slot.values] }, { type: 'null' }] }
}

function slotTokens(slot: SlotQuestion): number {
  const name = 6 + Math.ceil(slot.name.length / 2)
  if (slot.type === 'integer') return name + 8
  if (slot.type === 'text') return name + textTokens
  return name + Math.ceil(Math.max(8, ...(slot.values ?? []).map((value) => value.length)) / 2)
}
