import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { guessMapping } from './guess.ts'
import { guessDates } from './guess-dates.ts'
import { keyOf, roleOfName, wordsOf } from './guess-names.ts'
import { describeValues } from './guess-values.ts'
import { parseMapping } from './mapping.ts'
import { prepareMapping } from './prepare.ts'
import { preview } from './preview.ts'
import type { Row } from './row.ts'

/** A table as a reader gives it. */
function rowsOf(columns: string[], lines: string[][]): Row[] {
  return lines.map((cells, index) => ({
    number: index + 1,
    raw: cells.join(','),
    values: Object.fromEntries(columns.map((column, place) => [column, cells[place] ?? ''])),
  }))
}
const guess = (columns: string[], lines: string[][], fileName?: string) =>
  guessMapping(columns, rowsOf(columns, lines), fileName)
const targets = (columns: string[], lines: string[][], fileName?: string) =>
  Object.fromEntries(guess(columns, lines, fileName).columns.map(each => [each.column, each.target]))

describe('a mapping is guessed', () => {
  test('for people', () => {
    const columns = [
      'cust_no',
      'First Name',
      'surname',
      'e-mail',
      'Mobile',
      'DOB',
      'sex',
      'Zip',
      'Newsletter',
      'Points',
    ]
    const lines = [
      ['10022', 'Grace', 'Okafor', 'grace@example.com', '070-174 06 05', '1979-11-02', 'F', '01234', 'yes', '12'],
      ['10417', 'Tomás', 'Herrera', 'tomas@example.com', '+46 70 174 06 06', '1990-06-21', 'M', '22000', 'no', '0'],
    ]
    const { mapping, kind } = guess(columns, lines, 'contacts 2025.csv')
    expect(kind.kind).toBe('people')
    expect(mapping).toEqual({
      name: 'contacts-2025',
      kind: 'people',
      userId: '{cust_no}',
      traits: {
        firstName: '{First Name}',
        lastName: '{surname}',
        name: '{First Name} {surname}',
        email: { column: 'e-mail', type: 'email' },
        phone: '{Mobile}',
        birthday: { column: 'DOB', type: 'date', format: 'iso' },
        gender: '{sex}',
        'address.postalCode': '{Zip}',
        newsletter: { column: 'Newsletter', type: 'boolean' },
        points: { column: 'Points', type: 'integer' },
      },
    })
  })

  test('for products', () => {
    const columns = ['SKU', 'Product Name', 'Category', 'Unit Price', 'Cost']
    const lines = [
      ['KIR-WM', 'Kettle', 'Kitchen', '€ 1.249,00', '€ 700,50'],
      ['TRE-M', 'Trail shoe', 'Shoes', '€ 138,00', '€ 60,00'],
    ]
    const { mapping, notes } = guess(columns, lines)
    expect(mapping).toMatchObject({
      kind: 'products',
      properties: {
        sku: '{SKU}',
        name: '{Product Name}',
        category: '{Category}',
        price: { column: 'Unit Price', type: 'money', decimal: ',', thousands: '.' },
        cost: { column: 'Cost', type: 'money', decimal: ',' },
      },
    })
    expect(notes).toEqual([])
  })

  test('for companies', () => {
    const columns = ['Company Name', 'Website', 'Industry', 'Employees']
    const lines = [
      ['Northwind', 'northwind.example', 'Retail', '120'],
      ['Contoso', 'contoso.example', 'Legal', '8'],
    ]
    expect(guess(columns, lines).mapping).toEqual({
      name: 'import',
      kind: 'companies',
      groupId: '{Website}',
      traits: {
        name: '{Company Name}',
        website: '{Website}',
        industry: '{Industry}',
        employees: { column: 'Employees', type: 'integer' },
      },
    })
  })

  test('for order lines, and for the people who ordered', () => {
    const columns = ['order_id', 'ordered', 'cust_email', 'name', 'sku', 'qty', 'total', 'utm_campaign']
    const lines = [
      ['NW-31022', '2025-04-03 18:20', 'grace@example.com', 'Grace Okafor', 'TRE500-M', '2', '1387.00', 'spring'],
      ['NW-31023', '2025-04-13 08:00', 'tomas@example.com', 'Tomás Herrera', 'KIR-WM', '1', '138.50', ''],
    ]
    const { mapping, kind, notes } = guess(columns, lines, 'orders-2025.csv')
    expect(kind.kind).toBe('events')
    expect(mapping).toEqual({
      name: 'orders-2025',
      kind: 'events',
      event: 'Product Purchased',
      timestamp: { column: 'ordered', format: 'iso' },
      properties: {
        order_id: '{order_id}',
        email: { column: 'cust_email', type: 'email' },
        sku: '{sku}',
        quantity: { column: 'qty', type: 'integer' },
        revenue: { column: 'total', type: 'money' },
      },
      context: { 'campaign.name': '{utm_campaign}' },
      also: [
        {
          kind: 'people',
          timestamp: { column: 'ordered', format: 'iso' },
          traits: { name: '{name}', email: { column: 'cust_email', type: 'email' } },
        },
      ],
    })
    expect(notes).toEqual(['No column names the currency of the amounts: set defaults.currency.'])
  })

  test.each([
    [
      'returns.csv',
      ['Return Date', 'Product ID', 'Return Quantity'],
      ['2025-01-01', '3', '1'],
      'Product Returned',
      'none',
    ],
    [
      'calls-may.csv',
      ['customer id', 'started at', 'duration'],
      ['7', '2025-01-01 10:00', '40'],
      'Call Completed',
      undefined,
    ],
    [
      'orders.csv',
      ['order number', 'customer id', 'order date', 'order total'],
      ['A1', '7', '2025-01-01', '12.50'],
      'Order Completed',
      undefined,
    ],
    ['log.csv', ['user id', 'event', 'timestamp'], ['7', 'Email Opened', '2025-01-01'], '{event}', undefined],
  ])('for what happened in %s', (file, columns, line, event, identity) => {
    const { mapping } = guess(columns, [line, line.map(cell => cell.replace('2025-01-01', '2025-01-20'))], file)
    expect(mapping).toMatchObject({ kind: 'events', event })
    expect(mapping.identity).toBe(identity)
  })

  test('so that rows without a buyer become events of nobody', () => {
    const { mapping, notes } = guess(
      ['invoice', 'customer_id', 'stock_code', 'quantity', 'invoice_date'],
      [
        ['1', '7', 'A', '1', '2025-01-01 10:00'],
        ['2', '', 'B', '1', '2025-01-02 10:00'],
      ],
    )
    expect(mapping.identity).toBe('optional')
    expect(notes[0]).toMatch(/nobody/)
  })

  test('so that it is valid and maps its own sample, whatever the columns are called', () => {
    const columns = ['{x}', 'a.b', 'a', 'E-mail', 'e mail', '__proto', '', 'constructor', 'Ünïcode ✓', 'date']
    const lines = [['1', '2', '3', 'a@example.com', 'b@example.com', 'x', 'y', 'z', 'w', '1/2/2025']]
    const { mapping } = guess(columns, lines, '../Ärger (1).csv.gz')
    expect(mapping.name).toBe('arger-1')
    expect(parseMapping(JSON.parse(JSON.stringify(mapping)))).toHaveProperty('mapping')
    expect(preview(prepareMapping(mapping), columns, rowsOf(columns, lines)).rows).toBe(1)
  })

  test('that is valid, whatever the file', () => {
    const name = fc.oneof(
      fc.constantFrom(
        'email',
        'company',
        'website',
        'product',
        'order_id',
        'date',
        'price',
        'id',
        'event',
        'total',
        'name',
        'group id',
        'message id',
        'customer id',
      ),
      fc.string({ unit: fc.constantFrom('a', 'B', ' ', '_', '{', '}', '.', '1', 'é', '-'), maxLength: 6 }),
    )
    const cell = fc.oneof(
      fc.constantFrom('', '1', '1,234', '€ 5', '3/4/2025', '2025-01-01', 'x@example.com', 'yes', '[1]', '1700000000'),
      fc.string({ maxLength: 5 }),
    )
    const file = fc.tuple(
      fc.uniqueArray(name, { maxLength: 8 }),
      fc.array(fc.array(cell, { minLength: 8, maxLength: 8 }), { maxLength: 6 }),
      fc.string(),
    )
    fc.assert(
      fc.property(file, ([columns, lines, fileName]) => {
        const { mapping } = guess(columns, lines, fileName)
        expect(preview(prepareMapping(mapping), columns, rowsOf(columns, lines)).rows).toBe(lines.length)
      }),
      { numRuns: 1000 },
    )
  })

  test('in no time, however long the cells are', () => {
    const long = [`1${' '.repeat(300_000)}x`, `a@${'.'.repeat(300_000)}`, '1,1.'.repeat(100_000), '1 '.repeat(200_000)]
    const started = performance.now()
    guess(['a', 'email', 'price', 'date'], [long, long, long])
    expect(performance.now() - started).toBeLessThan(2_000)
  })

  test('from nothing at all', () => {
    expect(guessMapping([], []).mapping).toMatchObject({ kind: 'people' })
    expect(guess(['a', 'b'], []).columns.map(each => each.role)).toEqual(['omit', 'omit'])
  })
})

