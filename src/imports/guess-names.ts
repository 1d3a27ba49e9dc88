/** The name of a column in; what columns of that name usually are out. English, with the spellings of common programs. */

/** What a column can be. `trait` and `property` keep it under its own name, `omit` leaves it out. */
const roles = [
  'user_id',
  'anonymous_id',
  'group_id',
  'email',
  'phone',
  'loyalty_id',
  'name',
  'first_name',
  'last_name',
  'salutation',
  'birthday',
  'age',
  'gender',
  'job_title',
  'company',
  'website',
  'industry',
  'employees',
  'street',
  'city',
  'state',
  'postal_code',
  'country',
  'created_at',
  'timestamp',
  'event',
  'order_id',
  'line',
  'product_id',
  'sku',
  'product_name',
  'category',
  'subcategory',
  'brand',
  'description',
  'quantity',
  'price',
  'cost',
  'total',
  'discount',
  'tax',
  'profit',
  'currency',
  'coupon',
  'channel',
  'campaign',
  'url',
  'message_id',
  'trait',
  'property',
  'omit',
] as const
export type Role = (typeof roles)[number]

const short: { [token: string]: string } = {
  acct: 'account',
  addr: 'address',
  amt: 'amount',
  cat: 'category',
  clt: 'client',
  curr: 'currency',
  cust: 'customer',
  desc: 'description',
  dob: 'date of birth',
  dt: 'date',
  fname: 'first name',
  forename: 'first name',
  firstname: 'first name',
  inv: 'invoice',
  lastname: 'last name',
  lname: 'last name',
  surname: 'last name',
  mail: 'email',
  nbr: 'number',
  no: 'number',
  nr: 'number',
  num: 'number',
  ord: 'order',
  org: 'company',
  organisation: 'company',
  organization: 'company',
  prod: 'product',
  qty: 'quantity',
  subcat: 'subcategory',
  tel: 'phone',
  telephone: 'phone',
  ts: 'timestamp',
  tx: 'transaction',
  txn: 'transaction',
  zip: 'postal code',
  zipcode: 'postal code',
  postcode: 'postal code',
}

