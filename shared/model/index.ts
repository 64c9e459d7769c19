export type {
  ComposeQuestion,
  DecideQuestion,
  ExtractQuestion,
  Label,
  Message,
  Model,
  ModelAnswer,
  Sentence,
  SlotQuestion,
  SlotValues,
  Usage,
} from './model.ts'
export { type ModelOptions, openModel } from './open-model.ts'
export { type ModelProbe, probeModel } from './probe-model.ts'
