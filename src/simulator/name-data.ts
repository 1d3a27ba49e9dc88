/** Small lists that names, places and companies are put together from: data only. Surnames are made of syllables. */

export interface Culture {
  female: readonly string[]
  male: readonly string[]
  /** A surname is one beginning and one ending. */
  surnameStarts: readonly string[]
  surnameEnds: readonly string[]
}

export const cultures = {
  nordic: {
    female: ['Ada', 'Elin', 'Signe', 'Maja', 'Åsa', 'Freja', 'Ingrid', 'Tuva', 'Liv', 'Sólveig'],
    male: ['Håkon', 'Björn', 'Nils', 'Emil', 'Søren', 'Axel', 'Jonas', 'Viggo', 'Tor', 'Östen'],
    surnameStarts: ['Lind', 'Ström', 'Berg', 'Kärr', 'Sjö', 'Ek', 'Hög', 'Nor', 'Fjell', 'Sand', 'Björk', 'Rönn'],
    surnameEnds: ['qvist', 'gren', 'vik', 'lund', 'ström', 'dal', 'by', 'stad', 'ås', 'holm'],
  },
  german: {
    female: ['Greta', 'Klara', 'Jördis', 'Anneliese', 'Mia', 'Frieda', 'Käthe', 'Lotte', 'Heike', 'Ulrike'],
    male: ['Jürgen', 'Matthias', 'Lukas', 'Götz', 'Felix', 'Ansgar', 'Konrad', 'Paul', 'Emil', 'Rüdiger'],
    surnameStarts: [
      'Brand',
      'Hügel',
      'Stein',
      'Wald',
      'Acker',
      'Eichen',
      'Müh',
      'Kess',
      'Rosen',
      'Grün',
      'Schön',
      'Vogt',
    ],
    surnameEnds: ['hauer', 'bach', 'mann', 'berger', 'stätter', 'feld', 'ling', 'hoff', 'wein', 'müller'],
  },
  french: {
    female: ['Zoé', 'Élodie', 'Margaux', 'Inès', 'Océane', 'Léonie', 'Anaïs', 'Camille', 'Hélène', 'Solène'],
    male: ['Jules', 'Théo', 'Gaël', 'Rémi', 'Loïc', 'Étienne', 'Maël', 'Bastien', 'François', 'Noé'],
    surnameStarts: ['Beau', 'Mont', 'Le', 'Du', 'Chante', 'Fontaine', 'Roche', 'Ville', 'Per', 'Gué', 'Char', 'Font'],
    surnameEnds: ['clair', 'rivière', 'bois', 'fèvre', 'rosier', 'chêne', 'neuve', 'rin', 'martel', 'pré'],
  },
  british: {
    female: ['Grace', 'Isla', 'Bronwen', 'Poppy', 'Eilidh', 'Mabel', 'Harriet', 'Niamh', 'Olive', 'Tamsin'],
    male: ['Alfie', 'Rhys', 'Angus', 'Ewan', 'Barnaby', 'Callum', 'Stanley', 'Dylan', 'Rupert', 'Hamish'],
    surnameStarts: ['Ash', 'Thorn', 'Wood', 'Mar', 'Hather', 'Pen', 'Winter', 'Brack', 'Old', 'Marl', 'Fair', 'Hol'],
    surnameEnds: ['worth', 'bury', 'ley', 'combe', 'low', 'wick', 'field', 'stone', 'bourne', 'more'],
  },
  iberian: {
    female: ['Lucía', 'Inés', 'Beatriz', 'Conceição', 'Ximena', 'Núria', 'Pilar', 'Leonor'],
    male: ['Tomás', 'João', 'Íñigo', 'Álvaro', 'Rui', 'Jordi', 'Nuno', 'Martín'],
    surnameStarts: ['Fuen', 'Her', 'Mon', 'Casta', 'Val', 'Sal', 'Car', 'Rib'],
    surnameEnds: ['tanarrosa', 'rera', 'teiro', 'ñeda', 'verde', 'gado', 'valho', 'eiro'],
  },
  slavic: {
    female: ['Zofia', 'Małgorzata', 'Jana', 'Ivana', 'Łucja', 'Šárka', 'Milena', 'Věra'],
    male: ['Piotr', 'Wojciech', 'Jakub', 'Zdeněk', 'Bogdan', 'Miloš', 'Łukasz', 'Radek'],
    surnameStarts: ['Wiśni', 'Kowal', 'Dvoř', 'Jabłoń', 'Nov', 'Sok', 'Brzo', 'Hora'],
    surnameEnds: ['ewicz', 'czyk', 'áček', 'owicz', 'otny', 'olik', 'zowy', 'nský'],
  },
  african: {
    female: ['Amara', 'Wanjiru', 'Ngozi', 'Thandiwe', 'Aminata', 'Folasade', 'Hadiza', 'Naledi'],
    male: ['Daniel', 'Kwame', 'Chidi', 'Sipho', 'Mamadou', 'Tunde', 'Kipchoge', 'Themba'],
    surnameStarts: ['Mbe', 'Nwo', 'Oko', 'Dia', 'Ade', 'Kama', 'Zu', 'Mo'],
    surnameEnds: ['ki', 'su', 'kwu', 'llo', 'bayo', 'ndela', 'loma', 'thebe'],
  },
  asian: {
    female: ['Mei', 'Priya', 'Yuki', 'Linh', 'Ji-woo', 'Anjali', 'Nur', 'Sakura'],
    male: ['Ravi', 'Hiroshi', 'Minh', 'Wei', 'Arjun', 'Joon', 'Farid', 'Kenji'],
    surnameStarts: ['Krishna', 'Tana', 'Nguy', 'Ra', 'Chan', 'Pra', 'Yama', 'Ha'],
    surnameEnds: ['murthy', 'ka', 'en', 'hman', 'dra', 'sad', 'moto', 'shimi'],
  },
} as const satisfies Record<string, Culture>
export type CultureName = keyof typeof cultures