describe('a column', () => {
  test('is recognised by its values where its name says nothing', () => {
    expect(
      targets(
        ['x', 'y'],
        [
          ['ada@example.com', '+46701740605'],
          ['grace@example.com', '+46701740606'],
        ],
      ),
    ).toMatchObject({
      x: 'traits.email',
      y: 'traits.phone',
    })
  })

  test('is not believed where its values contradict its name', () => {
    const { columns } = guess(
      ['email', 'birth date'],
      [
        ['yes', 'blue'],
        ['no', 'green'],
      ],
    )
    expect(columns).toMatchObject([
      {
        role: 'trait',
        target: 'traits.email',
        type: 'boolean',
        reason: expect.stringMatching(/few values are addresses/),
      },
      { role: 'trait', type: 'string', reason: expect.stringMatching(/values are none/) },
    ])
  })

  test('is left out when it is empty or always the same', () => {
    const lines = Array.from({ length: 30 }, (_, index) => [`p${index}@example.com`, 'Y', ''])
    expect(targets(['email', 'flag', 'note'], lines)).toEqual({
      email: 'traits.email',
      flag: undefined,
      note: undefined,
    })
  })

  test('that numbers records is asked about where an address identifies better', () => {
    const { columns, mapping } = guess(
      ['record_id', 'email'],
      [
        ['1', 'ada@example.com'],
        ['2', 'ada@example.com'],
      ],
    )
    expect(mapping.userId).toBeUndefined()
    expect(columns[0]?.question).toEqual({
      text: expect.stringMatching(/people, or the records/),
      options: [
        { label: 'Records', target: 'traits.recordId', value: '{record_id}' },
        { label: 'People', target: 'userId', value: '{record_id}' },
      ],
    })
    expect(
      targets(
        ['id', 'first name'],
        [
          ['1', 'Ada'],
          ['2', 'Grace'],
        ],
      ),
    ).toMatchObject({ id: 'userId' })
  })

  test('with a date that allows two readings is asked about, and rejected until the answer', () => {
    const columns = ['id', 'ordered']
    const lines = [
      ['1', '03/04/2025 18:20'],
      ['2', '11/05/2025 8:00'],
    ]
    const guessed = guess(['customer id', 'ordered'], lines, 'orders.csv')
    const question = guessed.columns[1]?.question
    expect(question?.text).toMatch(/"03\/04\/2025 18:20" could be day first or month first; 2 values/)
    expect(question?.options).toEqual([
      { label: 'Day first', target: 'timestamp', value: { column: 'ordered', format: 'd/M/yyyy H:mm' } },
      { label: 'Month first', target: 'timestamp', value: { column: 'ordered', format: 'M/d/yyyy H:mm' } },
    ])
    const rows = rowsOf(['customer id', 'ordered'], lines)
    expect(preview(prepareMapping(guessed.mapping), columns, rows).rejectedByReason).toEqual({ ambiguous_date: 2 })
    const answered = { ...guessed.mapping, timestamp: question?.options[0]?.value as typeof guessed.mapping.timestamp }
    expect(preview(prepareMapping(answered), columns, rows).shown[0]).toMatchObject({
      events: [{ timestamp: '2025-04-03T18:20:00.000Z' }],
    })
  })

  test('with thousands or fractions, one cannot say which, is asked about', () => {
    const { columns } = guess(
      ['sku', 'price'],
      [
        ['A', '1,234'],
        ['B', '5,600'],
      ],
    )
    expect(columns[1]?.question?.options.map(option => option.label)).toEqual(['Thousands', 'Decimals'])
  })
})

