/**
 * Every figure that the simulator plants, in one place: data only. `docs/reference/simulator.md` explains each, the
 * tests hold the output to them, and later work is scored on recovering them. Changing one changes the output for every
 * seed, so it is a change of version.
 */
import type { Category } from './product-data.ts'

export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS
export const WEEK_MS = 7 * DAY_MS

/** How long before the first day the existing customers may have come. */
export const PRIOR_DAYS = 730

/** Raised whenever the same seed gives other calls than before. */
export const SIMULATOR_VERSION = 1

export const channelNames = [
  'direct',
  'organic_search',
  'brand_search',
  'paid_search',
  'social',
  'display',
  'email',
  'affiliate',
  'referral',
] as const
export type Channel = (typeof channelNames)[number]

export const discountClasses = ['bargain', 'regular', 'indifferent'] as const
export type DiscountClass = (typeof discountClasses)[number]
export const occupations = ['student', 'office', 'manual', 'professional', 'manager', 'retired'] as const
export type Occupation = (typeof occupations)[number]
export const incomeBands = ['low', 'middle', 'high'] as const
export type IncomeBand = (typeof incomeBands)[number]
export const genders = ['female', 'male', 'other'] as const
export type Gender = (typeof genders)[number]
export const ageBands = ['18-29', '30-44', '45-59', '60+'] as const
export type AgeBand = (typeof ageBands)[number]

/** Groups whose tastes are planted; a person belongs to several, and the lifts multiply. */
export type TasteGroup =
  | `age:${AgeBand}`
  | `gender:${Gender}`
  | `income:${IncomeBand}`
  | `occupation:${Occupation}`
  | 'children:yes'
  | 'region:north'
  | 'company:yes'

const lifts: Partial<Record<TasteGroup, Partial<Record<Category, number>>>> = {
  'age:18-29': { 'Packs & bags': 1.6, Bikes: 0.7, Clothing: 1.2 },
  'age:30-44': { Kids: 1.7, Bikes: 1.2 },
  'age:45-59': { Bikes: 1.4, 'Tents & camping': 1.15 },
  'age:60+': { Footwear: 1.7, 'Lights & navigation': 1.3, Kids: 0.6, 'Packs & bags': 0.7 },
  'gender:female': { Clothing: 1.4, 'Cycle parts': 0.75 },
  'gender:male': { 'Cycle parts': 1.4, 'Lights & navigation': 1.25 },
  'income:low': { Bikes: 0.5, 'Cycle parts': 1.3 },
  'income:high': { Bikes: 1.9, Clothing: 1.15 },
  'occupation:student': { 'Packs & bags': 1.4 },
  'occupation:manual': { 'Cycle parts': 1.3, Footwear: 1.25 },
  'children:yes': { Kids: 3, 'Tents & camping': 1.3 },
  'region:north': { 'Tents & camping': 1.5, 'Lights & navigation': 1.35 },
  'company:yes': { Bikes: 1.8, 'Cycle parts': 1.6, Kids: 0.3 },
}

