import { type Attachment, call, pause, Refusal } from './api.ts'
import { byId, element, icon, icons } from './element.ts'
import { fileSize } from './words.ts'

/** What may be sent along; null: this deployment takes no files. */
export interface FileRules {
  limit: number
  types: string[]
}

export interface Composer {
  focus(): void
  /** What may be sent from now on. */
  allow(rules: { files: FileRules | null; messageLimit: number }): void
}

interface Draft {
  file: File
  state: 'sending' | 'ready' | 'failed'
  sent: Attachment | null
  why: string | null
}

/** Files that one message may have. */
const mostFiles = 10
/** By the end of the name, where the browser does not know the type. */
const typesByEnd: Record<string, string> = {
  md: 'text/markdown',
  csv: 'text/csv',
  txt: 'text/plain',
  log: 'text/plain',
}

/** The field at the bottom: Enter sends, Shift+Enter begins a line; files come by the button, a drop or a paste. */
export function createComposer(parts: {
  send(content: string, attachments: Attachment[]): void
  say(sentence: string): void
}): Composer {
  const form = byId('composer') as HTMLFormElement
  const field = byId('words') as HTMLTextAreaElement
  const picker = byId('picker') as HTMLInputElement
  const attach = byId('attach') as HTMLButtonElement
  const send = byId('send') as HTMLButtonElement
  const shelf = byId('shelf')
  attach.append(icon(icons.attach))
  send.append(icon(icons.send))
  let rules: { files: FileRules | null; messageLimit: number } = { files: null, messageLimit: 16_384 }
  let drafts: Draft[] = []

  const refresh = (): void => {
    send.disabled = field.value.trim() === '' || drafts.some(({ state }) => state === 'sending')
    shelf.hidden = drafts.length === 0
    shelf.replaceChildren(...drafts.map(drawDraft))
    // Where CSS cannot, the field grows with its words here.
    if (!CSS.supports('field-sizing', 'content')) {
      field.style.height = 'auto'
      field.style.height = `${Math.min(field.scrollHeight, 200)}px`
    }
  }

  const drawDraft = (draft: Draft): HTMLElement => {
    const note =
      draft.state === 'failed'
        ? (draft.why ?? 'not sent')
        : draft.state === 'sending'
          ? 'uploading …'
          : fileSize(draft.file.size)
    const remove = (): void => {
      drafts = drafts.filter((one) => one !== draft)
      refresh()
      field.focus()
    }
    return element(
      'li',
      { class: draft.state },
      icon(icons.file),
      element('span', {}, draft.file.name),
      element('small', {}, note),
      element(
        'button',
        { type: 'button', 'aria-label': `Remove ${draft.file.name}`, click: remove },
        icon(icons.remove),
      ),
    )
  }

  const add = (files: Iterable<File>): void => {
    for (const file of files) {
      if (rules.files === null || drafts.length >= mostFiles) {
        parts.say(
          rules.files === null ? 'This deployment takes no files.' : `A message takes ${mostFiles} files at most.`,
        )
        break
      }
      const draft: Draft = { file, state: 'sending', sent: null, why: null }
      drafts.push(draft)
      void upload(draft, rules.files)
    }
    refresh()
  }

  const upload = async (draft: Draft, { limit, types }: FileRules): Promise<void> => {
    const { file } = draft
    const type = file.type || typesByEnd[file.name.split('.').at(-1)?.toLowerCase() ?? ''] || ''
    const why = !types.includes(type)
      ? 'not a type that is taken'
      : file.size > limit
        ? `more than ${fileSize(limit)}`
        : null
    try {
      if (why !== null) throw new Refusal(415, 'attachment.type-refused', why)
      const path = `/api/v1/attachments?name=${encodeURIComponent(file.name)}`
      const init = { method: 'POST', body: file, headers: { 'content-type': type } }
      draft.sent = await (await call(path, init, { waiting: () => parts.say('Still uploading …') })).json()
      draft.state = 'ready'
      parts.say(`${file.name} is attached.`)
    } catch (error) {
      draft.state = 'failed'
      draft.why = error instanceof Refusal ? error.message : 'the connection broke off'
      parts.say(`${file.name}: ${draft.why}`)
    }
    refresh()
  }

  const submit = (): void => {
    if (send.disabled) return
    const content = field.value.trim()
    const bytes = new TextEncoder().encode(content).byteLength
    if (bytes > rules.messageLimit) {
      parts.say(`That is ${fileSize(bytes)}; a message takes ${fileSize(rules.messageLimit)}.`)
      return
    }
    parts.send(
      content,
      drafts.flatMap(({ sent }) => sent ?? []),
    )
    field.value = ''
    drafts = []
    refresh()
    field.focus()
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault()
    submit()
  })
  field.addEventListener('input', refresh)
  field.addEventListener('keydown', (event) => {
    // While an input method composes a character, Enter is its own.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
    event.preventDefault()
    submit()
  })
  field.addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])]
    if (files.length > 0 && rules.files !== null) {
      event.preventDefault()
      add(files)
    }
  })
  attach.addEventListener('click', () => picker.click())
  picker.addEventListener('change', () => {
    add([...(picker.files ?? [])])
    picker.value = ''
  })
  document.addEventListener('dragover', (event) => event.preventDefault())
  document.addEventListener('drop', (event) => {
    event.preventDefault()
    add([...(event.dataTransfer?.files ?? [])])
  })
  refresh()

  return {
    focus() {
      // Not on a phone, where the keyboard would cover half of what there is to read.
      if (matchMedia('(pointer: fine)').matches) void pause(0).then(() => field.focus())
    },
    allow(allowed) {
      rules = allowed
      attach.hidden = allowed.files === null
      picker.accept = (allowed.files?.types ?? []).join(',')
    },
  }
}
