import type { Employee } from '../../local/servicenow/employees.ts'
import { type Random, seeded } from './random.ts'

/** Who talks in a conversation: an employee, or somebody whom ServiceNow does not know. */
export interface Person {
  email: string
  /** Null where ServiceNow has no record. */
  employee: Employee | null
}

const firstNames = ['Nora', 'Emil', 'Ines', 'Karim', 'Lotte', 'Mateo', 'Aiko', 'Ravi', 'Greta', 'Tomas']
const syllables = ['vel', 'dor', 'mak', 'tis', 'ran', 'bel', 'kov', 'sen', 'lund', 'fer', 'gos', 'hal']
const models = ['Latitude 7420', 'MacBook Pro 14', 'ThinkPad X1 Carbon', 'EliteBook 840', 'XPS 13', 'ZenBook Pro 15']
const places = ['EMEA', 'NA', 'APAC', 'LATAM', 'London Office', 'Tokyo Office', 'San Francisco Office', 'Remote']

/** The person of a seed. Name, address and serial number are nobody else's, so that each is found where it should not be. */
export function personOf(seed: number, role: 'asker' | 'colleague' | 'manager'): Person {
  const random = seeded('person', seed, role)
  const surname = capital(random.pick(syllables) + random.pick(syllables) + random.pick(syllables))
  const tag = `${{ asker: 'q', colleague: 'k', manager: 'm' }[role]}${seed.toString(36)}`
  const name = `${random.pick(firstNames)} ${surname}${tag}`
  const email = `${name.toLowerCase().replace(' ', '.')}@company.com`
  const kind = role === 'asker' ? kindOf(random) : 'usual'
  if (kind === 'unknown') return { email, employee: null }
  const bought = `${2017 + random.below(10)}-0${1 + random.below(9)}-${String(1 + random.below(28)).padStart(2, '0')}`
  return {
    email,
    employee: {
      number: `E${tag}`,
      name,
      email,
      location: random.pick(places),
      active: kind !== 'inactive',
      ...(role === 'asker' && random.chance(0.85) ? { manager: personOf(seed, 'manager').email } : {}),
      laptop:
        kind === 'no laptop'
          ? null
          : { model: random.pick(models), serial: `SN${tag.toUpperCase()}X`, purchase: { on: bought } },
    },
  }
}

function kindOf(random: Random): 'usual' | 'unknown' | 'inactive' | 'no laptop' {
  const drawn = random.below(20)
  return drawn === 0 ? 'unknown' : drawn === 1 ? 'inactive' : drawn === 2 ? 'no laptop' : 'usual'
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