/** The name in lower-case words, common abbreviations written out: `custEmail_addr` → `customer email address`. */
export function wordsOf(name: string): string {
  const spaced = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .replace(/#/g, ' number ')
    .replace(/[^A-Za-z0-9]+/g, ' ')
    .trim()
    .toLowerCase()
    .replace(/\be mail\b/g, 'email')
    .replace(/\bsub category\b/g, 'subcategory')
  const words = spaced.split(' ').map(word => (Object.hasOwn(short, word) ? short[word] : word))
  return words.join(' ')
}

const person =
  '(?:customer|client|user|member|contact|person|subscriber|buyer|lead|prospect|shopper|donor|guest|patient|student|cardholder|crm)'
const id = '(?:id|key|number|code|uuid|guid|ref|reference|identifier)'
const order = '(?:order|invoice|receipt|transaction|purchase|sale|sales|booking|basket|ticket|document)'
const item = '(?:product|item|article|stock|material|part)'
const firm = '(?:company|account|firm|employer|business|customer company)'

const only = (pattern: string) => new RegExp(`^(?:${pattern})$`)

/** Rules in order: the first whose words match says the role. `sure` is how often such a name means just that, 0 to 1. */
const rules: { role: Role; words: RegExp; sure: number }[] = [
  { role: 'email', words: /(?:^| )email(?: address| id)?(?: \d)?$/, sure: 0.9 },
  {
    role: 'phone',
    words: /(?:^| )(?:phone|mobile|cell|cellphone|handset|msisdn)(?: phone)?(?: number)?(?: \d)?$/,
    sure: 0.9,
  },
  { role: 'message_id', words: only('message id|event id|event uuid|insert id'), sure: 0.9 },
  {
    role: 'anonymous_id',
    words: only('anonymous id|visitor id|device id|cookie id|client cookie|browser id|distinct id'),
    sure: 0.85,
  },
  { role: 'loyalty_id', words: only(`(?:loyalty|bonus|club)(?: card)?(?: ${id})?`), sure: 0.8 },
  { role: 'order_id', words: only(`${order} ${id}|order|invoice|receipt|booking`), sure: 0.9 },
  {
    role: 'line',
    words: only('(?:order |invoice )?line(?: item)?(?: number| id)?|row (?:id|number)|position'),
    sure: 0.7,
  },
  {
    role: 'user_id',
    words: only(`(?:${person} )?(?:${person} ${id}|uid)|external id|account holder ${id}`),
    sure: 0.9,
  },
  { role: 'sku', words: only(`(?:${item} )?sku(?: code| ${id})?`), sure: 0.95 },
  { role: 'product_id', words: only(`${item} ${id}|asin|ean|gtin|upc|barcode`), sure: 0.9 },
  { role: 'group_id', words: only(`${firm} ${id}|group id|tenant id|workspace id`), sure: 0.85 },
  { role: 'subcategory', words: only(`(?:${item} )?subcategory(?: name)?|category 2`), sure: 0.9 },
  { role: 'category', words: only(`(?:${item} )?category(?: name| 1)?|department`), sure: 0.85 },
  { role: 'description', words: only(`${item} (?:description|details)`), sure: 0.85 },
  { role: 'product_name', words: only(`${item} (?:name|title)|product|item|article`), sure: 0.85 },
  { role: 'brand', words: only(`(?:${item} )?(?:brand|manufacturer)(?: name)?`), sure: 0.85 },
  {
    role: 'quantity',
    words: only(`(?:${order} |${item} |return )?(?:quantity|units|pieces)(?: sold| ordered)?`),
    sure: 0.95,
  },
  { role: 'price', words: only(`(?:${item} |unit |list |sales? |retail )?price(?: each| per unit)?`), sure: 0.9 },
  { role: 'cost', words: only(`(?:${item} |unit |standard )?cost(?: price| each)?|cogs`), sure: 0.85 },
  { role: 'discount', words: only(`(?:${order} |line )?discount(?: amount| rate| percent)?`), sure: 0.85 },
  { role: 'tax', words: only(`(?:${order} |line )?(?:tax|vat)(?: amount)?`), sure: 0.85 },
  { role: 'profit', words: only(`(?:${order} |line )?(?:profit|margin)(?: amount)?`), sure: 0.85 },
  { role: 'currency', words: only('currency(?: code)?'), sure: 0.95 },
  { role: 'coupon', words: only('coupon(?: code)?|promo code|voucher(?: code)?'), sure: 0.85 },
  {
    role: 'total',
    words: only(
      `(?:${order} |line |grand |net |gross )?(?:total|amount|value|revenue|turnover)(?: amount| value| price)?|sales|spend|dollar value|close value`,
    ),
    sure: 0.75,
  },
  {
    role: 'birthday',
    words: only(`(?:${person} )?(?:date of birth|birth date|birthdate|birthday|born|birth)`),
    sure: 0.95,
  },
  {
    role: 'first_name',
    words: only(`(?:${person} |primary |contact )*(?:(?:first|given) name|name first|first)`),
    sure: 0.95,
  },
  {
    role: 'last_name',
    words: only(`(?:${person} |primary |contact )*(?:(?:last|family) name|name last|last)`),
    sure: 0.95,
  },
  {
    role: 'name',
    words: only(`(?:${person} |primary |contact )*(?:name|full name|name full|display name)|${person}`),
    sure: 0.75,
  },
  { role: 'salutation', words: only('salutation|prefix|name prefix|honorific|mr mrs'), sure: 0.8 },
  { role: 'gender', words: only('gender|sex'), sure: 0.9 },
  { role: 'age', words: only('age|age years'), sure: 0.9 },
  { role: 'job_title', words: only('job title|job|title|position title|job function'), sure: 0.7 },
  { role: 'company', words: only(`(?:${firm}|account)(?: name)?|works at`), sure: 0.85 },
  { role: 'website', words: only('website|web site|homepage|domain|company domain|company url'), sure: 0.85 },
  { role: 'industry', words: only('industry|sector|branch of industry'), sure: 0.85 },
  { role: 'employees', words: only('employees|number of employees|employee count|headcount|company size'), sure: 0.85 },
  {
    role: 'street',
    words: only('(?:billing |shipping |home )?(?:street|address|address 1|address line 1|street address)'),
    sure: 0.8,
  },
  { role: 'city', words: only('(?:billing |shipping |home )?(?:city|town|suburb|locality)'), sure: 0.85 },
  { role: 'state', words: only('(?:billing |shipping |home )?(?:state|province|county|state province)'), sure: 0.8 },
  {
    role: 'postal_code',
    words: only('(?:billing |shipping |home )?(?:postal code(?: code| fake)?|post code|postal)'),
    sure: 0.9,
  },
  { role: 'country', words: only('(?:billing |shipping |home )?country(?: code| name)?'), sure: 0.9 },
  {
    role: 'created_at',
    words: only(
      '(?:created|created at|created on|creation date|date created|date added|added|added on|sign ?up date|signed up(?: at)?|registered(?: at| on)?|registration date|joined(?: at| on)?|join date|member since|customer since)',
    ),
    sure: 0.85,
  },
  {
    role: 'timestamp',
    words: only(
      `timestamp|date|datetime|date time|time|when|occurred at|occurred on|event (?:time|date)|(?:${order}|visit|call|return|sent|start|open|opened|click|payment|session) (?:date|time|timestamp|at|on|date time)|ordered(?: at| on)?|purchased(?: at| on)?|sent(?: at| on)|started(?: at| on)?`,
    ),
    sure: 0.85,
  },
  { role: 'event', words: only('event|event name|event type|action|activity|activity type'), sure: 0.8 },
  { role: 'channel', words: only('channel|marketing channel|utm medium|medium'), sure: 0.7 },
  { role: 'campaign', words: only('campaign|campaign name|utm campaign|utm'), sure: 0.8 },
  { role: 'url', words: only('url|page url|page|link|landing page'), sure: 0.7 },
  { role: 'description', words: only('description|details|note|notes'), sure: 0.6 },
  { role: 'user_id', words: only(`id|unique id|record id|rec id|${id}`), sure: 0.5 },
]

/** What a column of this name usually is. */
export function roleOfName(name: string): { role: Role; sure: number } | undefined {
  const words = wordsOf(name)
  const rule = rules.find(each => each.words.test(words))
  return rule && { role: rule.role, sure: rule.sure }
}

/** Whether a name speaks of a day or a time of day. */
export const namesTime = (name: string): boolean =>
  /(?:^| )(?:date|time|timestamp|datetime|day|born|birth|birthday|at|on|created|updated|since|when|until|expires|dob)(?: |$)/.test(
    wordsOf(name),
  )

/** Whether a name asks a question that yes and no, or 1 and 0, answer. */
export const namesQuestion = (name: string): boolean =>
  /^(?:is|has|had|was|can|opt|do|does|should|wants|accepts)(?: |$)|(?:^| )(?:flag|active|enabled|subscribed|newsletter|consent|opted|owner|verified|deleted|citizen|churn|conversion|converted|visit|visited)$/.test(
    wordsOf(name),
  )

/** Whether a name is that of something identified rather than counted. */
export const namesCode = (name: string): boolean =>
  new RegExp(`(?:^| )(?:${id}|postal code|phone|mobile|sku|year)$`).test(wordsOf(name)) &&
  !/^number of /.test(wordsOf(name))

/** A key in camel case (traits) or with underscores (properties), as the Segment spec spells either. */
export function keyOf(name: string, style: 'camel' | 'snake'): string {
  const words = name
    .normalize('NFKC')
    .replace(/(\p{Ll}|\d)(\p{Lu})/gu, '$1 $2')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
    .toLowerCase()
    .split(' ')
  if (style === 'snake') return words.join('_') || 'value'
  return (
    words.map((word, index) => (index === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1))).join('') || 'value'
  )
}
