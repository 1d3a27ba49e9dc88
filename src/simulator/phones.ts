/**
 * In: a country and the index of a person or company. Out: a phone number of their own that belongs to nobody real, or
 * null where the reserved numbers have run out.
 *
 * Only ranges that regulators keep for film and fiction, and of those only what libphonenumber calls valid: Ofcom
 * (GB, "numbers for drama"), ARCEP (FR, 01 99 00 …; its mobile range is not valid there), Bundesnetzagentur (DE,
 * Mitteilung 148/2021), PTS (SE), and 555-01xx of the North American plan. Numbers are given out by index, so that more
 * people never change anybody's number; that bounds how many can have one (some 50,000).
 */
import type { countries } from './name-data.ts'

export type Country = keyof typeof countries

/** [prefix in E.164, digits that follow, first number, how many]. */
type Range = readonly [prefix: string, digits: number, first: number, count: number]

const thousand = (prefix: string): Range => [prefix, 3, 0, 1000]

const ranges: Record<Country, readonly Range[]> = {
  GB: ['1134960', '1144960', '1164960', '1214960', '1314960', '1414960', '1514960', '1614960']
    .concat(['2079460', '1914980', '2896496', '2920180'])
    .map(prefix => thousand(`+44${prefix}`)),
  FR: ['19900', '26191', '35301', '46571', '53649'].map(prefix => [`+33${prefix}`, 4, 0, 10_000]),
  DE: ['3023125', '6990009', '4066969', '2214710', '8999998'].map(prefix => thousand(`+49${prefix}`)),
  SE: [
    ['+467017406', 2, 5, 95],
    ['+463139006', 2, 0, 100],
    ['+464062804', 2, 0, 100],
    ['+468465004', 2, 0, 100],
    ['+469803192', 2, 0, 100],
  ],
}

const americanAreas = [
  '201',
  '206',
  '212',
  '213',
  '214',
  '303',
  '305',
  '312',
  '313',
  '314',
  '404',
  '410',
  '412',
  '415',
].concat([
  '503',
  '504',
  '512',
  '602',
  '612',
  '615',
  '617',
  '619',
  '702',
  '713',
  '716',
  '718',
  '801',
  '808',
  '816',
  '919',
])

const nth = (list: readonly Range[], index: number): string | null => {
  let left = index
  for (const [prefix, digits, first, count] of list) {
    if (left < count) return prefix + String(first + left).padStart(digits, '0')
    left -= count
  }
  return null
}

const capacity = (list: readonly Range[]): number => list.reduce((sum, range) => sum + range[3], 0)
const americanRanges = americanAreas.map((area): Range => [`+1${area}55501`, 2, 0, 100])

/** The shop's own line for each salesperson, in a range that no person gets. */
export const salesLine = (salesperson: string): string => `+441174960${salesperson.replace(/\D/g, '').padStart(3, '0')}`

/** How many companies can have a switchboard: they take the American numbers, people the European ones. */
export const SWITCHBOARDS_MAX = capacity(americanRanges)

/** The phone of the person with this index: of their own country while its numbers last, then a French one, then none. */
export const personPhone = (country: Country, index: number): string | null =>
  nth(ranges[country], index) ?? nth(ranges.FR, index)

/** The switchboard of the company with this index. */
export const companyPhone = (index: number): string | null => nth(americanRanges, index)

/** One number of every range, for the test that holds them against libphonenumber. */
export const samplePhones = (): string[] =>
  [...Object.values(ranges).flat(), ...americanRanges].flatMap(([prefix, digits, first, count]) => [
    prefix + String(first).padStart(digits, '0'),
    prefix + String(first + count - 1).padStart(digits, '0'),
  ])
