import { wordsOf } from './words.ts'

/** What somebody does by saying something, apart from what it is about. */
export type Act = 'question' | 'agree' | 'refuse' | 'greet' | 'part' | 'back' | 'again' | 'wish' | 'complain' | 'doubt'

const acts: Act[] = ['question', 'agree', 'refuse', 'greet', 'part', 'back', 'again', 'wish', 'complain', 'doubt']

const questionStart =
  /^(?:(?:and|but|so|ok|okay|hi|hello|hey|please|sorry|excuse me|well|no|yes)[ ,]+)*(?:what|which|who|whom|whose|when|where|why|how|is|are|was|were|do(?! not)|does|did|has|have|will|would it|am i|should i|can it|could it)\b/
const requestStart =
  /^(?:(?:hi|hello|hey|please|ok|okay|well|and|so)[ ,]+)*(?:(?:can|could|would|will) you|(?:can|could|may|might|shall) (?:i|we))\b/
const askingInside =
  /\b(?:i (?:wonder|would like to know|want to know|need to know)|tell me (?:about|more|what|how|when|where|why|if|my)|question about|curious)\b/

const agreement =
  /^(?:y|yes|yeah|yep|yup|sure|ok|okay|absolutely|definitely|certainly|of course|alright|all right|fine|great|perfect|go ahead|go for it|please do|sounds (?:good|great|fine|lovely)|do it|exactly|correct|agreed|why not|by all means)\b/
const agreementInside =
  /\b(?:go ahead|go for it|please do|sounds (?:good|great|fine|lovely)|would be (?:great|lovely|nice|good|perfect|fine)|i would (?:love|like) (?:that|it|to|one)|i (?:will|would) take (?:it|one|that)|that works|let us (?:do|go)|i agree|happy to|let us proceed|carry on|continue|proceed|i am in)\b/

const refusal =
  /^(?:n|no|nope|nah|never|not (?:now|really|today|interested|yet|at|worth)|stop|forget (?:it|about)|leave it|do not|rather not|no way|nothing)\b/
const refusalInside =
  /\b(?:do not (?:want|need|think so|like|bother|send|do|wish|care)|(?:would )?rather (?:not|keep|stay)|not interested|changed my mind|no longer|never mind|nevermind|forget (?:it|about)|leave it|not (?:now|worth|today)|no need|i will pass|i pass|against it|keep (?:my|the) (?:old|current)|will not|not going to|hold off|skip it)\b/

const greeting = /^(?:hi|hello|hey|good (?:morning|afternoon|evening|day)|greetings|howdy)\b/
const parting =
  /\b(?:bye|goodbye|good bye|see you|thanks|thank you|thank|cheers|that is all|that all|nothing (?:else|more)|all set|farewell|done for (?:now|today)|have a (?:good|nice|great))\b/
const goingBack =
  /\b(?:main menu|the menu|go back|back to|something (?:else|different|other)|anything else instead|other (?:things?|topics?|matters?|requests?)|different (?:things?|topics?|matters?|requests?|issues?)|another (?:things?|topics?|matters?|requests?|issues?|question)|start (?:over|again|anew)|from the (?:start|beginning|top)|begin again|new topic|return to)\b/
const wishing =
  /\b(?:(?:i|we) (?:would (?:like|love)|want|need|wish|am looking for|are looking for|have to|must)|(?:can|could|may) (?:i|we) (?:please )?(?:get|have|order|book|reserve)|(?:give|get|send|book|bring|order) (?:me|us)|looking for|please (?:send|give|bring|book|get|order|make|put))\b/
const complaining =
  /\b(?:wrong|broken|late|cold|missing|terrible|awful|bad|horrible|unhappy|angry|disappointed|complaint|complain|faulty|damaged|burnt|dirty|slow|never (?:came|arrived|got)|not happy|problem|fails?|failed|crash\w*|error)\b/
const doubting =
  /\b(?:not (?:so |really |quite )?sure|no (?:idea|clue)|do not know|dunno|maybe|perhaps|i (?:guess|suppose)|hm+|let me think|unsure|uncertain|hard to say|depends)\b/
const saidAgain = /\b(?:repeat|again|once more|one more time|remind me|say that)\b/

