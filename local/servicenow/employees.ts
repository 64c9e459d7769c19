/** When a laptop was bought: a fixed day, or so many months before the mock's clock, so that its age never changes. */
export type Purchase = { on: string } | { monthsAgo: number }

export interface Employee {
  number: string
  name: string
  email: string
  /** The location's name, as ServiceNow's cmn_location spells it. */
  location: string
  active: boolean
  /** E-mail address of the one they report to; left out: nobody that ServiceNow knows. */
  manager?: string
  laptop: { model: string; serial: string; purchase: Purchase } | null
}

/** Whom everybody else reports to. */
const head = 'jane.smith@company.com'

/**
 * The people of the demo. The first ten are those that conversations are evaluated with; john.doe, david.chen and
 * michael.nguyen stay too early for a new laptop, whatever the date.
 */
export const employees: Employee[] = [
  person('1001', 'Alice Johnson', 'EMEA', laptop('Latitude 7420', 'DL7420001', { on: '2020-01-15' })),
  person('1002', 'John Doe', 'EMEA', laptop('MacBook Pro 14', 'AP14M2002', { monthsAgo: 14 })),
  person('1003', 'Maria Garcia', 'LATAM', laptop('ThinkPad X1 Carbon', 'LNX1C003', { on: '2022-11-10' })),
  person('1004', 'Oliver Smith', 'EMEA', laptop('EliteBook 840 G7', 'HP840G7004', { on: '2019-05-12' })),
  person('1005', 'Yuki Tanaka', 'APAC', laptop('XPS 13 9310', 'DX9310005', { on: '2018-09-03' })),
  person('1006', 'Isabella Mueller', 'EMEA', laptop('ThinkPad T14', 'LNT14006', { on: '2019-11-18' })),
  person('1007', 'Carlos Rodriguez', 'LATAM', laptop('MacBook Air M1', 'APAIRM1007', { on: '2021-02-14' })),
  person('1008', 'David Chen', 'APAC', laptop('ZenBook Pro 15', 'ASZBP008', { monthsAgo: 20 })),
  person('1009', 'Sophie Dubois', 'EMEA', laptop('Surface Laptop 4', 'MSSL4009', { on: '2021-08-05' })),
  person('1010', 'Ahmed Hassan', 'EMEA', laptop('Inspiron 15 5000', 'DI155010', { on: '2018-03-14' })),
  person('2001', 'Jane Smith', 'San Francisco Office', laptop('MacBook Pro 16', 'AP16M2001', { on: '2023-01-10' })),
  person('2002', 'Bob Wilson', 'London Office', laptop('EliteBook 850', 'HP850002', { on: '2023-09-05' })),
  person('2003', 'Alice Brown', 'Tokyo Office', laptop('ThinkPad X1 Carbon', 'LNX1C203', { on: '2022-11-12' })),
  person('2004', 'Charlie Davis', 'Sydney Office', laptop('Surface Laptop 4', 'MSSL4204', { on: '2023-04-18' })),
  person('3001', 'Emily Clark', 'NA', laptop('ThinkPad T14 Gen 2', 'LNT14301', { on: '2021-06-21' })),
  person('3002', 'Michael Nguyen', 'NA', laptop('MacBook Air M3', 'APAIRM3302', { monthsAgo: 8 })),
  person('3003', 'Priya Patel', 'APAC', null),
  person('3004', 'Lena Fischer', 'Remote', laptop('Latitude 5430', 'DL5430304', { on: '2022-04-04' })),
  {
    ...person('3005', 'Frank Weber', 'EMEA', laptop('ThinkPad T480', 'LNT48305', { on: '2018-10-01' })),
    active: false,
  },
]

function person(number: string, name: string, location: string, laptop: Employee['laptop']): Employee {
  const email = `${name.toLowerCase().replace(' ', '.')}@company.com`
  return { number, name, email, location, active: true, ...(email === head ? {} : { manager: head }), laptop }
}

function laptop(model: string, serial: string, purchase: Purchase): NonNullable<Employee['laptop']> {
  return { model, serial, purchase }
}