describe('dates of a column', () => {
  test.each([
    [['2025-01-01', '2025-12-31'], ['iso']],
    [['1-Jan-2015', '21-Sep-2001'], ['d-MMM-yyyy']],
    [['11/8/2018', '6/12/2018', '6/25/2018'], ['M/d/yyyy']],
    [['31.12.2018', '1.2.2018'], ['d.M.yyyy']],
    [['31/12/18 08:15', '01/02/18 23:59'], ['d/M/yy H:mm']],
    [['1/13/2024 12:05 AM', '1/2/2024 1:00 PM'], ['M/d/yyyy h:mm a']],
    [['2024-01-02T03:04:05Z', '2024-01-02T03:04:05+02:00'], ['iso']],
    [['2024/1/2', '2024/11/12'], ['yyyy/M/d']],
    [
      ['January 2, 2024', 'May 12, 2024'],
      ['MMMM d, yyyy', 'MMM d, yyyy'],
    ],
    [['19970101', '19980131'], ['yyyyMMdd']],
    [['1700000000', '1700000001'], ['epoch-seconds']],
    [['1700000000000'], ['epoch-milliseconds']],
  ])('%j are %j', (texts, formats) => {
    const found = guessDates(texts, true)
    expect(found?.question).toBeUndefined()
    expect(new Set(found?.formats)).toEqual(new Set(formats))
  })

  test('in two spellings are each decided by themselves; the open one likely goes as the other', () => {
    const found = guessDates(['01-03-1930', '5/27/1930', '07-11-1930', '6/18/1930'], true)
    expect(found?.question?.options.map(option => option.formats)).toEqual([
      ['M/d/yyyy', 'M-d-yyyy'],
      ['M/d/yyyy', 'd-M-yyyy'],
    ])
    expect(found?.formats).toEqual(['M/d/yyyy', 'M-d-yyyy', 'd-M-yyyy'])
  })

  test('in both orders are not read in either alone', () => {
    expect(guessDates(['13/1/2025', '1/13/2025', '2/3/2025'], true)?.formats).toEqual(['d/M/yyyy', 'M/d/yyyy'])
  })

  test('are none in numbers, unless the header speaks of a date, and none in words', () => {
    expect(guessDates(['19970101', '19980131'], false)).toBeUndefined()
    expect(guessDates(['soon', 'later'], true)).toBeUndefined()
    expect(guessDates(['99/99/2025', '45/1/2025'], true)).toBeUndefined()
  })
})

