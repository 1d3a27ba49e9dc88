/** How many decimals a currency's minor unit has: a currency code comes in, the number of places goes out. */

/** Whose table: the standard's, or Stripe's, whose API departs from the standard for a few currencies. */
export const minorUnitTables = ['iso4217', 'stripe'] as const
export type MinorUnitTable = (typeof minorUnitTables)[number]

const usualPlaces = 2

/** ISO 4217, list one: every currency in use whose minor unit has not two places. */
const iso4217: Readonly<Record<string, number>> = {
  ...places(0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'),
  ...places(3, 'BHD IQD JOD KWD LYD OMR TND'),
  ...places(4, 'CLF UYW'),
}

/**
 * Stripe's amounts (docs.stripe.com/currencies): ISK and UGX have no minor unit any more, yet Stripe keeps counting them
 * in hundredths (its special cases; its own list of zero-decimal currencies still names UGX); MGA is counted whole.
 */
const stripe: Readonly<Record<string, number>> = {
  ...places(0, 'BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF'),
  ...places(3, 'BHD JOD KWD OMR TND'),
}

const tables: Readonly<Record<MinorUnitTable, Readonly<Record<string, number>>>> = { iso4217, stripe }

/** Decimal places of the currency (`usd` and `USD` alike); undefined if the text is no three-letter code. */
export function minorUnitPlaces(currency: string, table: MinorUnitTable = 'iso4217'): number | undefined {
  if (!/^[A-Za-z]{3}$/.test(currency)) return undefined
  const code = currency.toUpperCase()
  return Object.hasOwn(tables[table], code) ? tables[table][code] : usualPlaces
}

function places(count: number, codes: string): Record<string, number> {
  return Object.fromEntries(codes.split(' ').map(code => [code, count]))
}