/** How much of each act is in a text, 0 to 1. */
export function actsOf(text: string): Record<Act, number> {
  const plain = wordsOf(text).join(' ')
  const agrees = agreement.test(plain) ? 1 : agreementInside.test(plain) ? 0.8 : 0
  const doubts = doubting.test(plain) ? 0.7 : 0
  const refuses = doubts > 0 ? 0 : refusal.test(plain) ? 1 : refusalInside.test(plain) ? 0.9 : 0
  const request = requestStart.test(plain)
  const asks =
    !request && (questionStart.test(plain) || askingInside.test(plain))
      ? 1
      : text.trimEnd().endsWith('?')
        ? request
          ? 0.4
          : 0.8
        : 0
  return {
    question: asks,
    // "not … go ahead" is no agreement.
    agree: refuses > 0 || doubts > 0 ? 0 : asks === 1 ? 0 : agrees,
    refuse: asks === 1 && refuses < 1 ? 0 : refuses,
    greet: greeting.test(plain) ? 1 : 0,
    part: parting.test(plain) ? 1 : 0,
    back: goingBack.test(plain) ? 1 : 0,
    again: saidAgain.test(plain) ? 0.5 : 0,
    wish: wishing.test(plain) && refuses === 0 ? 0.5 : 0,
    complain: complaining.test(plain) ? 0.5 : 0,
    doubt: doubts,
  }
}

const describedActs: [Act, RegExp][] = [
  ['question', /\b(?:asks?|asking|questions?|wants? to know|inquir\w+|enquir\w+|wonders?)\b/],
  [
    'agree',
    /\b(?:agrees?|accepts?|approves?|consents?|confirms?|says? yes|goes ahead|go ahead|proceeds?|happy with|affirmative)\b/,
  ],
  [
    'refuse',
    /\b(?:declines?|refuses?|rejects?|(?:does|do) not want|not interested|says? no|against|turns? down|no longer wants?|negative|changed (?:his|her|their) mind)\b/,
  ],
  ['greet', /\b(?:greets?|greeting|hello|small talk)\b/],
  ['part', /\b(?:thanks?|thankful|goodbye|farewell|leave-taking|nothing more|nothing else|is done|finished)\b/],
  [
    'back',
    /\b(?:something else|main menu|go(?:es)? back|another (?:matter|topic|request|thing)|different (?:matter|topic|request|thing)|other (?:matter|topic|request|thing)s?|start over|return to)\b/,
  ],
  ['again', /\b(?:again|repeats?)\b/],
  ['wish', /\b(?:wants? to|orders?|books?|requests?|would like|needs?)\b/],
  ['complain', /\b(?:unhappy|complain\w*|problems?|broken|does not work|faulty|wrong|damaged|trouble|fails?)\b/],
  ['doubt', /\b(?:unclear|unsure|not (?:sure|clearly|clear)|does not (?:know|say)|undecided|hesitates?|neither)\b/],
]

/** What acts a label stands for: said by its description (1), or by how many of its examples are one. */
export function actsOfLabel(description: string, examples: readonly string[]): Record<Act, number> {
  const words = wordsOf(description).join(' ')
  const found: Record<Act, number> = {
    question: 0,
    agree: 0,
    refuse: 0,
    greet: 0,
    part: 0,
    back: 0,
    again: 0,
    wish: 0,
    complain: 0,
    doubt: 0,
  }
  for (const [act, pattern] of describedActs) if (pattern.test(words)) found[act] = 1
  const said = examples.map(actsOf)
  for (const act of acts) {
    const share = said.length === 0 ? 0 : said.reduce((sum, one) => sum + one[act], 0) / said.length
    found[act] = Math.max(found[act], share)
  }
  return found
}

/** True where a label takes any question (it is called that, or "asks something about …"), not those about one thing. */
export function takesAnyQuestion(name: string, description: string): boolean {
  return (
    /^(?:any[-_ ]|general[-_ ]|other[-_ ])?questions?$/i.test(name) ||
    /\b(?:asks? (?:something|anything|a question|questions|for information|about anything)|(?:any|general|other) questions?|has (?:a )?questions?|questions? (?:about|on))\b/i.test(
      description,
    )
  )
}

/** 0 to 1: how far a text says the contrary of what a label stands for. */
export function actsClash(text: Record<Act, number>, label: Record<Act, number>): number {
  const contrary = Math.max(
    text.refuse * label.agree * (1 - label.refuse),
    text.agree * label.refuse * (1 - label.agree),
  )
  return Math.max(contrary, text.question * Math.max(label.agree, label.refuse) * (1 - label.question) * 0.5)
}