/** Names that interfaces tend to break on. */
export const rightToLeftNames: readonly { first: string; last: string; gender: 'female' | 'male' }[] = [
  { first: 'نور', last: 'الحسيني', gender: 'female' },
  { first: 'يوسف', last: 'البحري', gender: 'male' },
  { first: 'ليلى', last: 'الخضراء', gender: 'female' },
  { first: 'נועה', last: 'בן־הר', gender: 'female' },
  { first: 'אורי', last: 'גלבוע', gender: 'male' },
  { first: 'سامي', last: 'عبد الجبل', gender: 'male' },
]
export const nameEmoji: readonly string[] = ['🚲', '🏔️', '👩‍👩‍👧', '✨', '🇸🇪']
export const longNameParts: readonly string[] = [
  'Maximiliane',
  'Bartholomäus',
  'Wilhelmina-Charlotte',
  'Constantijn',
  'Llanfairpwll',
  'Oyinkansola',
]

export interface RegionRow {
  name: string
  country: 'SE' | 'DE' | 'FR' | 'GB'
  share: number
  north: boolean
  cities: readonly string[]
  /** Index of the shop's own store in the region, if it has one. */
  store?: number
  cultureShares: Partial<Record<CultureName, number>>
}

const minorities = { iberian: 5, slavic: 6, african: 5, asian: 6 }

