/**
 * What Slack refuses in a message. Each rule names the page of docs.slack.dev (or the report of what Slack does) that it
 * is from; null: the message is taken.
 */
export interface PostedMessage {
  text: string
  blocks: Block[]
  metadata: { event_type: string; event_payload: Record<string, unknown> } | null
}

export type Block = Record<string, unknown> & { type?: unknown }

export function refusalOf(message: PostedMessage): string | null {
  const { text, blocks, metadata } = message
  // reference/methods/chat.postMessage, errors: no_text where there is neither text nor blocks.
  if (text === '' && blocks.length === 0) return 'no_text'
  // reference/methods/chat.postMessage, "Truncating content": over 40,000 characters is cut; this stand-in is stricter.
  if (text.length > 40_000) return 'msg_too_long'
  // reference/block-kit/blocks: "up to 50 blocks in each message".
  if (blocks.length > 50) return 'invalid_blocks'
  // github.com/slackapi/bolt-js/issues/2509: about 13,200 characters in all blocks together are the most.
  if (JSON.stringify(blocks).length > 26_000 || textOf(blocks).length > 13_000) return 'msg_blocks_too_long'
  const ids = blocks.flatMap(({ block_id }) => (typeof block_id === 'string' ? [block_id] : []))
  // reference/block-kit/blocks/actions-block: block_id is unique for each message, at most 255 characters.
  if (new Set(ids).size !== ids.length || ids.some((id) => id.length > 255)) return 'invalid_blocks'
  if (!blocks.every(isBlock)) return 'invalid_blocks'
  return metadata === null || isMetadata(metadata) ? null : 'invalid_metadata_format'
}

function isBlock(block: Block): boolean {
  const elements = Array.isArray(block['elements']) ? (block['elements'] as Block[]) : []
  switch (block.type) {
    case 'section':
      // reference/block-kit/blocks/section-block: text of 1 to 3,000 characters.
      return isText(block['text'], ['mrkdwn', 'plain_text'], 3_000)
    case 'context':
      // reference/block-kit/blocks/context-block: at most 10 elements.
      return (
        elements.length > 0 &&
        elements.length <= 10 &&
        elements.every((text) => isText(text, ['mrkdwn', 'plain_text'], 3_000))
      )
    case 'actions':
      // reference/block-kit/blocks/actions-block: at most 25 elements; action_id unique in its block.
      return elements.length > 0 && elements.length <= 25 && elements.every(isButton) && areUnique(elements)
    case 'context_actions':
      // reference/block-kit/blocks/context-actions-block: at most 5 feedback or icon buttons.
      return elements.length > 0 && elements.length <= 5 && elements.every(isFeedback)
    default:
      return false
  }
}

/** reference/block-kit/block-elements/button-element: text plain, 75; action_id 255; value 2,000; style one of two. */
function isButton(element: Block): boolean {
  const { action_id, value, style } = element
  return (
    element.type === 'button' &&
    isText(element['text'], ['plain_text'], 75) &&
    isWithin(action_id, 255) &&
    isWithin(value, 2_000) &&
    [undefined, 'primary', 'danger'].includes(style as string | undefined)
  )
}

/** reference/block-kit/block-elements/feedback-buttons-element: two buttons with text 75 and value 2,000. */
function isFeedback(element: Block): boolean {
  const sides = [element['positive_button'], element['negative_button']] as (Block | undefined)[]
  return (
    element.type === 'feedback_buttons' &&
    sides.every(
      (side) => side !== undefined && isText(side['text'], ['plain_text'], 75) && isWithin(side['value'], 2_000),
    )
  )
}

/** reference/block-kit/composition-objects/text-object: a type, and a text that is not empty. */
function isText(value: unknown, types: string[], longest: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { type, text } = value as Block
  return typeof type === 'string' && types.includes(type) && isWithin(text, longest)
}

function isWithin(value: unknown, longest: number): boolean {
  return typeof value === 'string' && value.length > 0 && value.length <= longest
}

function areUnique(elements: Block[]): boolean {
  return new Set(elements.map(({ action_id }) => action_id)).size === elements.length
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join('')
  if (typeof value !== 'object' || value === null) return ''
  const { text } = value as Block
  return typeof text === 'string' ? text : Object.values(value).map(textOf).join('')
}

/** messaging/message-metadata: a snake-case event_type and an event_payload. */
function isMetadata({ event_type, event_payload }: NonNullable<PostedMessage['metadata']>): boolean {
  return /^[a-z0-9_]+$/.test(event_type) && typeof event_payload === 'object' && event_payload !== null
}