describe('values of a column', () => {
  test.each([
    [['1,234.50', '12.00'], { decimal: '.', thousands: ',' }],
    [['1.234,50', '12,00'], { decimal: ',', thousands: '.' }],
    [['12,5', '7,25'], { decimal: ',', thousands: '' }],
    [['1 234,5', '7,25'], { decimal: ',', thousands: ' ' }],
    [['1,234,567'], { decimal: '.', thousands: ',' }],
    [['12.5', '0.125'], { decimal: '.', thousands: '' }],
    [['(12.50)', '-3'], { decimal: '.', thousands: '' }],
  ])('%j are written with %j', (texts, style) => {
    expect(describeValues(texts).number).toMatchObject({ style, isAmbiguous: false })
  })

  test('are numbers although a few say that there is none', () => {
    expect(describeValues([...Array.from({ length: 20 }, (_, index) => String(index)), 'NA']).number).toMatchObject({
      nothing: ['NA'],
    })
    expect(describeValues(['1', 'NA']).number).toBeUndefined()
  })

  test('are codes with leading zeros or very many digits', () => {
    expect(describeValues(['00123', '45']).isCode).toBe(true)
    expect(describeValues(['12', '45']).isCode).toBe(false)
  })
})

describe('names of columns', () => {
  test.each([
    ['CustomerKey', 'user_id'],
    ['cust_no', 'user_id'],
    ['customerID', 'user_id'],
    ['EmailAddress', 'email'],
    ['E-Mail', 'email'],
    ['Tel.', 'phone'],
    ['PRIMARY_NAME_FIRST', 'first_name'],
    ['Surname', 'last_name'],
    ['BirthDate', 'birthday'],
    ['OrderNumber', 'order_id'],
    ['Invoice', 'order_id'],
    ['Invoice No', 'order_id'],
    ['stock_code', 'product_id'],
    ['ProductSKU', 'sku'],
    ['Sub-Category', 'subcategory'],
    ['Qty', 'quantity'],
    ['UnitPrice', 'price'],
    ['OrderDate', 'timestamp'],
    ['Sales', 'total'],
    ['Line Total', 'total'],
    ['Zip Code', 'postal_code'],
    ['Sign-up date', 'created_at'],
    ['Territory', undefined],
  ])('%s is %s', (name, role) => {
    expect(roleOfName(name)?.role).toBe(role)
  })

  test('are read as words and written as keys', () => {
    expect(wordsOf('custEmail_Addr')).toBe('customer email address')
    expect(keyOf('Annual Income', 'camel')).toBe('annualIncome')
    expect(keyOf('TotalChildren', 'snake')).toBe('total_children')
    expect(keyOf('Größe (cm)', 'snake')).toBe('größe_cm')
    expect(keyOf('???', 'camel')).toBe('value')
  })
})
