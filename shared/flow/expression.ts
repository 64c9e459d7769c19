import { type ASTNode, Environment, type ParseResult } from '@marcbachmann/cel-js'
import { Fault } from '../errors/fault.ts'
import type { Agent, Expression } from './agent.ts'
import type { Json } from './json.ts'
import { namesInScope } from './names.ts'

interface Compiled {
  run: ParseResult
  /** Names it reads: only these are converted on the way in. */
  names: string[]
}

interface Bench {
  environment: Environment
  compiled: Map<Expression, Compiled>
}

/** What a cut in the middle of an emoji leaves, and no store takes. */
const halfCharacter = /\p{Cs}/gu

/** What expressions are written in: an agent, or any other file with names of its own. */
export interface ExpressionScope {
  /** What a fault calls it. */
  name: string
  names: ReadonlySet<string>
}

const benches = new WeakMap<ExpressionScope, Bench>()
const scopes = new WeakMap<Agent, ExpressionScope>()

function scopeOf(agent: Agent): ExpressionScope {
  const known = scopes.get(agent) ?? { name: agent.name, names: namesInScope(agent) }
  scopes.set(agent, known)
  return known
}

/**
 * The value of a CEL expression on these values. Whole numbers go in as integers and come out as numbers; a number that
 * is not whole is a double. Throws Fault `flow.expression-failed` with the expression, never with the values.
 */
export function evaluate(agent: Agent, source: Expression, values: Record<string, Json>): Json {
  return evaluateIn(scopeOf(agent), source, values)
}

/** The same in another file. @throws Fault `flow.expression-failed` */
export function evaluateIn(scope: ExpressionScope, source: Expression, values: Record<string, Json>): Json {
  try {
    const { run, names } = compile(scope, source)
    return fromCel(run(Object.fromEntries(names.map((name) => [name, toCel(values[name] ?? null)]))))
  } catch (error) {
    if (Fault.is(error)) throw error
    throw new Fault('flow.expression-failed', `${scope.name}: ${source}: ${reasonOf(error)}`)
  }
}

/** What is wrong with an expression before any value is known, or null. */
export function expressionFault(agent: Agent, source: Expression): string | null {
  return expressionFaultIn(scopeOf(agent), source)
}

/** The same in another file. */
export function expressionFaultIn(scope: ExpressionScope, source: Expression): string | null {
  const { environment } = benchOf(scope)
  const checked = environment.check(source)
  if (!checked.valid) return firstLine(checked.error)
  if (usesMatches(environment.parse(source).ast)) {
    return "`matches` is not allowed: a regular expression on an employee's words can be made to run for minutes"
  }
  return null
}

function compile(scope: ExpressionScope, source: Expression): Compiled {
  const bench = benchOf(scope)
  const known = bench.compiled.get(source)
  if (known !== undefined) return known
  const run = bench.environment.parse(source)
  const used = new Set<string>()
  visit(run.ast, (node) => {
    if (node.op === 'id') used.add(node.args)
  })
  const compiled = { run, names: [...used].filter((name) => scope.names.has(name)) }
  bench.compiled.set(source, compiled)
  return compiled
}

function benchOf(scope: ExpressionScope): Bench {
  const known = benches.get(scope)
  if (known !== undefined) return known
  const environment = new Environment({
    unlistedVariablesAreDyn: false,
    homogeneousAggregateLiterals: false,
    limits: { maxAstNodes: 500, maxDepth: 50 },
  })
  for (const name of scope.names) environment.registerVariable(name, 'dyn')
  const bench = { environment, compiled: new Map() }
  benches.set(scope, bench)
  return bench
}

function toCel(value: Json): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value
  if (Array.isArray(value)) return value.map(toCel)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toCel(member)]))
}

function fromCel(value: unknown): Json {
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'string') return value.replace(halfCharacter, '')
  if (typeof value === 'bigint') {
    const number = Number(value)
    if (!Number.isSafeInteger(number)) throw new NotJson('the integer is too large')
    return number
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new NotJson('the number is not finite')
    return value
  }
  if (Array.isArray(value)) return value.map(fromCel)
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, fromCel(member)]))
  }
  throw new NotJson('the value is of a kind that JSON does not have: turn it into a string or a number')
}

class NotJson extends Error {}

/** Words for an operator: the library's messages may quote values, so only its code is kept. */
function reasonOf(error: unknown): string {
  if (error instanceof NotJson) return error.message
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'failed'
}

function firstLine(error: Error | undefined): string {
  return error?.message.split('\n', 1)[0] ?? 'is not CEL'
}

function usesMatches(ast: ASTNode): boolean {
  let found = false
  visit(ast, (node) => {
    if ((node.op === 'call' || node.op === 'rcall') && node.args[0] === 'matches') found = true
  })
  return found
}

function visit(part: unknown, see: (node: ASTNode) => void): void {
  if (Array.isArray(part)) {
    for (const member of part) visit(member, see)
  } else if (isNode(part)) {
    see(part)
    visit(part.args, see)
  }
}

function isNode(part: unknown): part is ASTNode {
  return typeof part === 'object' && part !== null && 'op' in part && 'args' in part
}