export const regionRows: readonly RegionRow[] = [
  {
    name: 'Skåne',
    country: 'SE',
    share: 0.14,
    north: false,
    cities: ['Malmö', 'Lund', 'Ystad'],
    store: 0,
    cultureShares: { nordic: 80, ...minorities },
  },
  {
    name: 'Norrbotten',
    country: 'SE',
    share: 0.05,
    north: true,
    cities: ['Luleå', 'Kiruna'],
    cultureShares: { nordic: 90, ...minorities },
  },
  {
    name: 'Hamburg',
    country: 'DE',
    share: 0.15,
    north: false,
    cities: ['Hamburg'],
    store: 1,
    cultureShares: { german: 74, ...minorities },
  },
  {
    name: 'Bayern',
    country: 'DE',
    share: 0.14,
    north: false,
    cities: ['München', 'Nürnberg', 'Regensburg'],
    cultureShares: { german: 80, ...minorities },
  },
  {
    name: 'Île-de-France',
    country: 'FR',
    share: 0.13,
    north: false,
    cities: ['Paris', 'Créteil', 'Versailles'],
    cultureShares: { french: 70, ...minorities },
  },
  {
    name: 'Bretagne',
    country: 'FR',
    share: 0.08,
    north: false,
    cities: ['Rennes', 'Brest', 'Quimper'],
    cultureShares: { french: 88, ...minorities },
  },
  {
    name: 'Greater London',
    country: 'GB',
    share: 0.16,
    north: false,
    cities: ['London', 'Croydon'],
    store: 2,
    cultureShares: { british: 66, ...minorities },
  },
  {
    name: 'Scotland',
    country: 'GB',
    share: 0.09,
    north: true,
    cities: ['Edinburgh', 'Glasgow', 'Inverness'],
    cultureShares: { british: 86, ...minorities },
  },
  {
    name: 'Cymru',
    country: 'GB',
    share: 0.06,
    north: false,
    cities: ['Cardiff', 'Aberystwyth'],
    cultureShares: { british: 88, ...minorities },
  },
]

export const countries = {
  SE: {
    name: 'Sweden',
    locale: 'sv-SE',
    timezone: 'Europe/Stockholm',
    offsetMinutes: 60,
    taxPercent: 25,
    postalDigits: 5,
  },
  DE: {
    name: 'Germany',
    locale: 'de-DE',
    timezone: 'Europe/Berlin',
    offsetMinutes: 60,
    taxPercent: 19,
    postalDigits: 5,
  },
  FR: { name: 'France', locale: 'fr-FR', timezone: 'Europe/Paris', offsetMinutes: 60, taxPercent: 20, postalDigits: 5 },
  GB: {
    name: 'United Kingdom',
    locale: 'en-GB',
    timezone: 'Europe/London',
    offsetMinutes: 0,
    taxPercent: 20,
    postalDigits: 5,
  },
} as const

export const stores: readonly { id: string; name: string; region: string }[] = [
  { id: 'store-malmo', name: 'Northwind Malmö', region: 'Skåne' },
  { id: 'store-hamburg', name: 'Northwind Hamburg', region: 'Hamburg' },
  { id: 'store-london', name: 'Northwind London', region: 'Greater London' },
]

export const streetStarts = [
  'Linden',
  'Mill',
  'Harbour',
  'Birch',
  'Church',
  'Station',
  'Orchard',
  'Meadow',
  'Bridge',
  'Quarry',
] as const
export const streetEnds = ['Street', 'Lane', 'Road', 'Way', 'Square', 'Gate'] as const

/** Companies are called like families of their country. */
export const companyCultures = { SE: 'nordic', DE: 'german', FR: 'french', GB: 'british' } as const
export const companyTypes = [
  ['Mountain Rentals', 'rental'],
  ['Outdoor School', 'education'],
  ['Hotels', 'hospitality'],
  ['Couriers', 'logistics'],
  ['Municipality', 'public'],
  ['Travel Club', 'travel'],
  ['Engineering', 'industry'],
  ['Forestry', 'forestry'],
] as const
export const legalForms = { SE: 'AB', DE: 'GmbH', FR: 'SARL', GB: 'Ltd' } as const

/** Mail domains of private people: like a public mail provider, they say nothing about a company. */
export const personalMailDomains = ['mail.example.com', 'post.example.net', 'inbox.example.org'] as const
