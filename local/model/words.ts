/** English words as the classifier sees them: lower case, lightly stemmed, near-synonyms folded into one. */

const contractions: [RegExp, string][] = [
  [/\bcan['’]?t\b/g, 'can not'],
  [/\bwon['’]t\b/g, 'will not'],
  [/\b(do|does|did|is|are|was|were|would|could|should|has|have|had|need|must)n['’]?t\b/g, '$1 not'],
  [/\b(i|you|he|she|it|we|they|that|there|what|who|where|how|when)['’]d\b/g, '$1 would'],
  [/\b(i|you|we|they)['’](?:ve)\b/g, '$1 have'],
  [/\b(i|you|he|she|it|we|they|that|there|what|who)['’]ll\b/g, '$1 will'],
  [/\bi['’]m\b/g, 'i am'],
  [/\b(you|we|they)['’]re\b/g, '$1 are'],
  [/\b(he|she|it|that|there|what|who|where|how|when)['’]s\b/g, '$1 is'],
  [/\blet['’]s\b/g, 'let us'],
  [/\bcannot\b/g, 'can not'],
  [/\b(?:not (?:feel|feeling) (?:well|good|great)|not well|unwell|under the weather)\b/g, 'ill'],
  [
    /\b(?:does|do|did|is|are|has|have)? ?not (?:work|working|start|starting|turn on|switch on|cool|cooling)\b/g,
    'broken',
  ],
  [/\b(?:stopped|stops|quit) working\b/g, 'broken'],
  [/\b(?:run|ran|running|runs) out\b/g, 'expired empty'],
  [/\bdays? off\b/g, 'holiday'],
  [/\bright (?:now|away)\b/g, 'urgent'],
  [/\bas soon as possible\b/g, 'urgent'],
]

/** Lower-case words and numbers of a text, contractions spelled out. */
export function wordsOf(text: string): string[] {
  let plain = text.normalize('NFKC').toLowerCase()
  for (const [short, long] of contractions) plain = plain.replace(short, long)
  return plain.match(/[\p{L}\p{M}]+|\p{N}+/gu) ?? []
}

/** Words that say how, not what. Pronouns and auxiliaries; "not", "no" and question words are read elsewhere. */
const functionWords = new Set(
  `a an the and or but if so of in on at by for from to with into as than then this that these those it its i me my mine
  myself we us our you your he she him her his they them their is am are was were be been being do does did done have
  has had having will would can could should shall may might must please just very too also only really quite some any
  there here now up out about what which who whom whose when where why how not no nor yes ok okay well hi hello hey
  let lets get got gets getting like want need one ones`.split(/\s+/),
)

const questionWords = new Set('who whom whose when where why how'.split(' '))

/** True for a word that says what kind of thing is asked for: place, time, person, reason, manner. */
export function isQuestionWord(word: string): boolean {
  return questionWords.has(word)
}

export function isFunctionWord(word: string): boolean {
  return functionWords.has(word)
}

/** A light suffix stripper: plural, -ing, -ed, -er, -ly and doubled consonants; words of up to three letters stay. */
function stem(word: string): string {
  if (word.length <= 3 || !/^[a-z]+$/.test(word)) return word
  let root = word
  if (/(ss|us|is)$/.test(root)) return root
  if (root.endsWith('ies') && root.length > 4) root = `${root.slice(0, -3)}y`
  else if (/(s|x|z|ch|sh)es$/.test(root)) root = root.slice(0, -2)
  else if (root.endsWith('s')) root = root.slice(0, -1)
  const suffix = /(ations?|ments?|ingly|ings?|edly|ed|ly)$/.exec(root)
  if (suffix !== null && root.length - suffix[0].length >= 3 && /[aeiouy]/.test(root.slice(0, suffix.index))) {
    root = root.slice(0, suffix.index)
    if (/([bdfglmnprt])\1$/.test(root) && !/(ll|ss|ff)$/.test(root)) root = root.slice(0, -1)
  }
  return root.length > 3 && root.endsWith('e') ? root.slice(0, -1) : root
}

/** Everyday English words that stand for the same thing when somebody asks for service. */
const nearSynonyms = `
  order buy purchase bought
  book reserve reservation booking
  flight fly plane airplane aeroplane airline
  broken break broke faulty defect defective damaged damage fault malfunction
  work working function functioning
  repair fix mend
  ill sick unwell sickness illness flu fever cold
  money cash pay payment paid refund reimburse reimbursement
  bill invoice receipt
  cost price fee charge expensive cheap
  holiday vacation
  remain remaining left
  change modify switch alter update move reschedule adjust correct correction
  cancel withdraw revoke
  start begin beginning
  end finish finished
  big large
  fast quick quickly soon
  show see view look display
  choose select pick choice selection
  option alternative
  help assist assistance support
  problem issue trouble
  question query inquiry
  phone telephone mobile smartphone
  computer pc laptop notebook machine
  print printer printing
  screen monitor display
  tv television
  photo picture image
  mail email
  password passcode login
  job position role
  boss manager supervisor
  colleague coworker
  child baby kid children pregnant
  medicine pill tablet drug medication
  doctor physician vet
  hurt injured injury wound wounded bleeding bleed
  car vehicle
  home house
  room bedroom
  restaurant dinner lunch meal food eat breakfast supper
  drink beverage
  different another else other
  new fresh
  replace replacement exchange swap renew renewal refresh upgrade
  old aged ageing
  slow sluggish
  expire expired expiry
  arrive arrival come came
  leave leaving depart departure
  late delayed delay
  address location place venue
  rule policy regulation guideline
  allow allowed permit permitted
  eligible entitled qualify
  ticket case
  number code
  date day
  repeat again once
  quit exit stop
  wrong incorrect mistake
  missing lost lose
  clean cleaned cleaning tidy wash
  pillow towel bedding sheet blanket bed
  stay accommodation night
  send deliver ship delivery shipment
  learn training course
  teach teacher trainer
  talk speak chat
  person human someone somebody
`

/** Past forms that no suffix gives away. */
const irregular = `
  sent send
  gave give
  given give
  took take
  taken take
  told tell
  said say
  paid pay
  kept keep
  lost lose
  found find
  made make
  went go
  gone go
  came come
  broke break
  broken break
  bought buy
  brought bring
  thought think
  forgot forget
  forgotten forget
  wrote write
  written write
  saw see
  seen see
  left leave
  chose choose
  chosen choose
  stole steal
  stolen steal
  meant mean
  held hold
  spoke speak
  spoken speak
  children child
  people person
  men man
  women woman
`

const pastForms = new Map<string, string>()
for (const line of irregular.trim().split('\n')) {
  const [form, base] = line.trim().split(' ')
  if (form !== undefined && base !== undefined) pastForms.set(form, base)
}

const folded = new Map<string, string>()
for (const line of nearSynonyms.trim().split('\n')) {
  const [first, ...rest] = line
    .trim()
    .split(/\s+/)
    .map((word) => stem(pastForms.get(word) ?? word))
  if (first === undefined) continue
  for (const word of rest) if (!folded.has(word)) folded.set(word, folded.get(first) ?? first)
}

/** The stem that stands for a word and its near-synonyms. */
export function concept(word: string): string {
  const root = stem(pastForms.get(word) ?? word)
  return folded.get(root) ?? root
}