export const planted = {
  /** Who the people are. Shares are probabilities per person unless they say otherwise. */
  people: {
    existingShare: 0.3,
    genderShares: { female: 0.49, male: 0.49, other: 0.02 },
    ageBandShares: { '18-29': 0.22, '30-44': 0.33, '45-59': 0.27, '60+': 0.18 },
    /** low, middle, high by occupation. */
    incomeShares: {
      student: [0.8, 0.18, 0.02],
      office: [0.2, 0.65, 0.15],
      manual: [0.35, 0.58, 0.07],
      professional: [0.06, 0.54, 0.4],
      manager: [0.02, 0.38, 0.6],
      retired: [0.45, 0.45, 0.1],
    },
    /** Households by size in a block of four people. */
    householdPatterns: [
      { sizes: [1, 1, 1, 1], share: 0.3 },
      { sizes: [2, 1, 1], share: 0.3 },
      { sizes: [2, 2], share: 0.2 },
      { sizes: [3, 1], share: 0.1 },
      { sizes: [4], share: 0.1 },
    ],
    /** Of those who are neither students nor retired. */
    companyShareOfWorkers: 0.28,
    /** Of those with a company, who buys for it. */
    companyBuyerShare: 0.4,
    jobChangeShare: 0.12,
    phoneShare: 0.6,
    surveyShare: 0.45,
    birthdayKnownShare: 0.5,
    genderKnownShare: 0.55,
    rightToLeftNameShare: 0.012,
    emojiNameShare: 0.004,
    longNameShare: 0.004,
  },

  /** Devices and identifiers. */
  identity: {
    cookieLifetimeDays: 150,
    neverLogsInShare: 0.25,
    accountShareOfBuyers: 0.75,
    accountShareOfOthers: 0.15,
    /** Of households with two or more; a tablet's users sign out at the end of each visit. */
    sharedTabletShare: 0.4,
    /** The tablet is with one member for so long. */
    tabletTurnDays: 5,
    tabletLoginShare: 0.6,
    familyMailboxShare: 0.15,
    sharedLoyaltyCardShare: 0.15,
    companyMailboxShare: 0.3,
    switchboardShare: 0.25,
    secondAccountShare: 0.04,
    /** Of second accounts: those whose owner has them joined by an alias call. */
    aliasShare: 0.6,
    kioskVisitsPerYear: 1.2,
    kioskEmailShare: 0.25,
    kioskLoginShare: 0.1,
    typoEmailShare: 0.03,
    loyaltyShare: 0.6,
    loyaltyLinkedShare: 0.6,
    cardRenewalShare: 0.3,
    socialShare: 0.08,
    socialLinkedShare: 0.3,
  },

  /** Faults of transport and of clients, per call unless they say otherwise. */
  faults: {
    duplicateShare: 0.02,
    lateShare: 0.012,
    lateMedianHours: 3,
    lateSigma: 1.4,
    lateDaysMax: 6,
    skewedDeviceShare: 0.05,
    skewHoursMax: 5,
    deadClockShare: 0.002,
    /** Of app visits. */
    offlineVisitShare: 0.08,
    offlineMeanHours: 7,
    /** Of app devices: a version that sends userId "null" before a login. */
    buggyAppShare: 0.1,
    /** Of anonymous browser visits: a consent banner that zeroes the anonymousId. */
    zeroedVisitShare: 0.004,
    withheldNumberShare: 0.05,
    junkReceiptEmailShare: 0.15,
    /** Of e-mail addresses and phones typed by people: upper case, spaces. */
    untidyShare: 0.08,
  },

  /** Who becomes a customer by themselves: logistic regression, one coefficient per trait. */
  conversion: {
    intercept: -0.75,
    income: { low: -0.5, middle: 0, high: 0.7 },
    occupation: { student: -0.4, office: 0, manual: 0, professional: 0.2, manager: 0.3, retired: -0.1 },
    age: { '18-29': -0.2, '30-44': 0.3, '45-59': 0.1, '60+': -0.2 },
    channel: {
      direct: 0.3,
      organic_search: 0.1,
      brand_search: 0.5,
      paid_search: -0.1,
      social: -0.4,
      display: -0.7,
      email: 0,
      affiliate: 0.2,
      referral: 0.4,
    },
    children: 0.3,
    companyBuyer: 0.9,
    firstOrderMeanDays: 9,
  },

  /** Next purchase: BG/NBD of Fader, Hardie and Lee (2005), in trading weeks; no dropout at the first order. */
  purchase: { r: 0.9, alphaWeeks: 7, a: 0.9, b: 4.5 },

  /** What makes a customer leave: a bad experience adds an independent chance to leave at that order. */
  churn: {
    badExperienceShare: 0.06,
    hazardWhenUnsolved: 0.45,
    hazardWhenSolved: 0.08,
    solvedShare: 0.7,
    /** Share of the browsing that goes on after leaving. */
    browsingAfter: 0.1,
  },

  /** Browsing: visits per trading week ~ Gamma(shape) / shape × mean, and where visits come from. */
  browsing: {
    shape: 1.2,
    meanPerWeek: 0.22,
    prospectMemoryDays: 90,
    intentVisitsMax: 3,
    intentMeanDays: 2,
    channelShares: {
      discovery: [0.12, 0.27, 0.04, 0.14, 0.15, 0.15, 0.0, 0.06, 0.07],
      returning: [0.36, 0.2, 0.08, 0.08, 0.09, 0.09, 0.0, 0.05, 0.05],
      intent: [0.42, 0.14, 0.24, 0.03, 0.01, 0.02, 0.0, 0.12, 0.02],
    },
  },

  /**
   * Causes of purchase. Each is an independent coin: heads is one order that would not have been, with no other
   * consequence. The chance counts in full for a customer who has not left, by three quarters for somebody who has not
   * bought yet, and not at all for those who left.
   */
  causes: {
    stateFactor: { customer: 1, prospect: 0.75, left: 0 },
    /** Per visit through the channel, browsing only. */
    channelEffect: {
      direct: 0,
      organic_search: 0,
      brand_search: 0,
      paid_search: 0.05,
      social: 0.04,
      display: 0.05,
      email: 0,
      affiliate: 0,
      referral: 0.03,
    },
    channelSameVisitShare: 0.5,
    displayHoldoutShare: 0.1,
    mail: {
      subscriberShareOfBuyers: 0.6,
      subscriberShareOfOthers: 0.18,
      everyDays: 28,
      promotion: { firstDay: 9, holdout: 0.15, discount: 0.425 },
      /** A null control: read and clicked, but nobody buys because of it. */
      newsletter: { firstDay: 23, holdout: 0.15 },
      /** Orders per person sent, above the hold-out: without and with a voucher. */
      plainEffect: { bargain: 0.018, regular: 0.012, indifferent: 0 },
      discountEffect: { bargain: 0.07, regular: 0.024, indifferent: 0 },
      windowDays: 7,
      voucherPercent: 10,
      /** Baseline orders within the window that use the voucher anyway: its cost. */
      voucherUse: { bargain: 0.9, regular: 0.5, indifferent: 0.2 },
      deliveredShare: 0.985,
      openA: 2,
      openB: 4,
      clickOfOpened: 0.16,
      unsubscribeOfDelivered: 0.003,
    },
    salesCall: {
      everyDays: 28,
      firstDay: 12,
      listedShare: { consumer: 0.08, company: 0.35 },
      holdout: 0.25,
      connected: 0.55,
      /** Orders per connected call, times the salesperson's skill. */
      effect: { consumer: 0.08, company: 0.15 },
      windowDays: 14,
    },
    /** low, middle, high income: the shares of bargain, regular, indifferent. */
    discountClassShares: { low: [0.55, 0.38, 0.07], middle: [0.3, 0.5, 0.2], high: [0.1, 0.5, 0.4] },
  },

  /** What people like: base shares of categories and the lifts of groups (multiplied, then normalised). */
  tastes: {
    base: {
      Bikes: 0.08,
      'Cycle parts': 0.16,
      'Tents & camping': 0.12,
      Clothing: 0.2,
      Footwear: 0.13,
      'Packs & bags': 0.12,
      'Lights & navigation': 0.11,
      Kids: 0.08,
    },
    lifts,
    /** Within a category a product's popularity is multiplied by (price ÷ the category's median)^tilt. */
    priceTilt: { low: -0.5, middle: 0, high: 0.5 },
  },

  /** Orders. */
  orders: {
    anotherLine: 0.42,
    linesMax: 8,
    anotherUnit: 0.14,
    companyAnotherUnit: 0.7,
    unitsMax: 24,
    storeShareOfStorePeople: 0.6,
    storePeopleShare: 0.5,
    freeShippingFromMinor: 7500,
    shippingMinor: 490,
    welcomeVoucherShare: 0.3,
    welcomeVoucherPercent: 5,
    cardShareInStore: 0.7,
    loyaltyShownShare: 0.7,
    receiptByEmailShare: 0.15,
    cardTokenOnlineShare: 0.35,
    /** Per order line. */
    returnShares: {
      Bikes: 0.03,
      'Cycle parts': 0.04,
      'Tents & camping': 0.05,
      Clothing: 0.14,
      Footwear: 0.16,
      'Packs & bags': 0.05,
      'Lights & navigation': 0.06,
      Kids: 0.07,
    },
    returnAfterDays: { from: 3, to: 28 },
    questionCallShare: 0.03,
  },

  /** Prices and costs over time. */
  prices: { changeMeanDays: 210, priceStep: 0.1, costStep: 0.08 },

  socialCommentsPerYear: 3,

  /** Relative busyness; Monday and January first. */
  calendar: {
    weekdays: [0.95, 0.92, 0.95, 1, 1.08, 1.12, 0.98],
    months: [0.8, 0.8, 0.95, 1.05, 1.1, 1.05, 0.95, 0.9, 0.95, 1, 1.2, 1.25],
    hours: {
      home: [3, 1, 0, 0, 0, 1, 4, 9, 12, 12, 12, 13, 17, 14, 12, 12, 14, 18, 24, 34, 40, 36, 22, 9],
      office: [0, 0, 0, 0, 0, 0, 1, 5, 18, 24, 24, 20, 22, 20, 22, 22, 18, 8, 1, 0, 0, 0, 0, 0],
      /** Like `office`, and never at weekends: the shop's own people. */
      desk: [0, 0, 0, 0, 0, 0, 0, 0, 10, 24, 24, 20, 14, 18, 22, 22, 14, 0, 0, 0, 0, 0, 0, 0],
      store: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 12, 16, 14, 12, 14, 18, 18, 10, 0, 0, 0, 0, 0],
    },
  },
} as const

export interface Salesperson {
  id: string
  name: string
  email: string
  team: 'Riders' | 'Fleets'
  /** Multiplies the effect of a connected call. */
  skill: number
}

/** The shop's people: two teams of three. Riders look after private customers, Fleets after companies. */
export const salespeople: readonly Salesperson[] = [
  { id: 'rep-1', name: 'Quill Ledgerby', email: 'quill@northwind.example.com', team: 'Riders', skill: 1.4 },
  { id: 'rep-2', name: 'Tansy Dealwright', email: 'tansy@northwind.example.com', team: 'Riders', skill: 1 },
  { id: 'rep-3', name: 'Bram Quotaveld', email: 'bram@northwind.example.com', team: 'Riders', skill: 0.6 },
  { id: 'rep-4', name: 'Orla Pipeworth', email: 'orla@northwind.example.com', team: 'Fleets', skill: 1.5 },
  { id: 'rep-5', name: 'Juno Closewell', email: 'juno@northwind.example.com', team: 'Fleets', skill: 1 },
  { id: 'rep-6', name: 'Mirel Handshake', email: 'mirel@northwind.example.com', team: 'Fleets', skill: 0.5 },
]
